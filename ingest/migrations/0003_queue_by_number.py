"""Bulk requests are queued in the order of their numbers, for which they have an index."""

from django.db import migrations

from config.db import online


class Migration(online.Migration):
    dependencies = [("ingest", "0002_running_jobs")]

    operations = [
        online.RemoveIndex(model_name="bulkrequest", name="bulkrequest_open"),
        migrations.RenameIndex(
            model_name="bulkrequest", old_name="bulk_request_queued", new_name="bulkrequest_queued"
        ),
    ]

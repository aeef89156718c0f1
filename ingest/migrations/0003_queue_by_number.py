"""Bulk requests are queued in the order of their numbers, for which they have an index."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ingest", "0002_running_jobs")]

    operations = [
        migrations.RemoveIndex(model_name="bulkrequest", name="bulkrequest_open"),
        migrations.RenameIndex(
            model_name="bulkrequest", old_name="bulk_request_queued", new_name="bulkrequest_queued"
        ),
    ]

"""Ended jobs, found by the clean-up."""

from django.db import migrations, models

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("ingest", "0004_account_for_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulkrequest",
            name="keeps_content",
            field=models.BooleanField(db_default=True, editable=False),
        ),
        online.AddIndex(
            model_name="bulkrequest",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)),
                fields=["finished_at"],
                name="bulkrequest_ended",
            ),
        ),
        online.AddIndex(
            model_name="bulkrequest",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False), ("keeps_content", True)),
                fields=["finished_at"],
                name="bulk_request_with_content",
            ),
        ),
    ]

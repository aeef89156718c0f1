"""Ended jobs, found by the clean-up."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingest", "0004_account_for_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulkrequest",
            name="keeps_content",
            field=models.BooleanField(db_default=True, editable=False),
        ),
        migrations.AddIndex(
            model_name="bulkrequest",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)),
                fields=["finished_at"],
                name="bulkrequest_ended",
            ),
        ),
        migrations.AddIndex(
            model_name="bulkrequest",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False), ("keeps_content", True)),
                fields=["finished_at"],
                name="bulk_request_with_content",
            ),
        ),
    ]

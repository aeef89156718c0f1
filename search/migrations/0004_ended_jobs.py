"""Ended jobs, found by the clean-up."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("search", "0003_queued_jobs"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="customersearch",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)),
                fields=["finished_at"],
                name="customersearch_ended",
            ),
        ),
    ]

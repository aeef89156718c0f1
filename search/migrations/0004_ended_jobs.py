"""Ended jobs, found by the clean-up."""

from django.db import models

from config.db import online


class Migration(online.Migration):
    dependencies = [
        ("search", "0003_queued_jobs"),
    ]

    operations = [
        online.AddIndex(
            model_name="customersearch",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", False)),
                fields=["finished_at"],
                name="customersearch_ended",
            ),
        ),
    ]

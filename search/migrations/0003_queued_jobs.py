"""The few searches with a message, found among very many that wait."""

from django.db import models

from config.db import online


class Migration(online.Migration):
    dependencies = [("search", "0002_running_jobs")]

    operations = [
        online.AddIndex(
            model_name="customersearch",
            index=models.Index(
                fields=["business_account"],
                name="customersearch_queued",
                condition=models.Q(("queued_at__isnull", False), ("status", "SUBMITTED")),
            ),
        ),
    ]

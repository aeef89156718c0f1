"""The jobs that run, found among very many that wait."""

from django.db import models

from config.db import online


class Migration(online.Migration):
    dependencies = [("search", "0001_customer_search")]

    operations = [
        online.AddIndex(
            model_name="customersearch",
            index=models.Index(
                fields=["business_account"],
                name="customersearch_running",
                condition=models.Q(("status__in", ["PICKED", "STARTED"])),
            ),
        ),
    ]

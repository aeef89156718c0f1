"""Finds the few changes that keep sealed values: to seal them anew, and to forget them in time."""

from django.db import models

from config.db import online


class Migration(online.Migration):
    dependencies = [("customers", "0025_kept_values")]

    operations = [
        online.AddIndex(
            "change",
            models.Index(
                condition=models.Q(("sealed__isnull", False)),
                fields=["at", "customer_id", "id"],
                name="change_sealed",
            ),
        ),
    ]

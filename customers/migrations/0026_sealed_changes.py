"""Finds the few changes that keep sealed values: to seal them anew, and to forget them in time."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0025_kept_values")]

    operations = [
        AddIndexConcurrently(
            "change",
            models.Index(
                condition=models.Q(("sealed__isnull", False)),
                fields=["at", "customer_id", "id"],
                name="change_sealed",
            ),
        ),
    ]

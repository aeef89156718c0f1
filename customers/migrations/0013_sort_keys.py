"""The primary contact's names on the customer itself, for lists to sort by."""

from django.db import models

from config.db import online


def name() -> "models.CharField[str, str]":
    return models.CharField(blank=True, default="", editable=False, max_length=120)


class Migration(online.Migration):
    dependencies = [("customers", "0012_attribute_guards")]

    operations = [
        online.AddField("customer", "sort_first_name", name(), default="''"),
        online.AddField("customer", "sort_last_name", name(), default="''"),
        online.AddField(
            "customer",
            "is_named",
            models.BooleanField(
                default=False, editable=False, help_text="Whether one of the two is there."
            ),
            default="false",
        ),
    ]

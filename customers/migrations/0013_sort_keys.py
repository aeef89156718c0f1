"""The primary contact's names on the customer itself, for lists to sort by."""

from django.db import migrations, models


def name() -> "models.CharField[str, str]":
    return models.CharField(blank=True, default="", editable=False, max_length=120)


class Migration(migrations.Migration):
    dependencies = [("customers", "0012_attribute_guards")]

    operations = [
        migrations.AddField("customer", "sort_first_name", name()),
        migrations.AddField("customer", "sort_last_name", name()),
        migrations.AddField(
            "customer",
            "is_named",
            models.BooleanField(
                default=False, editable=False, help_text="Whether one of the two is there."
            ),
        ),
    ]

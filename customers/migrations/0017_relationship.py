"""Pins sealed, lists of levels and industries, and customers by department."""

from importlib import import_module

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.state import StateApps
from django.db.models import F

import config.crypto
from config.crypto import place, seal

BATCH = 1000
record = import_module("customers.migrations.0002_change_record")
(BEFORE,) = [tracked for tracked in record.TRACKED if tracked.entity == "customer"]
AFTER = BEFORE._replace(texts=BEFORE.texts.replace(" pin ", " "), secrets="pin_sealed")


def replaced(tracked: tuple[str, ...]) -> str:
    function: str = record.function(tracked)
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


def seal_pins(apps: StateApps, _schema_editor: object) -> None:
    customers = apps.get_model("customers", "Customer")._default_manager
    while rows := list(customers.exclude(pin="")[:BATCH]):
        for row in rows:
            row.pin_sealed = seal(row.pin, place(type(row), "pin_sealed", row.pk))
            row.pin = ""
        customers.bulk_update(rows, ["pin", "pin_sealed"])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0016_name_key")]

    operations = [
        migrations.AddField(
            "customer", "pin_sealed", config.crypto.SealedField(blank=True, null=True)
        ),
        migrations.RunPython(seal_pins, migrations.RunPython.noop),
        migrations.RunSQL(replaced(AFTER), replaced(BEFORE)),
        migrations.RemoveField("customer", "pin"),
        migrations.AlterField(
            "customer",
            "role",
            models.CharField(
                blank=True,
                choices=[
                    ("Partner", "Partner"),
                    ("Reseller", "Reseller"),
                    ("Customer", "Customer"),
                ],
                default="",
                max_length=40,
            ),
        ),
        migrations.AlterField(
            "customer",
            "how_referred",
            models.CharField(
                blank=True,
                choices=[
                    ("Website", "Website"),
                    ("Customer", "Customer"),
                    ("Partner", "Partner"),
                    ("Employee", "Employee"),
                    ("Reseller", "Reseller"),
                ],
                default="",
                max_length=40,
            ),
        ),
        migrations.AddField(
            "businessaccount",
            "levels",
            ArrayField(
                models.CharField(max_length=120),
                blank=True,
                default=list,
                help_text="Levels that customers may have, separated by commas; without any, all "
                "may be.",
            ),
        ),
        migrations.AddField(
            "businessaccount",
            "industries",
            ArrayField(
                models.CharField(max_length=120),
                blank=True,
                default=list,
                help_text="Industries that customers may have, likewise.",
            ),
        ),
        AddIndexConcurrently(
            "customer",
            models.Index(
                F("department"),
                F("created_at").desc(),
                F("id").desc(),
                name="customer_department",
                condition=models.Q(("department__isnull", False)),
            ),
        ),
    ]

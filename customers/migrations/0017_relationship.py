"""Pins sealed, lists of levels and industries, and customers by department."""

from importlib import import_module

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, migrations, models, transaction
from django.db.migrations.state import StateApps
from django.db.models import F

import config.db.crypto
from config.db.crypto import associated_data, seal

BATCH = 1000
record = import_module("customers.migrations.0002_change_record")
(BEFORE,) = [tracked for tracked in record.TRACKED if tracked.entity == "customer"]
AFTER = BEFORE._replace(texts=BEFORE.texts.replace(" pin ", " "), secrets="pin_sealed")

# What the change log has of pins in clear.
MASK_RECORDED = """
    UPDATE customers_change SET
        before = CASE WHEN before ? 'pin' THEN before - 'pin' || '{"pin_sealed": "***"}'
                      ELSE before END,
        after = CASE WHEN after ? 'pin' THEN after - 'pin' || '{"pin_sealed": "***"}'
                     ELSE after END
    WHERE entity = 'customer' AND (before ? 'pin' OR after ? 'pin')"""


def replaced(tracked: tuple[str, ...]) -> str:
    function: str = record.function(tracked)
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


def seal_pins(apps: StateApps, _schema_editor: object) -> None:
    """Batch by batch, in the order of the keys; nothing that is known has changed."""
    customers = apps.get_model("customers", "Customer")._default_manager
    unsealed = customers.exclude(pin="").order_by("pk").select_for_update()
    rows = unsealed
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('kith.recording', 'off', true)")
            batch = list(rows[:BATCH])
            for row in batch:
                row.pin_sealed = seal(row.pin, associated_data(type(row), "pin_sealed", row.pk))
                row.pin = ""
            customers.bulk_update(batch, ["pin", "pin_sealed"])
        if len(batch) < BATCH:
            return
        rows = unsealed.filter(pk__gt=batch[-1].pk)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0016_name_key")]

    operations = [
        migrations.AddField(
            "customer", "pin_sealed", config.db.crypto.SealedField(blank=True, null=True)
        ),
        migrations.RunSQL(replaced(AFTER), replaced(BEFORE)),
        migrations.RunPython(seal_pins, migrations.RunPython.noop),
        migrations.RunSQL(MASK_RECORDED, migrations.RunSQL.noop),
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

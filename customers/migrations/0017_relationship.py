"""Pins sealed, lists of levels and industries, and customers by department."""

from importlib import import_module

from django.apps.registry import Apps
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F

import config.db.crypto
from config.db import online
from config.db.crypto import seal

BATCH = 200
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
    WHERE (%(after)s::uuid IS NULL OR customer_id > %(after)s)
        AND (%(last)s::uuid IS NULL OR customer_id <= %(last)s)
        AND entity = 'customer' AND (before ? 'pin' OR after ? 'pin')"""
UNSEALED = """
    SELECT id, {column} FROM customers_customer
    WHERE {column} <> '' AND id > coalesce(%s, '00000000-0000-0000-0000-000000000000'::uuid)
    ORDER BY id LIMIT %s FOR NO KEY UPDATE"""
SEAL = """
    UPDATE customers_customer customer SET pin_sealed = new.sealed, {column} = ''
    FROM unnest(%s::uuid[], %s::bytea[]) AS new (id, sealed) WHERE customer.id = new.id"""


def replaced(tracked: tuple[str, ...]) -> str:
    function: str = record.function(tracked)
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


def seal_all(connection: BaseDatabaseWrapper, column: str) -> None:
    """Seal the pins that stand in a column in clear, batch by batch, in the order of the keys.

    Nothing that is known has changed, so the change log has nothing of it.
    """
    last = None
    while True:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('kith.recording', 'off', true)")
            cursor.execute(UNSEALED.format(column=column), [last, BATCH])
            found = cursor.fetchall()
            sealed = [seal(pin, f"customers_customer.pin_sealed:{key}") for key, pin in found]
            cursor.execute(SEAL.format(column=column), [[key for key, _ in found], sealed])
        if len(found) < BATCH:
            return
        last = found[-1][0]


def seal_pins(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Seal those that are there."""
    seal_all(editor.connection, "pin")


def mask_recorded(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Mask what the change log has of them."""
    online.fill(editor.connection, MASK_RECORDED, table="customers_change", key="customer_id")


class Migration(online.Migration):
    dependencies = [("customers", "0016_name_key")]

    operations = [
        migrations.AddField(
            "customer", "pin_sealed", config.db.crypto.SealedField(blank=True, null=True)
        ),
        migrations.RunSQL(replaced(AFTER), replaced(BEFORE)),
        online.RunBatches(seal_pins, online.RunBatches.noop),
        online.RunBatches(mask_recorded, online.RunBatches.noop),
        # Programs of 0.1.0 read the column; it goes at the end of the upgrade.
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("customer", "pin")]
        ),
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
        online.AddField(
            "businessaccount",
            "levels",
            ArrayField(
                models.CharField(max_length=120),
                blank=True,
                default=list,
                help_text="Levels that customers may have, separated by commas; without any, all "
                "may be.",
            ),
            default="'{}'",
        ),
        online.AddField(
            "businessaccount",
            "industries",
            ArrayField(
                models.CharField(max_length=120),
                blank=True,
                default=list,
                help_text="Industries that customers may have, likewise.",
            ),
            default="'{}'",
        ),
        online.AddIndex(
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

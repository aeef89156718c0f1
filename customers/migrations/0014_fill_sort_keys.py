"""Fills the sort keys of the customers that are there, in batches of a transaction each.

It can be interrupted and run again; what is derived leaves no trace in the change log.
"""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

BATCH = 5_000
NEXT = """
    SELECT id FROM customers_customer WHERE %(after)s::uuid IS NULL OR id > %(after)s
    ORDER BY id OFFSET %(batch)s - 1 LIMIT 1"""
FILL = """
    UPDATE customers_customer customer
    SET sort_first_name = left(contact.first_name_folded, 120),
        sort_last_name = left(contact.last_name_folded, 120), is_named = true
    FROM customers_contact contact
    WHERE contact.customer_id = customer.id AND contact.is_primary
      AND (contact.first_name_folded <> '' OR contact.last_name_folded <> '')
      AND NOT customer.is_named
      AND (%(after)s::uuid IS NULL OR customer.id > %(after)s)
      AND (%(last)s::uuid IS NULL OR customer.id <= %(last)s)"""


def fill(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    bounds: dict[str, Any] = {"after": None, "batch": BATCH}
    with editor.connection.cursor() as cursor:
        while True:
            cursor.execute(NEXT, bounds)
            bounds["last"] = (cursor.fetchone() or [None])[0]
            with transaction.atomic(using=editor.connection.alias):
                cursor.execute("SELECT set_config('kith.recording', 'off', true)")
                cursor.execute(FILL, bounds)
            if bounds["last"] is None:
                return
            bounds["after"] = bounds["last"]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0013_sort_keys")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

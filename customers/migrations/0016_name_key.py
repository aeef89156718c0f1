"""Customers' names as an index holds them, and phone numbers with the digits of extensions.

PostgreSQL could make the column of the other by itself, but writes the whole table anew for it,
while everybody waits. So the product writes it, and a constraint sees to that.
"""

from django.apps.registry import Apps
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models.functions import Concat

import customers.models.customer
from config.db import online

FILL = """
    WITH wrong AS MATERIALIZED (
        SELECT id FROM customers_customer
        WHERE (%(after)s::uuid IS NULL OR id > %(after)s)
            AND (%(last)s::uuid IS NULL OR id <= %(last)s)
            AND name_key <> left(name_folded, 600)
        ORDER BY id FOR NO KEY UPDATE)
    UPDATE customers_customer customer SET name_key = left(name_folded, 600)
    FROM wrong WHERE wrong.id = customer.id"""


def fill(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Fill in what is missing or out of date."""
    online.fill(editor.connection, FILL, table="customers_customer", key="id")


class Migration(online.Migration):
    dependencies = [("customers", "0015_sort_indexes")]

    operations = [
        online.AddField(
            "customer",
            "name_key",
            models.CharField(blank=True, default="", editable=False, max_length=600),
            default="''",
        ),
        online.RunBatches(fill, online.RunBatches.noop),
        online.AddIndex(
            "customer",
            models.Index(
                fields=["business_account", "name_key", "id"],
                name="customer_sort_name",
                condition=models.Q(("status", "DELETED"), _negated=True),
            ),
        ),
        online.AddIndex(
            "contactpoint",
            models.Index(
                Concat("value_key", customers.models.customer.Digits("extension")),
                name="contact_point_full_number",
                condition=models.Q(("kind", "PHONE"), models.Q(("extension", ""), _negated=True)),
            ),
        ),
        online.RemoveIndex("contactpoint", "contact_point_extension"),
    ]

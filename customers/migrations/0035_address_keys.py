"""Customers are found by the cities and countries of their addresses without a look at these.

One index has both what a search box and what such a filter looks for. That of cities goes: whoever
looks for one has the customers first.
"""

import django.contrib.postgres.fields
from django.apps.registry import Apps
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from config.db import online

# Sorted as Python sorts.
FILL = """
    WITH wrong AS MATERIALIZED (
        SELECT customer.id, found.keys
        FROM customers_customer customer
        CROSS JOIN LATERAL (
            SELECT ARRAY(
                SELECT DISTINCT key COLLATE "C" FROM customers_address address
                CROSS JOIN LATERAL (VALUES
                    ('city:' || nullif(city_folded, '')), ('country:' || nullif(country, ''))
                ) AS named (key)
                WHERE address.customer_id = customer.id AND key IS NOT NULL
                ORDER BY 1) AS keys) found
        WHERE (%(after)s::uuid IS NULL OR customer.id > %(after)s)
            AND (%(last)s::uuid IS NULL OR customer.id <= %(last)s)
            AND address_keys <> found.keys
        ORDER BY customer.id FOR NO KEY UPDATE OF customer)
    UPDATE customers_customer customer SET address_keys = wrong.keys
    FROM wrong WHERE wrong.id = customer.id"""


def fill(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Fill in what is missing or out of date."""
    online.fill(editor.connection, FILL, table="customers_customer", key="id")


class Migration(online.Migration):
    dependencies = [("customers", "0034_change_log_by_time")]

    operations = [
        online.AddField(
            "customer",
            "address_keys",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), blank=True, default=list, editable=False, size=None
            ),
        ),
        online.RunBatches(fill, online.RunBatches.noop),
        online.ReplaceIndex(
            "customer",
            GinIndex(
                OpClass(models.F("search_text"), "gin_trgm_ops"),
                models.F("address_keys"),
                name="customer_search_trigrams",
            ),
        ),
        online.RemoveIndex("address", "address_city"),
    ]

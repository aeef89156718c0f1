"""Fills the sort keys of the customers that are there, in batches of a transaction each.

It can be interrupted and run again; what is derived leaves no trace in the change log.
"""

from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from config.db import online

# Locked in the order in which requests lock several, so that none of them waits in a circle.
FILL = """
    WITH wrong AS MATERIALIZED (
        SELECT customer.id, named.first, named.last
        FROM customers_customer customer
        LEFT JOIN customers_contact contact
            ON contact.customer_id = customer.id AND contact.is_primary
        CROSS JOIN LATERAL (
            SELECT left(coalesce(contact.first_name_folded, ''), 120) AS first,
                left(coalesce(contact.last_name_folded, ''), 120) AS last) named
        WHERE (%(after)s::uuid IS NULL OR customer.id > %(after)s)
            AND (%(last)s::uuid IS NULL OR customer.id <= %(last)s)
            AND (sort_first_name, sort_last_name, is_named)
                <> (named.first, named.last, named.first <> '' OR named.last <> '')
        ORDER BY customer.id FOR NO KEY UPDATE OF customer)
    UPDATE customers_customer customer
    SET sort_first_name = wrong.first, sort_last_name = wrong.last,
        is_named = wrong.first <> '' OR wrong.last <> ''
    FROM wrong WHERE wrong.id = customer.id"""


def fill(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Fill in what is missing or out of date."""
    online.fill(editor.connection, FILL, table="customers_customer", key="id")


class Migration(online.Migration):
    dependencies = [("customers", "0013_sort_keys")]

    operations = [online.RunBatches(fill, online.RunBatches.noop)]

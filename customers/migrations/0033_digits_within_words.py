"""Customers are found by the bare digits of numbers within words, such as of `CRM-555-0199`.

0.1.0 kept those of whole words only. Whatever way a database has come to here, its texts are
looked at: programs that write others do not run any more.
"""

from uuid import UUID

from django.apps.registry import Apps
from django.db import transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from config.db import online
from customers import normalize

BATCH = 200
NUMBERED = r"""
    SELECT id, search_text FROM customers_customer
    WHERE id > %s AND search_text ~ '[0-9][+().,/-]+[0-9]'
    ORDER BY id LIMIT %s FOR NO KEY UPDATE"""
SET_TEXTS = """
    UPDATE customers_customer customer SET search_text = new.search_text
    FROM unnest(%s::uuid[], %s::text[]) AS new (id, search_text)
    WHERE customer.id = new.id AND customer.search_text <> new.search_text"""


def renew_texts(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Add the digits to the texts that lack them, batch by batch, in the order of the keys."""
    last = UUID(int=0)
    while True:
        with (
            transaction.atomic(using=editor.connection.alias),
            editor.connection.cursor() as cursor,
        ):
            cursor.execute("SELECT set_config('kith.recording', 'off', true)")
            cursor.execute(NUMBERED, [last, BATCH])
            found = cursor.fetchall()
            texts = [normalize.search_text([text]) for _, text in found]
            cursor.execute(SET_TEXTS, [[key for key, _ in found], texts])
        if len(found) < BATCH:
            return
        last = found[-1][0]


class Migration(online.Migration):
    dependencies = [
        ("customers", "0032_end_of_first_upgrade"),
    ]

    operations = [
        online.RunBatches(renew_texts, online.RunBatches.noop),
    ]

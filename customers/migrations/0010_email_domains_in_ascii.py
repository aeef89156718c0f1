"""E-mail addresses are compared with their domain in ASCII, and found under both of its forms.

Only addresses with another character than ASCII, or with an encoded label, change: their key, and
the search text of their customer. The table is walked once along its primary key, each batch is a
transaction of its own, and what was done is skipped when the migration is run again.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from config.db import online
from customers import normalize

BATCH = 200
FIND = r"""
    SELECT customer_id, id, value FROM customers_contactpoint
    WHERE kind = 'EMAIL' AND (customer_id, id) > (%s, %s)
        AND (value_key ~ '[^\x01-\x7f]' OR value_key LIKE '%%@%%xn--%%')
    ORDER BY customer_id, id LIMIT %s"""
SET_KEYS = """
    UPDATE customers_contactpoint p SET value_key = new.value_key
    FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS new (customer_id, id, value_key)
    WHERE p.customer_id = new.customer_id AND p.id = new.id AND p.value_key <> new.value_key"""
LOCK = """
    SELECT id, name, external_id FROM customers_customer WHERE id = ANY(%s)
    ORDER BY id FOR NO KEY UPDATE"""
CONTACTS = """
    SELECT customer_id, first_name, middle_name, last_name FROM customers_contact
    WHERE customer_id = ANY(%s) ORDER BY created_at, id"""
POINTS = """
    SELECT customer_id, kind, value, value_key FROM customers_contactpoint
    WHERE customer_id = ANY(%s) ORDER BY created_at, id"""
SET_TEXTS = """
    UPDATE customers_customer c SET search_text = new.search_text
    FROM unnest(%s::uuid[], %s::text[]) AS new (id, search_text)
    WHERE c.id = new.id AND c.search_text <> new.search_text"""


def renew_keys(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Walk the table, batch by batch."""
    connection = schema_editor.connection
    last = UUID(int=0), UUID(int=0)
    while True:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            # What is stored changes, not what it says: that is nothing for the change log.
            cursor.execute("SELECT set_config('kith.recording', 'off', true)")
            cursor.execute(FIND, [*last, BATCH])
            found = cursor.fetchall()
            if found:
                renew(cursor, found)
            cursor.execute("SELECT set_config('kith.recording', 'on', true)")
        if len(found) < BATCH:
            return
        last = found[-1][:2]


def renew(cursor: Any, found: Sequence[tuple[UUID, UUID, str]]) -> None:  # noqa: ANN401 -- Django's
    """Renew the keys of these addresses, and the search texts of their customers."""
    customers = sorted({customer_id for customer_id, _, _ in found})
    cursor.execute(LOCK, [customers])
    parts = {customer_id: [name, external_id] for customer_id, name, external_id in cursor}
    cursor.execute(
        SET_KEYS,
        [
            [customer_id for customer_id, _, _ in found],
            [point_id for _, point_id, _ in found],
            [normalize.email_key(value) for _, _, value in found],
        ],
    )
    words: dict[UUID, list[str]] = defaultdict(list)
    cursor.execute(CONTACTS, [customers])
    for customer_id, *names in cursor.fetchall():
        parts[customer_id].append(" ".join(filter(None, names)))
    cursor.execute(POINTS, [customers])
    for customer_id, kind, value, key in cursor.fetchall():
        is_email = kind == "EMAIL"
        words[customer_id] += (
            normalize.email_words(normalize.email_key(value)) if is_email else [key]
        )
    texts = [normalize.search_text(parts[each] + words[each]) for each in customers]
    cursor.execute(SET_TEXTS, [customers, texts])


class Migration(online.Migration):
    dependencies = [("customers", "0009_used_codes")]

    operations = [online.RunBatches(renew_keys, migrations.RunPython.noop)]

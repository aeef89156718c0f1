"""The registry as a whole, and the short ways to undo a load."""

import json
from typing import Any

from django.db import connection

from customers.history import ENTITIES
from customers.models import Address, Customer
from customers.profile import keys_of
from tests import bulk
from tests.bulk import REQUESTS, Body
from tests.factories import Speaker

# Who wrote a row last and when is told of the undo, too.
OF_WRITING = {"updated_at", "updated_by_type", "updated_by_id", "version"}


def registry() -> dict[str, list[dict[str, Any]]]:
    """All rows of all logged tables, without when and by whom they were written last."""
    assert wrong_keys() == []
    found = {}
    with connection.cursor() as cursor:
        for entity, model in ENTITIES.items():
            cursor.execute(
                f"SELECT to_jsonb(stored) - %s::text[] FROM {model._meta.db_table} stored",
                [sorted(OF_WRITING)],
            )
            found[entity] = [json.loads(row) for row in sorted(row for (row,) in cursor.fetchall())]
    return found


def wrong_keys() -> list[Any]:
    """Customers whose `address_keys` are not those of their addresses."""
    addresses = list(Address.objects.all())
    return [
        (customer.pk, customer.address_keys)
        for customer in Customer.objects.all()
        if customer.address_keys != keys_of(a for a in addresses if a.customer_id == customer.pk)
    ]


def ask(speaker: Speaker, public_id: str, query: str = "", **headers: str) -> Any:
    return speaker.api.post(f"{REQUESTS}/{public_id}/undo{query}", headers=headers)


def undo(speaker: Speaker, public_id: str) -> Body:
    """Undo a request, and give the ledger of the undo."""
    return bulk.done(speaker, bulk.accepted(ask(speaker, public_id)))

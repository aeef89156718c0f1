"""Customers by the ids that others know them by."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.sql import SQL

from customers.normalize import customer_id
from customers.querysets import CustomerQuerySet
from search.copy import compiled

# External id and account make a customer's key. With more keys than this, reading all customers of
# the accounts takes less time than looking for each.
MOST_KEYS = 100_000
EXTERNAL_IDS = SQL("SELECT c.external_id FROM ({customers}) c")


def known_as(
    customers: CustomerQuerySet, external_ids: Sequence[str], accounts: Collection[UUID]
) -> CustomerQuerySet:
    """Those of the accounts' customers that have one of the ids; all where none are given."""
    if not external_ids:
        return customers
    if len(external_ids) * len(accounts) > MOST_KEYS:
        return customers.filter(external_id__in=external_ids)
    keys = [customer_id(account, each) for account in accounts for each in external_ids]
    return customers.filter(pk__any=keys)


def unknown_ids(
    customers: CustomerQuerySet, external_ids: Sequence[str], connection: BaseDatabaseWrapper
) -> list[str]:
    """Those of the ids that none of the customers has, in the order in which they were given."""
    if not external_ids:
        return []
    query, parameters = compiled(customers, connection)
    with connection.cursor() as cursor:
        cursor.execute(EXTERNAL_IDS.format(customers=SQL(query)).as_string(), parameters)
        known = {each for (each,) in cursor}
    return [each for each in external_ids if each not in known]

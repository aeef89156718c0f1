"""Locks on rows by name, held until the transaction ends.

A distributed engine refuses a row lock over several nodes ("could not run distributed query with
FOR UPDATE/SHARE commands"), and one on a row of a reference table locks all
of the table there. So with `KITH_DISTRIBUTED` customers and accounts of customers are held by
advisory locks of the coordinator. Invariants:

1. The locks of one transaction are taken by one statement, in the order of their keys: two that
   need the same ones wait for each other, and never in a circle. What holds them already may ask
   for some of them again.
2. There are `KEYS` of them, so that no number of rows exhausts the server's lock table. Two rows
   may share one: then somebody waits without need.
3. What is read before the lock was had may have changed since: rows are read by a later statement.

On one server row locks stay: there nobody waits for another's customers, while a load that holds
500 customers would keep four in ten changes of single ones waiting until its transaction ends. A
business account is held by an advisory lock of its own everywhere; a person, a definition or the
row of a business account by its row on one server, else by a lock of its name (`held`).
"""

from collections.abc import Iterable
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import Model, QuerySet

from config.db.statements import Question, array, prepared_rows

KEYS = 1024
# The first number sets them apart from other advisory locks.
HOLD = "SELECT pg_advisory_xact_lock(1263096904, key) FROM unnest(%s::int[]) AS key"
HOLD_ROW = "SELECT pg_advisory_xact_lock(hashtextextended('row:' || %s, 0))"
HOLD_ACCOUNT = "SELECT pg_advisory_xact_lock(hashtextextended('business account:' || %s, 0))"

M = TypeVar("M", bound=Model)


def are_advisory() -> bool:
    """Whether customers and their accounts are held by these locks, and not by their rows."""
    return settings.DISTRIBUTED


def keys_of(ids: Iterable[UUID | str]) -> list[int]:
    """The keys of rows, in the order in which they are taken: the end of an id is random."""
    return sorted({int(str(each)[-3:], 16) % KEYS for each in ids})


def holding(*ids: UUID | str) -> list[Question]:
    """What is to be asked before rows are read that are going to be changed; nothing on one server.

    `ids` are of customers and of accounts of customers: all that the transaction changes.
    """
    return [Question(HOLD, [array(keys_of(ids))])] if ids and are_advisory() else []


def hold(ids: Iterable[UUID | str]) -> None:
    """Wait for rows likewise, and hold them."""
    for question in holding(*ids):
        prepared_rows(*question)


def hold_business_account(account_id: UUID) -> None:
    """Wait for a business account, and hold it; everywhere."""
    prepared_rows(HOLD_ACCOUNT, [str(account_id)])


def held(rows: QuerySet[M], row_id: UUID | str, *, no_key: bool = False) -> QuerySet[M]:
    """The row with this id in a reference table, of which each node has a copy, locked when read.

    To be called within a transaction, which holds the lock until it ends. With `no_key`, on one
    server, new rows that refer to it do not wait.
    """
    if are_advisory():
        prepared_rows(HOLD_ROW, [str(row_id)])
        return rows.filter(pk=row_id)
    return rows.filter(pk=row_id).select_for_update(no_key=no_key)

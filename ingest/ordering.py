"""Which bulk work may overtake which. All of it is here; who asks is named at each function.

1. The requests of a business account end as if they had been applied one after the other, in the
   order of `BulkRequest.number`: that in which they were accepted.
2. The conflict keys of a request stand for the customers and accounts that it may change. They are
   read from the body as it came, before anything of it is checked. Two things may share a key: then
   a request waits without need. No thing has two keys.
3. A request runs as soon as no earlier one that has not ended shares a key with it. One without
   keys (None) may change everything: it waits for all earlier ones, and all later ones for it.
   Files have none.
4. Requests that name a parent share the key `PARENTS`: two of them could close a circle that
   neither sees alone. Within one transaction parents are looked at in the order of the requests,
   so this key alone does not keep two requests from sharing one.
5. A request whose outcome depends on who is whose parent at its time (`batch.apply.TooEarly`) loses
   its keys, and so comes after all earlier ones.
6. Requests that share a transaction with an earlier one may not share a key with another that is
   passed over on the way to them.
7. The blocks of a file are to each other what requests are: read side by side, and written in their
   order where they share a key. A block is written once all blocks before it have told their keys.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from django.db.models import Q

from config.db.statements import Slot, prepared_rows

if TYPE_CHECKING:
    # It needs the models, and they need this module.
    from ingest.batch.items import Item

Keys = Collection[int] | None
AnyId = TypeVar("AnyId")

PARENTS = 0


# --- What the keys are ----------------------------------------------------------------------------


def keys_of_entries(
    entries: Sequence[object],
    *,
    are_accounts: bool = False,
    source_customer_id: str = "",
    source_account_id: str = "",
) -> list[int]:
    """The keys of a body: customers or, where `are_accounts`, accounts; and of what its path names.

    It reads what it can, for nothing has been checked yet. The keys are stored, and compared with
    those that other processes and later releases make: what a key is made of never changes.
    """
    found: set[int] = set()
    for kind, source_id in named_in(entries, are_accounts=are_accounts):
        found.add(PARENTS if kind == "parent" else key_of(kind, source_id))
    if source_customer_id:
        found.add(key_of("customer", source_customer_id))
    if source_account_id:
        found.add(key_of("account", source_account_id))
    return sorted(found)


def key_of(kind: str, source_id: str) -> int:
    """64 bits for a customer or an account within a business account; never `PARENTS`."""
    digest = hashlib.blake2b(f"{kind}:{source_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True) or 1


def named_in(entries: Sequence[object], *, are_accounts: bool) -> Iterator[tuple[str, str]]:
    """Kinds and source ids of what entries name."""
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        for kind, value in (
            ("customer", entry.get("sourceCustomerId")),
            ("parent", entry.get("sourceParentCustomerId")),
        ):
            if value and isinstance(value, str):
                yield kind, value
        accounts = [entry] if are_accounts else entry.get("accounts")
        for account in accounts if isinstance(accounts, list) else ():
            if isinstance(account, dict) and isinstance(account.get("sourceAccountId"), str):
                yield "account", account["sourceAccountId"]


def keys_of_items(items: Iterable["Item"]) -> set[int]:
    """The keys of customers that were read from a file: those that are wrong change nothing.

    They mean something to this process, and to those that were forked with it; nobody stores them.
    """
    found: set[int] = set()
    for item in items:
        customer = item.customer
        if item.problems:
            continue
        if customer is None:
            if item.source_customer_id:
                found.add(hash(item.source_customer_id))
            continue
        found.add(hash(customer.sourceCustomerId))
        found.update(hash(("account", account.sourceAccountId)) for account in customer.accounts)
        if customer.sourceParentCustomerId:
            found.add(PARENTS)
    return found


# --- Requests -------------------------------------------------------------------------------------


def conflicting(keys: Keys | Slot) -> Q:
    """Which earlier requests, of those that have not ended, a request with these keys waits for."""
    return Q() if keys is None else Q(conflict_keys=None) | Q(conflict_keys__overlap=keys)


def runnable(waiting: Iterable[tuple[AnyId, Keys]]) -> list[AnyId]:
    """Which of the oldest requests that have not ended wait for no other, in the order of `number`.

    For whoever queues the next ones (`BulkRequest.ready`).
    """
    free: list[AnyId] = []
    passed = set[int]()
    is_first = True
    for request_id, keys in waiting:
        if keys is None:
            if is_first:
                free.append(request_id)
            break
        if passed.isdisjoint(keys):
            free.append(request_id)
        passed.update(keys)
        is_first = False
    return free


class SharedTransaction:
    """Tells which later requests may be done together with one that may run (`coalescing`).

    They are asked for in the order of `number`, each open one exactly once; None ends it.
    """

    def __init__(self, keys: Iterable[int]) -> None:
        self._taken = set(keys)
        self._passed_over = set[int]()

    def takes(self, keys: Collection[int], *, is_wanted: bool) -> bool:
        """Whether a request with these keys joins; otherwise it is passed over."""
        joins = (
            is_wanted
            and self._passed_over.isdisjoint(keys)
            and self._taken.isdisjoint(set(keys) - {PARENTS})
        )
        (self._taken if joins else self._passed_over).update(keys)
        return joins


# --- Blocks of a file -----------------------------------------------------------------------------


def may_be_written(keys: frozenset[int], before: Iterable[frozenset[int] | None]) -> bool:
    """Whether a block that has been read need not wait for those before it in the file."""
    return all(each is not None and keys.isdisjoint(each) for each in before)


# --- How far all requests are seen ----------------------------------------------------------------

# It takes the lock of acceptance alone, for a moment.
ACCEPTED = """
    WITH lock AS MATERIALIZED (
        SELECT pg_advisory_xact_lock(hashtextextended('ingest:' || business_account_id, 0))
        FROM ingest_bulkrequest WHERE id = %s)
    SELECT coalesce(pg_sequence_last_value('ingest_accepted'), 0) FROM lock"""


def latest(request_id: UUID) -> int:
    """A number up to which all requests of the same account are seen from now on; 0: none."""
    numbers = prepared_rows(ACCEPTED, [request_id])
    return int(numbers[0][0]) if numbers else 0

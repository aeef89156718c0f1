"""Which customers are put back together: those that share an account which the request changed.

An account has a row for each of its holders, and makes sense only as a whole: what cannot be put
back for one of them stays for all. Whoever is asked for first, the group is the same.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from django.db import connection

from config.db.statements import array
from ingest.batch.snapshot import Ids
from ingest.models import BulkRequest
from ingest.undo.record import Logged, changes_of

JOINT = """
    SELECT mine.customer_id::text, other.customer_id::text
    FROM customers_account mine
    JOIN customers_account other ON other.id = mine.id AND other.customer_id <> mine.customer_id
    WHERE mine.customer_id = ANY(%s::uuid[])"""
OF_ACCOUNTS = frozenset({"account", "card"})


@dataclass
class Group:
    """Customers, and what the request changed of each."""

    members: list[str]
    changes: dict[str, list[Logged]] = field(default_factory=dict)


class Groups:
    """The groups in which some customers stand."""

    def __init__(self, request: BulkRequest, customers: Collection[str]) -> None:
        self._ids = Ids(request.business_account_id)
        self._changes: dict[str, list[Logged]] = {}
        self._leaders = {customer: customer for customer in customers}
        self._on_accounts: dict[str, bool] = {}
        wanted: Collection[str] = sorted(customers)
        while wanted:
            found = changes_of(request, wanted)
            self._changes |= found
            # Others count only when the request changed something of theirs.
            members = {each for each in wanted if each in found or each in customers}
            self._leaders |= {each: each for each in members - self._leaders.keys()}
            wanted = self._expand(request, members)

    def _expand(self, request: BulkRequest, members: Collection[str]) -> list[str]:
        """Join those who share accounts; gives who is not known yet."""
        pairs = set(self._joint(members))
        unknown = {other for _, other in pairs} - self._leaders.keys()
        changes = changes_of(request, unknown) if unknown else {}
        for one, other in sorted(pairs):
            if other in self._leaders or other in changes:
                theirs = changes.get(other) or self._changes.get(other, [])
                if on_accounts(self._changes.get(one, ())) or on_accounts(theirs):
                    self._leaders.setdefault(other, other)
                    self._leaders[self._leader(other)] = self._leader(one)
        return sorted(unknown & self._leaders.keys())

    def _joint(self, members: Collection[str]) -> Iterator[tuple[str, str]]:
        """Pairs of holders of an account, now or before: first one of these, then any other."""
        with connection.cursor() as cursor:
            cursor.execute(JOINT, [array(members)])
            yield from cursor.fetchall()
        for member in members:
            for change in self._changes.get(member, ()):
                for source_id in change.holders or ():
                    holder = self._ids.customer(source_id)
                    if holder != member:
                        yield member, holder

    def _leader(self, customer: str) -> str:
        """Who stands for the group of a customer."""
        while self._leaders[customer] != customer:
            self._leaders[customer] = self._leaders[self._leaders[customer]]
            customer = self._leaders[customer]
        return customer

    @property
    def customers(self) -> list[str]:
        """All members of all groups, in the order of their ids."""
        return sorted(self._leaders)

    def __iter__(self) -> Iterator[Group]:
        """Group by group."""
        found: dict[str, Group] = {}
        for customer in self.customers:
            group = found.setdefault(self._leader(customer), Group([]))
            group.members.append(customer)
            if customer in self._changes:
                group.changes[customer] = self._changes[customer]
        return iter(found.values())


def on_accounts(changes: Iterable[Logged]) -> bool:
    """Whether some of these changes are about accounts or cards."""
    return any(change.entity in OF_ACCOUNTS for change in changes)

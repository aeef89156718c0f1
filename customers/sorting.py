"""How a list of customers goes by an index, whatever it is sorted by.

An order is cut into parts that follow each other: the customers without a last name and those with
one, the active and the suspended. Within a part the rest of the order is a walk along an index, or
a few walks side by side where all sort keys are equal and the ids decide (`customer_sort_ids`). The
first rows of each walk and of each business account hold the first rows of the part; with their ids
`PageRequest.take` asks for the page.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import product
from typing import cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q

from config.api.pagination import PageRequest
from config.api.sorts import Sort
from customers.models import BusinessAccount, Customer
from customers.querysets import CustomerQuerySet

# The published names to sort by, and the columns.
SORTS = {
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "firstName": "sort_first_name",
    "lastName": "sort_last_name",
    "businessName": "business_name_folded",
    "status": "status",
    "type": "type",
}
# How many ids are looked at for one page; beyond it one long sort is no worse.
MOST_FIRST = 200_000

INDIVIDUAL = Customer.Type.INDIVIDUAL
# In the order of the alphabet; deleted customers are never listed.
TYPES = sorted(Customer.Type.values)
STATUSES = sorted(set(Customer.Status.values) - {Customer.Status.DELETED})
WORDS = {"type": TYPES, "status": STATUSES}
# The condition by which an index on a column that may be empty is a partial one.
INDEXED = {
    "sort_first_name": Q(is_named=True),
    "sort_last_name": Q(is_named=True),
    "business_name_folded": ~Q(type=INDIVIDUAL),
}


@dataclass(frozen=True)
class Part:
    """Rows that have these values in the first sort columns, and others that begin with `open`."""

    fixed: dict[str, str] = field(default_factory=dict)
    open: str = ""

    @property
    def condition(self) -> Q:
        """What its rows have in common."""
        rest = ~Q(**{self.open: ""}) if self.open in INDEXED else Q()
        return Q(**self.fixed) & rest & (INDEXED[self.open] if self.open in NAMES else Q())

    def has(self, values: Sequence[object], sorts: Sequence[Sort]) -> bool:
        """Whether a row with these sort values is one of them."""
        known = dict(zip((sort.column for sort in sorts), values, strict=False))
        is_open = self.open not in INDEXED or known[self.open] != ""
        return is_open and all(known[name] == value for name, value in self.fixed.items())

    def streams(self) -> Iterator[Q]:
        """Conditions that cut it into walks along one index each; they may overlap."""
        if self.open:
            yield Q()
            return
        types, statuses = (
            [self.fixed[name]] if name in self.fixed else words for name, words in WORDS.items()
        )
        named = [False, True]
        for name in INDEXED.keys() & self.fixed.keys():
            yield INDEXED[name]
            if name in NAMES:
                named = [False]
            else:
                types = [kind for kind in types if kind == INDIVIDUAL]
        for kind, status, is_named in product(types, statuses, named):
            yield Q(type=kind, status=status, is_named=is_named)


NAMES = {"sort_first_name", "sort_last_name"}


def parts(sorts: Sequence[Sort], fixed: dict[str, str] | None = None) -> Iterator[Part]:
    """The parts of an order, one after the other."""
    fixed = fixed or {}
    if not sorts:
        yield Part(fixed)
        return
    first, *rest = sorts
    column = first.column
    if column in WORDS:
        words = WORDS[column][::-1] if first.is_descending else WORDS[column]
        for word in words:
            yield from parts(rest, fixed | {column: word})
    elif column not in INDEXED:
        yield Part(fixed, open=column)
    elif first.is_descending:
        yield Part(fixed, open=column)
        yield from parts(rest, fixed | {column: ""})
    else:
        yield from parts(rest, fixed | {column: ""})
        yield Part(fixed, open=column)


def first_ids(
    customers: CustomerQuerySet,
    accounts: Collection[UUID],
    request: PageRequest,
    count: int,
    *,
    created_from: datetime | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> set[UUID] | None:
    """The ids of the first `count` customers of some accounts, and maybe of others that follow.

    `customers` are not limited to accounts; those of the database `using` are meant. None where
    there is too much to look at. Those who were created from some moment on have changed no
    earlier: in the order of changes a walk need not begin with all others.
    """
    if created_from is not None:
        customers = customers.filter(updated_at__gte=created_from)
    found: set[UUID] = set()
    after = request.after
    for part in parts(request.sorts):
        if after is not None and not part.has(after, request.sorts):
            continue
        streams = [
            ordered(customers.filter(part.condition & stream), part, replace(request, after=after))
            for stream in part.streams()
        ]
        after = None
        if len(accounts) * len(streams) * count > MOST_FIRST:
            return None
        of_accounts = BusinessAccount.objects.using(using).filter(pk__in=accounts)
        found |= of_accounts.first_customers(streams, count)
        if len(found) >= count:
            break
    return found


def ordered(customers: CustomerQuerySet, part: Part, request: PageRequest) -> CustomerQuerySet:
    """Customers of one part in the order of a request, from where its cursor stands.

    What is the same for all of them is left out: PostgreSQL takes the rest from the index.
    """
    known = len(part.fixed)
    after = None if request.after is None else request.after[known:]
    if part.open:
        rest = replace(request, sorts=request.sorts[known:], after=after)
        return cast("CustomerQuerySet", rest.ordered(customers))
    is_descending = request.sorts[-1].is_descending
    if after is not None:
        customers = customers.filter(**{f"id__{'lt' if is_descending else 'gt'}": after[0]})
    return customers.order_by("-id" if is_descending else "id")

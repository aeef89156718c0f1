"""The lists that are asked for most often, by statements that are written and planned once.

They are those that one exact value finds, and those of all customers by the time of their creation
or last change. All other filters and orders make a statement of their own (`customers.sorting`).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from time import monotonic
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import connections
from django.db.models import Case, DateTimeField, IntegerField, Model, QuerySet, When, Window
from django.db.models.functions import RowNumber
from django.db.models.lookups import LessThanOrEqual

from config.api import pagination
from config.api.cursors import bad_cursor
from config.api.pagination import Page, PageRequest, Total
from config.api.sorts import Sort
from config.db.estimates import expected_rows
from config.db.statements import Question, Row, Slot, Statement, array, together
from customers.models import Customer
from customers.querysets import are_walked
from customers.representation import CustomerObject

# More customers than these are not sorted in one go.
MOST_FOUND = 1000
# For how long the total of a long list is kept, of how many lists, and how long they are.
KEPT_SECONDS = 10
MOST_KEPT = 1000
FAR_BEYOND = 10
# The orders that one index has, beside the id.
BY_TIME = {"created_at", "updated_at"}
# Accounts whose customers one statement walks along; several statements go in one message. There is
# a text for each number of accounts, and a session keeps 20 kB of its plan for each account. With
# 32 the server takes a tenth less time for 100 accounts.
OF_ONE_STATEMENT = 8

# In the order of `customer_sort_ids`, which has all that is looked at: planned for any account, a
# look at the whole table would seem no worse, and would be for a small one in a large registry.
COUNTED = """
    SELECT count(*) FROM (
        SELECT FROM unnest(%s::uuid[]) AS account (id)
        CROSS JOIN LATERAL (
            SELECT FROM customers_customer
            WHERE business_account_id = account.id AND status <> 'DELETED'
            ORDER BY type, status, is_named, id LIMIT %s) AS own
        LIMIT %s) AS found"""

# A distributed engine takes no lateral join with a table of its own. For five large accounts it is
# half as quick again on one server, too (`./kith bench distributed`); for a small one see above.
COUNTED_AT_ONCE = """
    SELECT count(*) FROM (
        SELECT 1 FROM customers_customer
        WHERE business_account_id = ANY(%s::uuid[]) AND status <> 'DELETED'
        LIMIT %s) AS found"""

ESTIMATE = """
    SELECT FROM customers_customer
    WHERE status <> 'DELETED' AND business_account_id = ANY(%s::uuid[])"""


class LargeTotals:
    """The totals of lists so long that nothing makes them short within `KEPT_SECONDS`.

    To count as far as lists are counted takes half of what a first page takes, to learn again that
    there is more. A total is kept here, for whoever sees the same accounts, only where the planner
    expects `FAR_BEYOND` times as many: so it is an estimate before and after.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[float, Total]] = {}

    def of(self, accounts: Collection[UUID], using: str) -> Total | None:
        """The total that was told of these accounts a moment ago, if it is kept."""
        at, total = self._kept.get((array(accounts), using), (0.0, None))
        return total if monotonic() < at + KEPT_SECONDS else None

    def keep(self, accounts: Collection[UUID], using: str, total: Total) -> None:
        """Keep a total, if it is large."""
        if total.count >= FAR_BEYOND * pagination.EXACT_TOTAL:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[array(accounts), using] = monotonic(), total


large_totals = LargeTotals()


@lru_cache(maxsize=64)
def exactly(kind: str | None, sorts: tuple[Sort, ...]) -> Statement:
    """The customers of some accounts whose primary contact point of a kind has some value.

    Without a kind, those with some ids. Their sort columns and ids, in this order, and the objects
    of as many as are on a page; one more than `MOST_FOUND` at most.
    """

    def build(accounts: Slot, key: Slot, size: Slot) -> "QuerySet[Customer, Row]":
        customers = Customer.objects.present().filter(business_account__id__any=accounts)
        found = (
            customers.reached_by(kind, key.text, is_primary=True)
            if kind
            else customers.filter(pk__any=key)
        )
        ordered = PageRequest(sorts, MOST_FOUND, 0).ordered(found)
        place = Window(RowNumber(), order_by=cast("Sequence[str]", ordered.query.order_by))
        is_on_page = LessThanOrEqual(place, Slot(size.place, IntegerField()))
        shown = Case(When(is_on_page, then=CustomerObject()))
        columns = [sort.column for sort in sorts]
        rows = ordered.values_list(*columns, "id", shown)
        return cast("QuerySet[Customer, Row]", rows[: MOST_FOUND + 1])

    return Statement(build)


def is_by_time(request: PageRequest, accounts: Collection[UUID]) -> bool:
    """Whether `by_time` has the page: the first one, or one that a cursor leads to."""
    columns = [sort.column for sort in request.sorts]
    is_begun = bool(request.after) or request.is_first
    return len(columns) == 1 and columns[0] in BY_TIME and is_begun and are_walked(len(accounts))


def by_time(request: PageRequest, accounts: Sequence[UUID], *, using: str) -> Page:
    """A page of all customers of some accounts in a database.

    Raises `Invalid` for a cursor of another list.
    """
    if request.after is None:
        walks = Walks(request, accounts)
        if total := large_totals.of(accounts, using):
            found = together(walks.questions, using=using)
        else:
            ((count,),), *found = together([counting(accounts), *walks.questions], using=using)
            total = total_of(accounts, count, using=using)
            large_totals.keep(accounts, using, total)
        return request.page(walks.merged(found, using=using), total)
    try:
        moment, customer_id = map(str, request.after)
        datetime.fromisoformat(moment)
        place = moment, UUID(customer_id)
    except ValueError:
        # Of an earlier release, whose sort had another column.
        raise bad_cursor() from None
    if request.total is None:
        raise bad_cursor()
    walks = Walks(request, accounts, place)
    found = together(walks.questions, using=using)
    return request.page(walks.merged(found, using=using), request.total)


class Walks:
    """A walk for each of some accounts along the index of its customers, `OF_ONE_STATEMENT` by one.

    Each begins behind `place`, a moment and an id, if there is one.
    """

    def __init__(
        self,
        request: PageRequest,
        accounts: Sequence[UUID],
        place: tuple[str, UUID] | tuple[()] = (),
    ) -> None:
        self._is_descending = request.sorts[0].is_descending
        self._statements: list[Statement] = []
        self.questions: list[Question] = []
        for first in range(0, len(accounts), OF_ONE_STATEMENT):
            some = accounts[first : first + OF_ONE_STATEMENT]
            statement = walk(request.sorts, request.size, len(some), goes_on=bool(place))
            self._statements.append(statement)
            self.questions.append(statement.question(*some, *place))

    def merged(self, found: Sequence[list[Row]], *, using: str) -> list[Row]:
        """The rows that the questions found, as one list in its order; more than a page has."""
        own = zip(self._statements, found, strict=True)
        rows = [row for statement, some in own for row in statement.converted(some, using=using)]
        # An id is compared here as PostgreSQL does.
        return sorted(rows, reverse=self._is_descending)


@lru_cache(maxsize=128)
def walk(sorts: tuple[Sort, ...], size: int, accounts: int, *, goes_on: bool = False) -> Statement:
    """The first rows of all customers of so many accounts, `goes_on`: behind a moment and an id.

    Sort column and id; one more than `size`. PostgreSQL takes from each account's index no more of
    them than are among these. A distributed engine takes as many from each, one account after the
    other, and sorts them itself.
    """

    def build(*slots: Slot) -> "QuerySet[Customer, Row]":
        after = None
        if goes_on:
            moment, customer_id = slots[accounts:]
            after = Slot(moment.place, DateTimeField()), customer_id
        request = PageRequest(sorts, size, 0, after)
        present = Customer.objects.present()
        first, *others = (
            request.rows(present.filter(business_account=account))[: size + 1]
            for account in slots[:accounts]
        )
        if others:
            every = cast("QuerySet[Model]", first.union(*others, all=True))
            first = PageRequest(sorts, size, 0).rows(every)[: size + 1]
        return cast("QuerySet[Customer, Row]", first)

    return Statement(build, accounts + 2 * goes_on)


def counting(accounts: Collection[UUID]) -> Question:
    """The question for how many customers some accounts have, or one more than are counted."""
    most = pagination.EXACT_TOTAL + 1
    if settings.DISTRIBUTED:
        return Question(COUNTED_AT_ONCE, [array(accounts), most])
    return Question(COUNTED, [array(accounts), most, most])


def total_of(accounts: Collection[UUID], count: int, *, using: str) -> Total:
    """How many customers the accounts have, which were counted so far, or about how many."""
    if count <= pagination.EXACT_TOTAL:
        return Total(count, is_estimate=False)
    return Total.beyond(count, expected_rows(ESTIMATE, [array(accounts)], connections[using]))

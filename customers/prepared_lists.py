"""The lists that are asked for most often, by statements that are written and planned once.

They are those that one exact value finds, and those of all customers by the time of their creation
or last change. All other filters and orders make a statement of their own (`customers.sorting`).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import Enum, auto
from functools import lru_cache
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import connections
from django.db.models import Case, DateTimeField, IntegerField, QuerySet, When, Window
from django.db.models.functions import RowNumber
from django.db.models.lookups import LessThanOrEqual

from config.api import pagination
from config.api.cursors import bad_cursor
from config.api.pagination import Page, PageRequest, Total
from config.api.sorts import Sort
from config.db.estimates import expected_rows
from config.db.statements import Question, Row, Slot, Statement, array, together
from customers.models import BusinessAccount, Customer
from customers.querysets import CustomerQuerySet
from customers.representation import CustomerObject

# More customers than these are not sorted in one go.
MOST_FOUND = 1000
# The orders that one index has, beside the id.
BY_TIME = {"created_at", "updated_at"}

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


# A distributed engine takes no lateral join with a table of its own.
COUNTED_AT_ONCE = """
    SELECT count(*) FROM (
        SELECT 1 FROM customers_customer
        WHERE business_account_id = ANY(%s::uuid[]) AND status <> 'DELETED'
        LIMIT %s) AS found"""

ESTIMATE = """
    SELECT FROM customers_customer
    WHERE status <> 'DELETED' AND business_account_id = ANY(%s::uuid[])"""


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


def is_by_time(request: PageRequest) -> bool:
    """Whether `by_time` has the page: the first one, or one that a cursor leads to."""
    columns = [sort.column for sort in request.sorts]
    return len(columns) == 1 and columns[0] in BY_TIME and (bool(request.after) or request.is_first)


def by_time(request: PageRequest, accounts: Collection[UUID], *, using: str) -> Page:
    """A page of all customers of some accounts in a database.

    Raises `Invalid` for a cursor of another list.
    """
    if request.after is None:
        first, of_accounts = walking(request, accounts)
        questions = [counting(accounts), first.question(of_accounts)]
        ((count,),), found = together(questions, using=using)
        total = request.total or total_of(accounts, count, using=using)
        return request.page(first.converted(found, using=using), total)
    try:
        moment, customer_id = map(str, request.after)
        datetime.fromisoformat(moment)
        place = moment, UUID(customer_id)
    except ValueError:
        # Of an earlier release, whose sort had another column.
        raise bad_cursor() from None
    if request.total is None:
        raise bad_cursor()
    next_ones, of_accounts = walking(request, accounts, goes_on=True)
    found = next_ones.rows(of_accounts, *place, using=using)
    return request.page(found, request.total)


class Way(Enum):
    """How the first customers of accounts are found.

    `AT_ONCE` is by one walk along all customers by time, on each shard. A distributed engine takes
    no other for several accounts. Where the newest customers are theirs it takes half the time of a
    walk for each of five accounts; behind 30,000 newer ones of others it takes 25 times as long
    (`./kith bench distributed`), so one server does not go it.
    """

    OF_ONE = auto()
    EACH = auto()
    AT_ONCE = auto()


def walking(
    request: PageRequest, accounts: Collection[UUID], *, goes_on: bool = False
) -> tuple[Statement, Collection[UUID] | UUID]:
    """The statement for a page of some accounts, and what it takes for them."""
    if len(accounts) == 1:
        (account,) = accounts
        return walk(request.sorts, request.size, Way.OF_ONE, goes_on=goes_on), account
    way = Way.AT_ONCE if settings.DISTRIBUTED else Way.EACH
    return walk(request.sorts, request.size, way, goes_on=goes_on), accounts


@lru_cache(maxsize=64)
def walk(sorts: tuple[Sort, ...], size: int, way: Way, *, goes_on: bool = False) -> Statement:
    """The first rows of all customers of some accounts, `goes_on`: behind a moment and an id.

    Sort column and id; one more than `size`.
    """

    def begin(accounts: Slot) -> "QuerySet[Customer, Row]":
        return rows(accounts, None)

    def go_on(accounts: Slot, moment: Slot, customer_id: Slot) -> "QuerySet[Customer, Row]":
        return rows(accounts, (Slot(moment.place, DateTimeField()), customer_id))

    def rows(accounts: Slot, after: tuple[Slot, Slot] | None) -> "QuerySet[Customer, Row]":
        present = Customer.objects.present()
        if way is not Way.EACH:
            column = "business_account" if way is Way.OF_ONE else "business_account__id__any"
            found = PageRequest(sorts, size, 0, after).rows(present.filter(**{column: accounts}))
            return cast("QuerySet[Customer, Row]", found[: size + 1])
        of_accounts = BusinessAccount.objects.filter(pk__any=accounts)
        stream = PageRequest(sorts, size, 0, after).ordered(present)
        first = of_accounts.first_of_each(cast("CustomerQuerySet", stream), size + 1)
        order = PageRequest(sorts, size, 0)
        found = order.rows(Customer.objects.filter(pk__in=first))
        return cast("QuerySet[Customer, Row]", found[: size + 1])

    return Statement(go_on if goes_on else begin)


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

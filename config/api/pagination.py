"""Pages of a list: by number, or by cursor so that a deep page costs what the first one costs.

A page's JSON is `totalElements`, `totalPages`, `number`, `numberOfElements`, `hasNext`,
`nextCursor` (null on the last page) and `content`. Totals are exact up to `EXACT_TOTAL`, and beyond
it where all rows had to be found anyhow; others are the planner's estimate, or on a distributed
engine, which has none, one more than that, and `totalIsEstimate` says so: no list waits for a
count.

A cursor is good for the list, filters, order and business account that it was given for, and is
signed: it carries the total of the first page, which nobody else may make up.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

import orjson
from django.core.exceptions import EmptyResultSet, ValidationError
from django.db import connections
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.crypto import constant_time_compare
from rest_framework.request import Request

from config.api.ahead import Row
from config.api.cursors import bad_cursor, scope_of, signature_of
from config.api.errors import Invalid, Problem
from config.api.sorts import Sort, opposite, read_sorts
from config.db.estimates import Plan, expected_rows, plan_of
from config.db.statements import planned_rows, prepared_rows

EXACT_TOTAL = 10_000
# Where PostgreSQL expects to find all rows for so much (`Total Cost` of its plan), they are found
# and sorted at once, up to so many times `EXACT_TOTAL`: 12,000 names cost 31,000 and take 35 ms.
# A walk along an index of the order may look at all others before it meets the first of them. Where
# a given server holds a look at a page for dearer than that of `./kith up`, fewer are found so.
CHEAP = 40_000
FOUND_AT_ONCE = 4
MAX_SIZE = 200
DEFAULT_SIZE = 25
MAX_OFFSET = 10_000_000

WHOLE = """
    SELECT count(*) OVER (), {keys} FROM ({rows}) AS found ({keys})
    ORDER BY {order} LIMIT %s OFFSET %s"""

K = TypeVar("K")
T = TypeVar("T")
Ask = Callable[..., list[Row]]
Narrow = Callable[["PageRequest", int, "Total"], Iterable[UUID] | None]
Instead = Callable[[Plan], "QuerySet[Model] | None"]


@dataclass(frozen=True)
class Total:
    """How many rows there are, or about how many."""

    count: int
    is_estimate: bool

    @classmethod
    def of(
        cls, queryset: "QuerySet[Model]", count: int | None = None, most: int | None = None
    ) -> "Total":
        """Count up to `most`, unless that was done, and ask the planner beyond."""
        most = EXACT_TOTAL if most is None else most
        rows = queryset.order_by().values("id")
        if count is None:
            count = rows[: most + 1].count()
        if count <= most:
            return cls(count, is_estimate=False)
        database = connections[rows.db]
        return cls.beyond(count, expected_rows(*rows.query.sql_with_params(), database))

    @classmethod
    def beyond(cls, count: int, expected: int | None) -> "Total":
        """That there are at least so many, and how many are expected, if anybody knows."""
        return cls(max(expected or 0, count), is_estimate=True)


@dataclass(frozen=True)
class PageRequest:
    """Which page a client asks for, in which order."""

    sorts: tuple[Sort, ...]
    size: int
    number: int
    after: tuple[object, ...] | None = None
    total: Total | None = None
    # What a cursor is bound to, beside the order.
    scope: tuple[object, ...] = ()

    @classmethod
    def read(cls, request: Request, columns: Mapping[str, str], default: str) -> "PageRequest":
        """Read `sort`, `page`, `size` and `cursor`.

        `columns` maps the names that may be sorted by to columns, `default` is such as
        ``createdAt,DESC``. Raises `Invalid` with every wrong parameter.
        """
        query = request.GET
        problems: list[Problem] = []
        size = whole_number(query, "size", DEFAULT_SIZE, 1, MAX_SIZE, problems)
        number = whole_number(query, "page", 0, 0, MAX_OFFSET // size, problems)
        wanted = query.getlist("sort") if "sort" in query else []
        sorts = read_sorts(wanted or [default], columns, problems)
        cursor = query.get("cursor", "")
        if cursor and "page" in query:
            problems.append(Problem("cursor", "Give page or cursor, not both.", "CONTRADICTION"))
        if problems:
            raise Invalid(problems)
        scope = scope_of(request)
        if cursor:
            return cls.resume(cursor, sorts, size, scope)
        return cls(sorts, size, number, scope=scope)

    @classmethod
    def resume(
        cls, cursor: str, sorts: tuple[Sort, ...], size: int, scope: tuple[object, ...]
    ) -> "PageRequest":
        """Go on where a page ended. Raises `Invalid` for a cursor that no such page gave."""
        try:
            given = orjson.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
            order, number, after, count, is_estimate, signature = given
        except (ValueError, TypeError, binascii.Error):
            raise bad_cursor() from None
        state = [order, number, after, count, is_estimate]
        if order != [str(sort) for sort in sorts] or not constant_time_compare(
            str(signature), signature_of(state, scope)
        ):
            raise bad_cursor()
        return cls(sorts, size, number, tuple(after), Total(count, is_estimate), scope)

    @property
    def is_first(self) -> bool:
        """Whether the page begins where the list does."""
        return self.after is None and not self.number

    def whole(self, rows: Sequence[Row]) -> "Page":
        """The first page of a list that has these rows, sort columns and id, and no others."""
        found = rows[: self.size]
        last = found[-1] if len(rows) > self.size else None
        return Page(self, [row[-1] for row in found], Total(len(rows), is_estimate=False), last)

    def take(
        self,
        queryset: "QuerySet[Model]",
        narrow: Narrow | None = None,
        *,
        is_long: bool = False,
        instead: "Instead | None" = None,
        is_planned_once: bool = False,
    ) -> "Page":
        """The page's ids, in order, and the total: one query, or a few for a list that is long.

        `narrow` may know a quicker way to the first rows: it is given the order and how many rows
        are wanted of how many, and gives the ids of these and maybe of others; None for none.
        `instead` may know the same rows by another condition, given how they would be found.
        `is_planned_once` is for rows that are found by one index whatever the values.
        """
        ask = prepared_rows if is_planned_once else planned_rows
        first = 0 if self.after is not None else self.number * self.size
        end = first + self.size + 1
        total, found = self.total, None
        is_choice = narrow is not None
        # With a limit PostgreSQL would rather walk past all that do not match than sort the rest.
        are_few = total is None or (is_choice and not total.is_estimate)
        try:
            if are_few and not is_long:
                counted, found = self.sorted_whole(
                    queryset, first, ask, instead, is_choice=is_choice
                )
                total = total or counted
            total = total or Total.of(queryset)
            if found is None:
                rows = self.rows(queryset)
                if narrow is not None and (ids := narrow(self, end, total)) is not None:
                    rows = rows.filter(pk__in=ids)
                if is_planned_once:
                    found = ask(*rows[first:end].query.sql_with_params(), using=rows.db)
                else:
                    found = list(rows[first:end])
        except (ValidationError, ValueError):
            if self.after is None:
                raise
            # A cursor of an earlier release, whose sort had another column.
            raise bad_cursor() from None
        return self.page(found, total)

    def page(self, found: Sequence[Row], total: Total) -> "Page":
        """The page of these rows, sort columns and id; there may be one more, of the next page."""
        has_next = len(found) > self.size
        found = found[: self.size]
        last = found[-1] if has_next else None
        ends = (found[0], found[-1]) if found else None
        return Page(self, [row[-1] for row in found], total, last, ends)

    def every(self, queryset: "QuerySet[Model]", most: int | None = None) -> tuple[str, Row]:
        """The statement of the sort columns and ids of all rows, or of so many, and its values.

        From where the cursor stands. Raises `EmptyResultSet` where there are surely none.
        """
        if self.after is not None:
            queryset = queryset.filter(self.beyond(queryset, self.after))
        rows = queryset.order_by().values_list(*(sort.column for sort in self.sorts), "id")
        sql, params = rows[:most].query.sql_with_params()
        return sql, params

    def sorted_whole(
        self,
        queryset: "QuerySet[Model]",
        first: int,
        ask: Ask,
        instead: "Instead | None" = None,
        *,
        is_choice: bool,
    ) -> tuple[Total | None, list[Row] | None]:
        """The total and the page's rows by one statement, which finds all rows once.

        Behind a cursor the total is that of the rest. Without the rows where they are more than
        `EXACT_TOTAL`, without both where the page has none. If there `is_choice`, more rows are
        taken in where they are found quickly.
        """
        names = [*(sort.column for sort in self.sorts), "id"]
        try:
            most, wanted = EXACT_TOTAL, queryset
            if is_choice:
                wanted, plan = self.planned(queryset, instead)
                if plan and plan["Total Cost"] <= CHEAP:
                    most *= FOUND_AT_ONCE
            sql, params = self.every(wanted, most + 1)
        except EmptyResultSet:
            return Total(0, is_estimate=False), []
        keys = [f"key_{number}" for number in range(len(names))]
        directions = [sort.is_descending for sort in (*self.sorts, self.sorts[-1])]
        order = [
            f"{key} {'DESC' if is_descending else 'ASC'}"
            for key, is_descending in zip(keys, directions, strict=True)
        ]
        statement = WHOLE.format(rows=sql, keys=", ".join(keys), order=", ".join(order))
        found = ask(statement, [*params, self.size + 1, first], using=queryset.db)
        if not found:
            return (None, None) if first else (Total(0, is_estimate=False), [])
        count = found[0][0]
        rows = [row[1:] for row in found] if count <= most else None
        return Total.of(queryset, count, most), rows

    def planned(
        self, queryset: "QuerySet[Model]", instead: "Instead | None"
    ) -> "tuple[QuerySet[Model], Plan | None]":
        """The rows, or the same by another condition, and how PostgreSQL would find all of them."""
        connection = connections[queryset.db]
        plan = plan_of(*self.every(queryset), connection)
        if instead and plan and (others := instead(plan)) is not None:
            return others, plan_of(*self.every(others), connection)
        return queryset, plan

    def rows(self, queryset: "QuerySet[Model]") -> "QuerySet[Model, Row]":
        """The sort columns and ids of the rows, in their order."""
        return self.ordered(queryset).values_list(*(sort.column for sort in self.sorts), "id")

    def ordered(self, queryset: "QuerySet[Model]") -> "QuerySet[Model]":
        """The rows in their order, from where the cursor stands."""
        order = [("-" if sort.is_descending else "") + sort.column for sort in self.sorts]
        direction = "-" if self.sorts[-1].is_descending else ""
        rows = queryset.order_by(*order, f"{direction}id")
        return rows if self.after is None else rows.filter(self.beyond(queryset, self.after))

    def beyond(self, queryset: "QuerySet[Model]", after: Sequence[object]) -> Q:
        """The rows that follow the one with these sort values and id.

        The bound on the first key alone is implied by the rest; it is what lets PostgreSQL start
        in the middle of the index.
        """
        columns = [(sort.column, sort.is_descending) for sort in self.sorts]
        columns.append(("id", columns[-1][1]))
        condition = Q()
        for (column, is_descending), value in reversed(list(zip(columns, after, strict=True))):
            beyond = Q(**{f"{column}__{'lt' if is_descending else 'gt'}": value})
            condition = beyond | (Q(**{column: value}) & condition) if condition else beyond
        column, is_descending = columns[0]
        bound = Q(**{f"{column}__{'lte' if is_descending else 'gte'}": after[0]})
        try:
            queryset.filter(bound & condition)
        except (ValidationError, ValueError, TypeError):
            raise bad_cursor() from None
        return bound & condition


@dataclass(frozen=True)
class Page:
    """One page: the ids of its rows in order, and what surrounds it.

    `last` is the last row, unless nothing follows; `ends` are the first row and the last.
    """

    request: PageRequest
    ids: list[Any]  # keys of any table: UUIDs, or numbers
    total: Total
    last: tuple[object, ...] | None
    ends: tuple[tuple[object, ...], tuple[object, ...]] | None = None

    def placed(self, by_id: "Mapping[K, T]") -> list[T]:
        """The values in the order of the page, without those of rows that are gone meanwhile."""
        return [by_id[pk] for pk in self.ids if pk in by_id]

    def envelope(self, content: Sequence[object]) -> dict[str, object]:
        """The page as it leaves; `content` has one object for each id."""
        size = self.request.size
        body: dict[str, object] = {
            "totalElements": self.total.count,
            "totalPages": -(-self.total.count // size),
            "number": self.request.number,
            "numberOfElements": len(content),
            "hasNext": self.last is not None,
            "nextCursor": self.cursor(),
            "content": content,
        }
        return body | {"totalIsEstimate": True} if self.total.is_estimate else body

    def cursor(self) -> str | None:
        """What leads to the next page; None on the last one."""
        if self.last is None:
            return None
        return self._cursor(self.request.sorts, self.request.number + 1, self.last)

    def cursor_back(self) -> str | None:
        """What leads to the page before, taken in the opposite order; None on the first one."""
        if self.ends is None or self.request.number == 0:
            return None
        return self._cursor(opposite(self.request.sorts), self.request.number - 1, self.ends[0])

    def turned(self) -> "Page":
        """A page that was taken in the opposite order, from the one that follows it."""
        request = replace(self.request, sorts=opposite(self.request.sorts), after=None)
        if self.ends is None:
            return replace(self, request=request)
        last, first = self.ends
        return Page(request, self.ids[::-1], self.total, last, (first, last))

    def _cursor(self, sorts: Sequence[Sort], number: int, row: tuple[object, ...]) -> str:
        """What leads to the page of this number, which begins behind a row."""
        order = [str(sort) for sort in sorts]
        state = [order, number, row, self.total.count, self.total.is_estimate]
        signed = [*state, signature_of(state, self.request.scope)]
        return base64.urlsafe_b64encode(orjson.dumps(signed)).decode()


def whole_number(
    query: QueryDict, name: str, default: int, least: int, most: int, problems: list[Problem]
) -> int:
    """A number among the query parameters; a problem and the default when it is none.

    A `QueryDict` tells of what it lacks by an exception, which takes longer than all of this.
    """
    if name not in query:
        return default
    text = query.get(name) or str(default)
    if text.isascii() and text.isdecimal() and len(text) < 12 and least <= int(text) <= most:
        return int(text)
    message = f"This must be a whole number from {least} to {most}."
    problems.append(Problem(name, message, "INVALID"))
    return default

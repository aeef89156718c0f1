"""The statements that make result files: PostgreSQL produces the bytes of every format."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from customers.querysets import CustomerQuerySet
from customers.representation import CUSTOMER_OBJECT
from search.columns import COLUMN_NAMES, REQUESTED_ID, cells, file_columns, joined

# SQL, and its parameters.
Statement = tuple[str, tuple[Any, ...]]  # of whatever types the columns that are compared have


@dataclass(frozen=True)
class Layout:
    """How a format is written: the selected expressions, and what stands around the rows.

    `options` are those of COPY; each row that it gives ends in a line feed, in place of which
    stands `end`. `between` stands before every row but the first.
    """

    select: str
    joins: str
    options: str
    head: bytes = b""
    between: bytes = b""
    end: bytes = b"\n"
    tail: bytes = b""

    @property
    def header_rows(self) -> int:
        """Rows of COPY that are no customers."""
        return int("HEADER" in self.options)

    @property
    def options_of_more(self) -> str:
        """The options of a COPY whose rows stand below those of another one."""
        return self.options.replace(", HEADER", "")


def table(*, guarded: bool, head: bytes = b"") -> Layout:
    """The layout of a CSV format with all columns."""
    return Layout(
        select=cells(COLUMN_NAMES, guarded=guarded),
        joins=joined(COLUMN_NAMES),
        options="FORMAT csv, HEADER",
        head=head,
        end=b"\r\n",
    )


# JSON text has no control characters: with these for quote and delimiter COPY leaves it alone.
VERBATIM = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02'"
OBJECTS = Layout(
    select=f"({CUSTOMER_OBJECT})::text",
    joins="",
    options=VERBATIM,
)
# Formats that a program of `search.writers` makes of plain rows.
WRITTEN = ("XLSX", "PARQUET")
ROWS = Layout(
    select=cells(COLUMN_NAMES, guarded=False), joins=joined(COLUMN_NAMES), options="FORMAT csv"
)
REQUESTED_OBJECT = (
    f"""concat('{{"{REQUESTED_ID}":', to_json(c.external_id), ',', substr({OBJECTS.select}, 2))"""
)
LAYOUTS = {
    "CSV": table(guarded=False),
    "CSV_EXCEL": table(guarded=True, head=b"\xef\xbb\xbf"),
    "JSON": replace(OBJECTS, head=b"[\n", between=b",", tail=b"]\n"),
    "NDJSON": OBJECTS,
    **dict.fromkeys(WRITTEN, ROWS),
}
# The formats that have columns, and whether their cells are guarded.
TABLES = {"CSV": False, "CSV_EXCEL": True, **dict.fromkeys(WRITTEN, False)}


def layout_of(result_format: str, columns: Sequence[str], *, is_requested: bool) -> Layout:
    """The layout of a format with these columns (none: all that it has).

    With `is_requested` the external id by which a customer was asked for is among them.
    """
    layout = LAYOUTS[result_format]
    if result_format in TABLES:
        names = file_columns(columns, is_requested=is_requested)
        select = cells(names, guarded=TABLES[result_format])
        return replace(layout, select=select, joins=joined(names))
    return replace(layout, select=REQUESTED_OBJECT) if is_requested else layout


# Of constants, and of the ORM's own SQL.
STATEMENT = """COPY (
    SELECT {layout.select} FROM ({customers}) c {layout.joins} {where}
    ORDER BY c.created_at, c.id
) TO STDOUT ({options})"""


# A customer's place in the order of a file.
Place = tuple[datetime, UUID]


@dataclass(frozen=True)
class Range:
    """A stretch of the order of a file: from a place on, and up to before one; None is an end."""

    start: Place | None = None
    end: Place | None = None


ALL = Range()


def statement(
    customers: CustomerQuerySet,
    layout: Layout,
    connection: BaseDatabaseWrapper,
    within: Range = ALL,
) -> Statement:
    """The COPY that writes those of the customers within a range, oldest first; its parameters."""
    sql, parameters = compiled(customers, connection)
    bounds = [(sign, at) for sign, at in ((">=", within.start), ("<", within.end)) if at]
    conditions = [f"(c.created_at, c.id) {sign} (%s, %s)" for sign, _ in bounds]
    query = STATEMENT.format(
        layout=layout,
        customers=sql,
        where=f"WHERE {' AND '.join(conditions)}" if bounds else "",
        options=layout.options_of_more if within.start else layout.options,
    )
    return query, parameters + tuple(value for _, place in bounds for value in place)


def compiled(customers: CustomerQuerySet, connection: BaseDatabaseWrapper) -> Statement:
    """The SELECT of these customers, in no order, and its parameters; also one that finds none."""
    compiler = customers.order_by().query.get_compiler(connection=connection, elide_empty=False)
    query, parameters = compiler.as_sql()
    return query, tuple(parameters)

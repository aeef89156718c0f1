"""How a hot query runs: prepared once on each connection, planned once, sent as values alone."""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model, QuerySet
from django.db.models.fields import NOT_PROVIDED


def prepared(
    queryset: "QuerySet[Any, Any]", using: str = DEFAULT_DB_ALIAS
) -> list[tuple[Any, ...]]:
    """The rows of a `values_list` queryset, by a server-side prepared statement.

    Planning the customer object takes ten times as long as making it, so a query that finds its
    rows by primary key is planned once. Anything whose best plan depends on the values (searches,
    lists) must not come here. With `KITH_PREPARED_STATEMENTS=0`, for poolers that cannot keep
    them, the statement is only bound on the server.
    """
    return prepared_rows(*queryset.query.sql_with_params(), using=using)


def prepared_rows(
    sql: str, params: Sequence[Any], *, using: str = DEFAULT_DB_ALIAS
) -> list[tuple[Any, ...]]:
    """The rows of a statement that is written out, likewise."""
    connection = connections[using]
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw: Any = psycopg.Cursor(connection.connection)
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(raw) as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


class Insertion(NamedTuple):
    """An INSERT of one row: its statement, what is given, and what the database makes."""

    sql: str
    given: "tuple[Field[Any, Any], ...]"
    made: "tuple[Field[Any, Any], ...]"


@cache
def insertion_of(model: type[Model]) -> Insertion:
    """The INSERT for a model without parents."""
    given: list[Field[Any, Any]] = []
    made: list[Field[Any, Any]] = []
    for field in model._meta.local_concrete_fields:
        (given if field.db_default is NOT_PROVIDED else made).append(field)
    # Each says what it is, for an array or a document cannot be told from its value.
    kinds = [field.db_type(connections[DEFAULT_DB_ALIAS]) for field in given]
    values = ", ".join(f"%s::{kind}" for kind in kinds)
    returning = ", ".join(["true", *(str(field.column) for field in made)])
    columns = ", ".join(str(field.column) for field in given)
    table = model._meta.db_table
    sql = f"INSERT INTO {table} ({columns}) VALUES ({values}) RETURNING {returning}"  # noqa: S608
    return Insertion(sql, tuple(given), tuple(made))


def insert_row(row: Model) -> None:
    """Insert a new row, with what the database makes of its defaults; signals are not sent.

    What the ORM takes to write the same statement anew for each row is several times what the
    database takes for it.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    sql, given, made = insertion_of(type(row))
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in given]
    ((_, *found),) = prepared_rows(sql, values)
    for field, value in zip(made, found, strict=True):
        setattr(row, field.attname, value)
    row._state.adding = False  # noqa: SLF001 -- as `Model.save` leaves it
    row._state.db = DEFAULT_DB_ALIAS  # noqa: SLF001

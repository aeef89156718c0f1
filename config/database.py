"""How a hot query runs: prepared once on each connection, planned once, sent as values alone."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import QuerySet


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

"""How many rows the planner expects, where it knows."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import connection as default
from django.db.backends.base.base import BaseDatabaseWrapper


def expected_rows(
    sql: str,
    values: Sequence[Any],  # of every type that psycopg has an adapter for
    connection: BaseDatabaseWrapper | None = None,
) -> int | None:
    """How many rows PostgreSQL expects of a query, of which nothing is run.

    None where nobody knows: a distributed engine expects 100,000 of whatever it is asked.
    """
    if settings.DISTRIBUTED:
        return None
    with (connection or default).cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        ((plan,),) = cursor.fetchall()
    return int(plan[0]["Plan"]["Plan Rows"])

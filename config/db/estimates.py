"""What the planner expects of a query, where it knows."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import connection as default
from django.db.backends.base.base import BaseDatabaseWrapper

Plan = dict[str, Any]  # as PostgreSQL documents it, by the names that it shows


def expected_rows(
    sql: str,
    values: Sequence[Any],  # of every type that psycopg has an adapter for
    connection: BaseDatabaseWrapper | None = None,
) -> int | None:
    """How many rows PostgreSQL expects of a query, of which nothing is run.

    None where nobody knows: a distributed engine expects 100,000 of whatever it is asked.
    """
    plan = plan_of(sql, values, connection)
    return None if plan is None else int(plan["Plan Rows"])


def plan_of(
    sql: str,
    values: Sequence[Any],  # likewise
    connection: BaseDatabaseWrapper | None = None,
) -> Plan | None:
    """How PostgreSQL would run a query; None of a distributed engine."""
    if settings.DISTRIBUTED:
        return None
    with (connection or default).cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        ((plans,),) = cursor.fetchall()
    plan: Plan = plans[0]["Plan"]
    return plan


def nodes(plan: Plan) -> Iterator[Plan]:
    """A plan's node and all below it."""
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)

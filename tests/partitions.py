"""Partitions of the change log as tests arrange them, in transactions that are rolled back."""

from datetime import datetime
from uuid import UUID

from django.db import connection

from customers.services.change_partitions import FIRST, LATER, month_after, partitions

INSERT = """
    INSERT INTO customers_change (customer_id, at, actor_type, actor_id, via, request_id, reason,
        entity, entity_id, operation)
    SELECT %s, at, 'internal', '', 'v1', '', '', 'customer', gen_random_uuid(), 'updated'
    FROM unnest(%s::timestamptz[]) AS at RETURNING tableoid::regclass::text"""
SOMEBODY = UUID(int=1)


def run(statement: str, *values: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        found: list[tuple[object, ...]] = cursor.fetchall() if cursor.description else []
    return found


def log(*moments: datetime | str, of: UUID = SOMEBODY) -> list[object]:
    """Add changes; gives the partitions that they came to."""
    return [name for (name,) in run(INSERT, of, [str(each) for each in moments])]


def month(number: int) -> datetime:
    """When a month begins: this one is 0."""
    return month_after(number)


def name(number: int) -> str:
    return f"customers_change_{month(number):%Y_%m}"


def begin_at(number: int) -> None:
    """Have the last partition begin with that month, as if nobody had made any since."""
    run(f"DROP TABLE {', '.join(each.name for each in partitions())}")
    for each, bounds in ((FIRST, "(MINVALUE) TO ('{0}')"), (LATER, "('{0}') TO (MAXVALUE)")):
        run(
            f"CREATE TABLE {each} PARTITION OF customers_change FOR VALUES FROM "
            + bounds.format(month(number).isoformat())
        )


def names() -> list[str]:
    return [each.name for each in partitions()]

"""Many rows, some at a time, without a cursor that stays open between statements.

Such a cursor belongs to a session, and a pooler in transaction mode gives each statement another
one; nor can it be read from two threads, as a streamed answer is.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Model, QuerySet
from psycopg.rows import TupleRow


def rows_by(
    key: str, queryset: "QuerySet[Model, Any]", *columns: str, batch: int
) -> Iterator[TupleRow]:
    """The columns of all rows in the order of `key`, of which there are no two alike.

    Each `batch` of them is read by a statement of its own, which sees what was committed by then.
    """
    rows = queryset.order_by(key).values_list(key, *columns)
    found = list(rows[:batch])
    while found:
        for _key, *values in found:
            yield tuple(values)
        if len(found) < batch:
            return
        found = list(rows.filter(**{f"{key}__gt": found[-1][0]})[:batch])

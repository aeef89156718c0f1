"""What the change log has of a request, and what it has of the same customers since.

The changes of a request are those under its request id, by its actor and the same way,
between its start and its end: a client may use a request id twice, but requests that are about the
same customer never run at the same time (`ingest.ordering`). All is read by the key of the log,
customer first. Changes of one customer are in the order of their numbers, for whoever writes holds
the customer.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from psycopg.sql import SQL

from config.db.statements import array
from customers.models import Change
from ingest.models import BulkRequest

OF_REQUEST = SQL("""
    via = %(via)s AND request_id = %(request_id)s AND actor_type = %(actor_type)s
    AND actor_id = %(actor_id)s AND at BETWEEN %(start)s AND %(end)s""")
CHANGES = SQL("""
    SELECT customer_id::text, id, entity, entity_id::text, operation, before::text, kept::text,
           sealed::text,
           CASE WHEN entity = 'account' THEN ARRAY(
               SELECT jsonb_array_elements_text(coalesce(before -> 'source_customer_ids', '[]')
                                                || coalesce(after -> 'source_customer_ids', '[]')))
           END
    FROM customers_change
    WHERE customer_id = ANY(%(customers)s::uuid[]) AND {of_request}
    ORDER BY customer_id, id""").format(of_request=OF_REQUEST)
# The numbers alone tell what is later. The months before are not looked through, nor planned for,
# which takes longer; a clock that was set back meanwhile was set back by less.
MOST_SET_BACK = timedelta(days=31)
LATER = SQL("""
    SELECT customer_id::text, id, at, entity, entity_id::text, operation, actor_type, actor_id, via,
           request_id, ARRAY(SELECT jsonb_object_keys(coalesce(after, before)))
    FROM customers_change
    WHERE customer_id = ANY(%(customers)s::uuid[]) AND id > %(first)s
    AND at > %(since)s
    AND entity NOT IN ('reveal', 'activity') AND NOT ({of_request})
    ORDER BY customer_id, id""").format(of_request=OF_REQUEST)


class Logged(NamedTuple):
    """A change of the request; documents are JSON. `holders` are source ids, of accounts only."""

    customer_id: str
    id: int
    entity: str
    entity_id: str
    operation: str
    before: str | None
    kept: str | None
    sealed: str | None
    holders: list[str] | None


class Later(NamedTuple):
    """A change by somebody else; `columns` are those that it was about.

    Who only looked at sensitive values has changed nothing, nor who recorded an interaction; of a
    customer that would go, those that are there count (`ingest.undo.apply`).
    """

    customer_id: str
    id: int
    at: datetime
    entity: str
    entity_id: str
    operation: str
    actor_type: str
    actor_id: str
    via: str
    request_id: str
    columns: list[str]


def span(request: BulkRequest) -> dict[str, str | datetime | None]:
    """By what the changes of a request are known."""
    return {
        "via": request.via,
        "request_id": request.request_id,
        "actor_type": request.actor_type,
        "actor_id": request.actor_id,
        "start": request.started_at,
        "since": request.started_at and request.started_at - MOST_SET_BACK,
        "end": request.finished_at or "infinity",
    }


def is_by(request: BulkRequest, change: Later | Change) -> bool:
    """Whether a change is a request's."""
    return (
        change.via == request.via
        and change.request_id == request.request_id
        and (change.actor_type, change.actor_id) == (request.actor_type, request.actor_id)
        and request.started_at is not None
        and request.started_at <= change.at
        and (request.finished_at is None or change.at <= request.finished_at)
    )


def changes_of(request: BulkRequest, customers: Collection[str]) -> dict[str, list[Logged]]:
    """The changes of a request, oldest first, by those customers that have any."""
    found: dict[str, list[Logged]] = {}
    with connection.cursor() as cursor:
        cursor.execute(CHANGES.as_string(), span(request) | {"customers": array(customers)})
        for row in cursor.fetchall():
            found.setdefault(row[0], []).append(Logged._make(row))
    return found


def later_than(
    request: BulkRequest, customers: Collection[str], first: int
) -> dict[str, list[Later]]:
    """What others changed after the change with number `first`, by customer."""
    found: dict[str, list[Later]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            LATER.as_string(), span(request) | {"customers": array(customers), "first": first}
        )
        for row in cursor.fetchall():
            found.setdefault(row[0], []).append(Later._make(row))
    return found

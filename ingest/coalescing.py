"""Coalesced requests: many small ones share one read, one COPY per table, and one commit.

A worker that holds a request claims together with it others of its client that wait and may be done
at the same time (`ingest.ordering`). They share its claim, and count as one running job. When
anything goes wrong they are released, and done one by one.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from config import tracing
from config.db.statements import array
from config.jobs.lease import ClaimLost
from ingest.models import BulkRequest
from ingest.ordering import SharedTransaction, latest

MOST_REQUESTS = 40
MOST_ITEMS = 2000
# How many open requests are read to find them.
LOOKED_AT = 80


class Part(NamedTuple):
    """A request of a group, as far as doing it needs to know it; `who` is in whose name it runs."""

    id: UUID
    number: int
    action: str
    source_customer_id: str
    source_account_id: str
    request_id: str
    items: int
    conflict_keys: list[int] | None
    is_waiting: bool
    who: str


PARTS = """
    SELECT id, number, action, source_customer_id, source_account_id, request_id, items, touched,
        status = 'SUBMITTED' AND attempts = 0, concat_ws(' ', actor_type, actor_id, client_id)
    FROM ingest_bulkrequest"""
ITSELF = f"{PARTS} WHERE id = %s"
OTHERS = f"""{PARTS}
    WHERE business_account_id = %s AND status IN ('SUBMITTED', 'PICKED', 'STARTED') AND id <> %s
        AND number <= %s
    ORDER BY number LIMIT {LOOKED_AT}"""
CLAIM = """
    UPDATE ingest_bulkrequest
    SET status = 'STARTED', picked_at = statement_timestamp(), started_at = statement_timestamp(),
        lease_until = statement_timestamp() + %s * interval '1 second', claim_id = %s, worker = %s,
        attempts = 1
    WHERE id IN (
        SELECT id FROM ingest_bulkrequest
        WHERE id = ANY(%s::uuid[]) AND status = 'SUBMITTED' AND attempts = 0
        ORDER BY number FOR UPDATE SKIP LOCKED)"""
RELEASE = """
    UPDATE ingest_bulkrequest
    SET lease_until = statement_timestamp(), queued_at = NULL, attempts = 0
    WHERE id = ANY(%s::uuid[]) AND claim_id = %s AND status = 'STARTED'"""
FINISH = """
    UPDATE ingest_bulkrequest AS stored
    SET status = 'FINISHED', finished_at = statement_timestamp(), touched = '{}',
        created = done.created, updated = done.updated, unchanged = done.unchanged,
        failed = done.failed, keeps_content = done.failed > 0
    FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::int[], %s::int[])
        AS done (id, created, updated, unchanged, failed)
    WHERE stored.id = done.id AND stored.claim_id = %s AND stored.status = 'STARTED'"""


def alone(request: BulkRequest) -> list[Part]:
    """A group of one."""
    with connection.cursor() as cursor:
        cursor.execute(ITSELF, [str(request.pk)])
        return [Part(*cursor.fetchone())]


def claim_together(request: BulkRequest) -> list[Part]:
    """A held request with others that were claimed for it, in the order of acceptance.

    It is done alone at a second attempt, so that a bad one does not fail others again and again,
    and when another worker claims one of the others at the same moment.
    """
    group = alone(request)
    if request.attempts > 1 or request.conflict_keys is None:
        return group
    # Of a later one those that it may not overtake might not be seen yet.
    until = latest(request.pk)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(OTHERS, [str(request.business_account_id), str(request.pk), until])
        chosen = choose(group[0], [Part(*row) for row in cursor.fetchall()])
        if not chosen:
            return group
        ids = array(part.id for part in chosen)
        held = (settings.JOB_LEASE_SECONDS, str(request.claim_id), request.worker)
        cursor.execute(CLAIM, [*held, ids])
        if cursor.rowcount != len(chosen):
            transaction.set_rollback(True)
            return group
    request.coalesced = tuple(part.id for part in chosen)
    return sorted([*group, *chosen], key=lambda part: part.number)


def choose(first: Part, others: Iterable[Part]) -> list[Part]:
    """Of the oldest open requests those that can be done together with the first one."""
    shared = SharedTransaction(first.conflict_keys or ())
    items = first.items
    chosen: list[Part] = []
    for other in others:
        if other.conflict_keys is None:
            break
        is_wanted = (
            other.is_waiting
            and other.action in BulkRequest.OF_ITEMS
            and other.who == first.who
            and len(chosen) + 1 < MOST_REQUESTS
            and items + other.items <= MOST_ITEMS
        )
        if shared.takes(other.conflict_keys, is_wanted=is_wanted):
            chosen.append(other)
            items += other.items
    return chosen


def release(request: BulkRequest) -> None:
    """Give the others back, as if they had not been claimed."""
    coalesced, request.coalesced = request.coalesced, ()
    if coalesced:
        with connection.cursor() as cursor:
            cursor.execute(RELEASE, [array(coalesced), str(request.claim_id)])


def finish(request: BulkRequest, counts: Sequence[tuple[UUID, dict[str, int]]]) -> None:
    """STARTED to FINISHED, for a whole group. Raises `ClaimLost` when one of them is lost."""
    names = ("created", "updated", "unchanged", "failed")
    columns = [array(each[name] for _, each in counts) for name in names]
    ids = array(request_id for request_id, _ in counts)
    with connection.cursor() as cursor:
        cursor.execute(FINISH, [ids, *columns, str(request.claim_id)])
        if cursor.rowcount != len(counts):
            raise ClaimLost(str(request.pk))
    for _, outcome in counts:
        request.count_end(request.Status.FINISHED, request.rows_of(outcome))
    tracing.note_job(request.Status.FINISHED)
    others = BulkRequest.objects.filter(pk__in=request.coalesced)
    tracing.note_coalesced(
        str(request._meta.model_name), lambda: others.values_list("pk", "trace_parent")
    )

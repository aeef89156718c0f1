"""The worker's side of bulk requests: all items in one transaction, with their ledger."""

import logging
import os
import socket
from collections.abc import Sequence
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections

from config.db.crypto import SealError
from config.db.scope import Reason, confined_to, unconfined
from config.garbage import uncollected
from config.jobs.lease import ClaimLost, Lease, WorkerStops
from config.jobs.models import JobFailed
from config.jobs.worker import perform
from customers.actors import job_actor
from customers.change_log import name_requests, recorded, restamp
from ingest import coalescing, payload
from ingest.batch.apply import TooEarly, counts_of, prepare
from ingest.batch.items import Item, read_items
from ingest.batch.plan import Plan
from ingest.batch.writer import Writer, write_ledgers
from ingest.coalescing import Part
from ingest.files.job import load_file
from ingest.models import BulkContent, BulkRequest
from ingest.undo.runner import undo

logger = logging.getLogger(__name__)
# A customer may come into being by another door between the look and the write, but not for ever.
TRIES = 3
GONE = "What was sent no longer exists. Please send it again."


def run(request_id: UUID) -> None:
    """Claim a request and do it; one that is not claimable is left alone."""
    perform(BulkRequest, request_id, work, worker=f"{socket.gethostname()}:{os.getpid()}")


def work(request: BulkRequest, lease: Lease) -> None:
    """From PICKED to FINISHED, with ledger; others that wait are done together with it.

    Files and undos are done alone.
    """
    if request.action == BulkRequest.Action.UNDO:
        with unconfined(Reason.UNDO):
            undo(request, job_actor(request), lease)
        return
    with confined_to([request.business_account_id]):
        if request.action == BulkRequest.Action.LOAD_FILE:
            load_file(request, job_actor(request), lease)
        else:
            load_items(request, lease)


def load_items(request: BulkRequest, lease: Lease) -> None:
    """Do a request of items, with others."""
    request.start()
    try:
        with lease.interruptible_session(connections[DEFAULT_DB_ALIAS]):
            work_together(request, lease)
    finally:
        coalescing.release(request)


def work_together(request: BulkRequest, lease: Lease) -> None:
    """Do a request with others in one transaction; when that fails, the request alone."""
    parts = coalescing.claim_together(request)
    try:
        do(request, parts)
    except (ClaimLost, WorkerStops):
        raise
    except Exception as error:
        lease.check()
        is_expected = isinstance(error, IntegrityError | TooEarly)
        if len(parts) == 1 and not is_expected:
            raise
        # Whichever of them is at fault fails alone, too, and its sender is told.
        level = logging.INFO if is_expected else logging.ERROR
        logger.log(
            level,
            "%d requests are done one by one",
            len(parts),
            exc_info=None if is_expected else error,
        )
        coalescing.release(request)
        work_alone(request, lease)


def work_alone(request: BulkRequest, lease: Lease) -> None:
    """The same for one request."""
    tries = 0
    while True:
        lease.check()
        try:
            do(request, coalescing.alone(request))
        except TooEarly:
            # It waits for all that came earlier, and its outcome is then right. They may have
            # ended since the read that said so: then it reads again.
            BulkRequest.objects.filter(pk=request.pk).update(conflict_keys=None)
            request.conflict_keys = None
            if not request.must_wait():
                continue
            request.hand_back()
        except IntegrityError:
            tries += 1
            if tries == TRIES:
                raise
            continue
        return


@uncollected()
def do(request: BulkRequest, parts: Sequence[Part]) -> None:
    """Apply all items and write the ledgers in one transaction, or nothing of it.

    Raises `TooEarly`, and `ClaimLost` when a request is another worker's by now.
    """
    sent = contents(parts)
    actor = job_actor(request)
    read = [(part, items_of(part, sent[part.id])) for part in parts]
    items = [item for _, each in read for item in each]
    with recorded(actor, via=request.via):
        plan = prepare(items, actor=actor)
        if plan.depends_on_parents and request.conflict_keys is not None:
            raise TooEarly
        if len(parts) > 1:
            name_requests(origins(plan, read))
        Writer(plan, actor, restamp()).write()
        write_ledgers([(part.id, each) for part, each in read])
        counts = [(part.id, counts_of(each)) for part, each in read]
        BulkContent.objects.filter(
            pk__in=[request_id for request_id, each in counts if not each["failed"]]
        ).delete()
        coalescing.finish(request, counts)
    request.coalesced = ()


def contents(parts: Sequence[Part]) -> dict[UUID, payload.Content]:
    """What was sent with each request. Raises `JobFailed` when it is gone."""
    rows = BulkContent.objects.in_bulk([part.id for part in parts])
    try:
        return {part.id: payload.unsealed(rows[part.id]) for part in parts}
    except (KeyError, SealError) as error:
        raise JobFailed("CONTENT_LOST", GONE) from error


def items_of(part: Part, sent: payload.Content) -> list[Item]:
    """The items of a request."""
    return read_items(
        part.action,
        sent.entries,
        source_customer_id=part.source_customer_id,
        source_account_id=part.source_account_id,
        refused=sent.refused,
    )


def origins(plan: Plan, read: Sequence[tuple[Part, Sequence[Item]]]) -> dict[str, str]:
    """From which request the changes of a row come: by customer, or by account and card."""
    found: dict[str, str] = {}
    for part, items in read:
        for item in items:
            if item.customer_id is not None:
                found[item.customer_id] = part.request_id
            found |= dict.fromkeys(plan.shared_rows(item), part.request_id)
    return found

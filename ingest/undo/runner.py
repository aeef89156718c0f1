"""The worker's side of an undo: a request's items in one transaction, a file's block by block.

Blocks are those in which the file was loaded. As there, a block's row (`BulkPart`) is written in
the transaction that puts it back: an undo that is killed goes on with the blocks that have none.
While an undo is open, no other load of the account runs (`ingest.ordering`).
"""

import logging
import zlib
from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from config.api.actors import Actor
from config.api.json import from_json, to_json
from config.jobs.lease import ClaimLost, Lease
from config.jobs.models import JobFailed
from customers.change_log import recorded
from ingest.batch.apply import COUNTED
from ingest.batch.items import as_errors
from ingest.files.blocks import HELD, TUNING, Counts
from ingest.files.outcome import columns, store_results, tidy_now
from ingest.files.outcome import counts_of as counts_of_parts
from ingest.files.outcome import settle as settle_counts
from ingest.models import BulkFile, BulkItem, BulkPart, BulkRequest
from ingest.undo.apply import Entry, apply, prepare, settle

logger = logging.getLogger(__name__)

GONE = "What this request would undo is not known any more."


def undo(request: BulkRequest, actor: Actor, lease: Lease) -> None:
    """From PICKED to FINISHED."""
    load = request.undo_of
    if load is None:
        raise JobFailed("CONTENT_LOST", GONE)
    request.start()
    with lease.interruptible_session(connections[DEFAULT_DB_ALIAS]):
        if request.is_by_file:
            undo_file(request, load, actor, lease)
        else:
            undo_items(request, load, actor)


def reason_of(load: BulkRequest) -> str:
    """Why something was changed, as the history tells it."""
    return f"Undo of request {load.public_id}"


# --- A request ------------------------------------------------------------------------------------


def undo_items(request: BulkRequest, load: BulkRequest, actor: Actor) -> None:
    """Put the items of a request back in one transaction, with the ledger."""
    with recorded(actor, via=request.via, reason=reason_of(load)) as at:
        entries = entries_of(load)
        undos = prepare(load, entries, items=customers_of(entries))
        apply(undos, account=load.business_account_id, actor=actor, at=at)
        settle(entries, undos, request)
        BulkItem.objects.bulk_create(
            BulkItem(
                request=request,
                index=entry.index,
                source_customer_id=entry.source_customer_id,
                outcome=entry.outcome,
                customer_id=UUID(entry.customer_id) if entry.customer_id else None,
                errors=as_errors(entry.problems),
            )
            for entry in entries
        )
        request.finish(**counts_of(entries), conflict_keys=[], keeps_content=False)


def entries_of(load: BulkRequest) -> list[Entry]:
    """The items of a request, in the order sent."""
    rows = load.ledger.order_by("index").values_list(
        "index", "source_customer_id", "outcome", "customer_id"
    )
    return [
        Entry(index, source_id, outcome, str(customer_id) if customer_id else None)
        for index, source_id, outcome, customer_id in rows
    ]


def customers_of(entries: Sequence[Entry]) -> set[str]:
    """The customers that items are about."""
    return {entry.customer_id for entry in entries if entry.customer_id}


def counts_of(entries: Sequence[Entry]) -> dict[str, int]:
    """How many items came out how."""
    outcomes = [entry.outcome for entry in entries]
    return {name: outcomes.count(outcome) for outcome, name in COUNTED.items()}


# --- A file ---------------------------------------------------------------------------------------


def undo_file(request: BulkRequest, load: BulkRequest, actor: Actor, lease: Lease) -> None:
    """Put the lines of a file back, block by block, and write the results."""
    counts = counts_of_parts(request)

    def progress() -> dict[str, int]:
        # Getting on uses up no attempts.
        return columns(counts) | {"attempts": request.attempts}

    lease.report = progress
    try:
        undo_blocks(request, load, actor, lease, counts)
        name = store_results(request, lease)
        with transaction.atomic():
            BulkFile.objects.filter(pk=request.pk).update(result_name=name)
            request.finish(**progress(), conflict_keys=[])
    except BaseException:
        settle_counts(request)
        raise
    logger.info("a file is undone", extra={"job": str(request.pk), "counts": dict(counts)})
    tidy_now(request)


def undo_blocks(
    request: BulkRequest, load: BulkRequest, actor: Actor, lease: Lease, counts: Counts
) -> None:
    """Put back the blocks that have no row yet, and count what becomes of their lines."""
    done = BulkPart.objects.filter(request=request).values_list("number", flat=True)
    left = BulkPart.objects.filter(request=load).exclude(number__in=list(done))
    for number in list(left.order_by("number").values_list("number", flat=True)):
        lease.check()
        part = undo_block(request, load, number, actor)
        request.attempts = 1
        for name in counts:
            counts[name] += getattr(part, name)


def undo_block(request: BulkRequest, load: BulkRequest, number: int, actor: Actor) -> BulkPart:
    """Put a block back, or look at it for a dry run, in one transaction. Raises `ClaimLost`."""
    loaded = BulkPart.objects.get(request=load, number=number)
    entries = list(entries_of_part(loaded))
    with recorded(actor, via=request.via, reason=reason_of(load)) as at:
        with connection.cursor() as cursor:
            cursor.execute(TUNING)
            cursor.execute(HELD, [str(request.pk), str(request.claim_id)])
            if cursor.rowcount == 0:
                raise ClaimLost
        undos = prepare(load, entries, items=None, is_locked=not request.is_dry_run)
        if not request.is_dry_run:
            apply(undos, account=load.business_account_id, actor=actor, at=at)
        settle(entries, undos, request)
        return BulkPart.objects.create(
            request=request,
            number=number,
            lines=loaded.lines,
            results=zlib.compress(b"".join(map(result, entries)), 1),
            **counts_of(entries),
        )


def entries_of_part(part: BulkPart) -> Iterator[Entry]:
    """The lines of a block that have results."""
    for line in zlib.decompress(part.results).splitlines():
        body = from_json(line)
        yield Entry(
            body["line"], body["sourceCustomerId"] or "", body["outcome"], body["customerId"]
        )


def result(entry: Entry) -> bytes:
    """The line of the results for a line of the file."""
    body = {
        "line": entry.index,
        "sourceCustomerId": entry.source_customer_id or None,
        "outcome": entry.outcome,
        "customerId": entry.customer_id,
        "errors": as_errors(entry.problems),
    }
    return to_json(body) + b"\n"

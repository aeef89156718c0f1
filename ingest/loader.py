"""The worker's side of a file: block by block, some at a time, each in a transaction of its own.

A block's row (`BulkPart`) is written in the transaction that loads it: what has a row is loaded,
and what has none is not, whenever the worker is killed. Blocks that share a customer or an account,
or that name parents, are loaded one after the other, in the order of the file.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Sum

from config.actors import Actor
from config.crypto import SealError
from config.errors import Unreadable
from config.jobs import JobFailed
from config.lease import ClaimLost, Lease
from config.wire import from_json, to_json
from customers.record import Via, recorded
from ingest import batch, files
from ingest.batch import TooEarly
from ingest.files import Block
from ingest.items import (
    CARD_NUMBER,
    Action,
    Item,
    as_errors,
    read_item,
    read_line,
    touched_by_items,
)
from ingest.models import BulkFile, BulkPart, BulkRequest

# One more than keeps two cores busy: a lane waits for the disk, or for another that has its rows.
LANES = 3
TRIES = 3
GONE = "The file cannot be read any more. Please send it again."
# That it is still ours, until the end of the transaction.
HELD = """
    SELECT FROM ingest_bulkrequest
    WHERE id = %s AND claim_id = %s AND status = 'STARTED' FOR KEY SHARE"""
COUNTS = ("lines", *batch.COUNTED.values())


class Loader:
    """Loads what is left of one file."""

    def __init__(self, request: BulkRequest, file: BulkFile, actor: Actor, lease: Lease) -> None:
        self.request = request
        self.file = file
        self.actor = actor
        self.lease = lease
        self.counts = counts_of(request)
        self.attempts = request.attempts
        self.loading: dict[Future[dict[str, int]], set[int]] = {}
        lease.report = self.progress

    def progress(self) -> dict[str, Any]:
        """What is loaded so far, as columns of the request; getting on uses up no attempts."""
        found = {name: self.counts[name] for name in batch.COUNTED.values()}
        return {"items": self.counts["lines"], "attempts": self.attempts, **found}

    def load(self) -> None:
        """Load every block that has no row yet. Raises what became of the first one that failed."""
        done = frozenset(
            BulkPart.objects.filter(request=self.request).values_list("number", flat=True)
        )
        opened: list[BaseDatabaseWrapper] = []
        lanes = ThreadPoolExecutor(LANES, "lane", own_connection, (opened,))
        try:
            for number, block in files.blocks(self.file.storage_name, self.request.pk, done):
                items = list(items_of(block))
                touched = touched_by_items(items)
                self.make_room(touched)
                self.lease.check()
                context = copy_context()
                earlier = tuple(self.loading)
                lane = lanes.submit(context.run, self.load_block, number, block, items, earlier)
                self.loading[lane] = touched
            self.settle(wait(self.loading).done)
        finally:
            lanes.shutdown(cancel_futures=True)
            for each in opened:
                each.close()

    def make_room(self, touched: set[int]) -> None:
        """Wait until a lane is free, and until nothing is loading that touches the same."""
        while self.loading and (
            len(self.loading) >= LANES
            or any(not touched.isdisjoint(others) for others in self.loading.values())
        ):
            self.settle(wait(self.loading, return_when=FIRST_COMPLETED).done)

    def settle(self, lanes: Iterable[Future[dict[str, int]]]) -> None:
        """Add up what was loaded."""
        for lane in lanes:
            del self.loading[lane]
            self.attempts = 1
            for name, count in lane.result().items():
                self.counts[name] += count

    def load_block(
        self, number: int, block: Block, items: list[Item], earlier: Sequence[Future[Any]]
    ) -> dict[str, int]:
        """Load one block, in a thread of its own; gives the counts of its row.

        `earlier` are the blocks before it that may be loading at the same time.
        """
        tries = 0
        while True:
            self.lease.check()
            try:
                return self.write_block(number, block, items, earlier)
            except TooEarly:
                for lane in earlier:
                    lane.result()
            except IntegrityError:
                # A customer came into being by another door, or another worker has the file.
                tries += 1
                if tries == TRIES:
                    raise
            # Items are told their fate once.
            items = list(items_of(block))

    def write_block(
        self, number: int, block: Block, items: list[Item], earlier: Sequence[Future[Any]]
    ) -> dict[str, int]:
        """One block, with its row, in one transaction. Raises `TooEarly`."""
        with recorded(self.actor, via=Via.V2) as at:
            with connection.cursor() as cursor:
                # The end of the job waits for the disk, and with it for all that came before.
                cursor.execute("SET LOCAL synchronous_commit = off")
                cursor.execute(HELD, [str(self.request.pk), str(self.request.claim_id)])
                if cursor.rowcount == 0:
                    raise ClaimLost
            # Asked before the look: what ends after it was not seen.
            are_done = all(lane.done() for lane in earlier)
            for some in apart(items):
                plan = batch.apply(some, actor=self.actor, at=at)
                if plan.turns_on_parents and not are_done:
                    raise TooEarly
            counts = batch.counts(items) | {"lines": len(block.lines)}
            results = zlib.compress(b"".join(map(result, items)), 1)
            BulkPart.objects.create(request=self.request, number=number, results=results, **counts)
        return counts


def own_connection(opened: list[BaseDatabaseWrapper]) -> None:
    """The connection of a thread, kept for all of its blocks; who began the thread closes it."""
    own = connections[DEFAULT_DB_ALIAS]
    own.inc_thread_sharing()
    opened.append(own)


def load_file(request: BulkRequest, actor: Actor, lease: Lease) -> None:
    """From PICKED to FINISHED, with a file of results."""
    file = BulkFile.objects.get(pk=request.pk)
    loader = Loader(request, file, actor, lease)
    request.start()
    try:
        loader.load()
        name = f"{files.folder_of(request.pk)}/{request.claim_id}/results.ndjson"
        files.store(name, files.Joined(results_of(request.pk)))
    except (SealError, FileNotFoundError, zlib.error) as error:
        raise JobFailed("CONTENT_LOST", GONE) from error
    lease.check()
    told = {"error_code": "FILE_CUT_OFF", "error_message": file.problem} if file.problem else {}
    with transaction.atomic():
        BulkFile.objects.filter(pk=request.pk).update(result_name=name, storage_name="")
        request.finish(**loader.progress(), **told, touched=[])
    files.remove(file.storage_name)
    BulkPart.objects.filter(request=request).delete()


def counts_of(request: BulkRequest) -> dict[str, int]:
    """What is loaded already."""
    found = BulkPart.objects.filter(request=request).aggregate(
        **{name: Sum(name, default=0) for name in COUNTS}
    )
    return {name: found[name] for name in COUNTS}


def results_of(request_id: UUID) -> Iterator[bytes]:
    """The NDJSON of all results, part by part."""
    parts = BulkPart.objects.filter(request=request_id).order_by("number")
    for packed in parts.values_list("results", flat=True).iterator(chunk_size=10):
        yield zlib.decompress(packed)


# --- Lines ----------------------------------------------------------------------------------------


def items_of(block: Block) -> Iterator[Item]:
    """The items of a block, by line number; blank lines are none."""
    for number, line in enumerate(block.lines, block.first):
        item = Item(number, "", is_creation=True)
        refused = block.refused.get(number, ())
        if refused or not read_line(item, line):
            if not refused and not line.strip():
                continue
            read_wrong_line(item, line)
        for pointer in refused:
            item.problems = [each for each in item.problems if each.path != pointer]
            item.wrong(pointer, *CARD_NUMBER)
        yield item


def read_wrong_line(item: Item, line: bytes) -> None:
    """Read a line with which something is wrong, to tell what."""
    try:
        raw = from_json(line)
    except Unreadable as error:
        item.wrong("", error.message.replace("The body", "The line"), "MALFORMED_LINE")
        return
    if line == files.TOO_LONG:
        message = f"The line is longer than {files.LINE_BYTES} bytes."
        item.wrong("", message, "TOO_LONG")
    else:
        read_item(item, Action.CREATE_CUSTOMERS, raw)


def apart(items: Sequence[Item]) -> Iterator[list[Item]]:
    """The items in their order, in batches that have no customer twice."""
    some: list[Item] = []
    seen: set[str] = set()
    for item in items:
        if item.source_customer_id and item.source_customer_id in seen:
            yield some
            some, seen = [], set()
        some.append(item)
        seen.add(item.source_customer_id)
    if some:
        yield some


def result(item: Item) -> bytes:
    """The line that tells what became of a line."""
    body: dict[str, Any] = {
        "line": item.index,
        "sourceCustomerId": item.source_customer_id[:120] or None,
        "outcome": item.outcome,
        "customerId": item.customer_id if item.is_stored else None,
        "errors": [] if item.is_stored else as_errors(item.problems),
    }
    if item.is_stored and item.notices:
        body["notices"] = as_errors(item.notices)
    return to_json(body) + b"\n"

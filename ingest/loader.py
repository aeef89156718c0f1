"""The worker's side of a file: block by block, some at a time, each in a transaction of its own.

A block's row (`BulkPart`) is written in the transaction that loads it: what has a row is loaded,
and what has none is not, whenever the worker is killed. Blocks that share a customer or an account,
or that name parents, are loaded one after the other, in the order of the file.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
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
from ingest.lane import Ask, Lane
from ingest.models import BulkFile, BulkPart, BulkRequest

# One more than keeps two cores busy: a lane waits for its own session, or for the disk.
LANES = 3
TRIES = 3
# How often a loader that hears nothing looks whether the job is still its own.
LOOK_SECONDS = 0.5
GONE = "The file cannot be read any more. Please send it again."
# That it is still ours, until the end of the transaction.
HELD = """
    SELECT FROM ingest_bulkrequest
    WHERE id = %s AND claim_id = %s AND status = 'STARTED' FOR KEY SHARE"""
COUNTS = ("lines", *batch.COUNTED.values())

Counts = dict[str, int]
# The number of a block, and its bytes as they are stored.
Frame = tuple[int, bytes]


@dataclass
class Turn:
    """A lane at its block: it reads, waits for leave, writes; or found that it did so too early.

    `touched` are the numbers of what the block touches, once it is read; `error` is why it failed.
    """

    lane: Lane
    touched: set[int] | None = None
    is_waiting: bool = False
    is_early: bool = False
    error: Exception | None = None


class Loader:
    """Loads what is left of one file."""

    def __init__(self, request: BulkRequest, file: BulkFile, actor: Actor, lease: Lease) -> None:
        self.request = request
        self.file = file
        self.actor = actor
        self.lease = lease
        self.counts = counts_of(request)
        self.attempts = request.attempts
        self.lanes: list[Lane] = []
        # In the order of the file.
        self.turns: list[Turn] = []
        lease.report = self.progress

    def progress(self) -> dict[str, Any]:
        """What is loaded so far, as columns of the request; getting on uses up no attempts."""
        found = {name: self.counts[name] for name in batch.COUNTED.values()}
        return {"items": self.counts["lines"], "attempts": self.attempts, **found}

    def load(self) -> None:
        """Load every block that has no row yet. Raises what became of the first one that failed;
        all blocks before it are loaded then.
        """
        done = BulkPart.objects.filter(request=self.request).values_list("number", flat=True)
        try:
            for frame in files.frames(self.file.storage_name, frozenset(done)):
                while (lane := self.free_lane()) is None:
                    self.get_on()
                lane.tell(frame)
                self.turns.append(Turn(lane))
            while self.turns:
                self.get_on()
        finally:
            for lane in self.lanes:
                lane.close()
            for lane in self.lanes:
                lane.join()

    def free_lane(self) -> Lane | None:
        """A lane for one more block, a new one if there may be one."""
        busy = [turn.lane for turn in self.turns]
        if any(turn.error for turn in self.turns):
            return None
        for lane in self.lanes:
            if lane not in busy:
                return lane
        if len(self.lanes) == LANES:
            return None
        with self.lease.paused():
            self.lanes.append(Lane(partial(load_block, self.request, self.actor), self.lanes))
        return self.lanes[-1]

    def get_on(self) -> None:
        """Hear what lanes have to say, and let those write whose turn it is."""
        self.lease.check()
        heard = wait([turn.lane.pipe for turn in self.turns if not turn.error], LOOK_SECONDS)
        for turn in [turn for turn in self.turns if turn.lane.pipe in heard]:
            self.take(turn)
        if self.turns and (failure := self.turns[0].error):
            raise failure
        self.give_leave()

    def take(self, turn: Turn) -> None:
        """Take what a lane says: what its block touches, that it is too early, or its counts.

        What went wrong there is raised when all before it is done.
        """
        try:
            said = turn.lane.hear()
        except Exception as error:  # noqa: BLE001 -- whatever it is
            turn.error = error
            return
        if isinstance(said, dict):
            self.turns.remove(turn)
            self.attempts = 1
            for name, count in said.items():
                self.counts[name] += count
            return
        turn.is_waiting = True
        if turn.touched is None:
            turn.touched = said
        else:
            turn.is_early = True

    def give_leave(self) -> None:
        """Let blocks be written, unless one before them that is not done touches the same.

        One that was too early waits for all before it.
        """
        for place, turn in enumerate(self.turns):
            before = self.turns[:place]
            if turn.touched is None or turn.error:
                return
            if turn.is_waiting and not (turn.is_early and before):
                if any(not turn.touched.isdisjoint(each.touched or ()) for each in before):
                    return
                turn.is_waiting = False
                turn.lane.tell(not before)


def load_block(request: BulkRequest, actor: Actor, frame: Frame, ask: Ask) -> Counts:
    """Load one block, in a lane; gives the counts of its row.

    It asks with what it touches before it writes, and without anything when it was too early; the
    answer is whether all blocks before it are done.
    """
    number, sealed = frame
    block = files.opened(sealed, request.pk, number)
    items = list(items_of(block))
    is_next = ask(touched_by_items(items))
    tries = 0
    while True:
        try:
            return write_block(request, actor, number, block, items, is_next=is_next)
        except TooEarly:
            is_next = ask(None)
        except IntegrityError:
            # A customer came into being by another door, or another worker has the file.
            tries += 1
            if tries == TRIES:
                raise
        # Items are told their fate once.
        items = list(items_of(block))


def write_block(
    request: BulkRequest,
    actor: Actor,
    number: int,
    block: Block,
    items: Sequence[Item],
    *,
    is_next: bool,
) -> Counts:
    """One block, with its row, in one transaction. Raises `TooEarly` and `ClaimLost`."""
    with recorded(actor, via=Via.V2) as at:
        with connection.cursor() as cursor:
            # The end of the job waits for the disk, and with it for all that came before.
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute(HELD, [str(request.pk), str(request.claim_id)])
            if cursor.rowcount == 0:
                raise ClaimLost
        for some in apart(items):
            plan = batch.apply(some, actor=actor, at=at)
            if plan.turns_on_parents and not is_next:
                raise TooEarly
        counts = batch.counts(items) | {"lines": len(block.lines)}
        results = zlib.compress(b"".join(map(result, items)), 1)
        BulkPart.objects.create(request=request, number=number, results=results, **counts)
    return counts


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
    is_stored = item.is_stored
    body: dict[str, Any] = {
        "line": item.index,
        "sourceCustomerId": item.source_customer_id[:120] or None,
        "outcome": item.outcome,
        "customerId": item.customer_id if is_stored else None,
        "errors": [] if is_stored else as_errors(item.problems),
    }
    if is_stored and item.notices:
        body["notices"] = as_errors(item.notices)
    return to_json(body) + b"\n"

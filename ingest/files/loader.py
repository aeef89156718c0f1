"""The worker's side of a file: block by block, some at a time, each in a transaction of its own.

A block's row (`BulkPart`) is written in the transaction that loads it: what has a row is loaded,
and what has none is not, whenever the worker is killed. Blocks that share a customer or an account,
or that name parents, are loaded one after the other, in the order of the file. A load has FINISHED
only when the rows account for every line that was received.

A dry run goes the same way, but in one process, whose `Scratch` has what came of the lines before;
that is lost with the process, and a dry run that was stopped begins again.
"""

import logging
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import wait
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Count, Sum

from config import files as stored
from config.api.actors import Actor
from config.db.batches import rows_by
from config.db.rights import may_make_temporary_tables
from config.jobs.lease import ClaimLost, Lease
from config.jobs.models import MAX_ATTEMPTS, JobFailed, TryAgain
from ingest.batch.apply import COUNTED
from ingest.batch.scratch import Scratch
from ingest.cleanup import tidy
from ingest.files.blocks import COUNTS, Counts, Target, load_blocks
from ingest.files.frames import ContentLost, folder_of, frames
from ingest.files.inflate import Damage
from ingest.files.process import (
    Failed,
    Frame,
    Load,
    Loaded,
    LoaderProcess,
    Proceed,
    ProcessKilled,
    Ready,
    Reason,
)
from ingest.models import BulkFailedLines, BulkFile, BulkPart, BulkRequest
from ingest.ordering import may_be_written

logger = logging.getLogger(__name__)

# How often a loader that hears nothing looks whether the job is still its own.
LOOK_SECONDS = 0.5
LOG_SECONDS = 10
# Of so many blocks the results are read at once.
RESULTS_READ = 10
# Of one transaction, which is what progress is told by: as many blocks as take about so long. The
# more rows go in together, the closer they are to each other in the indexes; more than these would
# take more memory than time.
TRANSACTION_SECONDS = 5
TRANSACTION_BLOCKS = 10
TRANSACTION_BYTES = 4 * 1024 * 1024
RESEND = (
    "Send the whole file again: lines that are stored already come out UNCHANGED, "
    "and those that are missing are added."
)
LOST = (
    "A part of the file was lost or changed in storage after it had been received, and the load "
    "ended there: {loaded} of {lines} lines were loaded. " + RESEND
)
LOST_AFTER_ALL = (
    "All {lines} lines were loaded, but the file was changed in storage after it had been "
    "received. To be sure, send it again: lines that are stored already come out UNCHANGED."
)
# By a `Damage`; files that an older version stored have the words themselves.
DAMAGED: dict[str, str] = {
    Damage.CUT_OFF: (
        "The compressed file was cut off: it ends in the middle. The {lines} lines that were whole "
        "have been loaded. " + RESEND
    ),
    Damage.BROKEN: (
        "The compressed file is damaged in the middle. The {lines} lines that could be read before "
        "that have been loaded. " + RESEND
    ),
    Damage.WRONG_CHECKSUM: (
        "The checksum of the compressed file is wrong: it was changed on its way. The {lines} "
        "lines up to there were loaded as they arrived, and some may be wrong. Send the whole file "
        "again: lines that are right come out UNCHANGED, the others are corrected."
    ),
    Damage.FOLLOWED_BY_JUNK: (
        "After the end of the compressed data comes something that is not gzip, which was not "
        "loaded. All {lines} lines before it have been loaded. If more belongs to the file, send "
        "the whole file again: lines that are stored already come out UNCHANGED."
    ),
}
KILLED = (
    f"This was tried {MAX_ATTEMPTS} times, and each time a process that was loading it was killed, "
    "perhaps for want of memory. What is counted here is stored. Please ask whoever runs this "
    "service, then send the file again: lines that are stored already come out UNCHANGED."
)
NO_SPACE = (
    "The lines are loaded as counted here, but there is no space left for the file of their "
    "results, which are still given line by line."
)

NO_TABLES = (
    "A file is tried out in temporary tables, and the database does not let this service make any. "
    "Nothing was checked. Please ask whoever runs this service for the right TEMPORARY; the file "
    "itself can be loaded without."
)


@dataclass
class Task:
    """Blocks that a process is loading: it reads, waits for permission, writes.

    `conflict_keys` are there once it has read, `error` is why it failed.
    """

    process: LoaderProcess
    blocks: int
    started: float = field(default_factory=time.monotonic)
    conflict_keys: frozenset[int] | None = None
    is_waiting: bool = False
    is_early: bool = False
    error: Exception | None = None


class LoaderFailed(RuntimeError):
    """A process met an exception that nobody expected; the log has it."""


class DatabaseAway(ConnectionError):
    """The database was away from a process."""


class Loader:
    """Loads what is left of one file."""

    def __init__(self, request: BulkRequest, file: BulkFile, actor: Actor, lease: Lease) -> None:
        self.request = request
        self.file = file
        self.actor = actor
        self.lease = lease
        self.counts = counts_of(request)
        self.processes: list[LoaderProcess] = []
        # In the order of the file.
        self.tasks: list[Task] = []
        # How many blocks the next transaction has.
        self.blocks = 1
        self.logged = time.monotonic()
        lease.report = self.progress

    def progress(self) -> dict[str, int]:
        """What is loaded so far, as columns of the request; getting on uses up no attempts."""
        return columns(self.counts) | {"attempts": self.request.attempts}

    def load(self) -> None:
        """Load every block that has no row yet. Raises the error of the first one that failed;
        all blocks before it are loaded then.
        """
        try:
            with self.lease.interruptible(self.kill):
                self.load_blocks()
        except BaseException:
            self.kill()
            raise
        finally:
            for process in self.processes:
                process.close()
            for process in self.processes:
                process.join()

    def kill(self) -> None:
        """End all processes at once, whatever they wait for."""
        for process in self.processes:
            process.kill()

    def load_blocks(self) -> None:
        """Hand out the blocks in their order, and wait until all are loaded."""
        damage: Exception | None = None
        try:
            for frames in self.transactions():
                while (process := self.free_process()) is None:
                    self.step()
                process.send(Load(frames))
                self.tasks.append(Task(process, len(frames)))
        except (ContentLost, FileNotFoundError) as error:
            damage = error
        while self.tasks:
            self.step()
        if damage is not None:
            raise ContentLost from damage

    def transactions(self) -> Iterator[tuple[Frame, ...]]:
        """The blocks that have no row yet, as many at a time as one transaction shall have."""
        done = BulkPart.objects.filter(request=self.request).values_list("number", flat=True)
        some: list[Frame] = []
        size = 0
        try:
            for number, sealed in frames(
                self.file.storage_name,
                self.file.block_id,
                blocks=self.file.blocks,
                lines=self.file.lines,
                skipped=frozenset(done),
            ):
                some.append((number, sealed))
                size += len(sealed)
                if len(some) >= self.blocks or size >= TRANSACTION_BYTES:
                    yield tuple(some)
                    some, size = [], 0
        except (ContentLost, FileNotFoundError):
            # All that comes before is loaded.
            if some:
                yield tuple(some)
            raise
        if some:
            yield tuple(some)

    def free_process(self) -> LoaderProcess | None:
        """A process for more blocks, a new one if there may be one."""
        busy = [task.process for task in self.tasks]
        if any(task.error for task in self.tasks):
            return None
        for process in self.processes:
            if process not in busy:
                return process
        if len(self.processes) == (1 if self.request.is_dry_run else settings.LOADER_PROCESSES):
            return None
        with self.lease.paused():
            scratch = Scratch() if self.request.is_dry_run else None
            work = partial(load_blocks, Target(self.request, self.actor, scratch), self.file.table)
            self.processes.append(LoaderProcess(work, self.processes))
        return self.processes[-1]

    def step(self) -> None:
        """Hear what processes have to say, and permit those to commit whose time has come."""
        self.lease.check()
        busy = [task for task in self.tasks if not task.error]
        heard = wait([task.process.pipe for task in busy], LOOK_SECONDS)
        for task in busy:
            if task.process.pipe in heard:
                # Raised when all before it is done.
                task.error = self.hear(task)
        self.log_progress()
        if self.tasks and (failure := self.tasks[0].error):
            raise failure
        self.permit()

    def hear(self, task: Task) -> Exception | None:
        """Take what a process says; gives why its blocks are not loaded, once that is certain."""
        try:
            report = task.process.receive()
        except ProcessKilled as error:
            return error
        match report:
            case Ready(conflict_keys, is_early):
                task.conflict_keys, task.is_early, task.is_waiting = conflict_keys, is_early, True
            case Loaded(counts, failure):
                if not self.request.is_dry_run:
                    # What has been loaded need not be loaded again.
                    self.request.attempts = 1
                for name, count in counts.items():
                    self.counts[name] += count
                if failure is not None:
                    return failure_of(failure)
                self.tasks.remove(task)
                self.adapt(task)
            case Failed():
                return failure_of(report)
        return None

    def adapt(self, task: Task) -> None:
        """Have the next transactions take about `TRANSACTION_SECONDS`."""
        seconds = max(0.001, time.monotonic() - task.started)
        fitting = int(task.blocks * TRANSACTION_SECONDS / seconds)
        self.blocks = max(1, min(fitting, 2 * self.blocks, TRANSACTION_BLOCKS))

    def permit(self) -> None:
        """Let blocks be written whose time has come (`ingest.ordering`).

        Those that were too early wait for all before them.
        """
        for place, task in enumerate(self.tasks):
            before = self.tasks[:place]
            if task.conflict_keys is None or task.error:
                return
            if task.is_waiting and not (task.is_early and before):
                if not may_be_written(task.conflict_keys, [each.conflict_keys for each in before]):
                    return
                task.is_waiting = False
                task.process.send(Proceed(is_next=not before))

    def log_progress(self) -> None:
        """A line in the log now and then."""
        if time.monotonic() - self.logged >= LOG_SECONDS:
            self.logged = time.monotonic()
            log("a file is being loaded", self)


def failure_of(failed: Failed) -> Exception:
    """What a process that failed comes to in this one; the log has what it met."""
    if failed.reason is Reason.CLAIM_LOST:
        return ClaimLost()
    text = f"a process that loads a file met {failed.error['type']}"
    if failed.reason is Reason.UNEXPECTED:
        logger.error(text, extra={"exception": failed.error})
        return LoaderFailed(text)
    logger.warning(text, extra={"exception": failed.error})
    return DatabaseAway(text) if failed.reason is Reason.AWAY else ContentLost(text)


def log(message: str, loader: Loader, **more: object) -> None:
    """A line on a load: numbers only."""
    facts = {
        "job": str(loader.request.pk),
        "totalLines": loader.file.lines,
        "counts": dict(loader.counts),
    }
    logger.info(message, extra=facts | more)


# --- The job --------------------------------------------------------------------------------------


def load_file(request: BulkRequest, actor: Actor, lease: Lease) -> None:
    """From PICKED to FINISHED or, when not all of it was there, FAILED; with a file of results."""
    file = BulkFile.objects.get(pk=request.pk)
    if request.is_dry_run:
        if not may_make_temporary_tables():
            raise JobFailed("NO_TEMPORARY_TABLES", NO_TABLES)
        for rows in (BulkPart, BulkFailedLines):
            rows.objects.filter(request=request).delete()
    loader = Loader(request, file, actor, lease)
    request.start()
    log("a file begins to be loaded", loader, attempt=request.attempts)
    try:
        is_whole = load_all(loader)
        finish(loader, is_whole=is_whole)
    except BaseException as error:
        settle(request)
        log("a file is not loaded to its end", loader, error=type(error).__name__)
        raise
    log("a file is loaded", loader, error=request.error_code)
    tidy_now(request)


def load_all(loader: Loader) -> bool:
    """Load a file; False when a part of it is not in storage any more."""
    try:
        loader.load()
    except ContentLost:
        logger.warning("a stored file is not as it was received", exc_info=True)
        return False
    except ProcessKilled as error:
        raise TryAgain("WORKER_LOST", KILLED) from error
    found = BulkPart.objects.filter(request=loader.request).aggregate(
        blocks=Count("number"), lines=Sum("lines", default=0)
    )
    file = loader.file
    blocks: int = found["blocks"]
    return bool(found["lines"] == file.lines and file.blocks in {None, blocks})


def finish(loader: Loader, *, is_whole: bool) -> None:
    """Write the results, and end the job."""
    request, file = loader.request, loader.file
    name = store_results(request, loader.lease)
    with transaction.atomic():
        BulkFile.objects.filter(pk=request.pk).update(result_name=name)
        if not is_whole:
            loaded = loader.counts["lines"]
            message = LOST if loaded < file.lines else LOST_AFTER_ALL
            message = message.format(loaded=loaded, lines=file.lines)
            request.fail("CONTENT_LOST", message, **loader.progress())
        elif file.problem:
            message = DAMAGED.get(file.problem, file.problem).format(lines=file.lines)
            request.fail("FILE_CUT_OFF", message, **loader.progress())
        else:
            request.finish(**loader.progress(), conflict_keys=[])


def store_results(request: BulkRequest, lease: Lease) -> str:
    """Store the outcome of each line; gives the name.

    Raises `JobFailed` without space for it, and what `Lease.check` raises.
    """

    def pieces() -> Iterator[bytes]:
        for piece in results_of(request.pk):
            lease.check()
            yield piece
        lease.check()

    name = f"{folder_of(request.pk)}/{request.claim_id}/results.ndjson"
    try:
        stored.store(name, stored.Joined(pieces()))
    except stored.StorageFull as error:
        raise JobFailed("STORAGE_FULL", NO_SPACE) from error
    lease.check()
    return name


def tidy_now(request: BulkRequest) -> None:
    """Delete what a request does not need any more that has just ended.

    What cannot be deleted now, and what other attempts leave, is cleaned up later.
    """
    try:
        tidy(BulkFile.objects.get(pk=request.pk))
    except Exception:
        logger.exception("the files of a request wait for the clean-up")


def settle(request: BulkRequest) -> None:
    """Have the counts of a load that was stopped be those of what is loaded, cancelled or not."""
    held = BulkRequest.objects.filter(pk=request.pk, claim_id=request.claim_id)
    try:
        held.update(**columns(counts_of(request)))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("counts of a load may be old: %s", type(error).__name__)


def columns(counts: Counts) -> dict[str, int]:
    """Counts as columns of a request."""
    return {"items": counts["lines"]} | {name: counts[name] for name in COUNTED.values()}


def counts_of(request: BulkRequest) -> Counts:
    """What is loaded already."""
    found = BulkPart.objects.filter(request=request).aggregate(
        **{name: Sum(name, default=0) for name in COUNTS}
    )
    return {name: found[name] for name in COUNTS}


def results_of(request_id: UUID) -> Iterator[bytes]:
    """The NDJSON of all results, part by part."""
    parts = BulkPart.objects.filter(request=request_id)
    for (packed,) in rows_by("number", parts, "results", batch=RESULTS_READ):
        yield zlib.decompress(packed)

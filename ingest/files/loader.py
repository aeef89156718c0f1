"""The worker's side of a file: block by block, some at a time, each in a transaction of its own.

A block's row (`BulkPart`) is written in the transaction that loads it: what has a row is loaded,
and what has none is not, whenever the worker is killed. Blocks that share a customer or an account,
or that name parents, are loaded one after the other, in the order of the file.

A dry run goes the same way, but in one process, whose `Scratch` has what came of the lines before;
that is lost with the process, and a dry run that was stopped begins again.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import wait

from django.conf import settings

from config.api.actors import Actor
from config.jobs.lease import ClaimLost, Lease
from ingest.batch.scratch import Scratch
from ingest.files.blocks import Target, load_blocks
from ingest.files.frames import ContentLost, frames
from ingest.files.outcome import columns, counts_of
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
from ingest.models import BulkFile, BulkPart, BulkRequest
from ingest.ordering import may_be_written

logger = logging.getLogger(__name__)

# How often a loader that hears nothing looks whether the job is still its own.
LOOK_SECONDS = 0.5
LOG_SECONDS = 10
# Of one transaction, which is what progress is told by: as many blocks as take about so long. The
# more rows go in together, the closer they are to each other in the indexes; more than these would
# take more memory than time.
TRANSACTION_SECONDS = 5
TRANSACTION_BLOCKS = 10
TRANSACTION_BYTES = 4 * 1024 * 1024


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

"""The rows of several ranges of one file, read by several sessions at once, put in their order.

The range that the file is at goes from its session straight into it, a few batches ahead. Those
behind wait on disk, in files without a name, which are gone with their process however it ends.
Sessions stay a bounded number of ranges ahead. Where the database has no session to spare, or not
in time, the others do its part.
"""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from threading import Condition, Lock, Thread

from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper

from config.db import scope
from config.jobs.begun import making_room
from search.copy import Layout, Statement
from search.sessions import Sessions, rows_of
from search.stream import Batch, batched
from search.waiting import Waiting

logger = logging.getLogger(__name__)

# How many batches of the range that is written may be in memory.
BATCHES = 4
# For each session, how many ranges may wait for the one that is written.
AHEAD_OF_A_SESSION = 2
# How long an ended session is waited for. One that is still connecting then ends by itself.
END_SECONDS = 5
# In the order of a file customers lie beside each other, and so does what belongs to them: looking
# for it takes less than reading all tables once for each range. The sessions take all processors.
RANGED = """
    SET LOCAL enable_hashjoin = off;
    SET LOCAL enable_mergejoin = off;
    SET LOCAL max_parallel_workers_per_gather = 0"""


class Stopped(Exception):
    """Nobody wants the rows any more."""


@contextmanager
def in_order(
    copies: Sequence[Statement], layout: Layout, sessions: Sessions, count: int
) -> Iterator[Iterator[Batch]]:
    """The rows that these COPYs send, one COPY's after the other's; by `count` sessions at most.

    The iterator raises what a session raises, and `StorageFull` where rows cannot wait on disk.
    """
    if len(copies) == 1:
        with rows_of(copies[0], sessions.first) as messages:
            yield making_room(batched(messages, layout))
        return
    sessions.share()
    merge = Merge(copies, layout, sessions)
    try:
        merge.start(min(count, len(copies)))
        yield merge.batches()
    finally:
        merge.stop()


class Part:
    """The rows of one range: those on disk come first, then those that are `coming`."""

    def __init__(self, copy: Statement) -> None:
        self.copy = copy
        self.waiting = Waiting()
        # Held while something is written to `waiting`, which may take as long as the disk takes.
        self.storing = Lock()
        self.coming: deque[Batch] = deque()
        self.is_whole = False


class Merge:
    """What the threads that read share with the one that writes; `_changed` guards all of it.

    But for what waits on disk, which its part's own lock guards.
    """

    def __init__(self, copies: Sequence[Statement], layout: Layout, sessions: Sessions) -> None:
        self._parts = [Part(copy) for copy in copies]
        self._layout = layout
        self._sessions = sessions
        self._changed = Condition()
        # The part that is written, and the first one that nobody has begun to read.
        self._written = 0
        self._free = 0
        self._failure: BaseException | None = None
        self._is_stopped = False
        self._threads: list[Thread] = []

    def start(self, count: int) -> None:
        """Begin to read, by so many sessions, the first one among them."""
        works = [self._read_by_first, *[self._read_by_another] * (count - 1)]
        for work in works:
            # Log lines carry the same request id.
            with scope.looking():
                run = partial(copy_context().run, work)
            self._threads.append(Thread(target=run, name="search", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all sessions but the first, and whatever that one does."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        self._sessions.end_others()
        if self._threads[0].is_alive():
            self._sessions.cancel()
        for thread in self._threads:
            thread.join(END_SECONDS)
        for part in self._parts:
            part.waiting.close()

    def batches(self) -> Iterator[Batch]:
        """The rows of all parts, in their order."""
        for index, part in enumerate(self._parts):
            with self._changed:
                self._written = index
                self._changed.notify_all()
            # What is being written goes first; from here on nothing more comes to wait.
            with part.storing:
                waiting = part.waiting.batches()
            for batch in waiting:
                self._sessions.check()
                yield batch
            while (coming := self._next(part)) is not None:
                yield coming

    def _next(self, part: Part) -> Batch | None:
        """The next batch of the part that is written; None at its end."""
        with self._changed:
            self._changed.wait_for(lambda: self._failure or part.coming or part.is_whole)
            self._sessions.check()
            if self._failure is not None:
                raise self._failure
            self._changed.notify_all()
            return part.coming.popleft() if part.coming else None

    def _read_by_first(self) -> None:
        self._read(self._sessions.first)

    def _read_by_another(self) -> None:
        try:
            with self._sessions.another() as connection:
                self._read(connection)
        except (DatabaseError, InterfaceError) as error:
            if not self._is_stopped:
                logger.warning("a search has fewer sessions: %s", type(error).__name__)

    def _read(self, connection: BaseDatabaseWrapper) -> None:
        """Read one part after the other, as long as there is one that nobody reads."""
        try:
            with connection.cursor() as cursor:
                cursor.execute(RANGED)
            while (index := self._taken()) is not None:
                with rows_of(self._parts[index].copy, connection) as messages:
                    for batch in making_room(batched(messages, self._layout)):
                        self._put(index, batch)
                with self._changed:
                    self._parts[index].is_whole = True
                    self._changed.notify_all()
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 -- it is raised where the rows are wanted
            with self._changed:
                self._failure = self._failure or error
                self._changed.notify_all()

    def _taken(self) -> int | None:
        """The next part to read, when few enough wait; None when there is no more to do."""
        ahead = AHEAD_OF_A_SESSION * len(self._threads)
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._is_stopped
                    or self._free == len(self._parts)
                    or self._free <= self._written + ahead
                )
            )
            if self._is_stopped or self._free == len(self._parts):
                return None
            self._free += 1
            return self._free - 1

    def _put(self, index: int, batch: Batch) -> None:
        """Give a batch to the file that is written, or have it wait on disk."""
        part = self._parts[index]
        with part.storing:
            with self._changed:
                is_ahead = index > self._written and not self._is_stopped
            if is_ahead:
                part.waiting.put(batch)
                return
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped or len(part.coming) < BATCHES)
            if self._is_stopped:
                raise Stopped
            part.coming.append(batch)
            self._changed.notify_all()

"""Threads that run Django, and how long a request waits for one."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from queue import SimpleQueue
from threading import Lock, Thread
from time import perf_counter
from typing import Any, TypeVar

T = TypeVar("T")
# How much the last call counts in what calls take on average.
SHARE = 1 / 16
# How often the event loop looks after calls, as long as there are some.
LOOK_SECONDS = 0.05


class NoThreadInTime(Exception):
    """All threads were busy for too long, or would be."""


class Job:
    """A call that waits for a thread until a moment; `future` gets what comes of it."""

    __slots__ = ("context", "error", "future", "is_started", "result", "until", "work")

    def __init__(
        self,
        context: Context,
        work: Callable[[], object],
        future: "asyncio.Future[Any]",  # of whatever the work gives
        until: float,
    ) -> None:
        self.context = context
        self.work = work
        self.future = future
        self.until = until
        self.is_started = False
        self.result: object = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work, in a thread, unless nobody waits for it any more."""
        self.is_started = True
        if self.future.done():
            return
        try:
            self.result = self.context.run(self.work)
        except BaseException as error:  # noqa: BLE001 -- it is raised where it is awaited
            self.error = error

    def settle(self) -> None:
        """Hand over the outcome; whoever asked may be gone."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)

    def give_up(self) -> None:
        """Stop waiting, unless a thread works on it."""
        if not self.is_started and not self.future.done():
            self.future.set_exception(NoThreadInTime())


class Threads:
    """`count` threads for the calls of one event loop; a call waits at most `seconds` for one.

    With `soon`, one that would probably wait longer than so many seconds is refused at once: else,
    with more calls than can be done, each would wait for as long as it may, and most in vain.

    The event loop is woken for a result, but not for a call that gives None: it learns with the
    next call, or within `LOOK_SECONDS`, that this one has ended. To be woken it takes Python's lock
    from the threads that work, which costs more than all else that is done here.

    A call goes to the thread that has been idle for the shortest time: each thread keeps a session
    of the database, and what is seldom asked takes as few of them as it needs.
    """

    def __init__(self, name: str, count: int, seconds: float, *, soon: float | None = None) -> None:
        self.count = count
        self._name = name
        self._seconds = seconds
        self._soon = soon
        # Seconds that a call takes a thread, on average; threads write it one over the other.
        self._taken = 0.0
        # Of these two at most one holds something.
        self._jobs: deque[Job] = deque()
        self._idle: list[SimpleQueue[Job]] = []
        self._lock = Lock()
        self._threads: list[Thread] = []
        # How many calls the event loop has not seen the end of, and those that wait for a thread.
        self._open = 0
        self._waiting: deque[Job] = deque()
        self._ended: deque[Job] = deque()
        self._is_looked_after = False

    def run(
        self, context: Context, work: Callable[[], T], *, patient: bool = False
    ) -> "asyncio.Future[T]":
        """What `work` gives, run by a thread within `context`.

        The future raises what it raises. Unless the call is `patient`, it raises `NoThreadInTime`,
        as this method may, too.
        """
        if self._soon is not None and not patient and self._wait() > self._soon:
            raise NoThreadInTime
        loop = asyncio.get_running_loop()
        if not self._threads:
            self._start(loop)
        self._settle_ended()
        future: asyncio.Future[T] = loop.create_future()
        job = Job(context, work, future, loop.time() + self._seconds)
        self._open += 1
        self._give(job)
        if not patient:
            self._waiting.append(job)
        if not self._is_looked_after:
            self._is_looked_after = True
            loop.call_later(LOOK_SECONDS, self._look, loop)
        return future

    def _wait(self) -> float:
        """Seconds that one more call would wait for a thread."""
        return len(self._jobs) * self._taken / self.count

    def _give(self, job: Job) -> None:
        with self._lock:
            if not self._idle:
                self._jobs.append(job)
                return
            inbox = self._idle.pop()
        inbox.put(job)

    def _take(self, inbox: SimpleQueue[Job]) -> Job:
        with self._lock:
            if self._jobs:
                return self._jobs.popleft()
            self._idle.append(inbox)
        return inbox.get()

    def _settle_ended(self) -> None:
        while self._ended:
            self._open -= 1
            self._ended.popleft().settle()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """See which calls have ended, and which have waited for too long."""
        self._settle_ended()
        waiting, now = self._waiting, loop.time()
        while waiting and (waiting[0].is_started or waiting[0].until <= now):
            waiting.popleft().give_up()
        self._is_looked_after = self._open > 0
        if self._is_looked_after:
            loop.call_later(LOOK_SECONDS, self._look, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        for number in range(self.count):
            thread = Thread(
                target=self._serve, args=(loop,), name=f"{self._name}-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        inbox: SimpleQueue[Job] = SimpleQueue()
        while True:
            job = self._take(inbox)
            started = perf_counter()
            job.run()
            self._taken += (perf_counter() - started - self._taken) * SHARE
            self._ended.append(job)
            if job.result is not None or job.error is not None:
                loop.call_soon_threadsafe(self._settle_ended)
            del job

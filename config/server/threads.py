"""Threads that run Django, and how long a request waits for one."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


class NoThreadInTime(Exception):
    """All threads were busy for too long."""


class Job:
    """A call that waits for a thread; `future` gets what comes of it, in the event loop."""

    __slots__ = ("context", "future", "is_started", "work")

    def __init__(
        self, context: Context, work: Callable[[], object], future: "asyncio.Future[object]"
    ) -> None:
        self.context = context
        self.work = work
        self.future = future
        self.is_started = False

    def give_up(self) -> None:
        """Stop waiting, unless a thread works on it."""
        if not self.is_started and not self.future.done():
            self.future.set_exception(NoThreadInTime())

    def settle(self, result: object, error: BaseException | None) -> None:
        """Hand over the outcome; whoever asked may be gone."""
        if self.future.done():
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class Threads:
    """`count` threads for the calls of one event loop; a call waits at most `seconds` for one."""

    def __init__(self, name: str, count: int, seconds: float) -> None:
        self.count = count
        self._name = name
        self._seconds = seconds
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._threads: list[Thread] = []

    async def run(self, context: Context, work: Callable[[], T], *, patient: bool = False) -> T:
        """What `work` gives, run by a thread within `context`.

        Raises what it raises, and `NoThreadInTime` unless it is `patient`.
        """
        loop = asyncio.get_running_loop()
        if not self._threads:
            self._start(loop)
        future = loop.create_future()
        job = Job(context, work, future)
        self._jobs.put(job)
        patience = None if patient else loop.call_later(self._seconds, job.give_up)
        try:
            result: T = await future
        finally:
            if patience is not None:
                patience.cancel()
        return result

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        for number in range(self.count):
            thread = Thread(
                target=self._serve, args=(loop,), name=f"{self._name}-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            job = self._jobs.get()
            job.is_started = True
            if job.future.done():
                continue
            result, error = None, None
            try:
                result = job.context.run(job.work)
            except BaseException as raised:  # noqa: BLE001 -- it is raised where it is awaited
                error = raised
            loop.call_soon_threadsafe(job.settle, result, error)
            del job, result, error

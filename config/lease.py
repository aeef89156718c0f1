"""Holding on to a claimed job while the work runs."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections

from config import stopping

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.4


class ClaimLost(Exception):
    """The job was cancelled, ran out of time, or is another worker's by now: stop."""


class WorkerStops(Exception):
    """This worker is told to stop and the work takes too long: leave the job to another one."""


class Lease:
    """Renews a claim from a thread of its own, and stops the work when the claim is lost.

    `renew(**progress)` renews it and says whether it still stands; `abort(code, message)` ends the
    job when `JOB_SECONDS` are over. The work may set `report`, which gives its progress as columns
    of its row, and says how it can be interrupted (`interruptible`): cancelled, it stops within a
    second. It is also interrupted `JOB_STOP_SECONDS` after this worker was told to stop.
    """

    def __init__(self, renew: Callable[..., bool], abort: Callable[[str, str], bool]) -> None:
        self.report: Callable[[], dict[str, Any]] = dict
        self.is_lost = False
        self.is_stopped = False
        self._renew = renew
        self._abort = abort
        self._interrupt: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._beating = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def check(self) -> None:
        """Raise `ClaimLost` once the claim is lost, `WorkerStops` once time is up here."""
        if self.is_lost:
            raise ClaimLost
        if self.is_stopped:
            raise WorkerStops

    @contextmanager
    def interruptible(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """A stretch of work that `interrupt`, called from another thread, makes raise something.

        What it raises then becomes `ClaimLost` or `WorkerStops`.
        """
        with self._lock:
            self._interrupt = interrupt
        try:
            self.check()
            yield
        except Exception as error:
            if self.is_lost:
                raise ClaimLost from error
            if self.is_stopped:
                raise WorkerStops from error
            raise
        finally:
            with self._lock:
                self._interrupt = None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """A stretch in which the lease's thread is in the middle of nothing.

        A process forked meanwhile inherits no lock from it that nobody would ever release.
        """
        with self._beating:
            yield

    def _beat(self) -> None:
        started = heard = time.monotonic()
        try:
            while not self._done.wait(BEAT_SECONDS):
                with self._beating:
                    heard = self._look(started, heard)
        finally:
            connections.close_all()

    def _look(self, started: float, heard: float) -> float:
        """Do what is due; gives when the claim last stood."""
        now = time.monotonic()
        if self.is_lost:
            self._stop()
        elif now - started > settings.JOB_SECONDS:
            self._run_out()
        else:
            if stopping.is_overdue(settings.JOB_STOP_SECONDS):
                self.is_stopped = True
                self._stop()
            if self._renewed():
                return now
            if now - heard > settings.JOB_LEASE_SECONDS:
                self.is_lost = True
        return heard

    def _renewed(self) -> bool:
        """Whether the claim was renewed; a database that does not answer has not taken it away."""
        try:
            self.is_lost = not self._renew(**self.report())
        except (DatabaseError, InterfaceError) as error:
            logger.warning("a lease could not be renewed: %s", type(error).__name__)
            connections.close_all()
            return False
        if self.is_lost:
            self._stop()
        return not self.is_lost

    def _run_out(self) -> None:
        self.is_lost = True
        self._stop()
        try:
            self._abort(
                "TIME_LIMIT",
                f"This took more than {settings.JOB_SECONDS} seconds and was stopped. "
                "Please narrow it down.",
            )
        except (DatabaseError, InterfaceError) as error:
            logger.warning("a job that took too long is given up: %s", type(error).__name__)
            connections.close_all()

    def _stop(self) -> None:
        with self._lock:
            if self._interrupt is not None:
                self._interrupt()

"""Holding on to a claimed job while the work runs."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import copy_context
from types import TracebackType
from typing import Self

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.rows import TupleRow

from config import tracing
from config.jobs import stopping

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.4
# How long a server may take to stop a query.
CANCEL_SECONDS = 5
# What a work that is interrupted may raise; anything else is no matter of the interruption.
INTERRUPTED = (OperationalError, InterfaceError, psycopg.OperationalError, OSError)


class ClaimLost(Exception):
    """The job was cancelled, ran out of time, or is another worker's by now: stop."""


class WorkerStops(Exception):
    """This worker is told to stop and the work takes too long: leave the job to another one."""


class Lease:
    """Renews a claim from a thread of its own, and stops the work when the claim is lost.

    `renew(**progress)` renews it and says whether it still stands; `run_out()` ends the job when
    `JOB_SECONDS` are over. The work may set `report`, which gives its progress as columns
    of its row, and says how it can be interrupted (`interruptible`): cancelled, it stops within a
    second. It is also interrupted `JOB_STOP_SECONDS` after this worker was told to stop, and when
    the lease meets an `error` that nobody expects: the work raises it then.
    """

    def __init__(self, renew: Callable[..., bool], run_out: Callable[[], object]) -> None:
        self.report: Callable[[], Mapping[str, object]] = dict
        self.is_lost = False
        self.is_stopped = False
        self.error: Exception | None = None
        self._renew = renew
        self._end = run_out
        self._interrupt: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._beating = threading.Lock()
        self._done = threading.Event()
        # In the context of the work: its log lines carry the same request id.
        beat = copy_context().run
        self._thread = threading.Thread(target=beat, args=[self._beat], name="lease", daemon=True)

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
        """Raise `ClaimLost` once the claim is lost, `WorkerStops` once time is up here.

        Raises the `error` that the lease met.
        """
        if self.error is not None:
            raise self.error
        if self.is_lost:
            raise ClaimLost
        if self.is_stopped:
            raise WorkerStops

    @contextmanager
    def interruptible(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """A stretch of work that `interrupt`, called from another thread, makes raise something.

        What it raises then becomes `ClaimLost` or `WorkerStops`; a bug stays one.
        """
        with self._lock:
            self._interrupt = interrupt
        try:
            self.check()
            yield
        except INTERRUPTED as error:
            if self.error is not None:
                raise self.error from error
            if self.is_lost:
                raise ClaimLost from error
            if self.is_stopped:
                raise WorkerStops from error
            raise
        finally:
            with self._lock:
                self._interrupt = None

    @contextmanager
    def interruptible_session(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """A stretch of work whose statements are cancelled in PostgreSQL, locks waited for too.

        A session that was asked to cancel is closed: the request may reach it late.
        """
        cancel = Canceller(connection)
        try:
            with self.interruptible(cancel):
                yield
        finally:
            if cancel.is_asked and not connection.in_atomic_block:
                connection.close()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """A stretch in which the lease's thread is in the middle of nothing.

        A process forked meanwhile inherits no lock from it that nobody would ever release.
        """
        with self._beating:
            yield

    def _beat(self) -> None:
        # Twice a second, for as long as the job takes.
        tracing.leave()
        started = heard = time.monotonic()
        try:
            while not self._done.wait(BEAT_SECONDS):
                with self._beating:
                    heard = self._look_safely(started, heard)
        finally:
            connections.close_all()

    def _look_safely(self, started: float, heard: float) -> float:
        """Do what is due; a bug is the work's to raise."""
        try:
            return self._look(started, heard)
        except Exception as error:
            if self.error is None:
                logger.exception("the lease of a job cannot be kept")
                self.error = error
            return heard

    def _look(self, started: float, heard: float) -> float:
        """Do what is due; gives when the claim last stood."""
        now = time.monotonic()
        if self.is_lost or self.error is not None:
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
        """Whether the claim was renewed; a database that is unavailable has not ended it."""
        try:
            self.is_lost = not self._renew(**self.report())
        except (OperationalError, InterfaceError) as error:
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
            self._end()
        except (OperationalError, InterfaceError) as error:
            logger.warning("a job that took too long is given up: %s", type(error).__name__)
            connections.close_all()

    def _stop(self) -> None:
        with self._lock:
            if self._interrupt is not None:
                self._interrupt()


class Canceller:
    """Cancels whatever a session does, from another thread; hangs up when its server is silent."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection
        self._asked_at: float | None = None

    @property
    def is_asked(self) -> bool:
        """Whether the session was ever asked to cancel."""
        return self._asked_at is not None

    def __call__(self) -> None:
        """Cancel the running statement, if there is one."""
        session = self._connection.connection
        if session is None:
            return
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
        try:
            session.cancel_safe(timeout=CANCEL_SECONDS)
        except (psycopg.Error, OSError):
            hang_up(session)
        else:
            if now - self._asked_at > CANCEL_SECONDS:
                hang_up(session)


def hang_up(session: psycopg.Connection[TupleRow]) -> None:
    """End a session whose server does not answer any more: whoever waits for it gets an error."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(session.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)

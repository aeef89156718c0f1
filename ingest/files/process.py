"""Processes that load blocks of one file side by side, and the messages to and from them.

One interpreter would keep one core busy at most. A process is told to `Load`; it says what it is
about to change (`Ready`) and waits for permission to commit (`Proceed`), asks once more when it was
too early, and ends with `Loaded` or `Failed`. Messages are of plain values, so that each of them
arrives: an exception may not be one that can be pickled.

They are forked by hand: neither `multiprocessing` nor a pool of `concurrent.futures`, which is made
of it, lets the processes of Celery's pool have others.
"""

import gc
import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NoReturn

from django.db import InterfaceError, OperationalError, connections

from config import tracing
from config.jobs.lease import ClaimLost
from config.logging import described
from ingest.files.frames import ContentLost

logger = logging.getLogger(__name__)

# The number of a block, and its bytes as they are stored.
Frame = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Load:
    """Load these blocks, which are in the order of the file, in one transaction."""

    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """The blocks are read; they change what these conflict keys stand for.

    `is_early` tells that this was tried, and that what becomes of them depends on all before them.
    """

    conflict_keys: frozenset[int]
    is_early: bool = False


@dataclass(frozen=True, slots=True)
class Proceed:
    """Permission to commit; `is_next` tells that all blocks before these are loaded."""

    is_next: bool


class Reason(Enum):
    """Why blocks were not loaded."""

    AWAY = auto()
    CLAIM_LOST = auto()
    CONTENT_LOST = auto()
    UNEXPECTED = auto()


@dataclass(frozen=True, slots=True)
class Failed:
    """The blocks are not loaded; `error` is the exception as `config.logging` describes it."""

    reason: Reason
    error: dict[str, object]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The blocks are loaded, with so many lines of each outcome; or those before the `failure`."""

    counts: dict[str, int]
    failure: Failed | None = None


Report = Ready | Loaded | Failed
# How a process says what it is about to do; it gets the answer.
Ask = Callable[[Ready], Proceed]
Work = Callable[[Load, Ask], Loaded]

REASONS: tuple[tuple[tuple[type[BaseException], ...], Reason], ...] = (
    ((ClaimLost,), Reason.CLAIM_LOST),
    ((ContentLost,), Reason.CONTENT_LOST),
    ((OperationalError, InterfaceError, ConnectionError), Reason.AWAY),
)


class ProcessKilled(Exception):
    """A process ended in the middle of its work, by a signal or of itself."""


class LoaderProcess:
    """A process that does `work` on one `Load` after the other.

    It ends with its pipe, also when this process is killed: it finishes what it is at, for which
    nobody waits any more, and takes nothing new.
    """

    def __init__(self, work: Work, others: Sequence["LoaderProcess"]) -> None:
        """Begin; `others` are those that this process has already."""
        self.pipe, theirs = Pipe()
        self._lock = threading.Lock()
        self._status: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            # As long as it has a copy of our end, it does not notice that we are gone.
            for pipe in (self.pipe, *(other.pipe for other in others)):
                pipe.close()
            live(theirs, work)
        theirs.close()

    def send(self, message: Load | Proceed) -> None:
        """Tell it what to do. Raises `ProcessKilled`."""
        try:
            self.pipe.send(message)
        except ConnectionError as error:
            raise ProcessKilled(self._how_it_ended()) from error

    def receive(self) -> Report:
        """What it says. Raises `ProcessKilled`."""
        try:
            report: Report = self.pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise ProcessKilled(self._how_it_ended()) from error
        return report

    def kill(self) -> None:
        """End it at once; the database then ends what it was doing there."""
        with self._lock, suppress(ProcessLookupError):
            if self._status is None:
                os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let it end."""
        self.pipe.close()

    def join(self) -> int:
        """Wait for its end; gives its exit code, or the signal that ended it, negative."""
        if self._status is None:
            # Reaped under the lock only, lest somebody kills another process of the same number.
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
            with self._lock:
                self._status = os.waitpid(self.pid, 0)[1]
        return os.waitstatus_to_exitcode(self._status)

    def _how_it_ended(self) -> str:
        code = self.join()
        if code < 0:
            return f"a process that loads a file was killed by {signal.Signals(-code).name}"
        return f"a process that loads a file ended with {code}"


def live(pipe: Connection, work: Work) -> NoReturn:
    """The life of a process: nothing of what the other one has begun ends here too."""
    try:
        # Its parent is the one who is told to stop.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # Its statements are as many as the file is long.
        tracing.leave()
        serve(pipe, work)
    except (EOFError, ConnectionError):
        logger.debug("a process that loads a file ends")
    except BaseException:
        logger.exception("a process that loads a file breaks off")
    finally:
        os._exit(0)


def serve(pipe: Connection, work: Work) -> None:
    """Do one thing after the other. Raises `EOFError` or `ConnectionError` when nobody listens."""
    # Not closed, for the sessions are the other process's; psycopg leaves such alone.
    for connection in connections.all(initialized_only=True):
        del connections[connection.alias]

    # What is there stays, and what a block takes goes by its reference counts, or at its end.
    gc.freeze()
    gc.disable()

    def ask(question: Ready) -> Proceed:
        pipe.send(question)
        answer: Proceed = pipe.recv()
        return answer

    while True:
        pipe.send(attempt(work, pipe.recv(), ask))
        gc.collect()


def attempt(work: Work, load: Load, ask: Ask) -> Loaded | Failed:
    """The outcome of blocks. Raises `EOFError` when nobody waits for them any more."""
    try:
        return work(load, ask)
    except EOFError:
        raise
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is told
        return failed(error)


def failed(error: Exception) -> Failed:
    """An exception as it is told to the other process."""
    reasons = (reason for kinds, reason in REASONS if isinstance(error, kinds))
    return Failed(next(reasons, Reason.UNEXPECTED), described(error))

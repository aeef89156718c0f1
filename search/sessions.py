"""The database sessions that read for one file: all of them see the same moment.

The first one begins the snapshot; others take part in it, as many as can be had. All are cancelled
together.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from threading import Event, Lock
from time import monotonic

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from config import tracing
from config.db import replica
from config.db.copy_out import blocks
from config.jobs.lease import Canceller, Lease, hang_up
from search.copy import Statement
from search.stream import BLOCK_BYTES

# How long a replica may take to show what was committed.
BEHIND_SECONDS = 30
SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Joins of a large registry fit into memory, a few at a time; compiling takes longer than it saves.
# The server stops a query whose worker died, also while it has nothing to send yet. A session that
# has done its part waits for the others, so that its snapshot stays.
TUNING = """
    SET LOCAL work_mem = '32MB';
    SET LOCAL jit = off;
    SET LOCAL statement_timeout = 0;
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SET LOCAL client_connection_check_interval = '500ms'"""


class Sessions:
    """The sessions of one file: `first`, which took the snapshot, others, and its moment `at`."""

    at: datetime

    def __init__(self, first: BaseDatabaseWrapper) -> None:
        self.first = first
        self._key = ""
        self._is_cancelled = False
        self._lock = Lock()
        self._open = {first: Canceller(first)}

    def begin(self, at: datetime | None) -> None:
        """Take the snapshot; `at` is its moment where it is not this server that tells."""
        with self.first.cursor() as cursor:
            cursor.execute(SNAPSHOT)
            cursor.execute(TUNING)
        self.at = at or snapshot_time(self.first)

    def share(self) -> None:
        """Let others take part in the snapshot."""
        # Each session is used by one thread at a time, which need not be the one that opened it.
        self.first.inc_thread_sharing()
        with self.first.cursor() as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            (self._key,) = cursor.fetchone()

    @contextmanager
    def another(self) -> Iterator[BaseDatabaseWrapper]:
        """One more session that sees the same moment. Raises what the database raises."""
        connection = connections.create_connection(settings.SEARCH_DATABASE)
        with self._lock:
            self._open[connection] = Canceller(connection)
        try:
            with connection.cursor() as cursor:
                cursor.execute(SNAPSHOT)
                cursor.execute(f"SET TRANSACTION SNAPSHOT '{self._key}'")
                cursor.execute(TUNING)
            yield connection
        finally:
            with self._lock:
                del self._open[connection]
            connection.close()

    def cancel(self) -> None:
        """Cancel whatever the sessions do, from another thread."""
        self._is_cancelled = True
        with self._lock:
            cancellers = list(self._open.values())
        at_once(cancellers)

    def check(self) -> None:
        """Raise `OperationalError` once they were cancelled, also when all have done their part."""
        if self._is_cancelled:
            raise OperationalError("the sessions of a search were cancelled")

    def end_others(self) -> None:
        """End all sessions but the first one, from another thread."""
        with self._lock:
            others = {each: cancel for each, cancel in self._open.items() if each is not self.first}
        at_once(list(others.values()))
        for connection in others:
            session = connection.connection
            if session is not None:
                hang_up(session)


def at_once(works: Sequence[Callable[[], None]]) -> None:
    """Do all of these side by side: a server that is silent is waited for once."""
    if len(works) < 2:
        for work in works:
            work()
        return
    with ThreadPoolExecutor(len(works), "cancel") as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()


@contextmanager
def snapshot(lease: Lease) -> Iterator[Sessions]:
    """A session of its own to the search database, which sees one moment of it.

    Whatever it, or another one that takes part, is doing is cancelled in PostgreSQL when the lease
    ends.
    """
    connection = connections.create_connection(settings.SEARCH_DATABASE)
    sessions = Sessions(connection)
    try:
        with lease.interruptible(sessions.cancel):
            connection.ensure_connection()
            sessions.begin(caught_up(connection, lease))
            yield sessions
    finally:
        connection.close()


def caught_up(connection: BaseDatabaseWrapper, lease: Lease) -> datetime | None:
    """Wait until a replica shows everything that was committed up to now; gives that moment.

    None where the search database is no replica. Raises `OperationalError` when it is too far
    behind, or was one and has been promoted: the search is tried again later.
    """
    with connection.cursor() as cursor, connections[DEFAULT_DB_ALIAS].cursor() as primary:
        if not replica.is_replica(cursor):
            if replica.was_promoted(cursor, primary):
                raise OperationalError(replica.PROMOTED)
            return None
        written = replica.position(primary)
        pause, deadline = Event(), monotonic() + BEHIND_SECONDS
        while monotonic() < deadline:
            lease.check()
            if not replica.lacking(cursor, written):
                return written.at
            pause.wait(0.1)
    raise OperationalError(f"the replica is more than {BEHIND_SECONDS} seconds behind")


def snapshot_time(connection: BaseDatabaseWrapper) -> datetime:
    """The moment that the snapshot shows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT transaction_timestamp()")
        at: datetime
        (at,) = cursor.fetchone()
    return at


@contextmanager
def rows_of(
    copy: Statement, connection: BaseDatabaseWrapper
) -> Iterator[Iterator[list[memoryview]]]:
    """What a COPY sends, a message for each row, about `BLOCK_BYTES` at a time."""
    with (
        tracing.statement(copy[0]),
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(*copy) as messages,
    ):
        yield blocks(messages, BLOCK_BYTES)

"""The backend; Django looks for it here."""

import select
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import ModuleType
from typing import TypeVar

import psycopg
from django.db import connections
from django.db.backends.postgresql import base, operations
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout
from psycopg.rows import TupleRow
from psycopg.types.datetime import TimestamptzLoader

T = TypeVar("T")
# Its stubs are those of another driver.
ServerSideCursor: Callable[..., object] = base.ServerSideCursor
POLL_SECONDS = 0.1
CANCEL_SECONDS = 1.0


class Connection(psycopg.Connection[TupleRow]):
    """psycopg's, but the server has `answer_seconds` for each answer; None: as long as it likes.

    The client's own limit: a server that is frozen, or behind a network that drops everything,
    keeps no limit that it was told.
    """

    answer_seconds: float | None = None

    def wait(
        self, gen: PQGen[T], interval: float = POLL_SECONDS, timeout: float | None = None
    ) -> T:
        """What the server answers. Raises `OperationalError` when it takes too long."""
        if timeout is not None or self.answer_seconds is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_seconds)
        except _WaitTimeout:
            # The statement would go on without anybody who waits for it.
            with suppress(psycopg.Error):
                self.cancel_safe(timeout=CANCEL_SECONDS)
            self.pgconn.finish()
            raise psycopg.OperationalError("the server did not answer in time") from None


class Driver(ModuleType):
    """psycopg, whose connections are ours."""

    connect = Connection.connect

    def __getattr__(self, name: str) -> object:
        return getattr(psycopg, name)


class DatabaseOperations(operations.DatabaseOperations):
    """Django's, but the text of a prepared statement is told, too: the driver keeps its name."""

    def last_executed_query(self, cursor: object, sql: str, params: object) -> str:
        """The statement as it was sent, or without its values."""
        return super().last_executed_query(cursor, sql, params) or sql


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but the first query of a request does not ask first whether the server is there.

    A server that ended a connection has said so, or its kernel has: there is something to read. As
    long as there is nothing, asking tells no more, and costs every request a round trip.
    """

    Database = Driver("psycopg")
    ops_class = DatabaseOperations
    health_check_done: bool

    def get_new_connection(self, conn_params: Mapping[str, object]) -> Connection:
        """A connection that reads moments in its own time zone, UTC.

        Django sets any zone by a loader in Python, which takes six times as long as psycopg's own.
        """
        connection: Connection = super().get_new_connection(conn_params)
        connection.adapters.register_loader("timestamptz", TimestamptzLoader)
        return connection

    def create_cursor(self, name: str | None = None) -> object:
        """A cursor of the connection; with a name, one on the server."""
        if name is None:
            return self.connection.cursor()
        return ServerSideCursor(
            self.connection, name=name, scrollable=False, withhold=self.connection.autocommit
        )

    def close_if_health_check_failed(self) -> None:
        """Close a kept connection that is no good any more, once a request."""
        if not self.health_check_done and self.connection is not None and self._is_quiet():
            self.health_check_done = True
        super().close_if_health_check_failed()

    def _is_quiet(self) -> bool:
        """Whether nothing came in since the last answer."""
        if self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)


def limit_waiting(seconds: int) -> None:
    """From now on this process waits so long for each answer of a database, or a connection."""
    Connection.answer_seconds = seconds
    for database in connections.settings.values():
        given = int(database["OPTIONS"].get("connect_timeout") or seconds)
        database["OPTIONS"]["connect_timeout"] = min(seconds, given)

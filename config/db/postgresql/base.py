"""The backend; Django looks for it here."""

import select
from collections.abc import Callable, Mapping
from time import monotonic
from types import ModuleType, TracebackType

import psycopg
from django.conf import settings
from django.db import OperationalError, connections
from django.db.backends.postgresql import base, operations
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property
from psycopg.types.datetime import TimestamptzLoader

from config.db.postgresql.schema import DatabaseSchemaEditor
from config.db.postgresql.scoped import (
    ScopedConnection,
    ScopedCursor,
    ScopedPreparedCursor,
    ScopedServerSideCursor,
)
from config.db.postgresql.sessions import Connection, PreparedCursor

# Looking takes Python's lock from the thread: a busy one does not do so for each request.
QUIET_SECONDS = 0.02


class Driver(ModuleType):
    """psycopg, whose connections are ours."""

    @property
    def connect(self) -> "Callable[..., Connection]":
        """How a session is opened."""
        return (ScopedConnection if settings.ROW_SECURITY else Connection).connect

    def __getattr__(self, name: str) -> object:
        return getattr(psycopg, name)


class DatabaseOperations(operations.DatabaseOperations):
    """Django's, but the text of a prepared statement is told, too: the driver keeps its name."""

    def last_executed_query(self, cursor: object, sql: str, params: object) -> str:
        """The statement as it was sent, or without its values."""
        return super().last_executed_query(cursor, sql, params) or sql


class DatabaseErrors(DatabaseErrorWrapper):
    """Django's, but a database that takes no writes is away until it is connected anew.

    So an address answers that leads to a standby which was not promoted yet, or to a primary that
    is none any more: what is told so is tried again, and this session leads nowhere better.
    """

    wrapper: "DatabaseWrapper"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Raise Django's exception for the driver's."""
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            self.wrapper.errors_occurred = True
            # Once the request or task is done.
            self.wrapper.close_at = 0
            raise OperationalError(*error.args) from error
        super().__exit__(kind, error, traceback)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, but the first query of a request does not ask first whether the server is there.

    A server that ended a connection has said so, or its kernel has: there is something to read. As
    long as there is nothing, asking tells no more, and costs every request a round trip.
    """

    Database = Driver("psycopg")
    ops_class = DatabaseOperations
    SchemaEditorClass = DatabaseSchemaEditor
    health_check_done: bool
    close_at: float | None
    _quiet_until = 0.0

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrors:
        """What Django enters around all that it asks the driver."""
        return DatabaseErrors(self)

    def get_new_connection(self, conn_params: Mapping[str, object]) -> Connection:
        """A connection that reads moments in its own time zone, UTC.

        Django sets any zone by a loader in Python, which takes six times as long as psycopg's own.
        """
        connection: Connection = super().get_new_connection(conn_params)
        if isinstance(connection, ScopedConnection):
            connection.learn_path()
        connection.adapters.register_loader("timestamptz", TimestamptzLoader)
        return connection

    def get_connection_params(self) -> dict[str, object]:
        """What a session is opened with."""
        params: dict[str, object] = super().get_connection_params()
        return params | ({"cursor_factory": ScopedCursor} if settings.ROW_SECURITY else {})

    def create_cursor(self, name: str | None = None) -> object:
        """A cursor of the connection, or one on the server, which has a name."""
        if name is None:
            return self.connection.cursor()
        if not settings.ROW_SECURITY:
            return super().create_cursor(name)
        return ScopedServerSideCursor(
            self.connection, name=name, scrollable=False, withhold=self.connection.autocommit
        )

    def prepared_cursor(self) -> PreparedCursor:
        """The cursor that the connection keeps for statements that are prepared."""
        if self.connection.kept_cursor is None:
            kind = ScopedPreparedCursor if settings.ROW_SECURITY else PreparedCursor
            self.connection.kept_cursor = kind(self.connection)
        kept: PreparedCursor = self.connection.kept_cursor
        return kept

    def close_if_health_check_failed(self) -> None:
        """Close a kept connection that is no good any more, once a request."""
        if not self.health_check_done and self.connection is not None and self._is_quiet():
            self.health_check_done = True
        super().close_if_health_check_failed()

    def _is_quiet(self) -> bool:
        """Whether nothing came in since the last answer."""
        if self.connection.closed:
            return False
        now = monotonic()
        if now < self._quiet_until:
            return True
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        if poll.poll(0):
            return False
        self._quiet_until = now + QUIET_SECONDS
        return True


def limit_waiting(seconds: int) -> None:
    """From now on this process waits so long for each answer of a database, or a connection."""
    Connection.answer_seconds = seconds
    for database in connections.settings.values():
        given = int(database["OPTIONS"].get("connect_timeout") or seconds)
        database["OPTIONS"]["connect_timeout"] = min(seconds, given)

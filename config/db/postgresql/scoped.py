"""Sessions that tell the database whose rows each statement may see (`config.db.scope`).

A transaction is told once, in the message that begins it, and again when the scope changes within
it. A statement outside of any transaction goes with what is told as one implicit transaction, in
one message likewise: nothing of it is left in the session, which a pooler may give to others. A
COPY outside of any transaction is told nothing, and sees no rows.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self, cast

import psycopg
from psycopg import generators
from psycopg.abc import Params, PQGen, Query
from psycopg.client_cursor import ClientCursorMixin
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.rows import TupleRow

from config.db.postgresql.sessions import Connection, PreparedCursor, Question
from config.db.scope import NOTHING, SETTING, VIEWS, Scope, current

# Others see no rows, and some of them may not be in a transaction.
SEES_ROWS = re.compile(r"[\s(]*(?:SELECT|INSERT|UPDATE|DELETE|WITH|EXPLAIN)\b", re.IGNORECASE)
TELL = "SELECT set_config(%s, %s, true)"
LOOK = "SELECT set_config(%s, %s, true), set_config('search_path', %s, true)"
IDLE, IN_TRANSACTION = TransactionStatus.IDLE, TransactionStatus.INTRANS


class ScopedConnection(Connection):
    """A session whose transactions are told the scope of the work that begins them."""

    # What the open transaction was told; None when that is not known.
    told: Scope | None = None
    # Where tables are looked for by who looks by views first.
    path = ""

    def learn_path(self) -> None:
        """Ask for the session's own search path, before anything else."""
        self.autocommit = True
        with psycopg.Cursor(self) as cursor:
            ((path,),) = cursor.execute("SHOW search_path").fetchall()
        self.path = f"{VIEWS}, {path}"
        self.autocommit = False

    @property
    def is_alone(self) -> bool:
        """Whether the next statement is outside of any transaction."""
        return self.autocommit and self.pgconn.transaction_status == IDLE

    @contextmanager
    def together(self) -> Iterator[None]:
        """A transaction for a statement that would be outside of any."""
        if not self.is_alone:
            yield
            return
        self.told = None
        with self.transaction():
            yield

    def _start_query(self) -> PQGen[None]:
        """What psycopg sends before a statement: also the scope."""
        scope = current.get()
        if self.pgconn.transaction_status == IN_TRANSACTION and self.told != scope:
            yield from self._run(self.telling(scope, self.told))
            self.told = scope
        elif self.pgconn.transaction_status == IDLE and not self.autocommit:
            begin = self._get_tx_start_command().decode()
            yield from self._run(f"{begin}; {self.telling(scope, NOTHING)}")
            self.told = scope

    def telling(self, scope: Scope, before: Scope | None) -> str:
        """SQL that tells a transaction its scope; what it was told `before` may be unknown.

        None of it is a query, before which the level of isolation has to be set.
        """
        told = [f"SET LOCAL {SETTING} = '{scope.accounts}'"]
        if scope.is_looking and not (before is not None and before.is_looking):
            told.append(f"SET LOCAL search_path = {self.path}")
        elif not scope.is_looking and (before is None or before.is_looking):
            told.append("SET LOCAL search_path TO DEFAULT")
        return "; ".join(told)

    def _run(self, command: str) -> PQGen[None]:
        """Run statements that have no rows, sent as one message."""
        self.pgconn.send_query(command.encode())
        for result in (yield from generators.execute(self.pgconn)):
            if result.status != ExecStatus.COMMAND_OK:
                raise psycopg.errors.error_from_result(result)


class ScopedCursor(psycopg.ClientCursor[TupleRow]):
    """A cursor that puts values into its statements itself, as Django's does."""

    def _execute_gen(
        self, query: Query, params: Params | None = None, **options: bool | None
    ) -> PQGen[None]:
        """Run a statement."""
        connection = cast("ScopedConnection", self.connection)
        scope, text = current.get(), str(query)
        if not connection.is_alone:
            yield from super()._execute_gen(query, params, **options)
            if text.startswith("ROLLBACK"):
                # Also what was told since the savepoint.
                connection.told = None
            return
        connection.told = None
        if not scope.accounts or not SEES_ROWS.match(text):
            yield from super()._execute_gen(query, params, **options)
            return
        yield from super()._execute_gen(
            f"{connection.telling(scope, NOTHING)}; {text}", params, **options
        )
        while self.nextset():
            pass


class ScopedServerSideCursor(
    ClientCursorMixin["psycopg.Connection[TupleRow]", TupleRow], psycopg.ServerCursor[TupleRow]
):
    """Likewise, on the server, where outside of a transaction it outlives the one that made it."""

    def execute(self, query: str, params: Params | None = None, **options: bool | None) -> Self:  # type: ignore[override]
        """Run a query."""
        connection = cast("ScopedConnection", self.connection)
        with connection.together():
            return super().execute(query, params, **options)


class ScopedPreparedCursor(PreparedCursor):
    """Likewise, one whose statements are prepared."""

    def execute(self, query: str, params: Params | None = None) -> Self:  # type: ignore[override]
        """Run a statement that has values."""
        connection = cast("ScopedConnection", self.connection)
        scope = current.get()
        if not connection.is_alone:
            return super().execute(query, params)
        connection.told = None
        if not scope.accounts:
            return super().execute(query, params)
        teller = PreparedCursor(connection)
        with connection.pipeline():
            if scope.is_looking:
                teller.execute(LOOK, [SETTING, scope.accounts, connection.path])
            else:
                teller.execute(TELL, [SETTING, scope.accounts])
            super().execute(query, params)
        return self

    def fetch_together(
        self, questions: Sequence[Question], **_options: bool
    ) -> list[list[TupleRow]]:
        """The rows of each statement, which go one by one: each may have to tell the scope."""
        return [self.fetch(query, params) for query, params in questions]

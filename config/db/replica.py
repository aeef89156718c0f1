"""Whether the database that searches read shows what was committed, where it is a replica."""

from datetime import datetime
from typing import NamedTuple, Protocol

from psycopg.rows import TupleRow

PROMOTED = "the replica was promoted, and gets no changes any more"
# Not what is written: without `synchronous_commit` the last commits are in memory alone.
WRITTEN = "SELECT pg_current_wal_insert_lsn()::text, statement_timestamp()"
TIMELINE = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"
LACKING = "SELECT greatest(0, pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn()))::bigint"


class Cursor(Protocol):
    """Django's, or the driver's."""

    def execute(self, query: str, params: list[str] | None = None, /) -> object:
        """Run a statement."""

    def fetchall(self) -> list[TupleRow]:
        """Its rows."""


class Position(NamedTuple):
    """How far the primary had written its log, and when, by its clock."""

    lsn: str
    at: datetime


def position(primary: Cursor) -> Position:
    """Everything that was committed up to now."""
    return Position(*row_of(primary, WRITTEN))


def is_replica(cursor: Cursor) -> bool:
    """Whether a server follows another one."""
    return row_of(cursor, "SELECT pg_is_in_recovery()") == (True,)


def was_promoted(cursor: Cursor, primary: Cursor) -> bool:
    """Whether a server that follows nobody did so once, and writes a history of its own now."""
    return row_of(cursor, TIMELINE) != row_of(primary, TIMELINE)


def lacking(replica: Cursor, up_to: Position) -> int:
    """How many bytes of the log a replica does not show yet."""
    count: int
    (count,) = row_of(replica, LACKING, [up_to.lsn])
    return count


def row_of(cursor: Cursor, query: str, params: list[str] | None = None) -> TupleRow:
    """The one row of a query."""
    cursor.execute(query, params)
    (row,) = cursor.fetchall()
    return row

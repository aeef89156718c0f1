"""Whether the database that searches read shows what was committed, where it is a replica."""

from datetime import datetime
from typing import NamedTuple, Protocol

from psycopg.rows import TupleRow

PROMOTED = "the replica was promoted, and gets no changes any more"
# Not what is written: without `synchronous_commit` the last commits are in memory alone.
WRITTEN = "SELECT pg_current_wal_insert_lsn()::text, statement_timestamp()"
TIMELINE = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"
# Positions as numbers of bytes, to be compared without a database.
PRIMARY = """
    SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint,
        left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), system_identifier::text, oid::bigint
    FROM pg_control_system(), pg_database WHERE datname = current_database()"""
# Which history a replica follows: of a new one its last checkpoint may tell only after minutes, and
# what it receives is told at once, but not to users without `pg_read_all_stats`.
REPLICA = """
    SELECT pg_is_in_recovery(), pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint,
        extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8,
        lpad(upper(to_hex(greatest(timeline_id, min_recovery_end_timeline, (
            SELECT received_tli FROM pg_stat_wal_receiver WHERE status = 'streaming')))), 8, '0'),
        system_identifier::text, oid::bigint
    FROM pg_control_system(), pg_control_checkpoint(), pg_control_recovery(), pg_database
    WHERE datname = current_database()"""
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


class Primary(NamedTuple):
    """How far a primary has written its log, in bytes, and what tells it from other servers."""

    written: int
    timeline: str
    system: str
    database: int


class Replica(NamedTuple):
    """How far a replica shows the log of a primary, in bytes, and which primary's that is.

    `age` is how many seconds ago the last transaction that it shows was committed; None while it
    has shown none. Whoever follows nobody is no replica.
    """

    is_replica: bool
    shown: int | None
    age: float | None
    timeline: str
    system: str
    database: int

    def follows(self, primary: Primary) -> bool:
        """Whether it is a replica of this primary, and of the history that this one writes."""
        own = self.timeline, self.system, self.database
        return self.is_replica and own == (primary.timeline, primary.system, primary.database)

    def shows(self, position: int) -> bool:
        """Whether everything that was committed up to a position of the log is there."""
        return self.shown is not None and self.shown >= position

    def is_fresh(self, primary: Primary, seconds: int) -> bool:
        """Whether it shows all of a primary's log, or transactions of these last seconds."""
        return self.shows(primary.written) or (self.age is not None and self.age <= seconds)


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

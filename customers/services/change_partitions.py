"""The partitions of the change log: made before their time comes, dropped when it is over.

There is one for all that was before the log had partitions, then one a month (UTC), and a last one
for all that comes later. No row is without a place, whatever the clocks say and whether or not
anybody makes partitions: rows of the last one move to the month that is made for them, and where
they are too many it becomes the partition of its months as it is.

All statements that lock the log are short, and give way to whoever uses it. Sessions that do the
same at once do not wait for each other: one does it.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS, IntegrityError, OperationalError, connection
from django.db.backends.utils import CursorWrapper
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Identifier, Literal

from config.db.online import short_transaction

logger = logging.getLogger(__name__)

# This month and those up to so many after it have partitions.
MONTHS = 3
# Meanwhile nobody reads or writes the log: so many take a tenth of a second.
MOST_MOVED = 5000
TRIES, PAUSE_SECONDS = 20, 0.5
FIRST, LATER = "customers_change_first", "customers_change_later"

IS_PARTITIONED = """
    SELECT EXISTS (SELECT FROM pg_partitioned_table
                   WHERE partrelid = to_regclass('customers_change'))"""
OWNS = """
    SELECT pg_has_role(relowner, 'USAGE') FROM pg_class
    WHERE oid = to_regclass('customers_change')"""
# Python knows no infinite moments.
PARTITIONS = """
    SELECT name, CASE WHEN isfinite(starts) THEN starts END, CASE WHEN isfinite(ends) THEN ends END
    FROM kith_change_partitions()"""
MONTH_AFTER = """
    SELECT (date_trunc('month', statement_timestamp() AT TIME ZONE 'UTC')
            + make_interval(months => %s)) AT TIME ZONE 'UTC'"""
LATEST = SQL("""
    SELECT (date_trunc('month', max(at) AT TIME ZONE 'UTC') + interval '1 month')
        AT TIME ZONE 'UTC'
    FROM {name} HAVING max(at) < '9000-01-01'""")
MAKE = "SELECT kith_make_change_partitions(%s, %s)"
DROP = "SELECT kith_drop_change_partitions(%s)"
ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('kith change partitions', 0))"
# Where they hold, PostgreSQL reads no row to know that a partition has none behind its end.
CHECKS = """
    SELECT conname, convalidated FROM pg_constraint
    WHERE conrelid = to_regclass(%s) AND conname LIKE 'change\\_until\\_%%'"""
ADD_CHECK = SQL("ALTER TABLE {name} ADD CONSTRAINT {check} CHECK (at < {end}) NOT VALID")
VALIDATE = SQL("ALTER TABLE {name} VALIDATE CONSTRAINT {check}")
DROP_CHECK = SQL("ALTER TABLE {name} DROP CONSTRAINT {check}")
CLOSE = SQL("""
    ALTER TABLE customers_change DETACH PARTITION {name};
    ALTER TABLE customers_change ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end});
    ALTER TABLE {name} DROP CONSTRAINT {check}""")
RENAME = SQL("ALTER TABLE {name} RENAME TO {other}")
OPEN = SQL("""
    CREATE TABLE {later} PARTITION OF customers_change FOR VALUES FROM ({end}) TO (MAXVALUE);
    ALTER TABLE {later} ENABLE ROW LEVEL SECURITY""")


class Partition(NamedTuple):
    """A partition of the change log, from a moment until before another one; None: without end."""

    name: str
    starts: datetime | None
    ends: datetime | None


def partitions() -> list[Partition]:
    """All of them, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(PARTITIONS)
        return [Partition._make(row) for row in cursor.fetchall()]


def make_partitions() -> None:
    """Make what is missing of the partitions of the months to come.

    Raises `OperationalError`, from `LockNotAvailable`, when the log is in use all the time.
    """
    end = month_after(MONTHS)
    last = partitions()[-1]
    if last.starts is not None and last.starts >= end:
        return
    with short_transaction(connection) as cursor:
        cursor.execute(MAKE, [MONTHS, MOST_MOVED])
        (made,) = cursor.fetchone()
    if made >= 0:
        return
    if owns_log():
        close(last, end)
    else:
        logger.error("the owner of the change log has to close its last partition: run `migrate`")


def close(last: Partition, end: datetime) -> None:
    """Let the last partition end there, and another one begin, without moving a row.

    That it has no later rows is found out while they are read and written. If it has, because a
    clock was wrong, it ends behind them; behind those of no year at all nothing does.
    """
    if limit(last, end):
        return
    with connection.cursor() as cursor:
        cursor.execute(LATEST.format(name=Identifier(last.name)).as_string())
        found = cursor.fetchone()
    is_closed = found is not None and limit(last, found[0])
    logger.warning(
        "the change log has changes of the future: its last partition %s",
        f"ends {found[0]:%Y-%m}" if found and is_closed else "stays as it is",
    )


def limit(last: Partition, end: datetime) -> bool:
    """Let the last partition end there; False where it has later rows.

    Interrupted, the next call goes on, without reading all rows once more.
    """
    ending = Ending(last, end)
    if not while_last(last, ending.begin):
        return True
    try:
        with short_transaction(connection) as cursor:
            ending.validate(cursor)
    except IntegrityError:
        while_last(last, ending.give_up)
        return False
    while_last(last, ending.finish)
    return True


class Ending(NamedTuple):
    """The end of the last partition, each step of which is a transaction."""

    partition: Partition
    end: datetime

    @property
    def check(self) -> str:
        """The name of the CHECK."""
        return f"change_until_{self.end:%Y_%m}"

    def begin(self, cursor: CursorWrapper) -> None:
        """Refuse rows behind the end, months from now; what another try has left is removed."""
        checks = self.checks(cursor)
        for each in checks.keys() - {self.check}:
            self.run(cursor, DROP_CHECK, each)
        if self.check not in checks:
            self.run(cursor, ADD_CHECK)

    def validate(self, cursor: CursorWrapper) -> None:
        """Raise `IntegrityError` if there are such rows already; others read and write it."""
        if not self.checks(cursor).get(self.check):
            self.run(cursor, VALIDATE)

    def give_up(self, cursor: CursorWrapper) -> None:
        """Take every row again."""
        self.run(cursor, DROP_CHECK)

    def finish(self, cursor: CursorWrapper) -> None:
        """Open another one for all that comes later."""
        self.run(cursor, CLOSE)
        name, starts, _ = self.partition
        if starts is not None:
            other = Identifier(f"customers_change_{starts:%Y_%m}")
            cursor.execute(RENAME.format(name=Identifier(name), other=other).as_string())
        cursor.execute(OPEN.format(later=Identifier(LATER), end=Literal(self.end)).as_string())

    def checks(self, cursor: CursorWrapper) -> dict[str, bool]:
        """Which there are, and whether they hold for all rows."""
        cursor.execute(CHECKS, [self.partition.name])
        return dict(cursor.fetchall())

    def run(self, cursor: CursorWrapper, statement: SQL, check: str = "") -> None:
        """Run a statement about it."""
        name, starts, _ = self.partition
        made = statement.format(
            name=Identifier(name),
            check=Identifier(check or self.check),
            start=Literal(starts) if starts else SQL("MINVALUE"),
            end=Literal(self.end),
        )
        cursor.execute(made.as_string())


def while_last(last: Partition, change: Callable[[CursorWrapper], None]) -> bool:
    """Change the last partition in one transaction, unless another session does, or did."""
    with short_transaction(connection) as cursor:
        cursor.execute(ALONE)
        is_ours = cursor.fetchone() == (True,) and partitions()[-1] == last
        if is_ours:
            change(cursor)
    return is_ours


def owns_log() -> bool:
    """Whether this session may change the log itself: not that of a confined web or worker."""
    with connection.cursor() as cursor:
        cursor.execute(OWNS)
        owns: bool = cursor.fetchone()[0]
    return owns


def month_after(months: int) -> datetime:
    """When the month begins that comes so many after this one, by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(MONTH_AFTER, [months])
        found: datetime = cursor.fetchone()[0]
    return found


def drop_partitions(days: int) -> int:
    """Drop the partitions all of whose rows are older; how many.

    Raises `OperationalError`, from `LockNotAvailable`, when the log is in use all the time.
    """
    with short_transaction(connection) as cursor:
        cursor.execute(DROP, [days])
        dropped: int = cursor.fetchone()[0]
    if dropped:
        logger.info("%s partitions of the change log were dropped", dropped)
    return dropped


def patiently(work: Callable[[], object]) -> None:
    """Try again where the log was in use; after some tries the next run goes on."""
    for _ in range(TRIES):
        try:
            work()
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return
    logger.warning("the change log is in use all the time: its partitions are seen to later")


def keep_partitions(sender: AppConfig, using: str, **_signal: object) -> None:
    """Make what is missing of partitions: a receiver of `post_migrate`; `migrate` tries again."""
    if sender.label != "customers" or using != DEFAULT_DB_ALIAS:
        return
    with connection.cursor() as cursor:
        cursor.execute(IS_PARTITIONED)
        is_partitioned = cursor.fetchone() == (True,)
    if is_partitioned:
        make_partitions()

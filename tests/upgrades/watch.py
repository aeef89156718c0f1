"""Looks at each statement of a migration: does it keep the users of a large table waiting?

It is not timed. A statement reads or writes a whole table, or it does not; and its transaction
holds a lock that readers or writers of a table wait for, or it does not. None may do both.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection

# Tables whose rows are few however many customers there are: what administrators make, and codes
# that live for a minute.
SMALL = {
    *("customers_attributedefinition", "customers_businessaccount", "customers_department"),
    *("customers_grant", "customers_oauthclient", "customers_serviceaccount"),
    *("auth_group", "auth_group_permissions", "auth_permission"),
    *("django_content_type", "django_migrations", "kith_migration_steps"),
}
LARGE = """
    SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND relname <> ALL(%s)"""
# How often a table was read from its first row to its last, and what was written of it (in this
# transaction, and in those before that are not counted yet); where its rows and its indexes are;
# and whether others have to wait for it.
LOOK = """
    SELECT relname,
        pg_stat_get_xact_numscans(oid),
        pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
            + pg_stat_get_xact_tuples_deleted(oid),
        relfilenode,
        ARRAY(SELECT index.relfilenode FROM pg_index JOIN pg_class index ON index.oid = indexrelid
              WHERE indrelid = pg_class.oid ORDER BY 1),
        EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND pid = pg_backend_pid()
            AND relation = pg_class.oid AND granted AND mode IN (
                'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')),
        current_setting('lock_timeout') <> '0'
    FROM pg_class WHERE oid = ANY(%s)"""
# They lock a table for as long as they wait for others, unless a transaction limits that.
LOCKING = re.compile(
    r"\s*(ALTER|DROP|LOCK|TRUNCATE|CREATE|REINDEX|CLUSTER|VACUUM)\b", re.IGNORECASE
)


class Table(NamedTuple):
    """A table as one look finds it."""

    scans: int
    written: int
    file: int
    index_files: list[int]
    is_locked: bool
    is_patient: bool


class Watch:
    """Collects what is wrong with the statements of this process, as texts."""

    def __init__(self) -> None:
        with self.cursor() as cursor:
            names = sorted(SMALL)
            self.large = [oid for (oid,) in cursor.execute(LARGE, [names]).fetchall()]
        self.wrong: list[str] = []
        self.seen = 0

    def cursor(self) -> Any:
        """One of the same session, whose own statements are not watched."""
        connection.ensure_connection()
        return connection.connection.cursor()

    def look(self) -> dict[str, Table]:
        """All large tables."""
        with self.cursor() as cursor:
            rows = cursor.execute(LOOK, [self.large]).fetchall()
        return {name: Table(*values) for name, *values in rows}

    def __call__(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        """Run a statement, and look at what it did."""
        self.seen += 1
        if not connection.in_atomic_block:
            if LOCKING.match(sql) and " CONCURRENTLY " not in sql:
                self.wrong.append(f"has no transaction that limits its waiting: {sql}")
            return execute(sql, *arguments)
        before = self.look()
        result = execute(sql, *arguments)
        self.wrong += [f"{problem}: {sql}" for problem in problems(before, self.look())]
        return result


def problems(before: dict[str, Table], after: dict[str, Table]) -> Iterator[str]:
    """What is wrong with the statement between two looks."""
    locked = [name for name, table in after.items() if table.is_locked]
    if not locked:
        return
    holding = f"while {', '.join(locked)} cannot be used"
    for name, table in after.items():
        old = before.get(name)
        if old is None:
            continue
        if table.file != old.file:
            yield f"writes {name} anew {holding}"
        elif set(table.index_files) - set(old.index_files):
            yield f"builds an index of {name} {holding}"
        elif table.scans > old.scans:
            yield f"reads the whole of {name} {holding}"
        elif table.written > old.written:
            yield f"writes rows of {name} {holding}"
    if not all(after[name].is_patient for name in locked):
        yield f"may wait for its lock without end, {holding}"


@contextmanager
def watching() -> Iterator[Watch]:
    """While it is entered, all statements of this process are looked at."""
    watch = Watch()
    with connection.execute_wrapper(watch):
        yield watch

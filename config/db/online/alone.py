"""One `migrate` of a database at a time, from whichever machines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from django.db.backends.base.base import BaseDatabaseWrapper

# Both last as long as the transaction: through a pooler, too, nothing of it stays in a session.
# Whoever waited in a statement, or held a snapshot, would hold up indexes that are being built.
BEGIN = """
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET LOCAL idle_in_transaction_session_timeout = 0"""
LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('kith migrate', 0)), pg_backend_pid()"


@contextmanager
def alone(connection: BaseDatabaseWrapper, wait: Callable[[int], None]) -> Iterator[int]:
    """While it is entered, nobody else has entered it for the same database.

    `wait` is called, with the number of tries, as long as somebody has; what it raises is passed
    on. Yields the id of the session that holds the lock, which is one of its own.
    """
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        tries = 1
        while not (session := taken(holder)):
            wait(tries)
            tries += 1
        yield session
    finally:
        holder.close()


def taken(holder: BaseDatabaseWrapper) -> int:
    """The id of the session that has the lock now; 0, and no transaction, if another one has it."""
    with holder.cursor() as cursor:
        cursor.execute(BEGIN)
        cursor.execute(LOCK)
        is_held, session = cast("tuple[bool, int]", cursor.fetchone())
    if not is_held:
        holder.rollback()
        return 0
    return session

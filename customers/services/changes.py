"""How long the change log is kept, and the sealed values in it."""

import logging
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.db import connection

from customers.services.change_partitions import FIRST, drop_partitions, partitions, patiently

logger = logging.getLogger(__name__)

# Of the first partition, which is of more than a month, and may have been there before.
INDEX = "customers_change_at"
IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
# One worker at a time makes the index; for a large log it takes minutes.
MAKING_SECONDS = 6 * 3600
BATCH = 5000
MOST_BATCHES = 200
# By the end of the first partition others are left out.
DELETE = """
    DELETE FROM customers_change AS change
    USING (
        SELECT customer_id, at, id FROM customers_change
        WHERE at <= statement_timestamp() - %(days)s * interval '1 day' AND at < %(end)s
        ORDER BY at LIMIT %(batch)s
    ) AS old
    WHERE change.customer_id = old.customer_id AND change.at = old.at AND change.id = old.id
        AND change.at < %(end)s"""
HAS_ROWS = "SELECT EXISTS (SELECT FROM customers_change WHERE at < %s)"

FORGET = """
    UPDATE customers_change AS change SET sealed = NULL, kept = NULL
    FROM (
        SELECT customer_id, at, id FROM customers_change
        WHERE sealed IS NOT NULL AND at <= statement_timestamp() - %(days)s * interval '1 day'
        ORDER BY at LIMIT %(batch)s
    ) AS old
    WHERE change.customer_id = old.customer_id AND change.at = old.at
        AND change.id = old.id"""


def days_of_undo() -> int:
    """How old a change may be that an undo still needs: a load may take hours, and an undo too."""
    return settings.UNDO_DAYS + 1


def forget_old_secrets() -> int:
    """Delete the sealed values of changes that nobody can undo any more; of how many changes.

    With them goes what they are found by.
    """
    return in_batches(FORGET, days_of_undo())


def delete_old_changes() -> int:
    """Drop the months all of which is older than `CHANGE_RETENTION_DAYS`; 0 keeps them all.

    Of the first partition, which may be of years, changes are deleted in batches as well, as long
    as it is there; how many. The index that finds them is made at the first time: whoever keeps the
    log for ever does not pay for it with every change.
    """
    if not settings.CHANGE_RETENTION_DAYS:
        return 0
    days = max(settings.CHANGE_RETENTION_DAYS, days_of_undo())
    patiently(lambda: drop_partitions(days))
    end = partitions()[0].ends or "infinity"
    with connection.cursor() as cursor:
        cursor.execute(HAS_ROWS, [end])
        if cursor.fetchone() != (True,):
            return 0
    return in_batches(DELETE, days, end=end) if has_index() else 0


def in_batches(statement: str, days: int, **values: str | datetime) -> int:
    """Run a statement until it finds no whole batch any more; how many rows it was about."""
    total = 0
    with connection.cursor() as cursor:
        for _ in range(MOST_BATCHES):
            cursor.execute(statement, {"days": days, "batch": BATCH, **values})
            total += cursor.rowcount
            if cursor.rowcount < BATCH:
                break
    return total


def has_index() -> bool:
    """Whether there is an index by time, made now if it can be; False while another makes it."""
    with connection.cursor() as cursor:
        cursor.execute(IS_VALID, [INDEX])
        found = cursor.fetchone()
        if found == (True,):
            return True
        if settings.ROW_SECURITY:
            logger.error("the owner of the change log has to make its index: see the README")
            return False
        if not cache.add(f"making:{INDEX}", 1, MAKING_SECONDS):
            return False
        logger.info("the change log gets an index by time")
        # One that is not valid was left by a worker that was killed.
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        cursor.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON {FIRST} (at)")
    cache.delete(f"making:{INDEX}")
    return True

"""How many jobs of a business account run, and how many more may be queued.

Both are asked for every job, so the statements are written out and prepared.
"""

from functools import cache
from uuid import UUID

from config.database import prepared_rows

NONE = UUID(int=0)
RUNNING = """(SELECT count(*) FROM {table} WHERE business_account_id = account.id
    AND status IN ('PICKED', 'STARTED') AND lease_until > statement_timestamp())"""
# A hint for the most part: not many are looked at.
QUEUED = """(SELECT count(*) FROM (SELECT FROM {table} WHERE business_account_id = account.id
    AND status = 'SUBMITTED' AND queued_at IS NOT NULL LIMIT 100) queued)"""
# The first one in the order of an index: EXISTS would look through all jobs that ever were.
UNATTENDED = """(SELECT true FROM {table} WHERE business_account_id = account.id
        AND status = 'SUBMITTED' AND queued_at IS NULL AND id <> %s
        ORDER BY submitted_at, id LIMIT 1) IS NOT NULL
    OR EXISTS (SELECT FROM {table} WHERE business_account_id = account.id
        AND status IN ('PICKED', 'STARTED') AND lease_until <= statement_timestamp()
        AND (queued_at IS NULL OR queued_at < lease_until))"""
ACCOUNT = "SELECT {columns} FROM customers_businessaccount account WHERE account.id = %s"


@cache
def running_sql(tables: tuple[str, ...]) -> str:
    """The question of `running`."""
    return ACCOUNT.format(columns=" + ".join(RUNNING.format(table=table) for table in tables))


@cache
def standing_sql(tables: tuple[str, ...]) -> str:
    """The question of `standing`."""
    active = [part.format(table=table) for table in tables for part in (RUNNING, QUEUED)]
    left = [UNATTENDED.format(table=table) for table in tables]
    columns = f"account.max_running_jobs - {' - '.join(active)}, {' OR '.join(left)}"
    return ACCOUNT.format(columns=columns)


def running(tables: tuple[str, ...], business_account_id: UUID) -> int:
    """How many jobs of this account, in any of the tables, are held by a worker that is alive."""
    ((count,),) = prepared_rows(running_sql(tables), [business_account_id])
    return int(count)


def standing(
    tables: tuple[str, ...], business_account_id: UUID, *, besides: UUID = NONE
) -> tuple[int, bool]:
    """How many more jobs of this account may be queued, and whether some wait for that.

    The job `besides` does not count among those that wait.
    """
    parameters = [*[besides] * len(tables), business_account_id]
    ((free, some_wait),) = prepared_rows(standing_sql(tables), parameters)
    return int(free), bool(some_wait)

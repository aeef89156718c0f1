"""Concurrency limits: how many jobs of a business account run, and how many more may be queued.

One claim is one running job, however many coalesced requests share it. Both questions are asked for
every accepted job, so the statements are written out and prepared.
"""

from functools import cache
from typing import NamedTuple
from uuid import UUID

from config.db.statements import Question, by_index

NO_JOB = UUID(int=0)


class JobTable(NamedTuple):
    """A table of jobs, and the columns by which its jobs are queued."""

    name: str
    order: str


RUNNING = "count(DISTINCT claim_id) FILTER (WHERE lease_until > statement_timestamp())"
# Jobs of dead workers, for which a new message was sent.
QUEUED_AGAIN = """
    count(*) FILTER (WHERE lease_until <= statement_timestamp() AND queued_at >= lease_until)"""
CLAIMED = """(SELECT {counted} FROM {name} WHERE business_account_id = account.id
    AND status IN ('PICKED', 'STARTED'))"""
# Exact up to the hundredth: no account has so many messages.
QUEUED = """(SELECT count(*) FROM (SELECT FROM {name} WHERE business_account_id = account.id
    AND status = 'SUBMITTED' AND queued_at IS NOT NULL LIMIT 100) queued)"""
# The first one in the order of an index: EXISTS would look through all jobs that ever were.
UNQUEUED = """(SELECT true FROM {name} WHERE business_account_id = account.id
        AND status = 'SUBMITTED' AND queued_at IS NULL AND id <> %s
        ORDER BY {order} LIMIT 1) IS NOT NULL
    OR EXISTS (SELECT FROM {name} WHERE business_account_id = account.id
        AND status IN ('PICKED', 'STARTED') AND lease_until <= statement_timestamp()
        AND (queued_at IS NULL OR queued_at < lease_until))"""
ACCOUNT = "SELECT {columns} FROM customers_businessaccount account WHERE account.id = %s"
# Which jobs wait is not asked unless one may be queued: very many may wait.
FREE_SLOTS = """
    WITH account AS MATERIALIZED (
        SELECT id, max_running_jobs - {active} AS free
        FROM customers_businessaccount account WHERE id = %s)
    SELECT free, CASE WHEN free > 0 THEN {waiting} END FROM account"""


@cache
def running_sql(tables: tuple[JobTable, ...]) -> str:
    """The statement of `running`."""
    counts = (CLAIMED.format(counted=RUNNING, name=table.name) for table in tables)
    return ACCOUNT.format(columns=" + ".join(counts))


@cache
def free_slots_sql(tables: tuple[JobTable, ...]) -> str:
    """The statement of `free_slots`."""
    claimed = CLAIMED.replace("{counted}", f"{RUNNING} + {QUEUED_AGAIN}")
    active = [part.format(name=table.name) for table in tables for part in (claimed, QUEUED)]
    waiting = [UNQUEUED.format(**table._asdict()) for table in tables]
    return FREE_SLOTS.format(active=" - ".join(active), waiting=" OR ".join(waiting))


def running(tables: tuple[JobTable, ...], business_account_id: UUID) -> int:
    """How many jobs of this account, of any kind, are held by a worker that is alive."""
    ((count,),) = by_index(Question(running_sql(tables), [business_account_id]))
    return int(count)


def free_slots(
    tables: tuple[JobTable, ...], business_account_id: UUID, *, besides: UUID = NO_JOB
) -> tuple[int, bool]:
    """How many more jobs of this account may be queued, and whether others wait for that.

    The job `besides` does not count among those that wait.
    """
    parameters = [business_account_id, *[besides] * len(tables)]
    ((free, others_wait),) = by_index(Question(free_slots_sql(tables), parameters))
    return int(free), bool(others_wait)

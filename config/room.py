"""How many jobs of a business account run, and how many more may be queued.

Both are asked for every job, so the statements are written out and prepared.
"""

from functools import cache
from typing import NamedTuple
from uuid import UUID

from config.database import prepared_rows

NONE = UUID(int=0)


class Line(NamedTuple):
    """A table of jobs, and the columns that tell whose turn it is."""

    table: str
    order: str


RUNNING = """(SELECT count(*) FROM {table} WHERE business_account_id = account.id
    AND status IN ('PICKED', 'STARTED') AND lease_until > statement_timestamp())"""
# A hint for the most part: not many are looked at.
QUEUED = """(SELECT count(*) FROM (SELECT FROM {table} WHERE business_account_id = account.id
    AND status = 'SUBMITTED' AND queued_at IS NOT NULL LIMIT 100) queued)"""
# The first one in the order of an index: EXISTS would look through all jobs that ever were.
UNATTENDED = """(SELECT true FROM {table} WHERE business_account_id = account.id
        AND status = 'SUBMITTED' AND queued_at IS NULL AND id <> %s
        ORDER BY {order} LIMIT 1) IS NOT NULL
    OR EXISTS (SELECT FROM {table} WHERE business_account_id = account.id
        AND status IN ('PICKED', 'STARTED') AND lease_until <= statement_timestamp()
        AND (queued_at IS NULL OR queued_at < lease_until))"""
ACCOUNT = "SELECT {columns} FROM customers_businessaccount account WHERE account.id = %s"
# Who waits is not asked as long as nobody may go: very many may wait.
STANDING = """
    WITH account AS MATERIALIZED (
        SELECT id, max_running_jobs - {active} AS free
        FROM customers_businessaccount account WHERE id = %s)
    SELECT free, CASE WHEN free > 0 THEN {left} END FROM account"""


@cache
def running_sql(lines: tuple[Line, ...]) -> str:
    """The question of `running`."""
    return ACCOUNT.format(columns=" + ".join(RUNNING.format(table=line.table) for line in lines))


@cache
def standing_sql(lines: tuple[Line, ...]) -> str:
    """The question of `standing`."""
    active = [part.format(table=line.table) for line in lines for part in (RUNNING, QUEUED)]
    left = [UNATTENDED.format(**line._asdict()) for line in lines]
    return STANDING.format(active=" - ".join(active), left=" OR ".join(left))


def running(lines: tuple[Line, ...], business_account_id: UUID) -> int:
    """How many jobs of this account, of any kind, are held by a worker that is alive."""
    ((count,),) = prepared_rows(running_sql(lines), [business_account_id])
    return int(count)


def standing(
    lines: tuple[Line, ...], business_account_id: UUID, *, besides: UUID = NONE
) -> tuple[int, bool]:
    """How many more jobs of this account may be queued, and whether some wait that may.

    The job `besides` does not count among those that wait.
    """
    parameters = [business_account_id, *[besides] * len(lines)]
    ((free, some_wait),) = prepared_rows(standing_sql(lines), parameters)
    return int(free), bool(some_wait)

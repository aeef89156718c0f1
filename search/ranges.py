"""Cuts the order of a large file into ranges of about as many customers, for several sessions.

The ranges of whatever cut make the same file. So it need not be exact, only cheap: it goes by the
customers of some pages of the table, picked at random.
"""

from collections.abc import Collection
from itertools import pairwise
from uuid import UUID

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

from customers.querysets import CustomerQuerySet
from search.copy import ALL, Range, compiled

# A range is worth its statement's planning, and a session of its own, from here on.
RANGE_ROWS = 10_000
# More ranges than sessions: none has to wait long for the last of the others, and less is on disk.
RANGES_OF_A_SESSION = 8
PAGES = 500
CUSTOMERS = 2000
# PostgreSQL reads no more pages than these; it takes them as a percentage.
SAMPLE = """
    SELECT array_agg(id) FROM (
        SELECT id FROM customers_customer TABLESAMPLE SYSTEM (least(100, {percent}))
        WHERE business_account_id = ANY(%s) ORDER BY random() LIMIT {customers}
    ) picked"""
OF_PAGES = """{pages} * 100.0
    / greatest(1, pg_relation_size('customers_customer') / current_setting('block_size')::int)"""
COUNT = "SELECT count(*) FROM ({query} LIMIT {most}) counted"


# What a row of a file is read from.
TABLES = ["customers_customer", "customers_contact", "customers_contactpoint", "customers_address"]
IS_CACHED = """
    SELECT sum(relpages::bigint) * current_setting('block_size')::int
        <= pg_size_bytes(current_setting('effective_cache_size'))
    FROM pg_class WHERE oid = ANY(%s::regclass[])"""


# Half of those that the server has left: the others are for whoever comes meanwhile.
SPARE = """
    SELECT (current_setting('max_connections')::int - sum(numbackends)) / 2 FROM pg_stat_database"""


def counted(customers: CustomerQuerySet, connection: BaseDatabaseWrapper) -> int:
    """The number of these customers, counted up to what the ranges of all sessions hold.

    In place of an estimate, which a distributed engine does not give.
    """
    query, parameters = compiled(customers, connection)
    most = settings.SEARCH_SESSIONS * RANGES_OF_A_SESSION * RANGE_ROWS
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(query=query, most=most), parameters)
        ((count,),) = cursor.fetchall()
    return int(count)


def sessions_for(rows: int, *, is_table: bool, connection: BaseDatabaseWrapper) -> int:
    """How many sessions a file of about so many rows may have: one for a small one.

    A table's ranges are read by looking for each customer's rows, as objects always are. Where the
    tables are larger than what PostgreSQL expects to be in memory, reading all of them once, in
    one session, is what the disk does faster.
    """
    if rows < 2 * RANGE_ROWS:
        return 1
    with connection.cursor() as cursor:
        cursor.execute(SPARE)
        ((spare,),) = cursor.fetchall()
        cursor.execute(IS_CACHED, [TABLES])
        ((is_cached,),) = cursor.fetchall()
    if is_table and not is_cached:
        return 1
    return min(settings.SEARCH_SESSIONS, 1 + max(0, int(spare)))


def cut(
    customers: CustomerQuerySet,
    accounts: Collection[UUID],
    rows: int,
    sessions: int,
    connection: BaseDatabaseWrapper,
) -> list[Range]:
    """Ranges of the customers, all of whom belong to these accounts, in their order.

    A single one for one session; `rows` is an estimate, or what was `counted`.
    """
    wanted = min(sessions * RANGES_OF_A_SESSION, rows // RANGE_ROWS)
    if sessions == 1:
        return [ALL]
    # A distributed engine does not tell how large a table is; there it goes by what was counted.
    percent = CUSTOMERS * 100 / rows if settings.DISTRIBUTED else OF_PAGES.format(pages=PAGES)
    with connection.cursor() as cursor:
        cursor.execute(SAMPLE.format(percent=percent, customers=CUSTOMERS), [list(accounts)])
        ((picked,),) = cursor.fetchall()
        query, parameters = compiled(customers.filter(pk__any=picked or []), connection)
        order = "SELECT c.created_at, c.id FROM ({}) c ORDER BY c.created_at, c.id"
        cursor.execute(order.format(query), parameters)
        places = cursor.fetchall()
    marks = sorted({places[len(places) * n // wanted] for n in range(1, wanted) if places})
    return [Range(start, end) for start, end in pairwise([None, *marks, None])]

"""The worker's side of a search: one snapshot, one COPY, one file, one manifest."""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event
from time import monotonic
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Value
from django.db.models.functions import Now
from psycopg import Copy

from config.api.json import to_json
from config.jobs.lease import Canceller, ClaimLost, Lease
from config.jobs.worker import perform
from customers.models import Customer
from customers.querysets import TREE, CustomerQuerySet
from search import results
from search.columns import MEMBER_TYPES, TYPES, file_columns, members_of
from search.conversion import converted
from search.copy import TABLES, WRITTEN, Statement, compiled, layout_of, statement
from search.external_ids import known_as, unknown_ids
from search.models import CustomerSearch
from search.stream import Packing, ResultStream, framed

logger = logging.getLogger(__name__)

# How long a replica may take to show what was committed.
BEHIND_SECONDS = 30
SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Joins of a large registry fit into memory, a few at a time; compiling takes longer than it saves.
# The server stops a query whose worker died, also while it has nothing to send yet.
TUNING = """
    SET LOCAL work_mem = '32MB';
    SET LOCAL jit = off;
    SET LOCAL statement_timeout = 0;
    SET LOCAL client_connection_check_interval = '500ms'"""


def run(search_id: UUID) -> None:
    """Claim a search and write its file; one that is not claimable is left alone."""
    perform(CustomerSearch, search_id, write_result, worker=f"{socket.gethostname()}:{os.getpid()}")


def write_result(search: CustomerSearch, lease: Lease) -> None:
    """From PICKED to FINISHED with file and manifest; nothing is left of it when that fails."""
    search.start()
    name = results.name_for(search)
    results.remove(search)
    try:
        with snapshot(lease) as (connection, at):
            accounts = covered_accounts(search, connection)
            everybody = Customer.objects.filter(business_account__in=accounts)
            known = known_as(everybody, search.external_ids, accounts)
            customers = known.matching(search.wanted)
            search.note(
                accounts=accounts,
                storage_name=name,
                snapshot_at=at,
                estimated_rows=estimate(customers, connection),
            )
            unknown = unknown_ids(known, search.external_ids, connection)
            layout = layout_of(
                search.result_format, search.columns, is_requested=bool(search.external_ids)
            )
            copy = statement(customers, layout, connection)
            with (
                rows_of(copy, connection) as messages,
                ResultStream(messages, layout, packing_of(search)) as stream,
            ):
                lease.report = progress_of(stream)
                results.store(name, stream)
        search.refresh_from_db()
        results.store_manifest(name, manifest(search, stream, unknown))
    except BaseException:
        discard(name)
        raise
    try:
        search.finish(
            rows=stream.rows,
            bytes=stream.size,
            sha256=stream.sha256,
            expires_at=Now() + Value(timedelta(seconds=settings.RESULT_SECONDS)),
        )
    except ClaimLost:
        # Only then: after a broken connection nobody knows whether the search has FINISHED.
        discard(name)
        raise


def discard(name: str) -> None:
    """Delete the files of an attempt; what cannot be deleted now, `delete_dead_files` finds."""
    try:
        results.remove_attempt(name)
    except Exception:
        logger.exception("the files of an attempt cannot be deleted")


@contextmanager
def snapshot(lease: Lease) -> Iterator[tuple[BaseDatabaseWrapper, datetime]]:
    """A connection of its own to the search database, which sees one moment of it, and the moment.

    Whatever it is doing is cancelled in PostgreSQL when the lease ends.
    """
    connection = connections.create_connection(settings.SEARCH_DATABASE)
    try:
        with lease.interruptible(Canceller(connection)):
            connection.ensure_connection()
            at = caught_up(connection, lease)
            with connection.cursor() as cursor:
                cursor.execute(SNAPSHOT)
                cursor.execute(TUNING)
            yield connection, at or snapshot_time(connection)
    finally:
        connection.close()


def caught_up(connection: BaseDatabaseWrapper, lease: Lease) -> datetime | None:
    """Wait until a replica shows everything that was committed up to now; gives that moment.

    None where the search database is no replica. Raises `OperationalError` when it is too far
    behind: the search is tried again later.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        ((is_replica,),) = cursor.fetchall()
    if not is_replica:
        return None
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn()::text, statement_timestamp()")
        written, at = cursor.fetchone()
    pause, deadline = Event(), monotonic() + BEHIND_SECONDS
    with connection.cursor() as cursor:
        while monotonic() < deadline:
            lease.check()
            cursor.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [written])
            ((is_there,),) = cursor.fetchall()
            if is_there:
                moment: datetime = at
                return moment
            pause.wait(0.1)
    raise OperationalError(f"the replica is more than {BEHIND_SECONDS} seconds behind")


@contextmanager
def rows_of(copy: Statement, connection: BaseDatabaseWrapper) -> Iterator[Copy]:
    """What a COPY sends, a message for each row."""
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(*copy) as messages,
    ):
        yield messages


def progress_of(stream: ResultStream) -> Callable[[], Mapping[str, object]]:
    """What a search notes of a stream that is on its way."""
    return lambda: {"rows": stream.rows, "bytes": stream.size}


def covered_accounts(search: CustomerSearch, connection: BaseDatabaseWrapper) -> list[UUID]:
    """The business account and its descendants as they are now, narrowed as the search asks."""
    accounts = tree_of([search.business_account_id], connection)
    if narrowed := search.wanted.business_account_ids:
        accounts &= tree_of(list(narrowed), connection)
    return sorted(accounts)


def tree_of(roots: list[UUID], connection: BaseDatabaseWrapper) -> set[UUID]:
    """These accounts and all below them."""
    with connection.cursor() as cursor:
        cursor.execute(TREE.format(root="ANY(%s)"), [roots])
        return {account for (account,) in cursor}


def snapshot_time(connection: BaseDatabaseWrapper) -> datetime:
    """The moment that the snapshot shows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT transaction_timestamp()")
        at: datetime
        (at,) = cursor.fetchone()
    return at


def estimate(customers: CustomerQuerySet, connection: BaseDatabaseWrapper) -> int:
    """How many rows the planner expects."""
    query, parameters = compiled(customers, connection)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}", parameters)
        ((plan,),) = cursor.fetchall()
    return int(plan[0]["Plan"]["Plan Rows"])


def columns_of(search: CustomerSearch) -> list[dict[str, str]]:
    """The columns of the file in their order, or the members of its objects, with their types."""
    is_requested = bool(search.external_ids)
    if search.result_format in TABLES:
        names, types = file_columns(search.columns, is_requested=is_requested), TYPES
    else:
        members = members_of(search.wanted.customer_account_type)
        names = file_columns(members, is_requested=is_requested)
        types = TYPES | MEMBER_TYPES
    return [{"name": name, "type": types.get(name, "text")} for name in names]


def packing_of(search: CustomerSearch) -> Packing:
    """What makes the file of a search out of what PostgreSQL sends."""
    if search.result_format not in WRITTEN:
        return framed(search.compression)
    columns = [(column["name"], column["type"]) for column in columns_of(search)]
    return lambda blocks: converted((data for data, _ in blocks), search.result_format, columns)


def manifest(search: CustomerSearch, stream: ResultStream, unknown: list[str]) -> bytes:
    """What travels with the file: what was asked, of whom, when, and what came out."""
    ids = {"externalIds": search.external_ids, "unknownIds": unknown}
    return to_json(
        {
            "queryId": str(search.pk),
            "fileName": search.file_name,
            "resultFormat": search.result_format,
            "compression": search.compression,
            "columns": columns_of(search),
            "criteria": search.criteria,
            **(ids if search.external_ids else {}),
            "businessAccountIds": [str(account) for account in search.accounts],
            "snapshotAt": search.snapshot_at,
            "rowCount": stream.rows,
            "byteCount": stream.size,
            "sha256": stream.sha256,
            "complete": True,
        }
    )

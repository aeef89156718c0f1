"""The worker's side of a search: one snapshot, one file, one manifest."""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Value
from django.db.models.functions import Now

from config.api.json import to_json
from config.db import scope
from config.db.estimates import expected_rows
from config.jobs.lease import ClaimLost, Lease
from config.jobs.worker import perform
from customers.models import Customer
from customers.querysets import TREE, CustomerQuerySet
from search import results
from search.columns import MEMBER_TYPES, TYPES, file_columns, members_of
from search.conversion import converted
from search.copy import TABLES, WRITTEN, compiled, layout_of, statement
from search.external_ids import known_as, unknown_ids
from search.merge import in_order
from search.models import CustomerSearch
from search.ranges import counted, cut, sessions_for
from search.sessions import snapshot
from search.stream import Block, Packing, ResultStream, framed

logger = logging.getLogger(__name__)


def run(search_id: UUID) -> None:
    """Claim a search and write its file; one that is not claimable is left alone."""
    perform(CustomerSearch, search_id, write_result, worker=f"{socket.gethostname()}:{os.getpid()}")


def write_result(search: CustomerSearch, lease: Lease) -> None:
    """From PICKED to FINISHED with file and manifest; nothing is left of it when that fails."""
    search.start()
    name = results.name_for(search)
    results.remove(search)
    try:
        with snapshot(lease) as sessions:
            connection = sessions.first
            accounts = covered_accounts(search, connection)
            scope.confine({*accounts, search.business_account_id})
            everybody = Customer.objects.filter(business_account__in=accounts)
            known = known_as(everybody, search.external_ids, accounts)
            customers = known.matching(search.wanted)
            with scope.looking():
                estimated = estimate(customers, connection)
            search.note(
                accounts=accounts,
                storage_name=name,
                snapshot_at=sessions.at,
                estimated_rows=estimated,
            )
            unknown = unknown_ids(known, search.external_ids, connection)
            layout = layout_of(
                search.result_format, search.columns, is_requested=bool(search.external_ids)
            )
            is_table = search.result_format in TABLES
            expected = counted(customers, connection) if estimated is None else estimated
            count = sessions_for(expected, is_table=is_table, connection=connection)
            cuts = cut(customers, accounts, expected, count, connection)
            copies = [statement(customers, layout, connection, each) for each in cuts]
            with (
                in_order(copies, layout, sessions, count) as batches,
                ResultStream(batches, layout, packing_of(search)) as stream,
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


def estimate(customers: CustomerQuerySet, connection: BaseDatabaseWrapper) -> int | None:
    """How many rows the planner expects, if it knows."""
    return expected_rows(*compiled(customers, connection), connection)


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

    def pack(blocks: Iterator[Block]) -> Iterator[bytes]:
        return converted((data for data, _ in blocks if data), search.result_format, columns)

    return pack


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
            # Its nodes have a snapshot each.
            **({"isOneSnapshot": False} if settings.DISTRIBUTED else {}),
            "rowCount": stream.rows,
            "byteCount": stream.size,
            "sha256": stream.sha256,
            "complete": True,
        }
    )

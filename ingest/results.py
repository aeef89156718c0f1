"""The outcome of each item of a request, and the failed ones as they were sent: NDJSON."""

from collections.abc import Iterable, Iterator
from itertools import chain

from config import files as stored
from config.api.errors import ApiError, NotFound
from config.api.json import to_json
from ingest import failed_lines, payload
from ingest.batch.items import ordered
from ingest.files import outcome as of_file
from ingest.models import BulkFile, BulkItem, BulkRequest
from ingest.sheets.writing import failed_rows
from ingest.wire.ledger import outcome_of

NOT_KEPT = "What was sent was deleted, or cannot be opened."


class ResultGone(ApiError):
    """The results were there once, and their time is over."""

    status = 410
    code = "GONE"


def results_of(*, request: BulkRequest, outcome: str = "") -> Iterable[bytes]:
    """The results of a request, or those with one outcome, line by line: NDJSON, in blocks.

    Of a file whose load failed, those of what was loaded. Raises `NotFound` before there are any,
    and `ResultGone`.
    """
    if request.status in request.OPEN:
        raise NotFound
    if request.is_by_file:
        blocks = results_of_file(request)
        return only(blocks, outcome) if outcome else blocks
    if request.status != request.Status.FINISHED:
        raise NotFound
    items = request.ledger.filter(outcome=outcome) if outcome else request.ledger.all()
    return (to_json(result_line(item)) + b"\n" for item in items)


def only(blocks: Iterable[bytes], outcome: str) -> Iterator[bytes]:
    """The lines of results that have this outcome, in blocks."""
    # Within a text its quotation marks would have backslashes before them.
    mark = b'"outcome":' + to_json(outcome)
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        if found := [line + b"\n" for line in lines if mark in line]:
            yield b"".join(found)


def results_of_file(request: BulkRequest) -> Iterable[bytes]:
    """The results of a load that has ended. Raises as `results_of` does."""
    name = BulkFile.objects.get(pk=request.pk).result_name
    if name:
        try:
            return stored.blocks(name, 0, stored.size(name))
        except FileNotFoundError:
            raise ResultGone("The results were deleted.") from None
    if request.keeps_content and request.parts.exists():
        return of_file.results_of(request.pk)
    if request.status == request.Status.FINISHED:
        raise ResultGone("The results were deleted.")
    raise NotFound


def failed_of(*, request: BulkRequest) -> Iterable[bytes]:
    """The failed items of a request as they were sent, with their errors: NDJSON, in blocks.

    Those of a table are a table (`ingest.sheets.writing`), also of a load that has none.
    Of a file whose load failed, those of what was loaded. Raises `NotFound` before it has ended, or
    when it ended without a ledger, of an undo, for which nothing was sent, and `ResultGone`.
    """
    if request.status in request.OPEN or request.action == BulkRequest.Action.UNDO:
        raise NotFound
    if request.action == BulkRequest.Action.LOAD_FILE:
        if not request.failed and not request.created + request.updated + request.unchanged:
            raise NotFound
        blocks = failed_lines.of_file(request.pk)
        first = next(blocks, None)
        if first is None and request.failed:
            raise ResultGone(NOT_KEPT)
        blocks = chain(() if first is None else (first,), blocks)
        sheet = request.file.table
        return blocks if sheet is None else failed_rows(sheet, blocks)
    if request.status != request.Status.FINISHED:
        raise NotFound
    rows = request.ledger.filter(outcome=BulkItem.Outcome.FAILED).order_by("index")
    errors = dict(rows.values_list("index", "errors"))
    if not errors:
        return ()
    kept = payload.kept_of(request.pk)
    if kept is None:
        raise ResultGone(NOT_KEPT)
    return (
        failed_lines.failed_line(index + 1, kept.entries[index], ordered(problems))
        for index, problems in errors.items()
    )


def is_table(request: BulkRequest) -> bool:
    """Whether it loads a table, and its failed lines are one."""
    return request.action == BulkRequest.Action.LOAD_FILE and request.file.sheet is not None


def result_line(item: BulkItem) -> dict[str, object]:
    """An item as it would be told as a line of a file."""
    told = outcome_of(
        item.source_customer_id, item.outcome, item.customer_id, item.errors, item.notices
    )
    return {"line": item.index + 1} | told

"""The failed items of a request as they were sent, with their errors, to be corrected.

One JSON object a line. `line` and `errors` stand before the members that were sent. Whatever reads
items ignores both, so that they need not be taken out of a corrected line. Lines of files are kept
sealed, for they may hold values that belong encrypted; full card numbers are in none.
"""

import zlib
from collections.abc import Iterator, Sequence
from uuid import UUID

from config.api.errors import Unreadable
from config.api.json import from_json, to_json
from config.db.batches import rows_by
from config.db.crypto import associated_data, seal_bytes, unseal_bytes_if_possible
from ingest.batch.items import Item, as_errors
from ingest.files.frames import Block
from ingest.models import BulkFailedLines
from ingest.sheets.reading import cells_of

# Of a line that is no JSON object; longer ones are cut off.
SHOWN = 10_000
# Of a row of a table.
CELLS = "cells"
# How many blocks are read at once.
BLOCKS = 10


def failed_line(number: int, body: dict[str, object], errors: Sequence[dict[str, str]]) -> bytes:
    """What was sent as line `number`, from 1, with its errors."""
    ours = {"line": number, "errors": errors}
    # On the left they come first, on the right they win over members that were sent.
    return to_json(ours | body | ours) + b"\n"


def row_of(
    request_id: UUID, number: int, block: Block, items: Sequence[Item]
) -> Iterator[BulkFailedLines]:
    """The row that keeps the lines of a block that failed; most blocks have none."""
    failed = {item.index: as_errors(item.problems) for item in items if not item.is_stored}
    if not failed:
        return
    content = b"".join(
        failed_line(index, as_cells(line) if block.sheet else as_object(line), failed[index])
        for index, line in zip(block.numbers, block.lines, strict=True)
        if index in failed
    )
    row = BulkFailedLines(request_id=request_id, number=number)
    row.lines_sealed = seal_bytes(zlib.compress(content, 1), where(row.pk))
    yield row


def as_object(line: bytes) -> dict[str, object]:
    """The members of a line; of one that has none, its text as `sent`."""
    try:
        body = from_json(line)
    except Unreadable:
        body = None
    return body if isinstance(body, dict) else {"sent": line.decode(errors="replace")[:SHOWN]}


def as_cells(line: bytes) -> dict[str, object]:
    """The `cells` of a row."""
    return {CELLS: cells_of(line)[0]}


def of_file(request_id: UUID) -> Iterator[bytes]:
    """The failed lines of a file in their order, in blocks; those that can be opened."""
    rows = BulkFailedLines.objects.filter(request=request_id)
    for row_id, sealed in rows_by("number", rows, "pk", "lines_sealed", batch=BLOCKS):
        packed = unseal_bytes_if_possible(bytes(sealed), where(row_id))
        if packed is not None:
            yield zlib.decompress(packed)


def where(row_id: UUID) -> str:
    """What the lines of a row are sealed for."""
    return associated_data(BulkFailedLines, "lines_sealed", row_id)

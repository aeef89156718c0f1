"""The lines of a block as items, and the line of the results for each."""

from collections.abc import Iterator, Sequence

from config.api.card_numbers import CARD_NUMBER
from config.api.errors import Unreadable
from config.api.json import from_json, to_json
from ingest.batch.items import Action, Item, as_errors, read_item, read_line
from ingest.files.frames import Block
from ingest.files.upload import LINE_BYTES, TOO_LONG
from ingest.sheets import reading


def items_of(block: Block) -> Iterator[Item]:
    """The items of a block, by line number; blank lines are none."""
    if block.sheet is not None:
        yield from reading.items_of(block, block.sheet)
        return
    for number, line in zip(block.numbers, block.lines, strict=True):
        item = Item(number, "", is_creation=True)
        refused = block.refused.get(number, ())
        if refused or not read_line(item, line):
            if not refused and not line.strip():
                continue
            read_wrong_line(item, line)
        for pointer in refused:
            item.problems = [each for each in item.problems if each.path != pointer]
            item.wrong(pointer, *CARD_NUMBER)
        yield item


def read_wrong_line(item: Item, line: bytes) -> None:
    """Read a line with which something is wrong, to tell what."""
    try:
        raw = from_json(line)
    except Unreadable as error:
        item.wrong("", error.message.replace("The body", "The line"), "MALFORMED_LINE")
        return
    if line == TOO_LONG:
        message = f"The line is longer than {LINE_BYTES} bytes."
        item.wrong("", message, "TOO_LONG")
    else:
        read_item(item, Action.CREATE_CUSTOMERS, raw)


def apart(items: Sequence[Item]) -> Iterator[list[Item]]:
    """The items in their order, in batches that have no customer twice."""
    some: list[Item] = []
    seen: set[str] = set()
    for item in items:
        if item.source_customer_id and item.source_customer_id in seen:
            yield some
            some, seen = [], set()
        some.append(item)
        seen.add(item.source_customer_id)
    if some:
        yield some


def result(item: Item) -> bytes:
    """The line of the results for a line of the file."""
    is_stored = item.is_stored
    body: dict[str, object] = {
        "line": item.index,
        "sourceCustomerId": item.source_customer_id[:120] or None,
        "outcome": item.outcome,
        "customerId": item.customer_id if is_stored else None,
        "errors": [] if is_stored else as_errors(item.problems),
    }
    if is_stored and item.notices:
        body["notices"] = as_errors(item.notices)
    return to_json(body) + b"\n"

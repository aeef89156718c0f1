"""A row of a table as the item that a load is made of."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import cast

from config.api import text
from config.api.bodies import Submission
from config.api.card_numbers import CARD_NUMBER, pointer_of
from config.api.json import from_json
from config.api.text import trimmed
from customers import normalize
from customers.values import Pairs
from ingest.batch.items import Item
from ingest.files.frames import Block
from ingest.sheets import dates
from ingest.sheets.columns import ATTRIBUTE, METADATA, Sheet
from ingest.wire.row import RowBody, RowValues

CLEAR = "(clear)"
# Words of lists and codes, which people write in any case.
WORDS = frozenset({"type", "phoneType", "addressType", "stateCode", "countryCode"})
FIXED = frozenset({"externalId", "type", "addressType"})
# Of a new customer without an id of its sender's, by which else would anybody know it?
TELLING = ("first_name", "last_name", "business_name", "email", "phone")
MALFORMED = "malformed"


def items_of(block: Block, sheet: Sheet) -> Iterator[Item]:
    """The items of a block of rows, by row number. Each line of it is the JSON of the cells."""
    for number, line in zip(block.numbers, block.lines, strict=True):
        item = Item(number, "", is_creation=True)
        read(item, sheet, *cells_of(line))
        for pointer in block.refused.get(number, ()):
            place = pointer_of([shown(sheet, int(pointer[1:]))])
            item.problems = [each for each in item.problems if each.path != place]
            item.wrong(place, *CARD_NUMBER)
        yield item


def cells_of(line: bytes) -> tuple[list[str], bool]:
    """The cells of a stored row, and whether they could be told apart."""
    row = from_json(line)
    return (row[MALFORMED], False) if isinstance(row, dict) else (row, True)


def shown(sheet: Sheet, place: int) -> str:
    """What a column is called in errors."""
    return sheet.columns[place].shown if place < len(sheet.columns) else f"column {place + 1}"


def read(item: Item, sheet: Sheet, cells: Sequence[str], is_whole: bool = True) -> None:
    """Read a row into an item; what is wrong is found at the names of its columns."""
    item.row = Submission({})
    if not is_whole:
        message = "The quotation marks of this row are wrong: within a quoted cell, double them."
        item.wrong("", message, "MALFORMED_LINE")
        return
    if any(map(text.is_visible, cells[len(sheet.columns) :])):
        message = f"This row has {len(cells)} cells, but there are {len(sheet.columns)} columns."
        item.wrong("", message, "MALFORMED_LINE")
        return
    given: dict[str, str | None] = {}
    metadata: Pairs = {}
    attributes: Pairs = {}
    for column, cell in zip(sheet.columns, cells, strict=False):
        value = value_of(item, column.name, cell, column.order)
        if value == "":
            continue
        if column.name.startswith(METADATA):
            metadata[column.name.removeprefix(METADATA)] = value
        elif column.name.startswith(ATTRIBUTE):
            attributes[column.name.removeprefix(ATTRIBUTE)] = value
        else:
            given[column.name] = value
    found = RowBody.reader().parse(given)
    values = cast("RowValues", found.values)
    if metadata:
        values["metadata"] = metadata
    if attributes:
        values["attributes"] = attributes
    take_id(item, values)
    item.row = Submission(values, found.problems)


def value_of(item: Item, name: str, cell: str, order: str) -> str | None:
    """What a cell says: ``""`` for nothing, None to clear."""
    value = trimmed(cell) if name else ""
    if not value:
        return ""
    if value == CLEAR:
        if name in FIXED:
            item.wrong(pointer_of([name]), "This cannot be cleared.", "IMMUTABLE")
        return None
    if name in WORDS:
        value = value.upper()
    if name == "countryCode":
        with suppress(ValueError):
            value = normalize.alpha3_from_alpha2(value)
    elif name == "dateOfBirth" and order:
        try:
            value = dates.parse(value, order).isoformat()
        except ValueError:
            message = f"Not a date such as {dates.EXAMPLES[order]}."
            item.wrong(pointer_of([name]), message, "INVALID")
            return ""
    return value


def take_id(item: Item, values: RowValues) -> None:
    """By what the customer is known."""
    external_id = values.pop("external_id", None) or ""
    if external_id and not (text.is_one_line(external_id) and text.is_visible(external_id)):
        item.wrong("/externalId", normalize.BAD_ID, "INVALID_CHARACTER")
    elif external_id:
        item.source_customer_id = external_id
    elif not any(values.get(name) for name in TELLING):
        message = "A row without externalId needs a name, an e-mail address or a phone number."
        item.wrong("/externalId", message, "REQUIRED")

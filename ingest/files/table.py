"""A table on its way from the socket to storage: its rows become the lines of the blocks.

A line is the JSON array of a row's cells, so that nothing of what was sent is lost; what the
columns mean may still be said later (`ingest.sheets.reading`).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import cast
from uuid import UUID

from config.api import text
from config.api.card_numbers import may_hold_card_numbers, redact
from config.api.errors import Unreadable
from config.api.json import from_json, to_json
from ingest.files.frames import Block
from ingest.files.upload import CUTS, Source, Upload
from ingest.sheets.characters import Characters
from ingest.sheets.columns import Column, Sheet
from ingest.sheets.reading import MALFORMED
from ingest.sheets.rows import Malformed, Row, Table

ROWS = 500


class TableUpload(Upload):
    """A table as it goes to storage; `sheet` is how it is read, once its header was.

    `name_columns` gives the columns of a header. Raises as `Upload` and `Table` do, and as that.
    """

    def __init__(
        self,
        source: Source,
        request_id: UUID,
        *,
        name_columns: Callable[[Sequence[str]], tuple[Column, ...]],
        must_be_utf_8: bool = True,
    ) -> None:
        super().__init__(source, request_id)
        self._name_columns = name_columns
        self._must_be_utf_8 = must_be_utf_8

    def _split(self, plain: Iterator[bytes]) -> Iterator[list[bytes]]:
        """The rows, many at a time; the header is an empty line."""
        characters = Characters(plain, must_be_utf_8=self._must_be_utf_8)
        table = Table(characters, lambda: self.damage in CUTS)
        rows = iter(table)
        for row in rows:
            yield [b""]
            if is_blank(row):
                continue
            if isinstance(row, Malformed):
                raise Unreadable("The quotation marks of the header are wrong.")
            self.sheet = Sheet(self._name_columns(row), table.delimiter)
            break
        while some := list(islice(rows, ROWS)):
            yield [b"" if is_blank(row) else as_line(row) for row in some]
        if self.sheet is not None:
            columns, delimiter = self.sheet.columns, self.sheet.delimiter
            self.sheet = Sheet(columns, delimiter, characters.encoding)

    def _take_out_card_numbers(self, block: Block) -> None:
        """Replace full card numbers in a block's cells, and note the places of these."""
        if self.sheet is None:
            super()._take_out_card_numbers(block)
            return
        for index, line in enumerate(block.lines):
            if not may_hold_card_numbers(line):
                continue
            row = from_json(line)
            cells = row[MALFORMED] if isinstance(row, dict) else row
            names = [self._name(place) for place in range(len(cells))]
            clean, places = redact(dict(zip(names, cells, strict=True)))
            if not places:
                continue
            # As it was given: an object whose members keep their order.
            kept = list(cast("dict[str, object]", clean).values())
            block.lines[index] = to_json({MALFORMED: kept} if isinstance(row, dict) else kept)
            block.refused[block.numbers[index]] = [f"/{names.index(str(at[0]))}" for at in places]

    def _name(self, place: int) -> str:
        """A name for a cell, by which the look for card numbers goes; each one is another."""
        columns = self.sheet.columns if self.sheet is not None else ()
        if place >= len(columns):
            return f"{place}"
        return columns[place].name or f"{place} {columns[place].header}"


def is_blank(row: Row) -> bool:
    """Whether nothing is to be seen in a row."""
    return not isinstance(row, Malformed) and not any(map(text.is_visible, row))


def as_line(row: Row) -> bytes:
    """A row as it is stored."""
    return to_json({MALFORMED: row.cells} if isinstance(row, Malformed) else row)

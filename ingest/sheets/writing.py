"""Tables that leave: failed rows to be corrected and sent again, results, and an empty template."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from config.api.json import BOM, Json, from_json
from config.api.text import trimmed
from ingest.sheets.columns import ERROR, NAMES, Sheet

# Two customers that show what belongs where.
TEMPLATE = (
    NAMES,
    (
        *("C-1001", "INDIVIDUAL", "Ada", "", "Lovelace", "", "ada@example.com"),
        *("+14155550123", "MOBILE", "1980-12-31", "MAILING", "1 Main Street", "Apt 4"),
        *("San Francisco", "CA", "USA", "94105", ""),
    ),
    (
        *("C-1002", "BUSINESS", "Charles", "", "Babbage", "Engines Ltd", "office@example.com"),
        *("+442079460958", "WORK", "", "PHYSICAL", "12 St James's Square", ""),
        *("London", "", "GBR", "SW1Y 4JH", ""),
    ),
)
# What a spreadsheet takes for the beginning of a formula, the full-width signs included.
FORMULA = ("-", "=", "+", "@", "\t", "\r", "\uff0d", "\uff1d", "\uff0b", "\uff20")
RESULT_COLUMNS = ("line", "externalId", "outcome", "customerId", "error")


class Writer:
    """Rows to bytes: UTF-8 with the byte order mark by which spreadsheets know it."""

    def __init__(self, delimiter: str = ",") -> None:
        self._buffer = io.StringIO()
        self._buffer.write(BOM.decode())
        self._writer = csv.writer(self._buffer, delimiter=delimiter)

    def row(self, cells: Iterable[object]) -> None:
        """Add a row."""
        self._writer.writerow(cells)

    def taken(self) -> bytes:
        """What was added since the last time."""
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text.encode()


def failed_rows(sheet: Sheet, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The failed rows of a table in their own columns, behind which one tells what is wrong.

    `blocks` are those of `failed_lines.of_file`. That column is left out when the file is loaded.
    """
    writer = Writer(sheet.delimiter)
    columns = sheet.columns
    kept = [place for place, each in enumerate(columns) if trimmed(each.header).lower() != ERROR]
    writer.row([*(columns[place].header for place in kept), ERROR])
    for block in blocks:
        for line in block.splitlines():
            told = from_json(line)
            cells = told["cells"] + [""] * (len(columns) - len(told["cells"]))
            rest = cells[len(columns) :]
            errors = guarded(in_words(told["errors"], sheet))
            writer.row([*(cells[place] for place in kept), errors, *rest])
        yield writer.taken()
    yield writer.taken()


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula; for files that are not sent again."""
    return f"'{text}" if text.startswith(FORMULA) else text


def in_words(errors: Sequence[Json], sheet: Sheet | None) -> str:
    """What is wrong with a row, by the headers of its file."""
    said = []
    for error in errors:
        name = column_shown(error["pointer"], sheet)
        message = error["message"].rstrip(".")
        said.append(f"{name}: {message}" if name else message)
    return "; ".join(said)


def column_shown(pointer: str, sheet: Sheet | None) -> str:
    """The header of the column in which something is wrong, or the place within a line."""
    name = pointer.removeprefix("/").replace("~1", "/").replace("~0", "~")
    if sheet is None:
        return name
    return next((each.header for each in sheet.columns if each.name == name), name)


def results(blocks: Iterable[bytes], sheet: Sheet | None) -> Iterator[bytes]:
    """The lines of results (`ingest.results`) as a table."""
    writer = Writer()
    writer.row(RESULT_COLUMNS)
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            told = from_json(line)
            writer.row(
                [
                    told["line"],
                    guarded(told["sourceCustomerId"] or ""),
                    told["outcome"],
                    told["customerId"] or "",
                    guarded(in_words(told["errors"], sheet)),
                ]
            )
        yield writer.taken()
    yield writer.taken()


def template() -> bytes:
    """An example with all columns, to be filled in."""
    writer = Writer()
    for row in TEMPLATE:
        writer.row(row)
    return writer.taken()

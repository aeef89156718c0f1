"""The rows of a table, cell by cell: what stands between text and `Column`s."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from config.api.errors import Unreadable

DELIMITERS = (",", ";", "\t", "|")
# Of one row: a quotation mark that is never closed would swallow all that follows.
ROW_CHARACTERS = 1024 * 1024
# The first line of a file by which Excel is told the delimiter.
TOLD = "sep="


@dataclass(frozen=True)
class Malformed:
    """The cells of a row as far as they can be told apart, for its quotation marks are wrong."""

    cells: list[str]


Row = list[str] | Malformed


class Table:
    """The rows of a text that comes in pieces, of which one row is held at a time.

    The first row is the header; rows are counted from 1, blank ones too, as spreadsheets count
    them. `delimiter` is known once the header was read, `skipped` is 1 when a line before the
    header told it. `is_cut` tells whether the text ends where it should not: its last row is left
    out then. Raises `Unreadable`.
    """

    def __init__(self, pieces: Iterable[str], is_cut: Callable[[], bool] = lambda: False) -> None:
        self.delimiter = ","
        self._is_cut = is_cut
        self._lines = self._split(pieces)
        self._number = 0
        self._row = ""

    def __iter__(self) -> Iterator[Row]:
        first = next(self._lines, "")
        if told := first.lower().startswith(TOLD) and first[len(TOLD) :].strip("\n"):
            self.delimiter, first = str(told)[0], next(self._lines, "")
        else:
            self.delimiter = delimiter_of(first)
        reader = csv.reader(self._fed(first), delimiter=self.delimiter, strict=True)
        while True:
            self._row = ""
            self._number += 1
            try:
                row: Row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "end of data" in str(error) or self._is_swallowed(error):
                    if self._is_cut():
                        return
                    raise self._unclosed() from None
                row = Malformed(self._likely_cells())
            yield row

    def _is_swallowed(self, error: csv.Error) -> bool:
        """Whether one cell has taken in line after line."""
        return "limit" in str(error) and self._row.count("\n") > 1

    def _likely_cells(self) -> list[str]:
        """What the cells of a row may be whose quotation marks are wrong."""
        try:
            return next(csv.reader(self._row.splitlines(True), delimiter=self.delimiter), [])
        except csv.Error:
            return self._row.rstrip("\n").split(self.delimiter)

    def _fed(self, first: str) -> Iterator[str]:
        """The lines for the reader; noted, lest one row be without end."""
        line = first
        while line:
            self._row += line
            if len(self._row) > ROW_CHARACTERS:
                raise self._unclosed()
            yield line
            line = next(self._lines, "")

    def _unclosed(self) -> Unreadable:
        return Unreadable(
            f"Row {self._number}: a quotation mark is opened there and never closed, or the row is "
            "far too long; nothing was stored."
        )

    def _split(self, pieces: Iterable[str]) -> Iterator[str]:
        """The lines with their ends, each of which is one line feed by then."""
        plain = io.IncrementalNewlineDecoder(None, translate=True)
        rest = ""
        for piece in pieces:
            *lines, rest = (rest + plain.decode(piece)).split("\n")
            for line in lines:
                yield line + "\n"
            if len(rest) > ROW_CHARACTERS:
                raise Unreadable("A line of the file is far too long; nothing was stored.")
        rest += plain.decode("", final=True)
        if rest and not self._is_cut():
            yield rest


def delimiter_of(header: str) -> str:
    """What stands between the cells of a header: most often, and outside of quotation marks."""
    found = Counter(char for part in header.split('"')[::2] for char in part if char in DELIMITERS)
    return max(DELIMITERS, key=lambda each: found[each])

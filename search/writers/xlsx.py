"""Workbooks, written row by row into the archive that they are.

Of the libraries that write them none came near 5,000 rows of 66 columns a second, and those that
need little memory write every sheet to disk first.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import BinaryIO, TextIO
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from search.writers import TEXT_TOO_LONG, Column

# Rows of a sheet, below its header.
SHEET_ROWS = 1_048_575
# Larger parts of an archive take an extension that not every spreadsheet reads.
SHEET_BYTES = 2_000_000_000
# Characters of a cell, counted as UTF-16 does.
CELL_LENGTH = 32_767
# Days are counted from here since 1900-03-01; before, spreadsheets believe in 1900-02-29.
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 -- cells have no time zone, and hold UTC
FIRST_DAY = "1900-03-01"
DATE_STYLE, TIME_STYLE, HEAD_STYLE = 1, 2, 3
# What XML cannot hold, and what looks like the form in which a workbook writes that.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
SPECIAL = re.compile("[\x00-\x08\x0b-\x1f&<>\ufffe\uffff]|_x")

Cell = Callable[[str, str], str]  # gives the XML of a cell at a reference


class TextTooLong(Exception):
    """A text is longer than a cell."""


def text_cell(reference: str, value: str) -> str:
    """A text, as it is."""
    if len(value) > CELL_LENGTH // 2 and len(value.encode("utf-16-le")) // 2 > CELL_LENGTH:
        raise TextTooLong
    if SPECIAL.search(value):
        value = escape(UNSAFE.sub(lambda found: f"_x{ord(found[0]):04X}_", value))
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


def date_cell(reference: str, value: str) -> str:
    """A date; a text before the days that spreadsheets count right."""
    if value < FIRST_DAY or len(value) > len(FIRST_DAY):
        return text_cell(reference, value)
    days = date.fromisoformat(value).toordinal() - EPOCH.toordinal()
    return f'<c r="{reference}" s="{DATE_STYLE}"><v>{days}</v></c>'


def time_cell(reference: str, value: str) -> str:
    """A moment in UTC, `yyyy-mm-ddThh:mm:ss.fffZ`."""
    if value < FIRST_DAY:
        return text_cell(reference, value)
    days = (datetime.fromisoformat(value.removesuffix("Z")) - EPOCH).total_seconds() / 86_400
    return f'<c r="{reference}" s="{TIME_STYLE}"><v>{days!r}</v></c>'


def boolean_cell(reference: str, value: str) -> str:
    """True or false."""
    return f'<c r="{reference}" t="b"><v>{int(value == "true")}</v></c>'


CELLS: dict[str, Cell] = {"date": date_cell, "timestamp": time_cell, "boolean": boolean_cell}
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="2">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss.000"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


def write(source: BinaryIO, target: BinaryIO, columns: Sequence[Column]) -> int:
    """Write the workbook; 0, or `TEXT_TOO_LONG`."""
    try:
        with ZipFile(target, "w", ZIP_DEFLATED) as archive:
            Workbook(archive, columns).write(io.TextIOWrapper(source, "utf-8", newline=""))
    except TextTooLong:
        return TEXT_TOO_LONG
    target.flush()
    return 0


class Workbook:
    """The parts of a workbook, written one after the other."""

    def __init__(self, archive: ZipFile, columns: Sequence[Column]) -> None:
        self._archive = archive
        self._columns = columns
        self._letters = [letters(number) for number in range(len(columns))]
        self._cells = [CELLS.get(column.type, text_cell) for column in columns]

    def write(self, source: TextIO) -> None:
        """Write all of it."""
        rows = self.rows(csv.reader(source, strict=True))
        filtered: list[str] = []
        row = next(rows, None)
        while row is not None or not filtered:
            count, row = self.sheet(len(filtered) + 1, row, rows)
            filtered.append(f"$A$1:${self._letters[-1]}${count + 1}")
        self.frame(filtered)

    def rows(self, source: Iterator[list[str]]) -> Iterator[list[tuple[str, Cell, str]]]:
        """The cells of each row that have a value: column, kind, value."""
        for row in source:
            yield [each for each in zip(self._letters, self._cells, row, strict=True) if each[2]]

    def sheet(
        self,
        number: int,
        row: list[tuple[str, Cell, str]] | None,
        rows: Iterator[list[tuple[str, Cell, str]]],
    ) -> tuple[int, list[tuple[str, Cell, str]] | None]:
        """Write a sheet that begins with `row`; how many it has, and the first of the next one."""
        count = size = 0
        with self._archive.open(self.part(f"xl/worksheets/sheet{number}.xml"), "w") as part:
            part.write(self.head().encode())
            while row is not None and count < SHEET_ROWS and size < SHEET_BYTES:
                count += 1
                at = str(count + 1)
                cells = "".join([cell(letter + at, value) for letter, cell, value in row])
                size += part.write(f'<row r="{at}">{cells}</row>'.encode())
                row = next(rows, None)
            last = f"{self._letters[-1]}{count + 1}"
            part.write(f'</sheetData><autoFilter ref="A1:{last}"/></worksheet>'.encode())
        return count, row

    def head(self) -> str:
        """A sheet down to its header."""
        cells = "".join(
            f'<c r="{letter}1" s="{HEAD_STYLE}" t="inlineStr"><is><t>{column.name}</t></is></c>'
            for letter, column in zip(self._letters, self._columns, strict=True)
        )
        return (
            f'{DECLARATION}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
            '</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>'
            f'<cols><col min="1" max="{len(self._columns)}" width="22" customWidth="1"/></cols>'
            f'<sheetData><row r="1">{cells}</row>'
        )

    def frame(self, filtered: Sequence[str]) -> None:
        """Write what holds the sheets together; `filtered` is the range of each one's filter."""
        sheets = relations = types = names = ""
        for number, area in enumerate(filtered, 1):
            title = "Customers" if number == 1 else f"Customers {number}"
            sheets += f'<sheet name="{title}" sheetId="{number}" r:id="rId{number}"/>'
            names += (
                f'<definedName name="_xlnm._FilterDatabase" localSheetId="{number - 1}" '
                f"hidden=\"1\">'{title}'!{area}</definedName>"
            )
            relations += relation(f"rId{number}", "worksheet", f"worksheets/sheet{number}.xml")
            types += override(f"/xl/worksheets/sheet{number}.xml", "worksheet")
        relations += relation("rIdStyles", "styles", "styles.xml")
        types += override("/xl/workbook.xml", "sheet.main") + override("/xl/styles.xml", "styles")
        self.add("xl/styles.xml", STYLES)
        self.add(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{sheets}</sheets>'
            f"<definedNames>{names}</definedNames></workbook>",
        )
        self.add("xl/_rels/workbook.xml.rels", relationships(relations))
        self.add(
            "_rels/.rels", relationships(relation("rId1", "officeDocument", "xl/workbook.xml"))
        )
        self.add(
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>',
        )

    def add(self, name: str, xml: str) -> None:
        """Write a small part."""
        self._archive.writestr(self.part(name), DECLARATION + xml)

    @staticmethod
    def part(name: str) -> ZipInfo:
        """A part without a time in it: the same rows make the same bytes."""
        info = ZipInfo(name)
        info.compress_type = ZIP_DEFLATED
        return info


def letters(number: int) -> str:
    """The name of a column, counted from 0."""
    text = ""
    while number >= 0:
        number, rest = divmod(number, 26)
        text = chr(ord("A") + rest) + text
        number -= 1
    return text


def relation(key: str, kind: str, target: str) -> str:
    """A part that is referred to."""
    return f'<Relationship Id="{key}" Type="{RELATIONS}/{kind}" Target={quoteattr(target)}/>'


def relationships(entries: str) -> str:
    """A part that refers to others."""
    return f'<Relationships xmlns="{PACKAGE}/relationships">{entries}</Relationships>'


def override(name: str, kind: str) -> str:
    """The type of a part."""
    return f'<Override PartName="{name}" ContentType="{TYPE}.{kind}+xml"/>'

"""A file of external ids, as operators save it from a spreadsheet or write it by hand."""

import codecs
import csv
from collections.abc import Sequence

from django.core.exceptions import ValidationError

from search.bi.serializers import MAX_EXTERNAL_IDS

COLUMN = "externalId"
# Also what other programs make of the name.
NAMES = frozenset({"externalid", "requestedid", "sourcecustomerid"})
DELIMITERS = ",;\t"
NO_TEXT = "This is not a text file. Save the table as CSV and choose that file."


def read_ids(content: bytes) -> list[str]:
    """The ids in a file, each once, in their order.

    One id a line, or a table with a column of ids that its first row names. Raises
    `ValidationError`, in words for the operator.
    """
    lines = characters(content).splitlines()
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error:
        raise ValidationError("This file cannot be read as a table.") from None
    ids = list(dict.fromkeys(filter(None, cells([row for row in rows if any(row)]))))
    if not ids:
        raise ValidationError("There are no ids in this file.")
    if len(ids) > MAX_EXTERNAL_IDS:
        raise ValidationError(
            f"There are {len(ids):,} ids in this file, and a search takes {MAX_EXTERNAL_IDS:,} at"
            " most. Split it into several files."
        )
    return ids


def characters(content: bytes) -> str:
    """The text of a file, whatever program saved it. Raises `ValidationError`."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    if b"\0" in content:
        raise ValidationError(NO_TEXT)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("windows-1252", "replace")


def cells(rows: Sequence[Sequence[str]]) -> list[str]:
    """The column of the ids. Raises `ValidationError` where nobody can tell which one it is."""
    head = [cell.lower().replace("_", "").replace(" ", "") for cell in rows[0]] if rows else []
    if column := next((name for name in head if name in NAMES), ""):
        index = head.index(column)
        return [row[index] for row in rows[1:] if len(row) > index]
    if any(len(row) > 1 and any(row[1:]) for row in rows):
        raise ValidationError(
            f"This table has several columns: call the one with the ids “{COLUMN}” in its first"
            " row, or leave the others out."
        )
    return [row[0] for row in rows]

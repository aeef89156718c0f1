"""Rows for COPY: a table's columns, and how values are spelled in its text format."""

import json
from collections.abc import Iterator
from itertools import islice

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

NULL = "\\N"
SENT_AT_ONCE = 100
# What would end a field or a row, or begin an escape. All but the backslash are not printable.
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Table:
    """A table's COPY: the columns that are given, and the model's defaults for all others."""

    def __init__(self, model: type[models.Model], given: str) -> None:
        columns = given.split()
        others = [each for each in written(model) if each.column and each.column not in columns]
        names = ", ".join([*columns, *(str(each.column) for each in others)])
        self.sql = f"COPY {model._meta.db_table} ({names}) FROM STDIN"
        self.end = "".join(f"\t{default_text(each)}" for each in others) + "\n"


def written(model: type[models.Model]) -> "list[models.Field[object, object]]":
    """The columns of a model that are written: all but those that PostgreSQL makes of others."""
    return [each for each in model._meta.local_concrete_fields if not each.generated]


def default_text(column: "models.Field[object, object]") -> str:
    """A column's default as COPY spells it."""
    default = column.get_default()
    if default is None:
        return NULL
    if isinstance(default, dict):
        return json.dumps(default)
    return str(default)


def escaped(text: str) -> str:
    """A text that somebody sent, as a field."""
    return text if text.isprintable() and "\\" not in text else text.translate(ESCAPES)


def copy(cursor: CursorWrapper, table: Table, rows: Iterator[str]) -> None:
    """Copy rows into a table, if there are any; PostgreSQL takes some while the next are made."""
    some = "".join(islice(rows, SENT_AT_ONCE))
    if some:
        with connection.wrap_database_errors, cursor.copy(table.sql) as target:
            while some:
                target.write(some)
                some = "".join(islice(rows, SENT_AT_ONCE))

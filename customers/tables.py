"""Rows for COPY: a table's columns, and how values are spelled in its text format."""

import json
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from django.conf import settings
from django.db import connection, models
from django.db.backends.utils import CursorWrapper

from config import tracing
from config.db.statements import Question, prepared

NULL = "\\N"
INSERT = """
    INSERT INTO {table} ({names}) SELECT {values}
    FROM string_to_table(%s, E'\\n') AS line, string_to_array(line, E'\\t', '\\N') AS fields"""
INSERTED_AT_ONCE = 5000
SENT_AT_ONCE = 100
# What would end a field or a row, or begin an escape. All but the backslash are not printable.
# In octal, which COPY and `decode` both read.
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\011", "\n": "\\012", "\r": "\\015"})


class Table:
    """A table's COPY: the columns that are given, and the model's defaults for all others."""

    def __init__(self, model: type[models.Model], given: str) -> None:
        columns = given.split()
        others = [each for each in written(model) if each.column and each.column not in columns]
        self._model = model
        self._columns = [*columns, *(str(each.column) for each in others)]
        self._names = ", ".join(self._columns)
        self.sql = f"COPY {model._meta.db_table} ({self._names}) FROM STDIN"
        self.end = "".join(f"\t{default_text(each)}" for each in others) + "\n"

    @cached_property
    def plain(self) -> str:
        """An INSERT of the same rows, given as one text without escapes."""
        return self._insert("fields[{number}]")

    @cached_property
    def unescaped(self) -> str:
        """Likewise, where there are escapes in it."""
        return self._insert("convert_from(decode(fields[{number}], 'escape'), 'UTF8')")

    def _insert(self, value: str) -> str:
        # A text that is too long is refused, as by COPY; a cast would cut it.
        casts = {each.column: cast_of(each) for each in written(self._model)}
        values = ", ".join(
            value.format(number=number) + casts[column]
            for number, column in enumerate(self._columns, 1)
        )
        return INSERT.format(table=self._model._meta.db_table, names=self._names, values=values)


def written(model: type[models.Model]) -> "list[models.Field[object, object]]":
    """The columns of a model that are written."""
    return [*model._meta.local_concrete_fields]


def cast_of(column: "models.Field[object, object]") -> str:
    """What makes a text a value of a column, as SQL."""
    kind = str(column.db_type(connection))
    is_text = kind.startswith(("varchar", "text")) and not kind.endswith("[]")
    return "" if is_text else f"::{kind}"


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
    """Copy rows into a table, if there are any; PostgreSQL takes some while the next are made.

    It refuses a COPY into a table that has a policy, and then they are inserted.
    """
    if settings.ROW_SECURITY:
        insert(table, rows)
        return
    some = "".join(islice(rows, SENT_AT_ONCE))
    if some:
        with (
            tracing.statement(table.sql),
            connection.wrap_database_errors,
            cursor.copy(table.sql) as target,
        ):
            while some:
                target.write(some)
                some = "".join(islice(rows, SENT_AT_ONCE))


def insert(table: Table, rows: Iterator[str]) -> None:
    """Insert rows that are spelled for COPY, a few thousand with each statement."""
    while some := "".join(islice(rows, INSERTED_AT_ONCE)):
        prepared(*insertion(table, some))


def insertion(table: Table, lines: str) -> Question:
    """The statement that inserts such rows."""
    is_plain = "\\" not in lines.replace(NULL, "")
    return Question(table.plain if is_plain else table.unescaped, [lines[:-1]])

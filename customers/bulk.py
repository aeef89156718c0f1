"""Makes, reads and writes many rows of a table, as the ORM would in several times the time.

New ones are written by COPY, or a few by an INSERT of the same text, which goes along with others.
Changed ones are written by one UPDATE from JSON, or one alone by its values: the ORM writes a
changed column of many rows as one long CASE, which takes longer to make, to parse and to run than
all the rest.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache, lru_cache
from itertools import compress
from operator import is_not, itemgetter
from typing import Any, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.base import ModelState
from psycopg.sql import SQL, Identifier

from config.api.json import to_json
from config.db.statements import Question, Row, together
from customers.normalize import uuid7
from customers.tables import NULL, Table, cast_of, copy, escaped, insertion, written

AnyRow = TypeVar("AnyRow", bound=models.Model)
# So many new rows are inserted by a statement that goes with others: a COPY has three messages of
# its own, and begins to be quicker at some dozen rows.
FEW = 10
UPDATE = SQL("""
    UPDATE {table} AS stored SET {values}
    FROM jsonb_to_recordset(%s) AS wanted ({typed}) WHERE {same}""")
UPDATE_ONE = SQL("UPDATE {table} SET {values} WHERE {same}")
# What Django notes of a row that is in the database.
STORED: dict[str, object] = {"db": DEFAULT_DB_ALIAS, "adding": False}


# --- Making and reading ---------------------------------------------------------------------------


@cache
def prototype(model: type[AnyRow]) -> AnyRow:
    """A row of defaults; not to be used itself."""
    return model()


def blank(model: type[AnyRow]) -> AnyRow:
    """A new row of defaults, under an id of its own."""
    values = vars(prototype(model)).copy()
    values["id"] = uuid7()
    return made(model, values, ModelState())


def copied(row: AnyRow) -> AnyRow:
    """A row of its own with the same values; `copy.copy` takes ten times as long."""
    state = ModelState()
    vars(state).update(vars(row._state) | {"fields_cache": {}})
    return made(type(row), vars(row).copy(), state)


def refer(row: models.Model, name: str, other: models.Model) -> None:
    """What setting the foreign key `name` of a row comes to, which takes several times as long."""
    vars(row)[f"{name}_id"] = vars(other)["id"]
    row._state.fields_cache[name] = other


def read(rows: "models.QuerySet[AnyRow]") -> Iterator[AnyRow]:
    """The rows of a query, in its order; without what the query adds to them."""
    return stored(rows.model, rows.values_list(*attributes(rows.model)))


def stored(model: type[AnyRow], rows: Iterable[Sequence[object]]) -> Iterator[AnyRow]:
    """Rows that are in the database, of the values of their `attributes`."""
    names = attributes(model)
    for values in rows:
        state = ModelState()
        state.__dict__ = STORED.copy()
        yield made(model, dict(zip(names, values, strict=True)), state)


def made(model: type[AnyRow], values: dict[str, object], state: ModelState) -> AnyRow:
    """A row with these attributes, which are its own from now on."""
    row = model.__new__(model)
    values["_state"] = state
    row.__dict__ = values
    return row


# --- Writing --------------------------------------------------------------------------------------


class Writes:
    """Writes that go to the database in few messages, in the order in which they were asked for.

    To be finished before anybody looks, or their transaction ends; errors are raised on the way.
    `first` goes before them.
    """

    def __init__(self, first: Iterable[Question] = ()) -> None:
        self._waiting = [*first]

    def insert(self, model: type[models.Model], rows: Sequence[models.Model]) -> None:
        """Insert new rows of a model, if there are any; signals are not sent."""
        if not rows:
            return
        lines = spelled(model, rows)
        if len(rows) <= FEW:
            self._waiting.append(insertion(table(model), "".join(lines)))
            return
        self.finish()
        with connection.cursor() as cursor:
            copy(cursor, table(model), lines)

    def update(
        self, model: type[models.Model], rows: Sequence[models.Model], names: Iterable[str]
    ) -> None:
        """Write these columns, by attribute name, of rows that are there."""
        self._waiting.append(updating_rows(model, rows, names))

    def finish(self) -> None:
        """Send what waits."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            together(waiting)

    def finish_last(self, question: Question) -> list[Row]:
        """Send what waits, as the last of its transaction, and ask for what is there then."""
        waiting, self._waiting = self._waiting, []
        return together([*waiting, question], are_last=True)[-1]


def spelled(model: type[models.Model], rows: Iterable[models.Model]) -> Iterator[str]:
    """The lines of rows, as COPY reads them."""
    values = columns(model)
    defaults = values(vars(prototype(model)))
    texts = [SPELLINGS[value.__class__](value) for value in defaults]
    places = range(len(defaults))
    for row in rows:
        own = values(vars(row))
        cells = texts.copy()
        # Most columns of a `blank` row are the very objects of the prototype.
        for place in compress(places, map(is_not, own, defaults)):
            value = own[place]
            cells[place] = SPELLINGS[value.__class__](value)
        yield "\t".join(cells) + "\n"


def updating_rows(
    model: type[models.Model], rows: Sequence[models.Model], names: Iterable[str]
) -> Question:
    """The statement that writes these columns of rows that are there."""
    wanted = tuple(sorted(names))
    if len(rows) == 1:
        values = vars(rows[0])
        sent = [as_text(values[name]) for name in (*wanted, *key(model))]
        return Question(updating_one(model, wanted), sent)
    names = (*key(model), *wanted)
    picked = itemgetter(*names)
    documents = [dict(zip(names, map(plain, picked(vars(row))), strict=True)) for row in rows]
    # How many rows there are, no plan can know: one plan is as good as another.
    return Question(updating(model, wanted), [to_json(documents).decode()])


@cache
def attributes(model: type[models.Model]) -> tuple[str, ...]:
    """The attributes in which a row has its columns."""
    return tuple(field.attname for field in written(model))


@cache
def columns(model: type[models.Model]) -> Callable[[Mapping[str, object]], tuple[object, ...]]:
    """Picks the values of `attributes` out of a row's variables."""
    return itemgetter(*attributes(model))


@cache
def table(model: type[models.Model]) -> Table:
    """The COPY of all columns of a model."""
    return Table(model, " ".join(str(field.column) for field in written(model)))


def key(model: type[models.Model]) -> tuple[str, ...]:
    """The columns of the primary key."""
    return tuple(field.attname for field in model._meta.pk_fields)


@cache
def updating(model: type[models.Model], names: tuple[str, ...]) -> str:
    """SQL that updates rows by their keys from a JSON array of objects."""
    kinds = {
        field.attname: f'"{field.attname}" {field.db_type(connection)}' for field in written(model)
    }
    stored_as = {field.attname: field.column for field in written(model)}
    keys = key(model)
    values = ", ".join(f'{stored_as[name]} = wanted."{name}"' for name in names)
    same = " AND ".join(f'stored.{stored_as[name]} = wanted."{name}"' for name in keys)
    typed = ", ".join(kinds[name] for name in (*keys, *names))
    return UPDATE.format(
        table=Identifier(model._meta.db_table),
        values=SQL(values),
        typed=SQL(typed),
        same=SQL(same),
    ).as_string()


@cache
def updating_one(model: type[models.Model], names: tuple[str, ...]) -> str:
    """SQL that updates the row of a key, whose values stand behind those of `names`."""
    assigned = {each.attname: f"{each.column} = %s{cast_of(each)}" for each in written(model)}
    return UPDATE_ONE.format(
        table=Identifier(model._meta.db_table),
        values=SQL(", ".join(assigned[name] for name in names)),
        same=SQL(" AND ".join(assigned[name] for name in key(model))),
    ).as_string()


@lru_cache(maxsize=64)
def moment(value: datetime) -> str:
    """A moment in full; all rows that are written together have the same."""
    return value.isoformat()


Spell = Callable[[Any], str]  # of values of the class that it is kept for


def quoted(text: str) -> str:
    """An element of an array of texts."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def text_array(texts: Iterable[str]) -> str:
    """An array of texts as PostgreSQL reads it."""
    return "{" + ",".join(map(quoted, texts)) + "}"


class Spellings(dict[type, Spell]):
    """How COPY reads the values of a class. The words of an enumeration are strings, too."""

    def __missing__(self, kind: type) -> Spell:
        """Likewise for a class that was not seen yet. Raises `TypeError`."""
        if not issubclass(kind, str):
            raise TypeError(kind)
        self[kind] = lambda value: escaped(str(value))
        return self[kind]


SPELLINGS = Spellings(
    {
        str: escaped,
        type(None): lambda _: NULL,
        bool: lambda value: "t" if value else "f",
        int: str,
        UUID: lambda value: value.hex,
        datetime: moment,
        date: date.isoformat,
        dict: lambda value: escaped(to_json(value).decode()),
        list: lambda value: escaped(text_array(value)),
        bytes: lambda value: f"\\\\x{value.hex()}",
        memoryview: lambda value: f"\\\\x{value.hex()}",
    }
)


def plain(value: object) -> object:
    """A value as `to_json` takes it; date-times in full, not only to the millisecond."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, date):
        return value.isoformat()
    return f"\\x{value.hex()}" if isinstance(value, bytes | memoryview) else value


def as_text(value: object) -> str | None:
    """A value as PostgreSQL reads it from a text, whatever its column."""
    if isinstance(value, dict):
        return to_json(value).decode()
    if isinstance(value, list):
        return text_array(value)
    return None if value is None else str(plain(value))

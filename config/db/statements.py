"""How a hot query runs: prepared once on each connection, planned once, sent as values alone."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, cached_property, lru_cache
from inspect import signature
from itertools import count
from typing import Any, NamedTuple, Self, TypeAlias, cast
from uuid import UUID

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Expression, Field, Lookup, Model, QuerySet, TextField, UUIDField
from django.db.models.expressions import DatabaseDefault
from django.db.models.fields import NOT_PROVIDED
from django.db.models.sql.compiler import SQLCompiler
from psycopg.abc import Params

SNAPSHOT = """
    SELECT statement_timestamp(), set_config('statement_timeout', %s, true),
           set_config('transaction_read_only', 'on', true)"""

Row = tuple[Any, ...]  # of values whose types only the statement tells


class PreparedCursor(psycopg.RawCursor[Row]):
    """A cursor to which placeholders are `%s`, as Django writes them, and to the driver numbers.

    The driver looks for `%s` in a text of more than 4 kB anew each time, which takes it longer than
    all else that it does.
    """

    def execute(  # type: ignore[override] # all statements here are texts with values
        self, query: str, params: Params | None = None
    ) -> Self:
        """Run a statement that has values."""
        return super().execute(numbered(query), params)


@lru_cache(maxsize=500)
def numbered(sql: str) -> str:
    """`sql` with `$1`, `$2` and so on for each `%s`, and one `%` for each `%%`."""
    numbers = count(1)
    return re.sub("%[s%]", lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", sql)


@contextmanager
def prepared(
    sql: str,
    params: Sequence[Any],  # of every type that psycopg has an adapter for
    *,
    using: str = DEFAULT_DB_ALIAS,
) -> Iterator[CursorWrapper]:
    """Run a statement as a server-side prepared one; yields its cursor.

    Planning the customer object takes ten times as long as making it, so a query that finds its
    rows by primary key is planned once. Anything whose best plan depends on the values (searches,
    lists) must not come here. With `KITH_PREPARED_STATEMENTS=0`, for poolers that cannot keep
    them, the statement is only bound on the server.
    """
    connection = connections[using]
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    # Django's stubs ask for a wrapper of its own, which this call makes.
    raw = cast("CursorWrapper", PreparedCursor(connection.connection))
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(raw) as cursor:
        cursor.execute(sql, params)
        yield cursor


def prepared_rows(
    sql: str,
    params: Sequence[Any],  # as above
    *,
    using: str = DEFAULT_DB_ALIAS,
) -> list[Row]:
    """The rows of a statement that is prepared likewise."""
    with prepared(sql, params, using=using) as cursor:
        rows: list[Row] = cursor.fetchall()
    return rows


@contextmanager
def snapshot(*, seconds: float) -> Iterator[datetime]:
    """A transaction that only reads; yields the database's clock.

    All its statements see the same moment, unless it is within another transaction. Nobody is kept
    waiting, and a statement that takes longer than `seconds`, or waits for a table as long, is an
    `OperationalError`.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if is_outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute(SNAPSHOT, [f"{seconds * 1000:.0f}"])
            at, *_ = cursor.fetchone()
        yield at
        # With it go the settings, which an outer transaction does without.
        transaction.set_rollback(True)


def array(values: Iterable[object]) -> str:
    """An array of uuids or numbers as PostgreSQL reads it."""
    return "{" + ",".join(map(str, values)) + "}"


class Place(int):
    """Among a statement's parameters: where the value at this position belongs."""


class Slot(Expression):
    """Where a `Statement` takes one of its values: an id, or with the look-up `any` many of them.

    With one id PostgreSQL is to be asked for one: it would plan for ten, and so each time anew.
    """

    def __init__(self, position: int, kind: "Field[Any, Any] | None" = None) -> None:
        super().__init__(output_field=kind or UUIDField())
        self.place = Place(position)

    @property
    def text(self) -> "Slot":
        """The same place, for a text."""
        return Slot(self.place, TextField())

    def as_sql(
        self, _compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        """A placeholder of its type."""
        return f"%s::{self.output_field.db_type(connection)}", (self.place,)


Convert = Callable[[Any, object, BaseDatabaseWrapper], Any]  # of a column's own type


class Written(NamedTuple):
    """A statement's SQL, its parameters, and how columns become values, by position."""

    sql: str
    params: tuple[object, ...]
    converters: tuple[tuple[int, Sequence[Convert], object], ...]


class Statement:
    """A query that Django writes once and PostgreSQL plans once, asked with other ids each time.

    `build` gets a `Slot` for each of its parameters, to be used as ``column=slot`` or as
    ``column__any=slot``, and gives the queryset. Writing the customer object's SQL anew takes
    Django longer than all the rest of the call. What holds for `prepared_rows` holds here, too.
    """

    def __init__(self, build: "Callable[..., QuerySet[Model, Any]]") -> None:
        self._build = build

    @cached_property
    def _written(self) -> Written:
        slots = map(Slot, range(len(signature(self._build).parameters)))
        queryset = self._build(*slots)
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        return Written(
            sql, tuple(params), tuple((n, each, column) for n, (each, column) in converters.items())
        )

    def rows(
        self, *given: UUID | str | Collection[UUID], using: str = DEFAULT_DB_ALIAS
    ) -> list[Row]:
        """The rows, as `values_list` gives them; for each slot its value."""
        sql, params, converters = self._written
        own = [each if isinstance(each, UUID | str) else array(each) for each in given]
        values = [own[each] if isinstance(each, Place) else each for each in params]
        found = prepared_rows(sql, values, using=using)
        return list(self._converted(found, converters, using)) if converters else found

    @staticmethod
    def _converted(
        rows: Iterable[Row], converters: Sequence[tuple[int, Sequence[Convert], object]], using: str
    ) -> Iterator[Row]:
        connection = connections[using]
        for row in rows:
            values = list(row)
            for position, steps, column in converters:
                for convert in steps:
                    values[position] = convert(values[position], column, connection)
            yield tuple(values)


@UUIDField.register_lookup
class AnyOf(Lookup):
    """`id__any=ids`: as `id__in`, but the ids are one parameter, however many they are.

    A thousand placeholders take the ORM and the driver longer than the server takes for the rows.
    """

    lookup_name = "any"
    prepare_rhs = False

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        """A comparison with an array; with an empty one nothing is asked."""
        if not self.rhs:
            raise EmptyResultSet
        column, parameters = self.process_lhs(compiler, connection)
        # A slot is no parameter yet: `Statement.rows` puts one in its place.
        ids = self.rhs.place if isinstance(self.rhs, Slot) else array(self.rhs)
        return f"{column} = ANY(%s::uuid[])", (*parameters, ids)


AnyField: TypeAlias = "Field[Any, Any]"  # of any column of any model


class Columns(NamedTuple):
    """The columns of a new row: what is given, of which types, and what the database makes."""

    given: "tuple[AnyField, ...]"
    made: "tuple[AnyField, ...]"

    @property
    def values(self) -> str:
        """Placeholders with their types, which cannot be told from an array or a document."""
        connection = connections[DEFAULT_DB_ALIAS]
        return ", ".join(f"%s::{field.db_type(connection)}" for field in self.given)

    @property
    def returned(self) -> str:
        """What comes back of the row; one column at least."""
        return ", ".join(["true AS is_new", *(str(field.column) for field in self.made)])

    def insert(self, model: type[Model]) -> str:
        """The beginning of an INSERT of these columns."""
        names = ", ".join(str(field.column) for field in self.given)
        return f"INSERT INTO {model._meta.db_table} ({names}) SELECT {self.values}"


def columns_of(row: Model) -> Columns:
    """The columns of a new row of a model without parents.

    The database makes its default only where the row was given no value.
    """
    fields = row._meta.local_concrete_fields
    made = {
        field
        for field in defaulted(type(row))
        if isinstance(getattr(row, field.attname), DatabaseDefault)
    }
    return Columns(
        tuple(field for field in fields if field not in made),
        tuple(field for field in fields if field in made),
    )


@cache
def defaulted(model: type[Model]) -> "tuple[AnyField, ...]":
    """The columns that the database can make by itself."""
    fields = model._meta.local_concrete_fields
    return tuple(field for field in fields if field.db_default is not NOT_PROVIDED)


@cache
def insertion(*rows: tuple[type[Model], Columns], locked: bool) -> str:
    """SQL that inserts a row of each model, or nothing at all when the first is there already."""
    (first, columns), *others = rows
    lock = "lock AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))), "
    row = columns.insert(first) + (" FROM lock" if locked else "")
    along = "".join(
        f", other{number} AS ({own.insert(other)} FROM row)"
        for number, (other, own) in enumerate(others)
    )
    return f"""
        WITH {lock if locked else ""}row AS (
            {row} ON CONFLICT DO NOTHING RETURNING {columns.returned}){along}
        SELECT * FROM row"""  # noqa: S608 -- names of tables and columns


def insert_rows(first: Model, *others: Model, lock: str = "") -> bool:
    """Insert new rows by one statement; False when the first one is there already.

    The first one has then what the database made of its defaults, unless it was given a value;
    signals are not sent. An advisory lock of the name `lock` is taken before any default is made,
    and held until the transaction ends: by itself the statement is one, and nobody waits while this
    process thinks. The ORM takes several times as long to write such a statement as the database to
    do it.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    rows = (first, *others)
    columns = [columns_of(row) for row in rows]
    sql = insertion(*zip(map(type, rows), columns, strict=True), locked=bool(lock))
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for row, own in zip(rows, columns, strict=True)
        for field in own.given
    ]
    found = prepared_rows(sql, [lock, *values] if lock else values)
    if not found:
        return False
    for field, value in zip(columns[0].made, found[0][1:], strict=True):
        setattr(first, field.attname, value)
    for row in rows:
        # As `Model.save` leaves it.
        row._state.adding = False
        row._state.db = DEFAULT_DB_ALIAS
    return True

"""How a hot query runs: prepared once on each connection, planned once, sent as values alone."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, cached_property
from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import (
    BigIntegerField,
    CharField,
    Expression,
    Field,
    ForeignKey,
    Lookup,
    Model,
    QuerySet,
    TextField,
    UUIDField,
)
from django.db.models.expressions import DatabaseDefault
from django.db.models.fields import NOT_PROVIDED
from django.db.models.sql.compiler import SQLCompiler
from psycopg.sql import Literal

if TYPE_CHECKING:
    from config.db.postgresql.base import DatabaseWrapper
    from config.db.postgresql.sessions import PreparedCursor

SNAPSHOT = """
    SELECT statement_timestamp(), set_config('statement_timeout', %s, true),
           set_config('transaction_read_only', 'on', true)"""

# An array of which the planner does not see how many ids are in it. As a plain parameter, a few are
# fewer than the ten of the plan for any, which is then never taken: each time is planned anew.
# By its source Citus passes a subquery without a table on, as long as it calls nothing mutable.
SOME_IDS = "(SELECT %s)::uuid[]"

Row = tuple[Any, ...]  # of values whose types only the statement tells


def prepared(
    sql: str,
    params: Sequence[Any],  # of every type that psycopg has an adapter for
    *,
    using: str = DEFAULT_DB_ALIAS,
) -> "PreparedCursor":
    """Run a statement as a server-side prepared one; its rows are in the cursor until the next one.

    Planning the customer object takes ten times as long as making it, so a query that finds its
    rows by primary key is planned once. Anything whose best plan depends on the values (searches,
    lists) must not come here. With `KITH_PREPARED_STATEMENTS=0`, for poolers that cannot keep
    them, the statement is only bound on the server.

    A connection keeps one cursor for all of these: a new one, and Django's around it, would take
    longer than half of what a short statement takes.
    """
    connection, cursor = kept_cursor(using)
    if is_watched(connection):
        wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
        # Django's stubs ask for a wrapper of its own, which this call makes.
        wrap(cast("CursorWrapper", cursor)).execute(sql, params)
        return cursor
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        return cursor.execute(sql, params)


def prepared_rows(
    sql: str,
    params: Sequence[Any],  # as above
    *,
    using: str = DEFAULT_DB_ALIAS,
) -> list[Row]:
    """The rows of a statement that is prepared likewise."""
    return prepared(sql, params, using=using).fetchall()


def planned_rows(
    sql: str,
    params: Sequence[Any],  # as above
    *,
    using: str = DEFAULT_DB_ALIAS,
) -> list[Row]:
    """The rows of a statement that is planned for these values each time."""
    with connections[using].cursor() as cursor:
        cursor.execute(sql, params)
        found: list[Row] = cursor.fetchall()
    return found


def kept_cursor(using: str) -> "tuple[BaseDatabaseWrapper, PreparedCursor]":
    """The connection, opened if need be, and the cursor that it keeps."""
    connection = connections[using]
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection, cast("DatabaseWrapper", connection).prepared_cursor()


def is_watched(connection: BaseDatabaseWrapper) -> bool:
    """Whether somebody wants to see each statement."""
    return bool(connection.queries_logged or connection.execute_wrappers)


def is_outermost(connection: BaseDatabaseWrapper) -> bool:
    """Whether the transaction at hand is committed where its innermost block ends.

    Django's own COMMIT of it does nothing when the session has none open any more.
    """
    blocks = len(connection.atomic_blocks)
    return blocks == 1 and connection.commit_on_exit and not connection.needs_rollback


class Question(NamedTuple):
    """A statement with its values, to be asked together with others."""

    sql: str
    values: list[Any]  # as above


def together(
    questions: Sequence[Question], *, using: str = DEFAULT_DB_ALIAS, are_last: bool = False
) -> list[list[Row]]:
    """The rows of each of some statements, sent in one message; each is prepared likewise.

    They run one after the other, and none behind one that fails, whose error is raised. One that
    gives no rows has none. With `are_last` nothing else follows in their transaction, and nothing
    fails from here to its end: where it is the outermost one, the message ends with its COMMIT.
    """
    connection, cursor = kept_cursor(using)
    if is_watched(connection):
        found = (prepared(each.sql, each.values, using=using) for each in questions)
        return [each.fetchall() if each.description else [] for each in found]
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors:
        return cursor.fetch_together(questions, commits=are_last and is_outermost(connection))


WITHOUT_SCANS = Question("SELECT set_config('enable_seqscan', 'off', true)", [])
WITH_SCANS = Question("SELECT set_config('enable_seqscan', 'on', true)", [])


def by_index(question: Question) -> list[Row]:
    """The rows of a prepared statement that is to go along indexes, whatever it costs.

    A plan that was made while a table was empty looks through all of it, and is kept until the
    server next analyses the table: within that minute tens of thousands of rows may come in.
    """
    questions = [WITHOUT_SCANS, question]
    if connections[DEFAULT_DB_ALIAS].in_atomic_block:
        questions.append(WITH_SCANS)
    return together(questions)[1]


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
    """Where a `Statement` takes one of its values: an id, or where an array belongs many of them.

    With one id PostgreSQL is to be asked for one: it would plan for ten, and so each time anew.
    """

    def __init__(self, position: int, kind: "Field[Any, Any] | None" = None) -> None:
        super().__init__(output_field=kind or UUIDField())
        self.place = Place(position)

    @property
    def text(self) -> "Slot":
        """The same place, for a text."""
        return Slot(self.place, TextField())

    @property
    def number(self) -> "Slot":
        """The same place, for a number."""
        return Slot(self.place, BigIntegerField())

    def as_sql(
        self, _compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        """A placeholder of its type."""
        return f"%s::{self.output_field.db_type(connection)}", (self.place,)


Convert = Callable[[Any, object, BaseDatabaseWrapper], Any]  # of a column's own type


class Written(NamedTuple):
    """A statement's SQL, its parameters, and how columns become values, by position."""

    sql: str
    places: tuple[Place, ...]
    converters: tuple[tuple[int, Sequence[Convert], object], ...]


class Statement:
    """A query that Django writes once and PostgreSQL plans once, asked with other ids each time.

    `build` gets a `Slot` for each of its parameters, or `slots` of them, to be used as
    ``column=slot`` or as ``column__any=slot``, and gives the queryset. Writing the customer
    object's SQL anew takes Django longer than all the rest of the call. What holds for
    `prepared_rows` holds here, too.
    """

    def __init__(
        self, build: "Callable[..., QuerySet[Model, Any]]", slots: int | None = None
    ) -> None:
        self._build = build
        self._slots = len(signature(build).parameters) if slots is None else slots

    @cached_property
    def _written(self) -> Written:
        slots = map(Slot, range(self._slots))
        queryset = self._build(*slots)
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        # Without one Django writes no query that locks rows.
        with transaction.atomic(savepoint=False):
            sql, places = with_constants(*compiler.as_sql())
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        return Written(
            sql, places, tuple((n, each, column) for n, (each, column) in converters.items())
        )

    def rows(
        self, *given: UUID | str | int | Collection[UUID | int], using: str = DEFAULT_DB_ALIAS
    ) -> list[Row]:
        """The rows, as `values_list` gives them; for each slot its value."""
        return self.converted(prepared_rows(*self.question(*given), using=using), using=using)

    def question(self, *given: UUID | str | int | Collection[UUID | int]) -> Question:
        """The statement to be asked `together` with others; `converted` makes its rows."""
        own = [each if isinstance(each, UUID | str | int) else array(each) for each in given]
        return Question(self._written.sql, [own[place] for place in self._written.places])

    def converted(self, rows: list[Row], *, using: str = DEFAULT_DB_ALIAS) -> list[Row]:
        """The rows of the database as `values_list` gives them."""
        converters = self._written.converters
        return list(self._converted(rows, converters, using)) if converters else rows

    def text(self, *texts: str) -> str:
        """The SQL with these texts for its slots. `TypeError` where columns are converted."""
        sql, places, converters = self._written
        if converters:
            raise TypeError("only a statement's own rows have converted columns")
        own = iter(places)
        return re.sub("%s|%%", lambda found: "%%" if found[0] == "%%" else texts[next(own)], sql)

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


def with_constants(sql: str, params: Iterable[object]) -> tuple[str, tuple[Place, ...]]:
    """A statement that has its constants in its text, and what remains of its parameters.

    A plan for any values would not know them: of those that one status has, an index could not be
    used that holds only these.
    """
    values = iter(params)
    places: list[Place] = []

    def put(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return found[0]
        value = next(values)
        if not isinstance(value, Place):
            return Literal(value).as_string().replace("%", "%%")
        places.append(value)
        return found[0]

    return re.sub("%[s%]", put, sql), tuple(places)


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
        if isinstance(self.rhs, Slot):
            # A slot is no parameter yet: `Statement.rows` puts one in its place.
            return f"{column} = ANY({SOME_IDS})", (*parameters, self.rhs.place)
        return f"{column} = ANY(%s::uuid[])", (*parameters, array(self.rhs))


AnyField: TypeAlias = "Field[Any, Any]"  # of any column of any model


# Of these, texts, ids and NULL reach the driver as they are.
PASSED_ON = frozenset({CharField, ForeignKey, TextField, UUIDField})


class Columns(NamedTuple):
    """The columns of a new row: what is given, of which types, and what the database makes."""

    given: "tuple[AnyField, ...]"
    made: "tuple[AnyField, ...]"
    # Each that is given, by attribute; the field only where it has a say in how its value is sent.
    sent: "tuple[tuple[str, AnyField | None], ...]"

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

    def values_of(self, row: Model, connection: BaseDatabaseWrapper) -> Iterator[object]:
        """The values of a row, as the driver takes them."""
        for name, field in self.sent:
            if field is None:
                yield getattr(row, name)
            else:
                yield field.get_db_prep_save(field.pre_save(row, add=True), connection)


# A model, and the attributes of its new row that the database makes.
Shape = tuple[type[Model], tuple[str, ...]]


def shape_of(row: Model) -> Shape:
    """What the SQL of an insertion depends on.

    The database makes its default only where the row was given no value.
    """
    model, values = type(row), row.__dict__
    return model, tuple(
        name for name in defaulted(model) if isinstance(values.get(name), DatabaseDefault)
    )


@cache
def columns_of(model: type[Model], made: tuple[str, ...]) -> Columns:
    """The columns of a new row of a model without parents."""
    fields = model._meta.local_concrete_fields
    given = tuple(field for field in fields if field.attname not in made)
    return Columns(
        given,
        tuple(field for field in fields if field.attname in made),
        tuple((each.attname, None if type(each) in PASSED_ON else each) for each in given),
    )


@cache
def defaulted(model: type[Model]) -> tuple[str, ...]:
    """The attributes that the database can make by itself."""
    fields = model._meta.local_concrete_fields
    return tuple(field.attname for field in fields if field.db_default is not NOT_PROVIDED)


@cache
def insertion(*shapes: Shape, locked: bool) -> str:
    """SQL that inserts a row of each model, or nothing at all when the first is there already."""
    (first, columns), *others = ((model, columns_of(model, made)) for model, made in shapes)
    turn = "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))"
    lock = f"lock AS MATERIALIZED ({turn}), "
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
    and held until the transaction ends, in common with others that insert: who takes it alone finds
    the rows of all whose defaults were made before. The ORM takes several times as long to write
    such a statement as the database to do it.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    rows = (first, *others)
    shapes = [shape_of(row) for row in rows]
    values: list[object] = [lock] if lock else []
    for row, shape in zip(rows, shapes, strict=True):
        values += columns_of(*shape).values_of(row, connection)
    found = prepared_rows(insertion(*shapes, locked=bool(lock)), values)
    if not found:
        return False
    for field, value in zip(columns_of(*shapes[0]).made, found[0][1:], strict=True):
        setattr(first, field.attname, value)
    for row in rows:
        # As `Model.save` leaves it.
        row._state.adding = False
        row._state.db = DEFAULT_DB_ALIAS
    return True

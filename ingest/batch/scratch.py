"""A place to try out a file: tables of the same name and shape that nobody else sees.

What becomes of a line depends on the lines before it. So a dry run writes what a load would write,
but into temporary tables, which hide those of the registry from all code that runs here. Customers
are copied into them when a line is about them for the first time; the registry is only read, and
nothing in it is locked. The tables go with their transaction, which is never committed: they have a
connection of their own, for outcomes are committed meanwhile. That they do not outlive it matters
to poolers, which may give the session to somebody else.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, cached_property

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from config.api.actors import Actor
from config.db.statements import array
from customers import models
from customers.tables import written
from ingest.batch import snapshot
from ingest.batch.apply import prepare
from ingest.batch.items import Item, rows_needed
from ingest.batch.snapshot import Needed
from ingest.batch.writer import Writer

TABLES = (
    models.Customer,
    models.Contact,
    models.ContactPoint,
    models.Address,
    models.AttributeValue,
    models.Enrollment,
    models.Account,
    models.Card,
)
SCHEMA = """
    SELECT relnamespace::regnamespace::text FROM pg_class
    WHERE oid = 'customers_customer'::regclass"""
CREATE = """
    CREATE TEMPORARY TABLE {table}
    (LIKE {schema}.{table} INCLUDING DEFAULTS INCLUDING GENERATED) ON COMMIT DROP;
    ALTER TABLE pg_temp.{table} ADD PRIMARY KEY ({key});"""
MORE = """
    CREATE INDEX ON pg_temp.customers_account (id);
    CREATE TEMPORARY TABLE ingest_copied (id uuid PRIMARY KEY) ON COMMIT DROP"""
HOLDERS = "SELECT customer_id FROM {schema}.customers_account WHERE id = ANY(%s::uuid[])"
# Those that are not copied yet, of some customers, and of lines of parents. It names no table of
# the registry: a distributed engine would take no recursion over one.
NEXT = """
    WITH RECURSIVE line AS (
        SELECT parent_customer_id FROM pg_temp.customers_enrollment
        WHERE customer_id = ANY(%(parents)s::uuid[]) AND parent_customer_id IS NOT NULL
        UNION
        SELECT e.parent_customer_id FROM pg_temp.customers_enrollment e
        JOIN line ON e.customer_id = line.parent_customer_id
        WHERE e.parent_customer_id IS NOT NULL
    )
    INSERT INTO pg_temp.ingest_copied
    SELECT unnest(%(customers)s::uuid[])
    UNION SELECT parent_customer_id FROM line
    ON CONFLICT DO NOTHING RETURNING id::text"""
COPY = """
    INSERT INTO pg_temp.{table} ({columns}) SELECT {columns} FROM {schema}.{table}
    WHERE {customer} = ANY(%s::uuid[])"""


class Scratch:
    """The tables, made when they are used first, in the process that uses them."""

    @cached_property
    def _connection(self) -> BaseDatabaseWrapper:
        """A session of its own, in a transaction that has the tables."""
        opened = connections.create_connection(DEFAULT_DB_ALIAS)
        opened.set_autocommit(False)
        with opened.cursor() as cursor:
            for model in TABLES:
                keys = ", ".join(str(field.column) for field in model._meta.pk_fields)
                names = {"table": model._meta.db_table, "schema": self._schema, "key": keys}
                cursor.execute(CREATE.format(**names))
            cursor.execute(MORE)
        return opened

    @cached_property
    def _schema(self) -> str:
        """Where the tables of the registry are."""
        with connection.cursor() as cursor:
            cursor.execute(SCHEMA)
            name: str = cursor.fetchone()[0]
        return name

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What is tried out in here stays tried out, unless it ends with an exception."""
        with self._connection.cursor() as cursor:
            cursor.execute("SAVEPOINT kept")
            try:
                yield
            except BaseException:
                cursor.execute("ROLLBACK TO SAVEPOINT kept; RELEASE SAVEPOINT kept")
                raise
            cursor.execute("RELEASE SAVEPOINT kept")

    def try_out(self, items: Sequence[Item], *, actor: Actor, at: datetime) -> None:
        """Tell items what would become of them, after all that were tried out before.

        Who would be new without an id has none yet.
        """
        needed = rows_needed(snapshot.Ids(actor.business_account_id), items)
        usual, connections[DEFAULT_DB_ALIAS] = connections[DEFAULT_DB_ALIAS], self._connection
        try:
            self._copy(needed)
            Writer(prepare(items, actor=actor, is_locked=False), actor, at).write()
        finally:
            connections[DEFAULT_DB_ALIAS] = usual
        for item in items:
            if not item.source_customer_id:
                item.customer_id = None

    def _copy(self, needed: Needed) -> None:
        """Copy the customers that are needed, and whoever is above them or shares accounts."""
        with connection.cursor() as cursor:
            cursor.execute(HOLDERS.format(schema=self._schema), [array(needed.accounts)])
            customers = needed.customers | needed.holders | needed.parents
            customers |= {str(holder) for (holder,) in cursor.fetchall()}
            wanted = {"customers": array(customers), "parents": array(needed.parents)}
            while True:
                cursor.execute(NEXT, wanted)
                new = [row[0] for row in cursor.fetchall()]
                if not new:
                    return
                for model in TABLES:
                    cursor.execute(copying(model).format(schema=self._schema), [array(new)])
                if not needed.parents:
                    return


@cache
def copying(model: type[Model]) -> str:
    """SQL that copies the rows of customers, but for the name of the schema."""
    columns = ", ".join(str(field.column) for field in written(model))
    customer = "id" if model is models.Customer else "customer_id"
    return COPY.format(
        table=model._meta.db_table, schema="{schema}", columns=columns, customer=customer
    )

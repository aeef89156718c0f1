"""Columns that are added to tables in use, and rows that are filled while others write them."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.contrib.postgres.operations import NotInTransactionMixin, ValidateConstraint
from django.db import migrations, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as Editor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from psycopg.sql import SQL, Identifier

from config.db.statements import AnyField

# For so long a batch may keep writers of its rows waiting.
BATCH_SECONDS = 0.1
FIRST_BATCH, SMALLEST_BATCH, LARGEST_BATCH = 500, 50, 20_000
LAST_OF_BATCH = SQL("""
    SELECT {key} FROM {table} WHERE %(after)s::uuid IS NULL OR {key} > %(after)s
    ORDER BY {key} OFFSET %(batch)s - 1 LIMIT 1""")


class AddField(migrations.AddField):
    """A column of a table that is in use.

    `default`, SQL, is one that rows have until `drop_defaults` of a later migration: programs of
    the release before do not know the column, and go on inserting rows meanwhile.

    A CHECK, such as that of positive numbers, is not looked at for the rows that are there, for
    which PostgreSQL would read the whole locked table: `checked_field` does so afterwards.
    """

    def __init__(
        self, model_name: str, name: str, field: AnyField, default: str | None = None
    ) -> None:
        super().__init__(model_name, name, field)
        self.default = default

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Add the column, then the CHECK under the name that PostgreSQL gives it by itself."""
        model = to_state.apps.get_model(app_label, self.model_name)
        field = cast("Any", model._meta.get_field(self.name))
        quote = schema_editor.quote_name
        table, column = quote(model._meta.db_table), quote(field.column)
        check = field.db_check(schema_editor.connection)
        field.db_check = lambda _connection: None
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            del field.db_check
        if check:
            name = quote(check_name(model, field))
            added = f"ADD CONSTRAINT {name} CHECK ({check}) NOT VALID"
            schema_editor.execute(f"ALTER TABLE {table} {added}", None)
        if self.default is not None:
            kept = f"ALTER COLUMN {column} SET DEFAULT {self.default}"
            schema_editor.execute(f"ALTER TABLE {table} {kept}", None)


class ValidateField(Operation):
    """Validates the CHECK of a column, which reads the table and lets others write it."""

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name, self.name = model_name, name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Validate."""
        model = to_state.apps.get_model(app_label, self.model_name)
        constraint = check_name(model, model._meta.get_field(self.name))
        ValidateConstraint(self.model_name, constraint).database_forwards(
            app_label, schema_editor, to_state, to_state
        )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Nothing."""

    def describe(self) -> str:
        """What `sqlmigrate` says of it."""
        return f"Validate the check of field {self.name} on model {self.model_name}"


def check_name(model: type[models.Model], field: AnyField) -> str:
    """What PostgreSQL calls the CHECK of a column."""
    return f"{model._meta.db_table}_{field.column}_check"


def checked_field(
    model_name: str, name: str, field: AnyField, default: str | None = None
) -> tuple[Operation, Operation]:
    """A new column with a CHECK, such as one of positive numbers."""
    return AddField(model_name, name, field, default), ValidateField(model_name, name)


def drop_defaults(columns: Mapping[str, Sequence[str]]) -> list[migrations.RunSQL]:
    """The end of defaults in the database, by table: from now on the product says each value."""
    return [
        migrations.RunSQL(
            f"ALTER TABLE {table} "
            + ", ".join(f"ALTER COLUMN {name} DROP DEFAULT" for name in names),
            migrations.RunSQL.noop,
        )
        for table, names in columns.items()
    ]


class RunBatches(NotInTransactionMixin, migrations.RunPython):
    """Fills rows batch by batch, each a transaction; may be done anew at any time."""


def fill(connection: BaseDatabaseWrapper, sql: str, *, table: str, key: str) -> None:
    """Run `sql` for some rows of a table after the others, in the order of a `key`.

    It gets the keys that are `%(after)s` of the batch before and `%(last)s` of this one, each of
    them NULL at its end. A batch takes about `BATCH_SECONDS`, for so long others wait for its rows.
    What is written leaves no trace in the change log.
    """
    last_of_batch = LAST_OF_BATCH.format(key=Identifier(key), table=Identifier(table)).as_string()
    after, batch = None, FIRST_BATCH
    while True:
        started = time.monotonic()
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("SET LOCAL kith.recording = 'off'")
            cursor.execute(last_of_batch, {"after": after, "batch": batch})
            (last,) = cursor.fetchone() or (None,)
            cursor.execute(sql, {"after": after, "last": last})
        if last is None:
            return
        after = last
        batch = next_batch(batch, time.monotonic() - started)


def next_batch(batch: int, seconds: float) -> int:
    """How many rows to do after so many in that time: at most twice as many."""
    wanted = int(batch * min(2.0, BATCH_SECONDS / max(seconds, 1e-6)))
    return min(max(wanted, SMALLEST_BATCH), LARGEST_BATCH)

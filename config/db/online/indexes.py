"""Indexes that are built and dropped while their tables are read and written."""

from collections.abc import Callable
from typing import cast

from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    NotInTransactionMixin,
    RemoveIndexConcurrently,
)
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as Editor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from config.db.online.migration import short_transaction
from config.db.postgresql.schema import DatabaseSchemaEditor

IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


def build(editor: Editor, name: str, create: Callable[[], object]) -> None:
    """Build an index unless it is there; what an interrupted build left behind is removed first."""
    with editor.connection.cursor() as cursor:
        cursor.execute(IS_VALID, [editor.quote_name(name)])
        found = cursor.fetchone()
    if found == (True,):
        return
    if found:
        drop(editor, name)
    create()


def drop(editor: Editor, name: str) -> None:
    """Drop an index if it is there, while reads and writes go on."""
    editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {editor.quote_name(name)}", None)


class AddIndex(AddIndexConcurrently):
    """An index of a model."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Build it."""
        name = self.index.name
        build(
            schema_editor,
            name,
            lambda: AddIndexConcurrently.database_forwards(
                self, app_label, schema_editor, from_state, to_state
            ),
        )


class RemoveIndex(RemoveIndexConcurrently):
    """The end of an index of a model."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop it."""
        drop(schema_editor, self.name)


class ReplaceIndex(AddIndexConcurrently):
    """An index of a model in place of one of the same name, which serves until then."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The other one goes, this one comes."""
        state.remove_index(app_label, self.model_name_lower, self.index.name)
        super().state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Build it beside the other one, then change their names."""
        self.replace(schema_editor, to_state.apps.get_model(app_label, self.model_name), self.index)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """The same with the other one."""
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.index.name)
        self.replace(schema_editor, to_state.apps.get_model(app_label, self.model_name), index)

    def replace(self, editor: Editor, model: type[models.Model], index: models.Index) -> None:
        """Put an index in the place of the one of its name."""
        beside = index.clone()
        beside.name = f"{index.name}_new"
        own = cast("DatabaseSchemaEditor", editor)
        build(editor, beside.name, lambda: own.add_index(model, beside, concurrently=True))
        with short_transaction(editor.connection):
            editor.execute(f"DROP INDEX IF EXISTS {editor.quote_name(index.name)}", None)
            editor.rename_index(model, beside, index)


class AddUniqueIndex(NotInTransactionMixin, migrations.AddConstraint):
    """A `UniqueConstraint` with a condition, which PostgreSQL knows as an index."""

    constraint: models.UniqueConstraint

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Build it."""
        model = to_state.apps.get_model(app_label, self.model_name)
        plain, wanted = "CREATE UNIQUE INDEX ", "CREATE UNIQUE INDEX CONCURRENTLY "
        sql = str(self.constraint.create_sql(model, schema_editor))
        build(
            schema_editor,
            self.constraint.name,
            lambda: schema_editor.execute(sql.replace(plain, wanted, 1), None),
        )


class BuildIndex(NotInTransactionMixin, Operation):
    """An index by SQL, which no model knows of; `backwards` is the SQL of the one before."""

    def __init__(self, name: str, forwards: str = "", backwards: str = "") -> None:
        self.name, self.forwards, self.backwards = name, forwards, backwards

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing: models have no part in it."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Build it, or without SQL drop it."""
        self.replace(schema_editor, self.forwards)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: Editor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Likewise, with the SQL of the one before."""
        self.replace(schema_editor, self.backwards)

    def replace(self, editor: Editor, sql: str) -> None:
        """Build the index of this SQL, or without any drop what there is."""
        if sql:
            build(editor, self.name, lambda: editor.execute(sql, None))
        else:
            drop(editor, self.name)

    def describe(self) -> str:
        """What `sqlmigrate` says of it."""
        return f"Build or drop index {self.name} while its table is in use"

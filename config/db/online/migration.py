"""The migration that is done operation by operation, and goes on where it was interrupted."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.postgres.operations import NotInTransactionMixin
from django.db import migrations, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as Editor
from django.db.backends.utils import CursorWrapper
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from psycopg.sql import SQL, Identifier

from config.db.postgresql.schema import LIMIT_WAITS

# What was done of a migration that was interrupted; dropped at the end of each `migrate`.
STEPS = "kith_migration_steps"
CREATE_STEPS = f"""
    CREATE TABLE IF NOT EXISTS {STEPS} (
        app text, name text, done integer NOT NULL, PRIMARY KEY (app, name))"""
DONE = SQL("SELECT done FROM {} WHERE (app, name) = (%s, %s)").format(Identifier(STEPS)).as_string()
KEEP_DONE = (
    SQL("""
    INSERT INTO {} VALUES (%s, %s, %s)
    ON CONFLICT (app, name) DO UPDATE SET done = excluded.done""")
    .format(Identifier(STEPS))
    .as_string()
)
DROP_STEPS = f"DROP TABLE IF EXISTS {STEPS}"


@contextmanager
def short_transaction(connection: BaseDatabaseWrapper) -> Iterator[CursorWrapper]:
    """A transaction that waits for no lock for long; gives a cursor.

    Raises `OperationalError`, from `LockNotAvailable`, when it would have to.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(LIMIT_WAITS)
        yield cursor


def forget_steps(connection: BaseDatabaseWrapper) -> None:
    """Forget what was done of migrations that are complete by now."""
    with short_transaction(connection) as cursor:
        cursor.execute(DROP_STEPS)


class Migration(migrations.Migration):
    """A migration each of whose operations is a transaction of its own, done once.

    Interrupted, it goes on where it was. An operation that cannot be in a transaction, or is many,
    is done anew as a whole when it was interrupted.
    """

    atomic = False

    def apply(
        self,
        project_state: ProjectState,
        schema_editor: Editor,
        collect_sql: bool = False,
    ) -> ProjectState:
        """Do what is not done yet."""
        if collect_sql:
            return super().apply(project_state, schema_editor, collect_sql)
        connection = schema_editor.connection
        key = [self.app_label, self.name]
        with short_transaction(connection) as cursor:
            cursor.execute(CREATE_STEPS)
            cursor.execute(DONE, key)
            done = (cursor.fetchone() or [0])[0]
        for number, operation in enumerate(self.operations, 1):
            before = project_state.clone()
            operation.state_forwards(self.app_label, project_state)
            if number <= done:
                continue
            is_alone = stands_alone(operation)
            if is_alone:
                operation.database_forwards(self.app_label, schema_editor, before, project_state)
            with short_transaction(connection) as cursor:
                if not is_alone:
                    operation.database_forwards(
                        self.app_label, schema_editor, before, project_state
                    )
                    run_deferred(schema_editor)
                cursor.execute(KEEP_DONE, [*key, number])
        return project_state


def run_deferred(editor: Editor) -> None:
    """Do now what Django leaves for the end, such as foreign keys and indexes of new tables."""
    deferred, editor.deferred_sql = editor.deferred_sql, []
    for sql in deferred:
        editor.execute(sql, None)


def stands_alone(operation: Operation) -> bool:
    """Whether an operation must not be put into a transaction."""
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return any(map(stands_alone, operation.database_operations))
    return isinstance(operation, NotInTransactionMixin)

"""Changes of the schema, none of which keeps others waiting for long."""

from typing import Self

from django.db.backends.postgresql import schema

# Who waits for a table keeps all who come after waiting, too. A migration may wait for some tables
# one after the other, and all in all nobody may wait for a second.
LOCK_WAIT = "200ms"
# An autovacuum gives way to whoever waits for its table, but only after `deadlock_timeout`, by
# default a second; that is a superuser's to change, or of a role that was granted it.
LIMIT_WAITS = f"""
    SELECT set_config('lock_timeout', '{LOCK_WAIT}', true),
        CASE WHEN has_parameter_privilege('deadlock_timeout', 'SET')
        THEN set_config('deadlock_timeout', '50ms', true) END"""


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """Django's, but its transaction waits for each lock for `LOCK_WAIT` only.

    A statement that would wait longer raises `OperationalError`, from `LockNotAvailable`.
    """

    def __enter__(self) -> Self:
        """Begin."""
        editor = super().__enter__()
        if self.atomic_migration and not self.collect_sql:
            with self.connection.cursor() as cursor:
                cursor.execute(LIMIT_WAITS)
        return editor

"""What the user of the database may do, beyond what nothing works without."""

from django.db import DEFAULT_DB_ALIAS, connections

TEMPORARY = "SELECT has_database_privilege(current_database(), 'TEMPORARY')"


def may_make_temporary_tables(alias: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether the right TEMP is there, which everybody has unless it was revoked."""
    with connections[alias].cursor() as cursor:
        cursor.execute(TEMPORARY)
        may: bool = cursor.fetchone()[0]
    return may

"""Puts row-level security into the database, looks whether it is there, and takes it out again.

The owner of the tables does so (`manage.py row_security`), for the role that web and worker connect
as. As long as they connect as the owner nothing of it binds them.
"""

import hashlib
from collections.abc import Iterator

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from config.db.policies import Confined, confined, every_model
from config.db.scope import VIEWS

POLICY = "kith_rows"
# A table that is in use is tried again, lest all who come after wait for it, too.
LOCK_SECONDS = 1
TRIES = 60
SCHEMA = "SELECT current_schema()"
# Whoever may do what the owner may is not bound by policies either.
ABOVE_POLICIES = """
    SELECT rolsuper OR rolbypassrls OR pg_has_role(rolname, relowner, 'USAGE')
    FROM pg_roles, pg_class
    WHERE rolname = %s AND pg_class.oid = to_regclass('customers_customer')"""
# By catalogs alone, which everybody may read.
STATE = """
    SELECT confined.relname, obj_description(pg_policy.oid, 'pg_policy')
    FROM pg_policy JOIN pg_class AS confined ON confined.oid = polrelid
    JOIN pg_class AS view ON view.relname = confined.relname
    JOIN pg_namespace ON pg_namespace.oid = view.relnamespace AND nspname = %s
    WHERE polname = %s AND confined.relrowsecurity
        AND confined.relnamespace = current_schema()::regnamespace"""
# Of tables and views that are there.
WITHOUT_RIGHTS = """
    SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE (relname = ANY(%s) AND nspname IN (current_schema(), %s)
            AND NOT (has_schema_privilege(relnamespace, 'USAGE')
                AND has_table_privilege(pg_class.oid, 'SELECT')))
        OR (relname = ANY(%s) AND nspname = current_schema()
            AND NOT has_table_privilege(pg_class.oid, 'INSERT'))
    ORDER BY relname LIMIT 1"""
CONFINED = "SELECT polrelid::regclass::text FROM pg_policy WHERE polname = %s ORDER BY 1"
# Triggers write and read what whoever changes a row need not see: the change log, and the whole
# tree. Housekeeping makes and drops partitions of the change log, as only their owner can.
HOUSEKEEPING = (
    "kith_make_change_partitions(integer, integer)",
    "kith_drop_change_partitions(integer)",
)
FUNCTIONS = """
    SELECT oid::regprocedure::text, prosecdef FROM pg_proc
    WHERE proname LIKE 'kith\\_%%' AND pronamespace = current_schema()::regnamespace
        AND (prorettype = 'trigger'::regtype OR oid IN (
            SELECT to_regprocedure(known) FROM unnest(%s::text[]) AS known))"""
# Rows that web and worker do not write: triggers do, or the owner.
READ_ONLY = ("django_migrations", "django_content_type", "auth_permission")
LOG = "customers_change"
REMEDY = "run `manage.py row_security --apply` for it"


class RowSecurityError(Exception):
    """Row-level security cannot be put in place; the message says why."""


def apply(role: str) -> Iterator[str]:
    """Put policies, views and rights in place for a role; yields what was changed.

    What is as it should be is left alone. Raises `RowSecurityError`.
    """
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        require_role(cursor, role)
        schema = schema_of(cursor)
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {VIEWS}")
        for each in stale_tables(cursor):
            patiently(cursor, confining(each, schema))
            yield each.table
        for function in functions(cursor, is_definer=False):
            cursor.execute(
                f"ALTER FUNCTION {function} SECURITY DEFINER SET search_path = {schema}, pg_temp"
            )
            yield function
        for right in rights(cursor, role, schema):
            cursor.execute(right)


def remove(role: str) -> Iterator[str]:
    """Take policies, views and the role's rights away again; yields what was changed."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(CONFINED, [POLICY])
        tables = [name for (name,) in cursor.fetchall()]
        drop_views()
        for table in tables:
            off = f"DROP POLICY {POLICY} ON {table}; ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
            patiently(cursor, off)
            yield table
        for function in functions(cursor, is_definer=True):
            cursor.execute(f"ALTER FUNCTION {function} SECURITY INVOKER RESET search_path")
            yield function
        schema = schema_of(cursor)
        for kind in ("ALL TABLES IN SCHEMA", "ALL SEQUENCES IN SCHEMA", "SCHEMA"):
            cursor.execute(composed(cursor, f"REVOKE ALL ON {kind} {schema} FROM {{}}", role))
        called = f"FUNCTION {', '.join(HOUSEKEEPING)}"
        cursor.execute(composed(cursor, f"REVOKE EXECUTE ON {called} FROM {{}}", role))
        cursor.execute(f"GRANT EXECUTE ON {called} TO PUBLIC")


def drop_views() -> None:
    """Drop the views, which would keep columns from being changed; `apply` makes them again."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {VIEWS} CASCADE")


def problems() -> list[str]:
    """Why web and worker are not confined by this database and its user; none when they are."""
    found = missing_rights()
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT current_user")
        (user,) = cursor.fetchone()
        cursor.execute(ABOVE_POLICIES, [user])
        if cursor.fetchone() == (True,):
            found.append(
                f"KITH_ROW_SECURITY is on, and the database's user {user!r} is above policies: it"
                " owns the tables, or is a superuser. Give DATABASE_URL one that may only use them"
            )
        stale = sorted(each.table for each in stale_tables(cursor))
    if stale:
        found.append(
            f"KITH_ROW_SECURITY is on, and {len(stale)} tables lack their policies, such as"
            f" {stale[0]}: {REMEDY}"
        )
    # A replica has the roles of its primary, and may be away.
    replicas = {
        "SEARCH_DATABASE_URL": settings.SEARCH_DATABASE,
        "READ_DATABASE_URL": settings.READ_DATABASE,
    }
    return found + [
        f"KITH_ROW_SECURITY is on, and {name} has another user than DATABASE_URL: give both the"
        " same"
        for name, alias in replicas.items()
        if connections[alias].settings_dict["USER"] != given_user()
    ]


def missing_rights() -> list[str]:
    """The message about a table that the database's user may not use, if there is one.

    So it is after a restore, and after an upgrade that brought new tables.
    """
    tables, changed = names()
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(WITHOUT_RIGHTS, [tables, VIEWS, changed])
        return [
            f"KITH_ROW_SECURITY is on, and the database's user may not use {table}: {REMEDY}"
            for (table,) in cursor.fetchall()
        ]


def given_user() -> object:
    """Whom `DATABASE_URL` names."""
    return connections[DEFAULT_DB_ALIAS].settings_dict["USER"]


# --- Statements -----------------------------------------------------------------------------------


def confining(each: Confined, schema: str) -> str:
    """SQL that confines a table, and makes its view."""
    view = f"{VIEWS}.{each.table}"
    return f"""
        DROP POLICY IF EXISTS {POLICY} ON {each.table};
        CREATE POLICY {POLICY} ON {each.table} USING ({each.policy}) WITH CHECK ({each.check});
        COMMENT ON POLICY {POLICY} ON {each.table} IS '{digest(each, schema)}';
        ALTER TABLE {each.table} ENABLE ROW LEVEL SECURITY;
        DROP VIEW IF EXISTS {view};
        CREATE VIEW {view} AS {each.view(schema)}"""


def digest(each: Confined, schema: str) -> str:
    """What tells the conditions of a table from those of another release."""
    parts = (each.policy, each.check, each.view(schema))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def rights(cursor: CursorWrapper, role: str, schema: str) -> Iterator[str]:
    """SQL that gives a role what web and worker do."""
    tables, changed = names()
    views = ", ".join(f"{VIEWS}.{each.table}" for each in confined().values())
    for statement in (
        f"GRANT USAGE ON SCHEMA {schema}, {VIEWS} TO {{}}",
        f"GRANT SELECT ON {', '.join(tables)}, {views} TO {{}}",
        f"GRANT INSERT ON {', '.join(changed)} TO {{}}",
        f"GRANT UPDATE, DELETE ON {', '.join([*changed, LOG])} TO {{}}",
        f"REVOKE INSERT ON {LOG} FROM {{}}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {{}}",
        f"REVOKE EXECUTE ON FUNCTION {', '.join(HOUSEKEEPING)} FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {', '.join(HOUSEKEEPING)} TO {{}}",
    ):
        yield composed(cursor, statement, role)


def names() -> tuple[list[str], list[str]]:
    """The tables that web and worker read, and those of them that they insert rows into."""
    tables = sorted({model._meta.db_table for model in every_model()} | {"django_migrations"})
    return tables, [table for table in tables if table not in {*READ_ONLY, LOG}]


def composed(cursor: CursorWrapper, statement: str, role: str) -> str:
    """A statement with the name of a role in it."""
    return sql.SQL(statement).format(sql.Identifier(role)).as_string(cursor.cursor)


def patiently(cursor: CursorWrapper, statements: str) -> None:
    """Run statements that lock a table, in one transaction. Raises `RowSecurityError`."""
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; {statements}")
        except OperationalError as error:
            refused = error
        else:
            return
    raise RowSecurityError("a table is in use all the time; try it again later") from refused


# --- What is there --------------------------------------------------------------------------------


def require_role(cursor: CursorWrapper, role: str) -> None:
    """Raise `RowSecurityError` unless there is such a role, which is bound by policies."""
    if not exists(cursor, role):
        raise RowSecurityError(f"there is no role {role!r}: CREATE ROLE {role} LOGIN PASSWORD '…'")
    cursor.execute(ABOVE_POLICIES, [role])
    if cursor.fetchone() == (True,):
        raise RowSecurityError(
            f"the role {role!r} is above policies: it owns the tables, or is a superuser"
        )


def exists(cursor: CursorWrapper, role: str) -> bool:
    """Whether there is a role of this name."""
    cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
    return cursor.fetchone() is not None


def schema_of(cursor: CursorWrapper) -> str:
    """Where the tables are."""
    cursor.execute(SCHEMA)
    name: str = cursor.fetchone()[0]
    return name


def stale_tables(cursor: CursorWrapper) -> list[Confined]:
    """The tables that are not confined as this release wants it."""
    schema, known = schema_of(cursor), digests(cursor)
    return [each for each in confined().values() if known.get(each.table) != digest(each, schema)]


def digests(cursor: CursorWrapper) -> dict[str, str]:
    """The tables that are confined and have their view, with what is kept of their conditions."""
    cursor.execute(STATE, [VIEWS, POLICY])
    return dict(cursor.fetchall())


def functions(cursor: CursorWrapper, *, is_definer: bool) -> list[str]:
    """The functions that run as their owner, or else as whoever causes them to."""
    cursor.execute(FUNCTIONS, [list(HOUSEKEEPING)])
    return [name for name, definer in cursor.fetchall() if definer == is_definer]

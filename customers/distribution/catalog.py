"""What a server has of a distributed database, read from its catalog."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.backends.utils import CursorWrapper

from config.db.statements import Row
from customers.distribution.layout import Kind

# What was put aside while tables are distributed: the catalog would forget it. What is left in it
# at the end are the foreign keys that such an engine does not take.
KEPT = "kith_put_aside"

IS_THERE = "SELECT to_regprocedure('citus_version()') IS NOT NULL"
HAS_COORDINATOR = "SELECT coalesce(bool_or(groupid = 0), false) FROM pg_dist_node"
TABLES = """
    SELECT logicalrelid::regclass::text, partmethod::text, repmodel::text, colocationid
    FROM pg_dist_partition"""
FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid),
           confrelid::regclass::text
    FROM pg_constraint
    WHERE contype = 'f' AND conparentid = 0 AND connamespace = current_schema()::regnamespace
    ORDER BY conrelid::regclass::text, conname"""
TRIGGERS = """
    SELECT tgrelid::regclass::text, tgname::text, pg_get_triggerdef(t.oid), proname::text
    FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid
    WHERE NOT tgisinternal AND tgparentid = 0 AND proname LIKE 'kith\\_%%'
        AND pronamespace = current_schema()::regnamespace
    ORDER BY tgrelid::regclass::text, tgname"""
FUNCTIONS = """
    SELECT p.oid::regprocedure::text, prosrc, pg_get_functiondef(p.oid),
           EXISTS (SELECT FROM pg_dist_object d
                   WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid)
    FROM pg_proc p
    WHERE proname LIKE 'kith\\_%%' AND pronamespace = current_schema()::regnamespace
    ORDER BY proname"""
SETTINGS = """
    SELECT unnest(setconfig) FROM pg_db_role_setting
    WHERE setrole = 0 AND setdatabase = (
        SELECT oid FROM pg_database WHERE datname = current_database())"""
HAS_KEPT = "SELECT to_regclass(%s) IS NOT NULL"
ALL_KEPT = """
    SELECT kind, on_table, name, definition, refers_to FROM kith_put_aside ORDER BY 1, 2, 3"""


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key of `table` to another one; `definition` is what follows its name in SQL."""

    table: str
    name: str
    definition: str
    refers_to: str


@dataclass(frozen=True)
class Trigger:
    """A trigger of ours; `definition` is the SQL that makes it."""

    table: str
    name: str
    definition: str
    function: str = ""


@dataclass(frozen=True)
class Function:
    """A function of ours; `signature` has its types, `definition` is the SQL that makes it."""

    signature: str
    body: str
    definition: str
    is_distributed: bool


@dataclass
class Catalog:
    """All of it. `kept` is what was put aside; `colocation` has a number for each table."""

    database: str
    kinds: dict[str, Kind] = field(default_factory=dict)
    colocation: dict[str, int] = field(default_factory=dict)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    settings: set[str] = field(default_factory=set)
    kept_foreign_keys: list[ForeignKey] = field(default_factory=list)
    kept_triggers: list[Trigger] = field(default_factory=list)

    def kind(self, table: str) -> Kind:
        """Where the rows of a table are now."""
        return self.kinds.get(table, Kind.LOCAL)


class NotDistributable(Exception):
    """The server cannot have distributed tables; the message says why."""


def read() -> Catalog:
    """What the server has. Raises `NotDistributable`."""
    with connection.cursor() as cursor:
        if rows(cursor, IS_THERE) != [(True,)]:
            raise NotDistributable(
                "this server has no extension that distributes tables: CREATE EXTENSION citus"
            )
        if rows(cursor, HAS_COORDINATOR) != [(True,)]:
            raise NotDistributable(
                "the coordinator is no node of its cluster, and would have no copies of reference"
                " tables: SELECT citus_set_coordinator_host('…')"
            )
        catalog = Catalog(str(connection.settings_dict["NAME"]))
        for table, method, model, colocation in rows(cursor, TABLES):
            catalog.kinds[table] = kind_of(method, model)
            catalog.colocation[table] = colocation
        catalog.foreign_keys = [ForeignKey(*row) for row in rows(cursor, FOREIGN_KEYS)]
        catalog.triggers = [Trigger(*row) for row in rows(cursor, TRIGGERS)]
        catalog.functions = [Function(*row) for row in rows(cursor, FUNCTIONS)]
        catalog.settings = {setting for (setting,) in rows(cursor, SETTINGS)}
        if rows(cursor, HAS_KEPT, [KEPT]) == [(True,)]:
            for kind, table, name, definition, refers_to in rows(cursor, ALL_KEPT):
                if kind == "trigger":
                    catalog.kept_triggers.append(Trigger(table, name, definition))
                else:
                    key = ForeignKey(table, name, definition, refers_to)
                    catalog.kept_foreign_keys.append(key)
        return catalog


def kind_of(method: str, model: str) -> Kind:
    """What the engine's letters mean: `h` is distributed by hash, `n` and `t` is a copy for all."""
    if method == "h":
        return Kind.DISTRIBUTED
    return Kind.REFERENCE if (method, model) == ("n", "t") else Kind.LOCAL


def rows(cursor: CursorWrapper, sql: str, values: Sequence[str] = ()) -> list[Row]:
    """The rows of a statement."""
    cursor.execute(sql, values)
    found: list[Row] = cursor.fetchall()
    return found

"""What makes a distributed database of a migrated one, step by step.

A plan is made of what the catalog has, and of nothing else. So one that was interrupted, by
whatever and wherever, is gone on with by making it again, and that of a whole database is empty.
Each step is one transaction: what it puts aside (`catalog.KEPT`), it drops in the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from psycopg.sql import SQL, Identifier, Literal

from customers.distribution.catalog import KEPT, Catalog, ForeignKey, Trigger
from customers.distribution.functions import replaced, wanted_body
from customers.distribution.layout import Kind, distributed, references, wanted

SHARDS = 32
# Of the session that runs the steps.
SESSION = (
    "SET citus.multi_shard_modify_mode = 'sequential'",
    "SET citus.enable_unsafe_triggers = 'on'",
)
# Of every session of the database, here and on all nodes: triggers with transition tables are
# "unsafe", and the nodes learn by SET LOCAL who acts.
SETTINGS = {"citus.enable_unsafe_triggers": "on", "citus.propagate_set_commands": "local"}
TABLE = (
    f"CREATE TABLE IF NOT EXISTS {KEPT} (kind text NOT NULL, on_table text NOT NULL,"
    " name text NOT NULL, definition text NOT NULL, refers_to text NOT NULL,"
    " PRIMARY KEY (on_table, name))"
)


@dataclass(frozen=True)
class Step:
    """Statements that are run in one transaction."""

    title: str
    statements: tuple[str, ...]


def plan(catalog: Catalog, *, shards: int = SHARDS) -> list[Step]:
    """All that is left to do, in this order."""
    return [
        *settings(catalog),
        *put_aside(catalog),
        *tables(catalog, shards),
        *functions(catalog),
        *put_back(catalog),
    ]


def settings(catalog: Catalog) -> Iterator[Step]:
    """What every session is told."""
    missing = {
        name: value for name, value in SETTINGS.items() if f"{name}={value}" not in catalog.settings
    }
    if missing:
        own = [
            text("ALTER DATABASE {} SET {} = {}", Identifier(catalog.database), SQL(name), value)
            for name, value in missing.items()
        ]
        everywhere = [text("SELECT run_command_on_workers({})", each) for each in own]
        yield Step("settings of the database", (*own, *everywhere))


def to_convert(catalog: Catalog) -> list[str]:
    """The tables that are not yet where they belong."""
    names = [*references(), *distributed()]
    return [table for table in names if catalog.kind(table) != wanted(table)]


def put_aside(catalog: Catalog) -> Iterator[Step]:
    """Foreign keys and triggers, which would keep tables from being distributed."""
    converted = set(to_convert(catalog))
    statements: list[str] = []
    for key in catalog.foreign_keys:
        if {key.table, key.refers_to} & converted:
            statements += [
                keep("foreign key", key, key.refers_to),
                text(
                    "ALTER TABLE {} DROP CONSTRAINT {}", Identifier(key.table), Identifier(key.name)
                ),
            ]
    for trigger in catalog.triggers:
        if trigger.table in converted:
            statements += [
                keep("trigger", trigger, ""),
                text("DROP TRIGGER {} ON {}", Identifier(trigger.name), Identifier(trigger.table)),
            ]
    if statements:
        yield Step("foreign keys and triggers put aside", (TABLE, *statements))


def tables(catalog: Catalog, shards: int) -> Iterator[Step]:
    """Reference tables, then customers, then what lies beside them."""
    (customers, *_) = distributed()
    for table in to_convert(catalog):
        if wanted(table) == Kind.REFERENCE:
            statement = text("SELECT create_reference_table({})", table)
        elif table == customers:
            statement = text(
                "SELECT create_distributed_table({}, {}, shard_count => {})",
                table,
                distributed()[table],
                shards,
            )
        else:
            statement = text(
                "SELECT create_distributed_table({}, {}, colocate_with => {})",
                table,
                distributed()[table],
                customers,
            )
        yield Step(f"{wanted(table)} table {table}", (statement,))


def functions(catalog: Catalog) -> Iterator[Step]:
    """The bodies for shards, known to all nodes."""
    for each in catalog.functions:
        statements = []
        if wanted_body(each) != each.body:
            statements.append(replaced(each))
        if not each.is_distributed:
            statements.append(text("SELECT create_distributed_function({})", each.signature))
        if statements:
            yield Step(f"function {each.signature}", tuple(statements))


def put_back(catalog: Catalog) -> Iterator[Step]:
    """Foreign keys whose two tables are of one kind, and all triggers, which reach every shard."""
    aside = [*catalog.kept_foreign_keys, *moved(catalog)]
    for key in aside:
        if is_kept(key):
            yield Step(
                f"foreign key {key.name} of {key.table}",
                (
                    text(
                        "ALTER TABLE {} ADD CONSTRAINT {} {}",
                        Identifier(key.table),
                        Identifier(key.name),
                        SQL(key.definition),
                    ),
                    forget(key),
                ),
            )
    converted = set(to_convert(catalog))
    dropped = [trigger for trigger in catalog.triggers if trigger.table in converted]
    for trigger in [*catalog.kept_triggers, *dropped]:
        yield Step(
            f"trigger {trigger.name} of {trigger.table}", (trigger.definition, forget(trigger))
        )


def moved(catalog: Catalog) -> list[ForeignKey]:
    """The foreign keys that this plan puts aside."""
    converted = set(to_convert(catalog))
    return [key for key in catalog.foreign_keys if {key.table, key.refers_to} & converted]


def is_kept(key: ForeignKey) -> bool:
    """Whether a foreign key is there again in the end."""
    return wanted(key.table) == wanted(key.refers_to)


def left_out(catalog: Catalog) -> list[ForeignKey]:
    """The foreign keys that a distributed database does without."""
    return [key for key in [*catalog.kept_foreign_keys, *moved(catalog)] if not is_kept(key)]


# --- SQL ------------------------------------------------------------------------------------------


def keep(kind: str, what: ForeignKey | Trigger, refers_to: str) -> str:
    """SQL that notes what is dropped next."""
    return text(
        "INSERT INTO {} VALUES ({}, {}, {}, {}, {})",
        *(Identifier(KEPT), kind, what.table, what.name, what.definition, refers_to),
    )


def forget(what: ForeignKey | Trigger) -> str:
    """SQL that deletes the note."""
    return text(
        "DELETE FROM {} WHERE on_table = {} AND name = {}",
        *(Identifier(KEPT), what.table, what.name),
    )


def text(template: str, *parts: Identifier | SQL | str | int) -> str:
    """SQL with names and values put in."""
    values = [part if isinstance(part, Identifier | SQL) else Literal(part) for part in parts]
    return SQL(template).format(*values).as_string()


def script(catalog: Catalog, steps: Iterable[Step]) -> Iterator[str]:
    """The plan as lines of SQL, with comments."""
    yield from (f"{statement};" for statement in SESSION)
    for step in steps:
        yield ""
        yield f"-- {step.title}"
        yield "BEGIN;"
        yield from (f"{statement.strip()};" for statement in step.statements)
        yield "COMMIT;"
    for key in left_out(catalog):
        yield f"-- left out: foreign key {key.name} of {key.table} to {key.refers_to}"

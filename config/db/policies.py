"""Who may see which rows, derived from the models: the conditions of row-level security.

Every table that has rows of business accounts gets a policy, which shows those of the accounts that
the transaction names (`config.db.scope`). Under a policy PostgreSQL takes an index only for
comparisons that tell nothing of hidden rows, which `LIKE` and trigrams are not. So each of these
tables has a view, too, which belongs to the owner of the tables and has the same condition: the
planner looks through it as through any subquery.

A table is confined by its foreign key to a business account, or as what it hangs on is (`OWNERS`).
Of others its app says it: in `owned_rows`, or in `open_rows`, with the reason why they are shown to
everybody. Nothing is forgotten: `confined` raises for a model of which nobody has said anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from django.apps import apps
from django.db.models import ForeignKey, Model
from psycopg.sql import SQL

from config.db.scope import EVERYTHING, SETTING

ACCOUNT = "business_account"
# By the names of foreign keys; a row of one comes in the same statement as the row that it hangs
# on, which no condition sees by then.
OWNERS = {"customer": False, "request": True}
# As NULL or not: to the planner that is nearly always not NULL, while it would expect far too few
# rows for two conditions on the same column. An array that has NULL equals anything, maybe. The
# subquery is run once for a statement.
OF_ACCOUNTS = (
    "CASE WHEN ({row}.{column} = ANY ((SELECT coalesce(nullif(current_setting('{setting}', true),"
    " ''), '{{}}')::uuid[])::uuid[])) IS FALSE THEN NULL ELSE true END IS NOT NULL"
)

# An EXISTS would seem to hold for half of the rows.
FOUND = SQL("(SELECT true FROM {owner} LIMIT 1) IS NOT NULL")
VIEW = SQL("SELECT {columns} FROM {schema}.{table} AS own WHERE {condition}")

# For rows of customers that are gone, or have not arrived: who sees everything sees them, too.
OF_EVERYTHING = f"(SELECT current_setting('{SETTING}', true) = '{EVERYTHING}')"


class UnknownOwner(Exception):
    """Nobody has said whose the rows of a model are."""


@dataclass(frozen=True)
class Owner:
    """A row that another one hangs on: its model, and the columns of it by those of the other."""

    model: str
    columns: Mapping[str, str] = field(default_factory=dict)

    def found(self, row: str, name: str) -> str:
        """SQL that finds it for a row, under a name."""
        table = apps.get_model(self.model)._meta.db_table
        join = " AND ".join(f"{name}.{own} = {row}.{its}" for its, own in self.columns.items())
        return f"{table} AS {name} WHERE {join}"


@dataclass(frozen=True)
class Confined:
    """A table whose rows belong to business accounts: by a column, or as their owners do."""

    table: str
    columns: tuple[str, ...]
    account: str = ""
    owners: tuple[Owner, ...] = ()
    comes_together: bool = False

    @property
    def policy(self) -> str:
        """The condition of the policy. What a row hangs on is looked for under its own policy."""
        if self.account:
            return of_accounts(self.table, self.account)
        found = [
            FOUND.format(owner=SQL(owner.found(self.table, "owner"))).as_string()
            for owner in self.owners
        ]
        return " OR ".join([*found, OF_EVERYTHING])

    @property
    def check(self) -> str:
        """The condition of new rows."""
        return "true" if self.comes_together else self.policy

    def condition(self, row: str, schema: str, depth: int = 1) -> str:
        """The condition of the view, where no policy holds: one that can become a join."""
        if self.account:
            return of_accounts(row, self.account)
        name, found = f"owner{depth}", []
        for owner in self.owners:
            above = confined()[apps.get_model(owner.model)]
            inner = above.condition(name, schema, depth + 1)
            found.append(f"EXISTS (SELECT FROM {schema}.{owner.found(row, name)} AND ({inner}))")
        return " OR ".join(found)

    def view(self, schema: str) -> str:
        """The query of the view of a table in a schema."""
        return VIEW.format(
            columns=SQL(", ".join(f"own.{column}" for column in self.columns)),
            schema=SQL(schema),
            table=SQL(self.table),
            condition=SQL(self.condition("own", schema)),
        ).as_string()


def of_accounts(row: str, column: str) -> str:
    """The condition that a business account is one of those that were named."""
    return OF_ACCOUNTS.format(row=row, column=column, setting=SETTING)


def every_model() -> list[type[Model]]:
    """All models with a table, also those that Django makes for many-to-many fields."""
    return [each for each in apps.get_models(include_auto_created=True) if each._meta.managed]


@cache
def open_rows() -> dict[type[Model], str]:
    """The models whose rows everybody sees, and why."""
    said = {
        label: reason
        for app in apps.get_app_configs()
        for label, reason in getattr(app, "open_rows", {}).items()
    }
    return {model: said[model._meta.label] for model in every_model() if model._meta.label in said}


@cache
def confined() -> dict[type[Model], Confined]:
    """The models whose rows belong to business accounts. Raises `UnknownOwner`."""
    return {model: confinement(model) for model in every_model() if model not in open_rows()}


def confinement(model: type[Model]) -> Confined:
    """Whose the rows of a model are. Raises `UnknownOwner`."""
    meta = model._meta
    columns = tuple(str(each.column) for each in meta.local_concrete_fields)
    own = getattr(apps.get_app_config(meta.app_label), "owned_rows", {})
    if meta.object_name in own:
        return Confined(meta.db_table, columns, owners=own[meta.object_name])
    keys = {each.name: each for each in meta.local_fields if isinstance(each, ForeignKey)}
    if ACCOUNT in keys:
        return Confined(meta.db_table, columns, account=str(keys[ACCOUNT].column))
    for name, together in OWNERS.items():
        if name in keys:
            key = keys[name]
            owner = Owner(
                key.related_model._meta.label, {str(key.column): str(key.target_field.column)}
            )
            return Confined(meta.db_table, columns, owners=(owner,), comes_together=together)
    raise UnknownOwner(f"whose the rows of {meta.label} are is said in its app's configuration")

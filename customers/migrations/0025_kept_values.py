"""The change log keeps what it takes to undo a change, beside what the history shows.

`kept` has columns that are no part of the history: of a deleted row those that nothing else tells,
of an updated one what goes with a column that changed. `sealed` has the ciphertexts of sealed
values that were replaced or deleted, by column. Of changes that are older neither is there.

A later migration that changes a logged table calls `tracking` of this one.
"""

from importlib import import_module
from typing import Any

from django.db import migrations, models

from config.db import online

record = import_module("customers.migrations.0002_change_record")
PINS = import_module("customers.migrations.0017_relationship").AFTER
TRACKED = tuple(PINS if each.entity == PINS.entity else each for each in record.TRACKED)

# By entity: the columns that go with others, and those that only a deleted row is known by.
COMPANIONS = {"contact": "social_id_digest social_id_last4", "contactPoint": "value_key"}
OF_DELETED = {"customer": "version created_at created_by_type created_by_id"}

# As `change_record` has it, with two more columns.
FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
SET enable_nestloop = off AS $$
DECLARE
    act record;
BEGIN
    IF current_setting('kith.recording', true) = 'off' THEN
        RETURN NULL;
    END IF;
    act := kith_act();
    IF TG_OP = 'INSERT' THEN
        INSERT INTO customers_change ({columns}, after)
        SELECT {new_who}, became.{customer}, '{entity}', became.{id}, 'created', {made}
        FROM new_rows AS became;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO customers_change ({columns}, before, kept, sealed)
        SELECT {old_who}, was.{customer}, '{entity}', was.{id}, 'deleted', {gone},
               {kept_of_gone}, {sealed_of_gone}
        FROM old_rows AS was;
    ELSE
        INSERT INTO customers_change ({columns}, before, after, kept, sealed)
        SELECT {old_who}, was.{customer}, '{entity}', was.{id}, 'updated', {old}, {new},
               {kept_of_old}, {sealed_of_old}
        FROM old_rows AS was
        JOIN new_rows AS became ON became.{customer} = was.{customer} AND became.{id} = was.{id}
        WHERE ({all_old}) IS DISTINCT FROM ({all_new});
    END IF;
    RETURN NULL;
END
$$"""


def document(columns: str, *, only_changed: bool) -> str:
    """SQL of a jsonb object of the old values that are there; NULL where none is."""
    if not columns:
        return "NULL::jsonb"
    condition = "was.{0} IS DISTINCT FROM became.{0} AND " if only_changed else ""
    parts = ", ".join(
        f"CASE WHEN {condition.format(column)}was.{column} IS NOT NULL"
        f""" THEN '"{column}":' || to_json(was.{column})::text END"""
        for column in columns.split()
    )
    return f"('{{' || nullif(concat_ws(',', {parts}), '') || '}}')::jsonb"


def function(tracked: Any) -> str:  # noqa: ANN401 -- imported by name
    """The trigger function of one table, a `Tracked` of `change_record`."""
    columns = record.members(tracked)
    companions = COMPANIONS.get(tracked.entity, "")
    of_deleted = OF_DELETED.get(tracked.entity, "created_at")

    def given(row: str) -> str:
        text: str = record.document(
            f"""'"{column}":' || {sql.format(row=row)}""" for column, sql in columns.items()
        )
        return text

    def changed(row: str) -> str:
        text: str = record.document(
            f"CASE WHEN was.{column} IS DISTINCT FROM became.{column}"
            f""" THEN '"{column}":' || coalesce({sql.format(row=row)}::text, 'null') END"""
            for column, sql in columns.items()
        )
        return text

    return FUNCTION.format(
        name=record.name(tracked),
        columns=record.COLUMNS,
        new_who=record.WHO.format(row="became", id=tracked.id, customer=tracked.customer),
        old_who=record.WHO.format(row="was", id=tracked.id, customer=tracked.customer),
        entity=tracked.entity,
        customer=tracked.customer,
        id=tracked.id,
        made=given("became"),
        gone=given("was"),
        old=changed("was"),
        new=changed("became"),
        all_old=", ".join(f"was.{column}" for column in columns),
        all_new=", ".join(f"became.{column}" for column in columns),
        kept_of_gone=document(f"{companions} {of_deleted}", only_changed=False),
        sealed_of_gone=document(tracked.secrets, only_changed=False),
        kept_of_old=document(companions, only_changed=True),
        sealed_of_old=document(tracked.secrets, only_changed=True),
    )


def tracking(tracked: Any) -> migrations.RunSQL:  # noqa: ANN401 -- imported by name
    """Bring the trigger function of a table up to date; the triggers stay as they are."""
    before = record.function(tracked).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    return migrations.RunSQL(function(tracked), before)


class Migration(online.Migration):
    dependencies = [("customers", "0024_words_of_accounts")]

    operations = [
        migrations.AddField("change", "kept", models.JSONField(null=True)),
        migrations.AddField("change", "sealed", models.JSONField(null=True)),
        *map(tracking, TRACKED),
    ]

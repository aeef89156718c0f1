"""`./kith manage distribute`: its plan, what interrupts it, and what it finds missing.

There is no distributed engine here: see `tests.engine`.
"""

from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from customers.distribution import layout
from customers.distribution.catalog import read
from customers.distribution.functions import VALUES
from customers.distribution.layout import Kind
from customers.distribution.plan import left_out, plan, script
from customers.models import AttributeDefinition
from customers.normalize import uuid7
from tests import engine
from tests.shards import Shards

pytestmark = pytest.mark.django_db
GOLDEN = Path(__file__).with_name("distribute.sql")


@pytest.fixture
def _engine() -> None:
    engine.make()


def distribute(*options: str) -> str:
    """What the command says."""
    out = StringIO()
    call_command("distribute", *options, stdout=out)
    return out.getvalue()


def run(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def state():
    """All that a distributed database consists of, but for numbers."""
    found = read()
    return (
        found.kinds,
        sorted(map(repr, found.foreign_keys)),
        sorted(map(repr, found.triggers)),
        sorted(map(repr, found.functions)),
        found.settings,
        sorted(map(repr, found.kept_foreign_keys)),
        found.kept_triggers,
    )


@contextmanager
def killed_at(number: int):
    """Statements from this one on are not run any more."""
    left = number

    def execute(run_it, sql, params, many, context):
        nonlocal left
        if "SAVEPOINT" in sql:
            # The end of a step, or its taking back, which no kill prevents.
            return run_it(sql, params, many, context)
        left -= 1
        if left < 0:
            raise InterruptedError
        return run_it(sql, params, many, context)

    with pytest.raises(InterruptedError), connection.execute_wrapper(execute):
        yield


# --- Before ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["", "--plan", "--check"])
def test_a_server_without_the_extension_is_refused_in_one_line(option):
    with pytest.raises(CommandError) as refused:
        distribute(*filter(None, [option]))
    assert str(refused.value) == (
        "this server has no extension that distributes tables: CREATE EXTENSION citus"
    )


@pytest.mark.usefixtures("_engine")
def test_a_cluster_whose_coordinator_has_no_copies_of_tables_is_refused():
    run("DELETE FROM pg_dist_node WHERE groupid = 0")
    with pytest.raises(CommandError, match="the coordinator is no node of its cluster"):
        distribute()


def test_every_table_that_leads_with_its_customer_lies_beside_the_customers():
    assert layout.distributed() == {
        "customers_customer": "id",
        **dict.fromkeys(
            [
                "customers_account",
                "customers_activity",
                "customers_address",
                "customers_attributevalue",
                "customers_card",
                "customers_change",
                "customers_contact",
                "customers_contactpoint",
                "customers_enrollment",
                "customers_reveal",
            ],
            "customer_id",
        ),
    }
    assert layout.wanted("customers_businessaccount") == Kind.REFERENCE
    assert layout.wanted("ingest_bulkrequest") == Kind.LOCAL


# --- The plan -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_engine")
def test_the_plan_is_this_sql(tmp_path):
    catalog = read()
    catalog.database = "kith"
    text = "\n".join(script(catalog, plan(catalog))) + "\n"
    (tmp_path / GOLDEN.name).write_text(text)
    assert text == GOLDEN.read_text(), f"the plan is another one: see {tmp_path / GOLDEN.name}"


@pytest.mark.usefixtures("_engine")
def test_to_plan_does_nothing():
    before = state()
    assert distribute("--plan").startswith("SET citus.multi_shard_modify_mode")
    assert state() == before


@pytest.mark.usefixtures("_engine")
def test_the_plan_is_what_is_done():
    out = distribute("--plan")
    done = distribute()
    steps = [line.removeprefix("-- ") for line in out.splitlines() if line.startswith("-- ")]
    assert steps == done.splitlines()


@pytest.mark.usefixtures("_engine")
def test_each_table_comes_to_where_it_belongs_with_its_triggers_and_foreign_keys():
    before = read()
    distribute()
    after = read()
    assert after.kinds == {
        **dict.fromkeys(layout.references(), Kind.REFERENCE),
        **dict.fromkeys(layout.distributed(), Kind.DISTRIBUTED),
    }
    assert set(after.triggers) == set(before.triggers)
    gone = set(before.foreign_keys) - set(after.foreign_keys)
    assert gone == set(left_out(after))
    for key in gone:
        assert layout.wanted(key.table) != layout.wanted(key.refers_to)
    assert "kith_record_card()" in {each.signature for each in after.functions}
    assert all(each.is_distributed for each in after.functions)


@pytest.mark.usefixtures("_engine")
def test_done_twice_it_does_nothing_more():
    first = distribute()
    whole = state()
    assert distribute() == "".join(
        f"{line}\n" for line in first.splitlines() if line.startswith("left out")
    )
    assert state() == whole
    assert plan(read()) == []


@pytest.mark.usefixtures("_engine")
@pytest.mark.parametrize("number", [12, 20, 60, 110, 130, 140, 150, 160, 170, 180])
def test_killed_anywhere_it_is_ended_by_the_next_run(number):
    with killed_at(number):
        distribute()
    assert plan(read())
    with pytest.raises(CommandError, match="not done: "):
        distribute("--check")
    distribute()
    interrupted = state()
    assert plan(read()) == []
    assert not interrupted[-1]
    assert distribute("--check") == "every node and every shard is as it should be\n"


# --- Afterwards -----------------------------------------------------------------------------------


@pytest.fixture
def _distributed(_engine) -> None:
    distribute()


def wrong() -> list[str]:
    with pytest.raises(CommandError) as found:
        distribute("--check")
    return str(found.value).splitlines()


@pytest.mark.usefixtures("_distributed")
def test_a_shard_that_lacks_a_trigger_is_named():
    [(shard,), *_] = run(
        "SELECT shardid FROM pg_dist_shard"
        " WHERE logicalrelid = 'customers_card'::regclass ORDER BY shardid"
    )
    run(f"CREATE TABLE customers_card_{shard} (LIKE customers_card)")
    assert wrong() == [
        f"shard {shard} of customers_card on there:5432 has other triggers than the table"
    ]


@pytest.mark.usefixtures("_distributed")
def test_a_table_that_lies_elsewhere_than_its_customers_is_found():
    run(
        "UPDATE pg_dist_partition SET colocationid = 9"
        " WHERE logicalrelid = 'customers_card'::regclass"
    )
    assert wrong() == [
        "the tables of customers do not lie beside each other: their colocations differ"
    ]


@pytest.mark.usefixtures("_distributed")
def test_a_setting_that_was_taken_back_is_found_and_set_again():
    name = connection.settings_dict["NAME"]
    run(f'ALTER DATABASE "{name}" RESET citus.propagate_set_commands')
    assert wrong()[0] == "not done: settings of the database"
    distribute()
    distribute("--check")


@pytest.mark.usefixtures("_distributed")
def test_a_later_migration_of_a_trigger_is_found_and_made_one_of_shards():
    [(body,)] = run("SELECT prosrc FROM pg_proc WHERE proname = 'kith_record_card'")
    run(
        "CREATE OR REPLACE FUNCTION kith_record_card() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN NULL; END $$"
    )
    assert wrong() == ["not done: function kith_record_card()"]
    assert distribute().startswith("function kith_record_card()\n")
    assert run("SELECT prosrc FROM pg_proc WHERE proname = 'kith_record_card'") == [(body,)]


@pytest.mark.usefixtures("_distributed")
def test_a_trigger_of_a_reference_table_does_its_work_on_the_coordinator_alone(owner):
    [(body,)] = run("SELECT prosrc FROM pg_proc WHERE proname = 'kith_guard_attribute'")
    assert body.count("to_regclass('django_migrations') IS NULL") == 1
    # Here is the coordinator.
    child = f"UPDATE customers_businessaccount SET parent_id = id WHERE id = '{owner.account.pk}'"
    with pytest.raises(Exception, match="business_account"):
        run(child)


# --- On shards ------------------------------------------------------------------------------------

VALUE = """
    INSERT INTO {shard} (
        customer_id, id, definition_id, value, value_sealed, created_at, updated_at)
    SELECT %s, %s, %s, %s, %s, now(), now()"""


def test_a_shard_takes_no_value_in_a_form_that_its_attribute_must_not_have(account):
    shards = Shards()
    shard = shards.of("customers_attributevalue")
    definition = AttributeDefinition.objects.create(
        business_account=account, name="pet", is_encrypted=True
    )
    run("CREATE VIEW customers_attributedefinition_7 AS TABLE customers_attributedefinition")
    run("INSERT INTO pg_dist_shard VALUES ('customers_attributedefinition', 7, NULL)")
    run(
        "CREATE FUNCTION guard_of_shards() RETURNS trigger LANGUAGE plpgsql AS"
        f" $body${VALUES}$body$;"
        f" CREATE TRIGGER guarded_insert AFTER INSERT ON {shard} REFERENCING NEW TABLE AS new_rows"
        " FOR EACH STATEMENT EXECUTE FUNCTION guard_of_shards()"
    )
    with connection.cursor() as cursor:
        row = [uuid7(), uuid7(), definition.pk]
        cursor.execute(VALUE.format(shard=shard), [*row, "", b"\1sealed"])
        with pytest.raises(IntegrityError, match="must be sealed"):
            cursor.execute(VALUE.format(shard=shard), [*row, "Rex", None])

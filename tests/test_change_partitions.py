"""The change log in partitions by time: a place for every row, whatever clocks say."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from config.db import row_security
from config.db.scope import EVERYTHING, SETTING
from customers import history
from customers.models import Change, Customer
from customers.services import change_partitions
from customers.services.change_partitions import (
    FIRST,
    LATER,
    MONTHS,
    Partition,
    drop_partitions,
    make_partitions,
    month_after,
    partitions,
)
from customers.services.changes import days_of_undo, delete_old_changes
from customers.tasks import make_change_partitions
from tests import bulk, factories, row_roles
from tests.bulk import customer

# Each test in a transaction that is rolled back, with all that it does to tables.
pytestmark = pytest.mark.django_db
migration = import_module("customers.migrations.0034_change_log_by_time")
INSERT = """
    INSERT INTO customers_change (customer_id, at, actor_type, actor_id, via, request_id, reason,
        entity, entity_id, operation)
    SELECT %s, at, 'internal', '', 'v1', '', '', 'customer', gen_random_uuid(), 'updated'
    FROM unnest(%s::timestamptz[]) AS at RETURNING tableoid::regclass::text"""
SOMEBODY = UUID(int=1)


def run(statement: str, *values: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        found: list[tuple[object, ...]] = cursor.fetchall() if cursor.description else []
    return found


def log(*moments: datetime | str, of: UUID = SOMEBODY) -> list[object]:
    """Add changes; gives the partitions that they came to."""
    return [name for (name,) in run(INSERT, of, [str(each) for each in moments])]


def month(number: int) -> datetime:
    """When a month begins: this one is 0."""
    return month_after("statement_timestamp()", number)


def name(number: int) -> str:
    return f"customers_change_{month(number):%Y_%m}"


def begin_at(number: int) -> None:
    """Have the last partition begin with that month, as if nobody had made any since."""
    run(f"DROP TABLE {', '.join(each.name for each in partitions())}")
    for each, bounds in ((FIRST, "(MINVALUE) TO ('{0}')"), (LATER, "('{0}') TO (MAXVALUE)")):
        run(
            f"CREATE TABLE {each} PARTITION OF customers_change FOR VALUES FROM "
            + bounds.format(month(number).isoformat())
        )


def names() -> list[str]:
    return [each.name for each in partitions()]


# --- Made ahead -----------------------------------------------------------------------------------


def test_migrating_leaves_one_partition_for_the_past_and_one_for_what_comes_later():
    assert partitions() == [Partition(FIRST, None, month(MONTHS)), Partition(LATER, month(3), None)]
    make_partitions()
    assert names() == [FIRST, LATER], "nothing is missing"


def test_each_month_gets_a_partition_before_it_begins():
    begin_at(0)
    make_change_partitions()
    assert partitions() == [
        Partition(FIRST, None, month(0)),
        *(Partition(name(each), month(each), month(each + 1)) for each in range(MONTHS)),
        Partition(LATER, month(MONTHS), None),
    ]


@pytest.mark.parametrize(
    "moment",
    ["-infinity", "0001-01-01T00:00Z", "2020-02-29T12:00Z", "now", "9999-12-31T23:59Z", "infinity"],
)
def test_every_row_has_a_place_whatever_the_clock_says(moment):
    begin_at(-1)
    assert log(moment)[0] in {FIRST, LATER}
    make_partitions()
    assert log(moment)[0] in {FIRST, LATER, name(0)}
    assert Change.objects.filter(customer_id=SOMEBODY).count() == 2


def test_rows_that_came_before_their_partition_move_to_it():
    begin_at(-2)
    moments = [month(each) + timedelta(days=3) for each in (-2, -1, 1, 40)]
    assert set(log(*moments)) == {LATER}
    make_partitions()
    found = run("SELECT tableoid::regclass::text, at FROM customers_change ORDER BY at")
    places = [name(-2), name(-1), name(1), LATER]
    assert found == list(zip(places, moments, strict=True))


def test_months_of_too_many_rows_to_move_stay_together(monkeypatch):
    monkeypatch.setattr(change_partitions, "MOST_MOVED", 2)
    begin_at(-2)
    log(*[month(-2)] * 3, month(0))
    make_partitions()
    whole, later = partitions()[1:]
    assert whole == Partition(name(-2), month(-2), month(MONTHS))
    assert later == Partition(LATER, month(MONTHS), None)
    assert run(f"SELECT count(*) FROM {whole.name}") == [(4,)]
    assert not run("SELECT FROM pg_constraint WHERE conname LIKE 'change_until_%'")


def test_a_clock_that_was_ahead_keeps_no_partition_from_ending(monkeypatch):
    monkeypatch.setattr(change_partitions, "MOST_MOVED", 2)
    begin_at(-2)
    log(*[month(-2)] * 3, month(30) + timedelta(days=20))
    make_partitions()
    assert partitions()[1:] == [
        Partition(name(-2), month(-2), month(31)),
        Partition(LATER, month(31), None),
    ]


def test_what_an_interrupted_end_left_is_put_right(monkeypatch):
    monkeypatch.setattr(change_partitions, "MOST_MOVED", 0)
    begin_at(-2)
    log(month(-2))
    run(
        f"ALTER TABLE {LATER} ADD CONSTRAINT change_until_2000_01 CHECK (at < '2000-01-01')"
        " NOT VALID"
    )
    make_partitions()
    assert names() == [FIRST, name(-2), LATER]
    assert set(log("now", "infinity")) == {name(-2), LATER}


def test_only_one_session_makes_partitions_at_a_time():
    begin_at(-1)
    before = partitions()
    with psycopg.connect(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"]) as s:
        s.execute(change_partitions.ALONE)
        make_partitions()
        assert drop_partitions(0) == 0
        assert partitions() == before
    make_partitions()
    assert partitions() != before


# --- Dropped --------------------------------------------------------------------------------------


def test_months_that_are_over_are_dropped_and_rows_that_come_late_have_a_place(settings):
    begin_at(-5)
    make_partitions()
    log("2001-01-01", *(month(each) for each in range(-5, 1)))
    settings.CHANGE_RETENTION_DAYS = 70
    delete_old_changes()
    ends = datetime.now(UTC) - timedelta(days=70)
    kept = [each for each in range(-5, 1) if month(each + 1) > ends]
    assert names()[:2] == [FIRST, name(kept[0])]
    assert [at for (at,) in run("SELECT at FROM customers_change ORDER BY at")] == [
        month(each) for each in kept
    ]
    assert log("2001-01-01") == [FIRST]
    settings.CHANGE_RETENTION_DAYS = 0
    assert delete_old_changes() == 0
    assert run(f"SELECT count(*) FROM {FIRST}") == [(1,)], "for ever"


def test_a_first_partition_that_is_empty_is_not_dropped_again():
    begin_at(-5)
    make_partitions()
    assert drop_partitions(31) >= 4
    before = run(f"SELECT '{FIRST}'::regclass::oid")
    assert drop_partitions(31) == 0
    assert run(f"SELECT '{FIRST}'::regclass::oid") == before


def test_nothing_that_an_undo_needs_is_dropped(settings):
    begin_at(-5)
    make_partitions()
    settings.CHANGE_RETENTION_DAYS = 1
    delete_old_changes()
    needed = datetime.now(UTC) - timedelta(days=days_of_undo())
    first = partitions()[0]
    assert first.ends is not None
    assert first.ends <= needed


# --- Read -----------------------------------------------------------------------------------------


def test_a_page_of_history_reads_partitions_from_the_newest_on_as_far_as_it_takes():
    begin_at(-24)
    make_partitions()
    log(*(month(0) - timedelta(days=20 * each) for each in range(30)))
    run("SET LOCAL enable_seqscan = off")
    run("SET LOCAL enable_bitmapscan = off")
    changes = history.changes_of(SOMEBODY)
    plan = changes[:3].explain(analyze=True)
    assert "Sort" not in plan
    assert "Merge Append" not in plan
    assert plan.count("never executed") > 20, plan
    assert len(changes) == 30


def test_the_same_row_is_read_from_its_own_partition_by_a_prepared_statement():
    begin_at(-24)
    make_partitions()
    run("PREPARE one (timestamptz) AS SELECT FROM customers_change WHERE at = $1")
    run("SET LOCAL plan_cache_mode = force_generic_plan")
    plan = "\n".join(str(line) for (line,) in run(f"EXPLAIN EXECUTE one ('{month(-3)}')"))
    assert "Subplans Removed" in plan
    assert plan.count(" on customers_change_") == 1, plan


# --- The migration --------------------------------------------------------------------------------


@pytest.fixture
def editor() -> Iterator[object]:
    with connection.schema_editor(atomic=False) as made:
        yield made


def every_change() -> list[dict[str, object]]:
    rows = run("SELECT to_jsonb(change)::text FROM customers_change AS change ORDER BY id")
    return [json.loads(str(row)) for (row,) in rows]


def test_the_migration_is_undone_and_done_again_with_every_row_and_ids_that_go_on(owner, editor):
    begin_at(0)
    make_partitions()
    log("2001-01-01")
    bulk.load(owner, customer("c1"))
    run("SET CONSTRAINTS ALL IMMEDIATE")
    before = every_change()
    assert {each["customer_id"] for each in before} == {str(SOMEBODY), str(bulk.id_of(owner, "c1"))}
    assert set(run("SELECT tableoid::regclass::text FROM customers_change")) == {
        (FIRST,),
        (name(0),),
    }
    migration.join(None, editor)
    assert every_change() == before
    assert not run(
        "SELECT FROM pg_class WHERE relname LIKE 'customers_change_2%' OR relispartition"
    )
    log("now")
    migration.partition(None, editor)
    assert partitions() == [Partition(FIRST, None, None)]
    make_partitions()
    assert names() == [FIRST, LATER]
    log("now")
    assert every_change()[:-2] == before
    ids = [row["id"] for row in every_change()]
    assert ids[-2:] == [ids[-3] + 1, ids[-3] + 2]


def test_whoever_is_confined_is_so_before_and_after_the_migration(editor):
    child, other = factories.make_business_account(), factories.make_business_account()
    for account in (child, other):
        factories.make_customer(account)
    run("SET CONSTRAINTS ALL IMMEDIATE")
    row_roles.make_role()
    list(row_security.apply(row_roles.ROLE))
    row_security.drop_views()
    run(f"SET LOCAL {SETTING} = '{{{child.pk}}}'")
    for step in (migration.join, migration.partition):
        step(None, editor)
        run(f"SET LOCAL ROLE {row_roles.ROLE}")
        seen = {key for (key,) in run("SELECT DISTINCT customer_id FROM customers_change")}
        run("RESET ROLE")
        assert seen == set(
            Customer.objects.filter(business_account=child).values_list("pk", flat=True)
        )


# --- Confined -------------------------------------------------------------------------------------


@pytest.fixture
def confined(settings) -> Iterator[None]:
    """The session is one of web and worker."""
    row_roles.make_role()
    list(row_security.apply(row_roles.ROLE))
    begin_at(-5)
    log(month(-5), of=uuid4())
    settings.ROW_SECURITY = True
    run(f"SET LOCAL ROLE {row_roles.ROLE}; SET LOCAL {SETTING} = '{EVERYTHING}'")
    yield
    run("RESET ROLE")


def test_whoever_is_confined_makes_and_drops_partitions_and_reads_none_by_itself(
    confined, settings
):
    make_partitions()
    assert names()[-2:] == [name(MONTHS - 1), LATER]
    for each in names():
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            run(f"SELECT FROM {each}")
    settings.CHANGE_RETENTION_DAYS = 40
    delete_old_changes()
    assert name(-4) not in names()


def test_not_even_who_may_read_all_tables_reads_a_partition_past_the_policies(confined):
    make_partitions()
    run("RESET ROLE")
    run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {row_roles.ROLE}")
    run(f"SET LOCAL ROLE {row_roles.ROLE}")
    assert [run(f"SELECT count(*) FROM {each}") for each in names()] == [[(0,)]] * len(names())


def test_whoever_is_confined_leaves_a_last_partition_of_too_many_rows_to_the_owner(
    confined, monkeypatch, caplog
):
    monkeypatch.setattr(change_partitions, "MOST_MOVED", 0)
    make_partitions()
    assert names() == [FIRST, LATER]
    assert "run `migrate`" in caplog.text

"""The change log in partitions by time: a place for every row, whatever clocks say."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from config.db import row_security
from config.db.scope import EVERYTHING, SETTING
from customers.models import Change
from customers.services import change_partitions
from customers.services.change_partitions import (
    FIRST,
    LATER,
    MONTHS,
    Partition,
    drop_partitions,
    make_partitions,
    partitions,
)
from customers.services.changes import days_of_undo, delete_old_changes
from customers.tasks import make_change_partitions
from tests import row_roles
from tests.partitions import SOMEBODY, begin_at, log, month, name, names, run

# Each test in a transaction that is rolled back, with all that it does to tables.
pytestmark = pytest.mark.django_db
migration = import_module("customers.migrations.0034_change_log_by_time")


# --- Made ahead -----------------------------------------------------------------------------------


def test_each_month_gets_a_partition_before_it_begins():
    begin_at(0)
    make_change_partitions()
    assert partitions() == [
        Partition(FIRST, None, month(0)),
        *(Partition(name(each), month(each), month(each + 1)) for each in range(MONTHS)),
        Partition(LATER, month(MONTHS), None),
    ]
    before = partitions()
    make_change_partitions()
    assert partitions() == before, "nothing is missing"


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


def test_changes_of_no_year_at_all_leave_the_last_partition_as_it_is(monkeypatch, caplog):
    monkeypatch.setattr(change_partitions, "MOST_MOVED", 0)
    begin_at(-2)
    log(month(-2), "infinity")
    before = partitions()
    make_partitions()
    assert partitions() == before
    assert "stays as it is" in caplog.text
    assert log("now", "infinity") == [LATER, LATER]


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


def test_the_owner_of_a_confined_registry_closes_it(confined, monkeypatch):
    monkeypatch.setattr(change_partitions, "MOST_MOVED", 0)
    run("RESET ROLE")
    log("now")
    make_partitions()
    assert names() == [FIRST, name(-5), LATER]

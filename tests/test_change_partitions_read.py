"""The change log is read in its order, and from no more partitions than it takes."""

from datetime import timedelta

import pytest
from django.db import connection

from config.api.json import wire_time
from config.db.statements import array
from customers import history
from customers.services.change_partitions import make_partitions
from ingest.models import BulkRequest
from ingest.undo import record
from tests import factories
from tests.partitions import SOMEBODY, begin_at, log, month, run

# Each test in a transaction that is rolled back, with all that it does to tables.
pytestmark = pytest.mark.django_db


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


def test_pages_of_a_history_go_on_from_month_to_month(owner):
    begin_at(-6)
    make_partitions()
    of = factories.make_customer(owner.account)
    log(*(month(0) - timedelta(days=13 * each) for each in range(12)), of=of.pk)
    every = [change.at for change in history.changes_of(of.pk)]
    url = f"/v1/customers/{of.pk}/history?size=3"
    page = owner.api.get(url).json()
    assert page["totalElements"] == len(every) > 12
    told = [each["at"] for each in page["content"]]
    while page["nextCursor"]:
        page = owner.api.get(f"{url}&cursor={page['nextCursor']}").json()
        told += [each["at"] for each in page["content"]]
    assert told == [wire_time(at) for at in every]


def test_a_page_of_a_history_takes_its_rows_from_their_months_alone(
    owner, django_assert_max_num_queries
):
    begin_at(-24)
    make_partitions()
    of = factories.make_customer(owner.account)
    run("DELETE FROM customers_change")
    log(*(month(-each) for each in range(3)), of=of.pk)
    with django_assert_max_num_queries(20) as asked:
        assert owner.api.get(f"/v1/customers/{of.pk}/history").json()["totalElements"] == 3
    (rows,) = [each["sql"] for each in asked if '"before"' in each["sql"]]
    plan = "\n".join(str(line) for (line,) in run(f"EXPLAIN {rows}"))
    assert plan.count(" on customers_change_") == 3, plan


def test_an_undo_does_not_look_through_months_long_before_the_load():
    begin_at(-24)
    make_partitions()
    request = BulkRequest(started_at=month(0), finished_at=month(0))
    values = record.span(request) | {"customers": array([str(SOMEBODY)]), "first": 0}
    for statement in (record.CHANGES, record.LATER):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {statement.as_string()}", values)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert plan.count(" on customers_change_") < 8, plan
        assert "Subplans Removed" not in plan, "they were planned for"


def test_the_same_row_is_read_from_its_own_partition_by_a_prepared_statement():
    begin_at(-24)
    make_partitions()
    run("PREPARE one (timestamptz) AS SELECT FROM customers_change WHERE at = $1")
    run("SET LOCAL plan_cache_mode = force_generic_plan")
    plan = "\n".join(str(line) for (line,) in run(f"EXPLAIN EXECUTE one ('{month(-3)}')"))
    assert "Subplans Removed" in plan
    assert plan.count(" on customers_change_") == 1, plan

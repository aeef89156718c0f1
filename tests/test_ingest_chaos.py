"""Bulk loads by workers that are killed: nothing is lost, doubled, half done or out of order."""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Count

from config.jobs import reaper
from config.jobs.reaper import reap
from customers.models import Account, Card, Change, Customer, Enrollment
from ingest.files import upload
from ingest.models import BulkContent, BulkPart, BulkRequest
from tests import bulk
from tests.bulk import account, card, customer, outcomes
from tests.uploads import lines, results, send
from tests.workers import closed_database, kill, locked, sessions, until, worker

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.no_cover,
    pytest.mark.long,
    pytest.mark.usefixtures("each_mode"),
]
Status = BulkRequest.Status
KILLS = 6
REQUESTS = 60
LINES = 20_000
BLOCK_LINES = 500


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    """A message that a killed worker took along is sent again soon, not after a minute."""
    monkeypatch.setattr(reaper, "REQUEUE_AFTER", timedelta(seconds=3))


def all_ended() -> bool:
    """Whether nothing is open any more; what a beat does is done meanwhile."""
    reap()
    return not BulkRequest.objects.filter(status__in=BulkRequest.OPEN).exists()


def pauses(seed: int, seconds: float) -> Iterator[float]:
    """Random times."""
    chance = random.Random(seed)
    while True:
        yield chance.random() * seconds


def test_a_request_goes_all_the_way(owner, own_queue, data):
    with worker(own_queue, data):
        public_id = bulk.send(owner, customer("c1"), customer("c2", country="?"))
        until(all_ended)
    assert outcomes(bulk.ledger(owner, public_id)) == ["CREATED", "FAILED"]


def test_a_request_posted_while_the_broker_is_away_is_done_when_it_is_back(
    owner, own_queue, data, broker_away
):
    with broker_away:
        public_id = bulk.send(owner, customer("c1"))
    with worker(own_queue, data):
        until(all_ended)
    assert outcomes(bulk.ledger(owner, public_id)) == ["CREATED"]


def test_a_worker_that_is_killed_in_the_middle_of_writing_leaves_nothing_half_done(
    owner, own_queue, data
):
    """It waits for the last table, everything else being written, and is killed there."""
    with locked("customers_card"), worker(own_queue, data) as first:
        public_id = bulk.send(owner, customer("c1"), customer("c2"))
        until(waiting_for_a_lock)
        kill(first)
    until(lambda: not waiting_for_a_lock())
    assert bulk.ledger(owner, public_id)["status"] == "STARTED"
    assert (Customer.objects.count(), Change.objects.count()) == (0, 0)
    with worker(own_queue, data):
        until(all_ended)
    assert outcomes(bulk.ledger(owner, public_id)) == ["CREATED", "CREATED"]
    assert bulk.request_of(public_id).attempts == 2


def waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def test_killed_workers_do_every_request_once_and_in_order(owner, own_queue, data):
    """Two workers, both killed now and then; requests share customers and joint accounts."""
    chance = random.Random(3)
    people = [f"c{number}" for number in range(40)]
    ids, last, owners = [], {}, {}
    for number in range(REQUESTS):
        items = []
        for name in chance.sample(people, 8):
            joint = f"joint-{int(name[1:]) // 2}"
            pair = [f"c{int(name[1:]) // 2 * 2 + side}" for side in (0, 1)]
            shared = account(
                name,
                joint,
                sourceCustomerIds=pair,
                sourcePortfolioId=str(number),
                cards=[card(name, joint)],
            )
            items.append(customer(name, organizationId=str(number), accounts=[shared]))
            last[name], owners[joint] = str(number), str(number)
        ids.append(bulk.send(owner, *items))
    pause = pauses(5, 0.6)
    for _ in range(KILLS // 2):
        with worker(own_queue, data) as first, worker(own_queue, data) as second:
            until(work_gets_on_from(ended()))
            for process in (first, second):
                time_passes(next(pause))
                kill(process)
    with worker(own_queue, data), worker(own_queue, data):
        until(all_ended)
    requests = [bulk.request_of(each) for each in ids]
    assert {request.status for request in requests} == {Status.FINISHED}
    assert all(sum(bulk.ledger(owner, each)["counts"].values()) == 8 for each in ids)
    assert sum(request.created for request in requests) == Customer.objects.count() == len(last)
    found = {
        row.customer.external_id: row.organization_id
        for row in Enrollment.objects.select_related("customer")
    }
    assert found == last
    for row in Account.objects.all():
        assert row.source_portfolio_id == owners[row.source_account_id]
    made = Change.objects.filter(operation="created").values("entity", "customer_id", "entity_id")
    assert not made.annotate(times=Count("id")).filter(times__gt=1).exists()
    assert Card.objects.count() == len(last)
    assert not BulkContent.objects.exists()


def work_gets_on_from(before: int) -> Callable[[], bool]:
    return lambda: all_ended() or ended() > before


def ended() -> int:
    return BulkRequest.objects.exclude(status__in=BulkRequest.OPEN).count()


def time_passes(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    until(lambda: time.monotonic() >= deadline)


def test_a_file_whose_worker_is_killed_half_way_is_loaded_once(owner, own_queue, data, monkeypatch):
    monkeypatch.setattr(upload, "BLOCK_LINES", BLOCK_LINES)
    sent = [json.dumps(customer(f"c{number}")).encode() for number in range(LINES)]
    sent[LINES // 2] = b"{a bad line"
    public_id = send(owner, lines(*sent))
    for parts in (1, 4):
        with worker(own_queue, data) as process:
            until(lambda least=parts: (reap(), BulkPart.objects.count() >= least)[1])
            kill(process)
    assert BulkPart.objects.count() < LINES // BLOCK_LINES
    with worker(own_queue, data):
        until(all_ended)
    found = bulk.ledger(owner, public_id)
    assert found["counts"] == {"created": LINES - 1, "updated": 0, "unchanged": 0, "failed": 1}
    assert (found["status"], found["progress"]["percent"]) == ("FINISHED", 100)
    assert Customer.objects.count() == LINES - 1
    assert Change.objects.filter(entity="customer").count() == LINES - 1
    told = results(owner, public_id)
    assert [each["line"] for each in told] == list(range(1, LINES + 1))
    (bad,) = (each for each in told if each["outcome"] == "FAILED")
    assert (bad["line"], bad["errors"][0]["code"]) == (LINES // 2 + 1, "MALFORMED_LINE")


def test_a_file_whose_loader_processes_are_killed_is_loaded_once(
    owner, own_queue, data, monkeypatch
):
    monkeypatch.setattr(upload, "BLOCK_LINES", BLOCK_LINES)
    sent = (json.dumps(customer(f"c{number}")).encode() for number in range(LINES))
    public_id = send(owner, lines(*sent))
    with worker(own_queue, data) as process:
        until(lambda: (reap(), BulkPart.objects.exists())[1])
        os.kill(children(process.pid)[0], signal.SIGKILL)
        until(all_ended)
    found = bulk.ledger(owner, public_id)
    assert found["counts"] == {"created": LINES, "updated": 0, "unchanged": 0, "failed": 0}
    assert Change.objects.filter(entity="customer").count() == LINES


def test_loader_processes_end_with_the_process_that_they_work_for(
    owner, own_queue, data, monkeypatch
):
    monkeypatch.setattr(upload, "BLOCK_LINES", BLOCK_LINES)
    send(owner, lines(*(json.dumps(customer(f"c{number}")).encode() for number in range(LINES))))
    with worker(own_queue, data, KITH_LOADER_PROCESSES="4") as process:
        until(lambda: (reap(), BulkPart.objects.exists())[1])
        loaders = children(process.pid)
        assert len(loaders) == 4
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not any(map(is_running, loaders)))
    assert BulkPart.objects.count() < LINES // BLOCK_LINES


def children(pid: int) -> list[int]:
    """The processes that a process began."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_database_that_restarts_while_a_file_loads_costs_no_line(
    owner, own_queue, data, monkeypatch
):
    monkeypatch.setattr(upload, "BLOCK_LINES", BLOCK_LINES)
    sent = (json.dumps(customer(f"c{number}")).encode() for number in range(LINES))
    public_id = send(owner, lines(*sent))
    with worker(own_queue, data, processes=1):
        until(lambda: (reap(), BulkPart.objects.exists())[1])
        with closed_database():
            until(lambda: sessions() == 1)
        assert BulkPart.objects.count() < LINES // BLOCK_LINES
        until(all_ended)
    found = bulk.ledger(owner, public_id)
    assert found["counts"] == {"created": LINES, "updated": 0, "unchanged": 0, "failed": 0}
    assert [each["line"] for each in results(owner, public_id)] == list(range(1, LINES + 1))
    assert Customer.objects.count() == LINES
    assert Change.objects.filter(entity="customer").count() == LINES

"""Work under a lease: it stops when the claim is lost, and nothing unexpected goes unnoticed."""

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DataError, ProgrammingError, connection

from config.jobs.models import lost
from config.logging import JSONFormatter
from customers.models import Customer
from ingest.models import BulkRequest
from search.models import CustomerSearch
from tests import bulk
from tests.bulk import customer
from tests.jobs import run, submit
from tests.threads import in_threads, waiting_for_a_lock
from tests.uploads import lines, send
from tests.workers import locked, until

pytestmark = pytest.mark.django_db(transaction=True)


class Lines(logging.Handler):
    """The log's lines that have an exception."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JSONFormatter())
        self.found: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = json.loads(self.format(record))
        if "exception" in line:
            self.found.append(line)


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    """Lines with an exception that go to the log meanwhile."""
    lines = Lines()
    logging.getLogger().addHandler(lines)
    yield lines.found
    logging.getLogger().removeHandler(lines)


# --- Bugs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "error"),
    [(lambda: {"rows": 1 // 0}, ZeroDivisionError), (lambda: {"rows": 2**70}, DataError)],
    ids=["in Python", "in the database"],
)
def test_a_bug_in_keeping_the_lease_is_logged_and_fails_the_job(owner, logged, report, error):
    job = submit(owner)
    CustomerSearch.objects.filter(pk=job.pk).update(request_id="of-the-request")

    def work(job, lease):
        job.start()
        lease.report = report
        stop = threading.Event()
        with lease.interruptible(stop.set):
            assert stop.wait(60)
            lease.check()

    with pytest.raises(error):
        run(job, work)
    job.refresh_from_db()
    assert (job.status, job.error_code) == ("FAILED", "INTERNAL_ERROR")
    (line,) = logged
    assert (line["level"], line["requestId"]) == ("ERROR", "of-the-request")
    assert line["exception"]["type"].endswith(f".{error.__name__}")
    assert line["exception"]["trace"]


def test_a_bug_is_raised_though_the_claim_was_lost_meanwhile(owner):
    job = submit(owner)

    def work(job, lease):
        job.start()
        stop = threading.Event()
        with lease.interruptible(stop.set):
            job.abort("CANCELLED", "Cancelled.")
            assert stop.wait(60)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(job, work)
    job.refresh_from_db()
    assert (job.status, job.error_code) == ("ABORTED", "CANCELLED")


@contextmanager
def poison(external_id: str) -> Iterator[None]:
    """While it is entered, the database chokes on one customer in a way that nobody expects."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION choke() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF NEW.external_id = '{external_id}' THEN RAISE EXCEPTION 'choked'; END IF;"
            " RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER choke BEFORE INSERT ON customers_customer"
            " FOR EACH ROW EXECUTE FUNCTION choke()"
        )
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION choke CASCADE")


def test_a_bug_in_coalesced_requests_is_logged_and_fails_the_one_at_fault(owner, logged):
    first, bad, last = (bulk.send(owner, customer(name)) for name in ("c1", "bad", "c3"))
    request_id = bulk.request_of(first).request_id
    with poison("bad"):
        bulk.run(first)
        assert bulk.request_of(first).status == "FINISHED"
        (line,) = logged
        assert (line["level"], line["requestId"]) == ("ERROR", request_id)
        assert line["exception"]["type"] == "django.db.utils.ProgrammingError"
        with pytest.raises(ProgrammingError):
            bulk.run(bad)
        bulk.run(last)
    assert bulk.ledger(owner, bad)["errorCode"] == "INTERNAL_ERROR"
    assert bulk.request_of(last).status == "FINISHED"
    assert Customer.objects.count() == 2


# --- Waiting for locks ----------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3], ids=["single", "coalesced"])
def test_bulk_work_that_waits_for_a_lock_stops_when_its_claim_is_lost(owner, count):
    ids = [bulk.send(owner, customer()) for _ in range(count)]
    with ThreadPoolExecutor(1) as pool, locked("customers_card"):
        working = pool.submit(in_threads, 1, lambda _: bulk.run(ids[0]))
        until(waiting_for_a_lock)
        bulk.request_of(ids[0]).abort("CANCELLED", "Cancelled.")
        # Though the lock is held on.
        working.result(60)
        assert not waiting_for_a_lock()
    first, *others = (bulk.request_of(each) for each in ids)
    assert (first.status, first.error_code) == ("ABORTED", "CANCELLED")
    assert BulkRequest.objects.filter(lost()).count() == len(others)
    assert not Customer.objects.exists()
    bulk.run(*ids[1:])
    assert all(bulk.request_of(each).status == "FINISHED" for each in ids[1:])


def test_bulk_work_that_waits_for_a_lock_runs_out_of_time(owner, settings):
    settings.JOB_SECONDS = 1
    public_id = bulk.send(owner, customer())
    with ThreadPoolExecutor(1) as pool, locked("customers_card"):
        pool.submit(in_threads, 1, lambda _: bulk.run(public_id)).result(60)
    found = bulk.ledger(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "TIME_LIMIT")


# --- Running out of time --------------------------------------------------------------------------


def test_a_job_that_ran_out_of_time_is_told_what_its_sender_can_do(owner, storage):
    search = submit(owner)
    small, file = bulk.send(owner, customer()), send(owner, lines(customer()))
    jobs = [search, bulk.request_of(small), bulk.request_of(file)]
    for job in jobs:
        assert job.run_out() is True
        job.refresh_from_db()
        assert (job.status, job.error_code) == ("ABORTED", "TIME_LIMIT")
    told = [job.error_message for job in jobs]
    assert "more filters" in told[0]
    assert "smaller requests" in told[1]
    assert "smaller files" in told[2]
    assert "narrow" not in told[1] + told[2]

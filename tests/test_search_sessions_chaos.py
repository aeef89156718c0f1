"""A file that a worker writes by several database sessions while its process or its disk fails."""

import os
import signal
from pathlib import Path

import pytest
from django.core.management import call_command

from config.jobs.reaper import reap
from customers.criteria import Criteria
from search import ranges, results, runner, services
from search.models import CustomerSearch
from tests.factories import Speaker
from tests.workers import locked, until, waiting_copies, worker

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover, pytest.mark.long]
SESSIONS = {"KITH_SEARCH_SESSIONS": "2"}
# What a full disk is to a process: its files cannot grow, here beyond 1 MB.
NO_LARGE_FILES = ("sh", "-c", 'ulimit -f 2000; exec "$@"', "sh")


@pytest.fixture
def crowd(owner) -> Speaker:
    """The owner, with as many customers as two sessions are for."""
    count = ranges.RANGE_ROWS * 5 // 2
    call_command("generate_customers", count, business_account=owner.account.pk, businesses=0)
    return owner


def submit(speaker: Speaker) -> CustomerSearch:
    return services.submit_search(
        actor=speaker.actor,
        criteria=Criteria(customer_account_type="INDIVIDUAL"),
        result_format="JSON",
    )


def state(search: CustomerSearch) -> CustomerSearch:
    return CustomerSearch.objects.get(pk=search.pk)


def end_of(search: CustomerSearch) -> CustomerSearch:
    """The search when it has ended; what a beat does is done meanwhile."""
    until(lambda: (reap(), state(search).status not in CustomerSearch.OPEN)[1])
    return state(search)


def files(data: Path) -> set[str]:
    root = data / "results"
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def whole(search: CustomerSearch) -> set[str]:
    return {search.storage_name, results.manifest_name(search.storage_name)}


def test_a_process_that_is_killed_in_the_middle_leaves_no_session_and_no_half_file(
    crowd, own_queue, data, settings
):
    settings.SEARCH_SESSIONS = 1
    undisturbed = submit(crowd)
    runner.run(undisturbed.pk)
    undisturbed = state(undisturbed)
    with worker(own_queue, data, processes=1, **SESSIONS) as first, locked("customers_address"):
        search = submit(crowd)
        until(lambda: waiting_copies() == 2)
        os.kill(int(state(search).worker.rpartition(":")[2]), signal.SIGKILL)
        # Both queries end with it, although the table is still locked.
        until(lambda: not waiting_copies())
        first.terminate()
        first.wait(60)
    assert state(search).status == "STARTED"
    with worker(own_queue, data, processes=1, **SESSIONS):
        done = end_of(search)
    assert (done.status, done.attempts) == ("FINISHED", 2)
    assert (done.sha256, done.rows) == (undisturbed.sha256, undisturbed.rows)
    assert files(data) == whole(done) | whole(undisturbed)


def test_a_full_disk_fails_the_search_in_words(crowd, own_queue, data):
    with worker(own_queue, data, processes=1, prefix=NO_LARGE_FILES, **SESSIONS):
        done = end_of(submit(crowd))
    assert (done.status, done.error_code) == ("FAILED", "STORAGE_FULL")
    assert files(data) == set()
    assert waiting_copies() == 0

"""Searches while everything breaks that can: no search is lost, doubled, or shown by half a file.

A restarted database is played by closing the test's own database: every session of it ends as in
a restart, and none can be opened for a while. The server has other databases, of other tests.
"""

import hashlib
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models.functions import Now

from config.celery import app as celery
from config.jobs.models import MAX_ATTEMPTS
from config.jobs.reaper import reap
from config.launcher.servers import Valkey, sockets_of
from customers.criteria import Criteria
from search import results, services
from search.models import CustomerSearch
from tests.factories import Speaker, make_customer
from tests.workers import (
    closed_database,
    kill,
    locked,
    sessions,
    until,
    waiting_copies,
    worker,
)

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover, pytest.mark.long]
Status = CustomerSearch.Status
ENDED = (Status.FINISHED, Status.FAILED, Status.ABORTED)
ORDER = [Status.SUBMITTED, Status.PICKED, Status.STARTED, Status.FINISHED]
KILLS = 20
SEARCHES = 30
CUSTOMERS = 2000
KILLING_SECONDS = 600
# For tests in which no lease has to run out: none may, however slow the machine is.
LONG_LEASE = {"KITH_JOB_LEASE_SECONDS": "120"}


@pytest.fixture
def crowd(owner) -> Speaker:
    """The owner, with so many customers that a search takes a moment, and no limit on searches."""
    owner.account.max_running_jobs = 1000
    owner.account.save()
    call_command("generate_customers", CUSTOMERS, business_account=owner.account.pk)
    return owner


def submit(speaker, **criteria) -> CustomerSearch:
    return services.submit_search(
        actor=speaker.actor,
        criteria=Criteria(**{"customer_account_type": "INDIVIDUAL"} | criteria),
        result_format="JSON",
    )


def state(search: CustomerSearch) -> CustomerSearch:
    return CustomerSearch.objects.get(pk=search.pk)


def end_of(search: CustomerSearch) -> CustomerSearch:
    """The search when it has ended; what a beat does is done meanwhile."""

    def has_ended() -> bool:
        reap()
        return state(search).status in ENDED

    until(has_ended)
    return state(search)


def file_of(search: CustomerSearch, data: Path) -> bytes:
    return (data / "results" / search.storage_name).read_bytes()


def files(data: Path) -> set[str]:
    """The names of all files in storage."""
    root = data / "results"
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def whole_files(*searches: CustomerSearch) -> set[str]:
    """The names of the files of finished searches."""
    names = [search.storage_name for search in searches]
    return {*names, *map(results.manifest_name, names)}


# --- Workers that die -----------------------------------------------------------------------------


class Killer:
    """Kills, each at a random moment, whatever process works on some search."""

    def __init__(self) -> None:
        self.random = random.Random(20)
        self.pause = threading.Event()
        self.ranks: dict[object, int] = {}

    def strike(self) -> bool:
        """Whether a process was killed."""
        running = CustomerSearch.objects.filter(
            status__in=CustomerSearch.RUNNING, lease_until__gt=Now()
        )
        pids = [int(name.rpartition(":")[2]) for name in running.values_list("worker", flat=True)]
        if not pids:
            return False
        self.pause.wait(self.random.uniform(0, 0.15))
        try:
            os.kill(self.random.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def watch(self) -> None:
        """No search's status has gone back."""
        for pk, status in CustomerSearch.objects.values_list("pk", "status"):
            rank = ORDER.index(status) if status in ORDER else len(ORDER)
            assert rank >= self.ranks.get(pk, 0)
            self.ranks[pk] = rank


def test_searches_survive_twenty_kills_at_random_moments(crowd, own_queue, data, monkeypatch):
    """Of the workers' pool processes, and every fifth time of a whole worker.

    Such a one takes messages with it that nothing has come of yet; they are missed sooner here.
    """
    monkeypatch.setattr("config.jobs.reaper.REQUEUE_AFTER", timedelta(seconds=10))
    killer = Killer()
    with ExitStack() as stack:
        process = stack.enter_context(worker(own_queue, data, processes=2))
        model = end_of(submit(crowd))
        assert (model.status, model.rows) == (Status.FINISHED, state(model).rows)
        undisturbed = file_of(model, data)
        searches = [submit(crowd) for _ in range(SEARCHES)]
        kills, deadline = 0, time.monotonic() + KILLING_SECONDS
        while kills < KILLS:
            assert time.monotonic() < deadline, "no worker works"
            reap()
            killer.watch()
            if not killer.strike():
                if not CustomerSearch.objects.exclude(status__in=ENDED).exists():
                    searches += [submit(crowd) for _ in range(SEARCHES // 3)]
                killer.pause.wait(0.02)
                continue
            kills += 1
            if kills % 5 == 0:
                kill(process)
                process = stack.enter_context(worker(own_queue, data, processes=2))
        ended = [end_of(search) for search in searches]
        killer.watch()
    finished = [search for search in ended if search.status == Status.FINISHED]
    for search in finished:
        assert file_of(search, data) == undisturbed
        assert search.sha256 == hashlib.sha256(undisturbed).hexdigest()
    for search in ended:
        if search.status != Status.FINISHED:
            assert (search.status, search.error_code) == (Status.FAILED, "WORKER_LOST")
            assert search.attempts == MAX_ATTEMPTS
    assert any(search.attempts > 1 for search in ended)
    services.delete_dead_files()
    assert files(data) == whole_files(model, *finished)


def test_a_message_that_comes_many_times_makes_one_file(crowd, own_queue, data):
    search = submit(crowd)
    for _ in range(6):
        search.publish()
    with worker(own_queue, data, processes=2, **LONG_LEASE):
        done = end_of(search)
        other = end_of(submit(crowd))
    assert (done.status, done.attempts) == (Status.FINISHED, 1)
    assert state(done).finished_at == done.finished_at
    assert files(data) == whole_files(done, other)


# --- Servers that go away -------------------------------------------------------------------------


def has_met_closed_door(data: Path) -> bool:
    """Whether the worker could not write down that it has to let go, or still holds on."""
    log = "".join(path.read_text() for path in data.glob("worker-*.log"))
    return "a job waits for its lease to run out" in log or "could not be renewed" in log


def test_a_database_that_restarts_in_the_middle_of_a_copy_costs_an_attempt(crowd, own_queue, data):
    with worker(own_queue, data, processes=1):
        undisturbed = end_of(submit(crowd))
        with locked("customers_address"):
            search = submit(crowd)
            until(waiting_copies)
            with closed_database():
                until(lambda: sessions() == 1)
                until(lambda: has_met_closed_door(data))
        done = end_of(search)
    assert (done.status, done.attempts) == (Status.FINISHED, 2)
    assert file_of(done, data) == file_of(undisturbed, data)
    assert files(data) == whole_files(undisturbed, done)


class Broker:
    """A broker of its own that can be stopped and started."""

    def __init__(self, server: Valkey) -> None:
        self.server = server
        self.url = f"redis+socket://{server.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.server.prepare()
        program = self.server.program()
        self.process = subprocess.Popen(
            program.command, env=program.environment, stdout=subprocess.DEVNULL
        )
        until(self.server.is_ready)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def broker(tmp_path, monkeypatch) -> Iterator[Broker]:
    """A running broker; this process sends its messages there."""
    with sockets_of(tmp_path) as sockets:
        broker = Broker(Valkey(tmp_path, sockets))
        broker.start()
        with monkeypatch.context() as patch:
            patch.setitem(celery.conf, "broker_url", broker.url)
            celery._after_fork()  # connections at hand are forgotten
            yield broker
        celery._after_fork()
        broker.stop()


def test_a_broker_that_goes_away_stops_no_search_and_loses_none(crowd, own_queue, data, broker):
    with worker(own_queue, data, processes=1, KITH_BROKER_URL=broker.url, **LONG_LEASE):
        with locked("customers_address"):
            running = submit(crowd)
            until(waiting_copies)
            broker.stop()
            waiting = submit(crowd)
            # It did not wait for the broker, nor did the other for it.
            assert state(waiting).queued_at is None
            assert state(running).status == Status.STARTED
        until(lambda: state(running).status in ENDED)
        assert state(running).status == Status.FINISHED
        assert state(waiting).status == Status.SUBMITTED
        broker.start()
        done = end_of(waiting)
    assert (done.status, done.attempts, state(running).attempts) == (Status.FINISHED, 1, 1)
    assert files(data) == whole_files(state(running), done)


# What a full disk is to a process: its files cannot grow, here beyond 100 kB.
NO_LARGE_FILES = ("sh", "-c", 'ulimit -f 200; exec "$@"', "sh")


def test_a_full_disk_fails_the_search_in_words_and_leaves_the_worker_working(
    crowd, own_queue, data
):
    make_customer(crowd.account, last_name="Unicum")
    with worker(own_queue, data, processes=1, prefix=NO_LARGE_FILES):
        large = end_of(submit(crowd))
        assert (large.status, large.error_code) == (Status.FAILED, "STORAGE_FULL")
        assert files(data) == set()
        small = end_of(submit(crowd, last_name="unicum"))
    assert (small.status, small.rows) == (Status.FINISHED, 1)
    assert files(data) == whole_files(small)


# --- Many at once ---------------------------------------------------------------------------------


def test_a_tenant_does_not_wait_for_fifty_searches_of_another(owner, outsider, own_queue, data):
    call_command("generate_customers", 500, business_account=owner.account.pk)
    make_customer(outsider.account)
    many = [submit(owner) for _ in range(50)]
    one = submit(outsider)
    with worker(own_queue, data, processes=2, **LONG_LEASE):
        assert end_of(one).status == Status.FINISHED
        before = CustomerSearch.objects.filter(
            pk__in=[search.pk for search in many], finished_at__lt=state(one).finished_at
        )
        assert before.count() <= 5
        assert {end_of(search).status for search in many} == {Status.FINISHED}
    assert {state(search).attempts for search in many} == {1}

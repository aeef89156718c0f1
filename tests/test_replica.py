"""Searches that read from a streaming replica: nothing stale, nothing half; without it, later."""

import re
import threading

import pytest
from django.db import connection
from django.db.models.functions import Now

from config import heartbeat
from config.db.scope import Reason, unconfined
from customers.models import Contact, Customer
from search import ranges, runner, sessions
from search.models import CustomerSearch
from tests import row_roles
from tests.factories import make_customer
from tests.jobs import submit
from tests.nasty import make_everybody
from tests.replicas import NAME, introduce, shows_everything
from tests.searches import content, rows
from tests.servers import Replica
from tests.workers import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.replica]


@pytest.fixture
def reads(replica, settings, monkeypatch) -> list[bool]:
    """Searches read from the replica; of each, whether its session was in one."""
    return read_from(replica, settings, monkeypatch)


def read_from(replica, settings, monkeypatch) -> list[bool]:
    introduce(replica, monkeypatch)
    settings.SEARCH_DATABASE = NAME
    seen, cut = [], ranges.cut

    def watched(*question) -> list[ranges.Range]:
        with question[-1].cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            seen.append(cursor.fetchone()[0])
        return cut(*question)

    monkeypatch.setattr(runner, "cut", watched)
    return seen


def run(job: CustomerSearch) -> CustomerSearch:
    """An attempt, as if the pause after the last one were over."""
    CustomerSearch.objects.filter(pk=job.pk).update(lease_until=Now())
    runner.run(job.pk)
    job.refresh_from_db()
    return job


def test_a_search_reads_from_the_replica_what_was_just_committed(owner, storage, reads):
    for number in range(1, 4):
        make_customer(owner.account)
        done = run(submit(owner))
        assert (done.status, done.rows) == ("FINISHED", number)
    assert reads == [True] * 3


def test_several_sessions_share_a_snapshot_of_the_replica(
    owner, storage, reads, replica, settings, monkeypatch
):
    make_everybody(owner)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer, customers_contact, customers_address")
    settings.SEARCH_SESSIONS = 1
    before = content(storage, run(submit(owner)))
    read_in_ranges(monkeypatch)
    cuts, watched = [], runner.cut

    def meanwhile(*question) -> list[ranges.Range]:
        """The first session has its snapshot; others come later."""
        cuts.append(watched(*question))
        Contact.objects.update(first_name="Changed")
        Customer.objects.update(created_at=Now())
        shows_everything(replica)
        return cuts[-1]

    monkeypatch.setattr(runner, "cut", meanwhile)
    settings.SEARCH_SESSIONS = 3
    assert content(storage, run(submit(owner))) == before
    assert (len(cuts[0]), reads) == (12, [True, True])
    assert content(storage, run(submit(owner))) != before


def test_a_replica_that_is_behind_is_waited_for(owner, storage, reads, replica):
    make_customer(owner.account)
    job = submit(owner)
    asked = threading.Event()

    class Watched(sessions.Event):
        def wait(self, timeout: float | None = None) -> bool:
            asked.set()
            return super().wait(timeout)

    thread = threading.Thread(target=lambda: (runner.run(job.pk), connection.close()))
    with pytest.MonkeyPatch.context() as patch, replica.behind():
        patch.setattr(sessions, "Event", Watched)
        thread.start()
        assert asked.wait(30)
        assert thread.is_alive()
    thread.join()
    job.refresh_from_db()
    assert (job.status, job.rows, job.attempts) == ("FINISHED", 1, 1)


def test_a_search_is_put_off_while_the_replica_stays_behind(
    owner, storage, reads, replica, monkeypatch
):
    monkeypatch.setattr(sessions, "BEHIND_SECONDS", 0.3)
    make_customer(owner.account)
    job = submit(owner)
    with replica.behind():
        run(job)
        assert (job.status, job.attempts, list(storage.iterdir())) == ("STARTED", 1, [])
    shows_everything(replica)
    run(job)
    assert (job.status, job.rows, job.attempts) == ("FINISHED", 1, 2)


def test_without_the_replica_everything_else_goes_on(owner, storage, reads, replica, client):
    heartbeat.beat()
    make_customer(owner.account)
    kept, given_up = submit(owner), submit(owner)
    replica.stop()
    try:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["parts"]["replica"]) == (200, "unavailable")
        assert len(owner.api.get("/v1/customers").json()["content"]) == 1
        run(kept)
        assert (kept.status, kept.attempts) == ("STARTED", 1)
        for _ in range(3):
            run(given_up)
        assert (given_up.status, given_up.error_code) == ("FAILED", "UNAVAILABLE")
    finally:
        replica.start()
    run(kept)
    assert (kept.status, len(rows(storage, kept))) == ("FINISHED", 1)
    assert client.get("/readyz").json()["parts"]["replica"] == "ok"


def test_row_level_security_holds_in_the_replica(
    owner, outsider, storage, reads, settings, monkeypatch
):
    for each in (owner, outsider):
        for _ in range(3):
            make_customer(each.account)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer, customers_contact, customers_address")
    # The filter by which a file has what its tenant may see, forgotten.
    monkeypatch.setattr(runner, "known_as", lambda *_question: Customer.objects.all())
    jobs = [submit(owner) for _ in range(3)]
    assert run(jobs[0]).rows == 6
    with row_roles.confined_product(), unconfined(Reason.COMMAND):
        assert run(jobs[1]).rows == 3
        read_in_ranges(monkeypatch)
        settings.SEARCH_SESSIONS = 3
        assert run(jobs[2]).rows == 3
        assert content(storage, jobs[2]) == content(storage, jobs[1])
    assert reads == [True] * 3


def read_in_ranges(monkeypatch) -> None:
    """Have also a small result read by several sessions."""
    monkeypatch.setattr(ranges, "RANGE_ROWS", 1)
    monkeypatch.setattr(ranges, "RANGES_OF_A_SESSION", 4)
    # All of them: what larger tests have deleted keeps its pages.
    monkeypatch.setattr(ranges, "PAGES", 1_000_000)


def test_readiness_tells_how_far_the_replica_is_behind(owner, storage, reads, replica, client):
    heartbeat.beat()
    shows_everything(replica)
    with replica.behind():
        make_customer(owner.account)
        answer = client.get("/readyz")
    told = answer.json()
    assert (answer.status_code, told["status"]) == (200, "ok")
    assert told["parts"]["replica"] == "behind"
    (problem,) = told["problems"]
    found = re.fullmatch(r"the replica lacks (\d+) bytes of changes; searches wait for it", problem)
    assert 100 < int(found[1]) < 10_000_000
    shows_everything(replica)
    told = client.get("/readyz").json()
    assert (told["parts"]["replica"], "problems" in told) == ("ok", False)
    with replica.frozen():
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["parts"]["replica"]) == (200, "unavailable")
    until(lambda: client.get("/readyz").json()["parts"]["replica"] == "ok")


def test_a_replica_that_was_promoted_is_none(owner, storage, settings, monkeypatch, client):
    with Replica().running() as former:
        read_from(former, settings, monkeypatch)
        make_customer(owner.account)
        done = run(submit(owner))
        assert done.status == "FINISHED"
        former.ask("SELECT pg_promote()")
        # Nothing that is committed from here on comes there.
        late = run(submit(owner))
        assert (late.status, late.attempts) == ("STARTED", 1)
        heartbeat.beat()
        told = client.get("/readyz").json()
        assert (told["status"], told["parts"]["replica"]) == ("ok", "unavailable")
        assert told["problems"] == ["the replica was promoted, and gets no changes any more"]

"""Queued work as rows: who holds a job, and what becomes of it when a worker dies."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from redis.connection import UnixDomainSocketConnection

from config.celery import ONE_MORE_TRY
from config.jobs import limits
from config.jobs.lease import BEAT_SECONDS, ClaimLost, Lease, WorkerStops
from config.jobs.messages import now
from config.jobs.models import JobFailed, job_tables
from config.jobs.reaper import reap
from search.models import CustomerSearch
from tests import factories
from tests.jobs import Status, claim, lose, outcome, run, submit
from tests.workers import until

# --- Submitting -----------------------------------------------------------------------------------


def test_a_job_remembers_who_submitted_it_and_is_queued_after_the_commit(
    owner, published, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        job = submit(owner)
        assert published == []
    assert published == [("search.tasks.run_search", [str(job.pk)])]
    job.refresh_from_db()
    assert job.status == Status.SUBMITTED
    assert job.business_account == owner.account
    assert (job.actor_type, job.actor_id) == ("service-account", owner.actor.id)
    assert job.client_id == owner.oauth_client.client_id
    assert job.submitted_at is not None
    assert job.queued_at is not None


def test_a_value_that_was_given_is_kept_where_the_database_has_a_default(owner, published):
    at = timezone.now() - timedelta(days=3)
    given = CustomerSearch(criteria={}, submitted_at=at)
    given.submit(owner.actor)
    made = CustomerSearch(criteria={})
    made.submit(owner.actor)
    assert given.submitted_at == at
    assert at < made.submitted_at
    assert CustomerSearch.objects.get(pk=given.pk).submitted_at == at
    assert CustomerSearch.objects.get(pk=made.pk).submitted_at == made.submitted_at


@pytest.mark.django_db(transaction=True)
def test_a_job_that_is_rolled_back_sends_no_message(owner, published):
    with transaction.atomic():
        submit(owner)
        transaction.set_rollback(True)
    assert published == []
    assert not CustomerSearch.objects.exists()


def test_a_broker_that_is_away_holds_nobody_up_and_loses_nothing(
    owner, published, broker_away, django_capture_on_commit_callbacks, monkeypatch
):
    tried = []

    def connect(self):
        tried.append(self.path)
        return connect_to_redis(self)

    connect_to_redis = UnixDomainSocketConnection._connect
    monkeypatch.setattr(UnixDomainSocketConnection, "_connect", connect)
    with broker_away, django_capture_on_commit_callbacks(execute=True):
        job = submit(owner)
    assert ONE_MORE_TRY == {"max_retries": 1, "interval_start": 0, "interval_step": 0}
    assert 1 <= tried.count("/nowhere/broker.sock") <= 2
    monkeypatch.undo()
    job.refresh_from_db()
    assert (job.status, job.queued_at, published) == (Status.SUBMITTED, None, [])
    reap()
    assert published == [("search.tasks.run_search", [str(job.pk)])]
    job.refresh_from_db()
    assert job.queued_at is not None


# --- Claiming -------------------------------------------------------------------------------------


def test_a_job_goes_from_submitted_over_picked_and_started_to_finished(owner):
    job = claim(submit(owner))
    assert (job.status, job.attempts, job.worker) == (Status.PICKED, 1, "tester")
    job.start()
    job.refresh_from_db()
    assert job.status == Status.STARTED
    job.finish(**outcome())
    job.refresh_from_db()
    assert job.status == Status.FINISHED
    assert job.submitted_at <= job.picked_at <= job.started_at <= job.finished_at


def test_a_doubled_message_finds_the_job_claimed(owner):
    job = claim(submit(owner))
    assert CustomerSearch.claim(job.pk, worker="other") is None
    job.start()
    assert CustomerSearch.claim(job.pk, worker="other") is None
    job.finish(**outcome())
    assert CustomerSearch.claim(job.pk, worker="other") is None


def test_a_job_that_is_not_there_is_not_to_be_had(db):
    assert CustomerSearch.claim(factories.normalize.uuid7(), worker="tester") is None


def test_only_a_started_job_finishes(owner):
    job = claim(submit(owner))
    with pytest.raises(ClaimLost):
        job.finish(**outcome())


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_claim_at_the_same_moment_one_gets_the_job(owner):
    job = submit(owner)
    start, got = threading.Barrier(6), []

    def work() -> None:
        start.wait()
        got.append(CustomerSearch.claim(job.pk, worker=threading.current_thread().name))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([held for held in got if held]) == 1
    job.refresh_from_db()
    assert job.attempts == 1


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_the_same_moment_keep_to_the_accounts_limit(owner):
    waiting = [submit(owner) for _ in range(6)]
    start, got = threading.Barrier(6), []

    def work(job: CustomerSearch) -> None:
        start.wait()
        got.append(CustomerSearch.claim(job.pk, worker="tester"))
        connection.close()

    threads = [threading.Thread(target=work, args=[job]) for job in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([held for held in got if held]) == owner.account.max_running_jobs == 2


def test_one_tenant_cannot_starve_the_others(owner, outsider):
    held = [claim(submit(owner)), claim(submit(owner))]
    third = submit(owner)
    assert CustomerSearch.claim(third.pk, worker="tester") is None
    third.refresh_from_db()
    assert third.status == Status.SUBMITTED
    assert claim(submit(outsider)).status == Status.PICKED
    held[0].fail("NO", "No.")
    assert claim(third).status == Status.PICKED


# --- Dying ----------------------------------------------------------------------------------------


def test_a_job_whose_worker_died_is_claimed_again_and_its_status_never_goes_back(owner):
    first = claim(submit(owner))
    first.start()
    lose(first)
    second = claim(first)
    assert (second.status, second.attempts) == (Status.STARTED, 2)
    assert second.started_at == CustomerSearch.objects.get(pk=first.pk).started_at


def test_a_worker_that_was_given_up_has_no_say_any_more(owner):
    first = claim(submit(owner))
    first.start()
    lose(first)
    second = claim(first)
    assert first.renew() is False
    first.hand_back()
    for word in (first.start, lambda: first.fail("NO", "No."), lambda: first.finish(**outcome())):
        with pytest.raises(ClaimLost):
            word()
    second.finish(**outcome())
    second.refresh_from_db()
    assert second.status == Status.FINISHED


def test_a_worker_that_only_stalled_goes_on_with_its_job(owner):
    job = claim(submit(owner))
    lose(job)
    assert job.renew() is True
    assert CustomerSearch.claim(job.pk, worker="other") is None


def test_a_job_is_tried_three_times_and_then_failed_in_words(owner):
    job = submit(owner)
    for _ in range(3):
        lose(claim(job))
    assert CustomerSearch.claim(job.pk, worker="tester") is None
    reap()
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "WORKER_LOST")
    assert "tried 3 times" in job.error_message
    assert job.finished_at is not None


# --- Cancelling -----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [Status.SUBMITTED, Status.PICKED, Status.STARTED])
def test_an_open_job_can_be_cancelled(owner, state):
    job = submit(owner)
    if state != Status.SUBMITTED:
        job = claim(job)
    if state == Status.STARTED:
        job.start()
    assert job.abort("CANCELLED", "Cancelled.") is True
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.ABORTED, "CANCELLED")
    assert job.renew() is False
    assert CustomerSearch.claim(job.pk, worker="tester") is None


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_job_makes_room_for_the_next(owner, published):
    running, waiting, third = submit(owner), submit(owner), submit(owner)
    claim(running).abort("CANCELLED", "Cancelled.")
    waiting.abort("CANCELLED", "Cancelled.")
    assert [arguments for _, arguments in published] == [
        [str(job.pk)] for job in (running, waiting, third)
    ]


def test_a_finished_job_cannot_be_cancelled(owner):
    job = claim(submit(owner))
    job.start()
    job.finish(**outcome())
    assert job.abort("CANCELLED", "Cancelled.") is False
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FINISHED, "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": Status.PICKED},
        {"status": Status.FAILED},
        {"status": Status.FINISHED, "finished_at": timezone.now()},
    ],
)
def test_the_database_refuses_states_that_cannot_be(owner, wrong):
    job = submit(owner)
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomerSearch.objects.filter(pk=job.pk).update(**wrong)


# --- Performing -----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_end_of_a_job_brings_the_next_one_of_its_account(owner, published):
    account = owner.account
    account.max_running_jobs = 1
    account.save()
    first, second, _ = submit(owner), submit(owner), submit(owner)
    published.clear()
    run(first, lambda job, _lease: (job.start(), job.finish(**outcome())))
    assert published == [("search.tasks.run_search", [str(second.pk)])]


@pytest.mark.django_db(transaction=True)
def test_an_expected_failure_is_told_in_its_words(owner):
    job = submit(owner)

    def work(_job, _lease):
        raise JobFailed("STORAGE_FULL", "There is no space left.")

    run(job, work)
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "STORAGE_FULL")
    assert job.error_message == "There is no space left."


@pytest.mark.django_db(transaction=True)
def test_a_bug_is_told_without_its_text_and_raised(owner):
    job = submit(owner)

    def work(_job, _lease):
        raise ZeroDivisionError("secret")

    with pytest.raises(ZeroDivisionError):
        run(job, work)
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "INTERNAL_ERROR")
    assert "secret" not in job.error_message


def meet_something_away(_job, _lease) -> None:
    raise OperationalError("server closed the connection")


@pytest.mark.django_db(transaction=True)
def test_a_job_that_met_a_database_that_was_away_is_tried_again_after_a_pause(owner, published):
    job = submit(owner)
    before = now()
    run(job, meet_something_away)
    job.refresh_from_db()
    assert (job.status, job.attempts) == (Status.PICKED, 1)
    assert before < job.lease_until - timedelta(seconds=5) < now()
    assert CustomerSearch.claim(job.pk, worker="other") is None
    published.clear()
    reap()
    assert published == []
    CustomerSearch.objects.update(lease_until=Now(), queued_at=Now() - timedelta(seconds=5))
    reap()
    assert published == [("search.tasks.run_search", [str(job.pk)])]


@pytest.mark.django_db(transaction=True)
def test_a_job_for_which_something_is_always_away_fails_in_words(owner):
    job = submit(owner)
    for _ in range(3):
        run(job, meet_something_away)
        CustomerSearch.objects.update(lease_until=Now())
    job.refresh_from_db()
    assert (job.status, job.error_code, job.attempts) == (Status.FAILED, "UNAVAILABLE", 3)
    assert "tried 3 times" in job.error_message


@pytest.mark.django_db(transaction=True)
def test_a_job_of_a_worker_that_stops_is_queued_at_once_as_if_untried(owner, published):
    job = submit(owner)
    published.clear()

    def work(job, _lease):
        job.start()
        raise WorkerStops

    run(job, work)
    job.refresh_from_db()
    assert (job.status, job.attempts) == (Status.STARTED, 0)
    assert published == [("search.tasks.run_search", [str(job.pk)])]
    assert claim(job).attempts == 1


@pytest.mark.django_db(transaction=True)
def test_a_job_that_was_handed_back_cannot_be_held_on_to(owner):
    """The beat of a lease may come after the work has ended."""
    job = claim(submit(owner))
    job.hand_back()
    assert job.renew() is False
    assert claim(job).attempts == 1


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_renewed_and_tells_of_progress_while_the_work_runs(owner, settings):
    settings.JOB_LEASE_SECONDS = 2
    job = submit(owner)

    def work(job, lease):
        job.start()
        lease.report = lambda: {"rows": 7}
        before = job.lease_until
        until(lambda: CustomerSearch.objects.get(pk=job.pk).lease_until > before)
        until(lambda: CustomerSearch.objects.get(pk=job.pk).rows == 7)
        job.finish(**outcome())

    run(job, work)
    job.refresh_from_db()
    assert job.status == Status.FINISHED


@pytest.mark.django_db(transaction=True)
def test_work_that_is_cancelled_is_interrupted_within_a_second(owner):
    job = submit(owner)
    looks = []

    def work(job, lease):
        job.start()
        stop = threading.Event()
        with lease.interruptible(stop.set):
            job.abort("CANCELLED", "Cancelled.")
            lease.report = lambda: looks.append(1) or {}
            assert stop.wait(60)
            raise OperationalError("canceling statement")

    run(job, work)
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.ABORTED, "CANCELLED")
    # The first look after it notices.
    assert len(looks) == 1
    assert BEAT_SECONDS < 1


@pytest.mark.django_db(transaction=True)
def test_work_that_takes_too_long_is_aborted(owner, settings):
    settings.JOB_SECONDS = 1
    job = submit(owner)

    def work(job, lease):
        job.start()
        stop = threading.Event()
        with lease.interruptible(stop.set):
            assert stop.wait(60)
            lease.check()

    run(job, work)
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.ABORTED, "TIME_LIMIT")


def test_a_lease_that_cannot_be_renewed_is_lost_after_its_time(settings):
    settings.JOB_LEASE_SECONDS = 1

    def away(**_progress: object) -> bool:
        raise OperationalError("away")

    with Lease(away, lambda _code, _message: False) as lease:
        assert lease.is_lost is False
        until(lambda: lease.is_lost)
        with pytest.raises(ClaimLost), lease.interruptible(lambda: None):
            pass


@pytest.mark.django_db(transaction=True)
def test_free_slots_are_counted_by_index_though_the_table_was_empty_at_first():
    """A prepared statement keeps the plan that was made when it was first run."""
    owner = factories.make_speaker(factories.make_business_account())
    with connection.cursor() as cursor:
        # An empty table of which the server has not heard is planned for as one of ten pages.
        cursor.execute("VACUUM search_customersearch, ingest_bulkrequest")
    for _ in range(8):
        limits.free_slots(job_tables(), owner.account.pk)
    for _ in range(20):
        submit(owner)
    with transaction.atomic(), connection.cursor() as cursor:
        before = rows_looked_through(cursor)
        limits.free_slots(job_tables(), owner.account.pk)
        assert rows_looked_through(cursor) == before
        cursor.execute("SHOW enable_seqscan")
        assert cursor.fetchone() == ("on",)


def rows_looked_through(cursor) -> int:
    """Rows of jobs' tables that this session has read without an index so far."""
    cursor.execute(
        "SELECT sum(seq_tup_read) FROM pg_stat_xact_user_tables"
        " WHERE relname IN ('search_customersearch', 'ingest_bulkrequest')"
    )
    return cursor.fetchone()[0]

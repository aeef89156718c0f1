"""The queue of messages: as many as jobs may run, and none lost for good."""

import shelve
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from celery.beat import ScheduleEntry
from django.core.cache import cache
from django.db.models import F
from django.db.models.functions import Now

from config.celery import app as celery
from config.jobs import messages
from config.jobs.beat import Scheduler
from config.jobs.reaper import REQUEUE_AFTER, reap
from config.tasks import reap_jobs
from search.models import CustomerSearch
from tests import factories
from tests.jobs import claim, outcome, submit
from tests.workers import ROOT, environment, lose_messages, until, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_queue")]
TENANTS = 6
JOBS = 5


def length() -> int:
    """The length of the list in Redis."""
    with celery.connection_for_write() as broker:
        return int(broker.default_channel.client.llen(celery.conf.task_default_queue))


def time_passes(by: timedelta) -> None:
    """For the jobs, and for what the cache keeps."""
    CustomerSearch.objects.filter(queued_at__isnull=False).update(queued_at=F("queued_at") - by)


def tenants_with_jobs() -> list[CustomerSearch]:
    speakers = [
        factories.make_speaker(factories.make_business_account(f"Bank {number}"))
        for number in range(TENANTS)
    ]
    return [submit(speaker) for speaker in speakers for _ in range(JOBS)]


def test_the_broker_tells_how_many_messages_wait(owner, broker_away):
    assert messages.waiting() == length() == 0
    for _ in range(3):
        submit(owner)
    assert messages.waiting() == length() == 2
    with broker_away:
        assert messages.waiting() is None


def test_a_channel_that_was_closed_meanwhile_counts_as_a_broker_that_is_away(owner):
    """Threads share connections, and one that meets a broken one closes its channel."""
    with celery.producer_pool.acquire(block=True) as producer:
        producer.channel._pool = producer.channel.connection = None
    job = submit(owner)
    job.refresh_from_db()
    assert (job.queued_at, length()) == (None, 0)
    reap()
    assert length() == 1


def test_an_hour_without_workers_adds_no_messages_for_jobs_that_have_one():
    tenants_with_jobs()
    assert length() == TENANTS * 2
    for _ in range(60):
        time_passes(timedelta(minutes=1))
        reap()
    # And one that tells how far workers have come.
    assert length() <= TENANTS * 2 + 1


def test_a_queue_that_lost_everything_is_filled_again_within_about_a_minute(published):
    jobs = tenants_with_jobs()
    lose_messages()
    time_passes(REQUEUE_AFTER / 2)
    reap()
    assert length() == 0
    published.clear()
    time_passes(REQUEUE_AFTER / 2)
    reap()
    reap()
    searches = [arguments[0] for name, arguments in published if name == CustomerSearch.task_name]
    assert len(searches) == len(set(searches)) == TENANTS * 2
    assert set(searches) <= {str(job.pk) for job in jobs}


def test_all_jobs_run_in_the_end_after_the_queue_was_lost():
    jobs = tenants_with_jobs()
    lose_messages()
    time_passes(REQUEUE_AFTER)
    for _ in range(JOBS):
        reap()
        for job in CustomerSearch.objects.filter(queued_at__isnull=False, status="SUBMITTED"):
            held = claim(job)
            held.start()
            held.finish(**outcome())
    assert CustomerSearch.objects.filter(status="FINISHED").count() == len(jobs)


def take_a_message() -> None:
    """As a worker does that is killed at once."""
    with celery.connection_for_write() as broker:
        queue = celery.conf.task_default_queue
        assert broker.default_channel.client.rpop(queue) is not None


def test_a_message_that_was_lost_with_its_worker_is_sent_again(owner, outsider, published):
    """Others wait still; a marker that comes after them tells which ones are gone."""
    lost, waits = submit(owner), submit(outsider)
    take_a_message()
    time_passes(REQUEUE_AFTER)
    published.clear()
    reap()
    ((name, (sent_at,)),) = published
    assert name == messages.MARKER_TASK
    CustomerSearch.objects.filter(pk=waits.pk).update(queued_at=Now())
    messages.note_marker(datetime.fromisoformat(sent_at))
    reap()
    assert len(published) == 1, "it may be on its way to the claim still"
    passes(messages.ON_THE_WAY)
    reap()
    reap()
    assert published[1:] == [(CustomerSearch.task_name, [str(lost.pk)])]


def passes(by: timedelta) -> None:
    """Time since a worker took the last marker."""
    sent_before, taken_at = cache.get(messages.REACHED)
    cache.set(messages.REACHED, (sent_before, taken_at - by))


def test_a_worker_tells_by_the_marker_how_far_it_has_come(owner, own_queue, tmp_path, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": own_queue}}
    messages.send_marker()
    messages.send_marker()
    assert length() == 1
    with worker(own_queue, tmp_path):
        until(lambda: cache.get(messages.REACHED) is not None)
        until(lambda: messages.delivered_before() is not None)
    cache.clear()


# --- Periodic tasks -------------------------------------------------------------------------------


def test_a_periodic_task_waits_once_in_the_queue_while_no_worker_takes_it():
    for _ in range(10):
        send_periodic("config.tasks.reap_jobs")
    assert length() == 1
    lose_messages()
    send_periodic("config.tasks.reap_jobs")
    assert length() == 1
    reap_jobs.apply()
    send_periodic("config.tasks.reap_jobs")
    assert length() == 2


def test_the_scheduler_of_the_product_is_that_one(own_queue, tmp_path):
    command = [sys.executable, "-m", "config.jobs", "beat"]
    log = tmp_path / "beat.log"
    with log.open("wb") as output:
        beat = subprocess.Popen(
            [*command, "--schedule", str(tmp_path / "schedule")],
            cwd=ROOT,
            env=environment(own_queue, tmp_path),
            stdout=output,
            stderr=output,
        )
    try:
        until(lambda: length() == 1)
    finally:
        beat.kill()
        beat.wait()
    assert "config.jobs.beat.Scheduler" in log.read_text()


@pytest.mark.parametrize("processes", [0, 1])
def test_a_worker_with_a_schedule_sends_and_does_periodic_tasks_and_goes_on_where_it_was(
    own_queue, tmp_path, processes
):
    schedule, done = tmp_path / "schedule", '"task":"config.tasks.reap_jobs","state":"SUCCESS"'

    def times() -> int:
        return sum(log.read_text().count(done) for log in tmp_path.glob("worker-*.log"))

    options = {"processes": processes, "schedule": schedule, "KITH_LOG_LEVEL": "DEBUG"}
    with worker(own_queue, tmp_path, **options) as first:
        until(lambda: times() >= 2)
        first.terminate()
        until(lambda: first.poll() is not None)
    with closing(shelve.open(str(schedule))) as kept:
        entries = {entry.task: entry for entry in kept["entries"].values()}
    assert entries["config.tasks.reap_jobs"].total_run_count >= 2
    before = times()
    with worker(own_queue, tmp_path, **options):
        until(lambda: times() > before)


def test_a_worker_with_a_schedule_serves_on_though_it_cannot_be_kept(own_queue, tmp_path):
    with worker(own_queue, tmp_path, schedule=tmp_path / "missing" / "schedule"):
        until(lambda: "periodic tasks are sent later" in log_of(tmp_path))
        messages.send_marker()
        until(lambda: messages.MARKER_TASK in log_of(tmp_path))


def send_periodic(name: str) -> None:
    """As the scheduler does when a task is due."""
    entry = ScheduleEntry(name=name, task=name, schedule=5, app=celery)
    Scheduler(app=celery, lazy=True).apply_async(entry, advance=False)


def test_a_worker_s_log_is_quiet_when_there_is_nothing_to_do(own_queue, tmp_path, settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": own_queue}}
    # What a scheduler noted, whose messages the queue has lost meanwhile.
    cache.clear()
    periodic = {entry["task"] for entry in celery.conf.beat_schedule.values()}
    with worker(own_queue, tmp_path):
        for name in periodic:
            send_periodic(name)
        messages.send_marker()
        until(lambda: cache.get(messages.REACHED) is not None)
        until(lambda: messages.MARKER_TASK in log_of(tmp_path))
    cache.clear()
    assert [name for name in periodic if name in log_of(tmp_path)] == []


def log_of(folder: Path) -> str:
    """What a worker wrote while it worked; its first lines list all tasks."""
    (log,) = folder.glob("worker-*.log")
    return "".join(line for line in log.open() if line.startswith("{"))

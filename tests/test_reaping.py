"""Taking up what was left lying: jobs of dead workers, and jobs without a message."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models.functions import Now

from config.celery import Every
from config.celery import app as celery
from config.jobs import limits
from config.jobs.models import job_tables, publish_waiting
from config.jobs.reaper import reap
from config.tasks import reap_jobs
from ingest.models import BulkRequest
from search.models import CustomerSearch
from tests.jobs import Status, claim, lose, outcome, run, submit
from tests.workers import lose_messages

pytestmark = pytest.mark.django_db


def test_the_reaper_queues_lost_jobs_again(owner, published):
    job = claim(submit(owner))
    reap()
    assert published == []
    lose(job)
    reap()
    reap()
    assert published == [("search.tasks.run_search", [str(job.pk)])]


def test_reapings_that_piled_up_are_done_once(owner, published):
    reap_jobs()
    lose(claim(submit(owner)))
    published.clear()
    reap_jobs()
    assert published == []
    cache.delete("reaped")
    reap_jobs()
    assert len(published) == 1


def test_what_is_done_regularly_goes_on_when_a_clock_that_was_ahead_is_put_right():
    every, now = Every(5, app=celery), celery.now()
    assert every.is_due(now - timedelta(seconds=6)).is_due
    assert not every.is_due(now - timedelta(seconds=1)).is_due
    assert every.is_due(now + timedelta(hours=1)).is_due


def test_the_reaper_takes_a_message_that_is_not_in_the_queue_for_lost_after_a_minute(
    owner, published, empty_queue
):
    job = submit(owner)
    lose_messages()
    published.clear()
    CustomerSearch.objects.filter(pk=job.pk).update(queued_at=Now())
    reap()
    assert published == []
    CustomerSearch.objects.filter(pk=job.pk).update(queued_at=Now() - timedelta(seconds=61))
    reap()
    reap()
    assert published == [("search.tasks.run_search", [str(job.pk)])]


@pytest.mark.django_db(transaction=True)
def test_an_account_has_no_more_messages_in_the_queue_than_it_may_have_jobs_running(
    owner, outsider, published
):
    """So that nobody's message waits behind all of theirs."""
    mine = [submit(owner) for _ in range(5)]
    other = submit(outsider)
    assert [arguments for _, arguments in published] == [
        [str(job.pk)] for job in (*mine[:2], other)
    ]
    published.clear()
    run(mine[1], lambda job, _lease: (job.start(), job.finish(**outcome())))
    run(mine[0], lambda job, _lease: (job.start(), job.finish(**outcome())))
    assert [arguments for _, arguments in published] == [[str(job.pk)] for job in mine[2:4]]


def test_a_job_that_came_too_early_gets_another_message_when_a_slot_is_free(owner, published):
    held = [claim(submit(owner)), claim(submit(owner))]
    third = submit(owner)
    CustomerSearch.objects.filter(pk=third.pk).update(queued_at=Now())
    assert CustomerSearch.claim(third.pk, worker="tester") is None
    held[0].fail("NO", "No.")
    publish_waiting(owner.account.pk)
    assert published == [("search.tasks.run_search", [str(third.pk)])]


def test_a_job_that_comes_in_does_not_look_at_those_that_wait(owner):
    for _ in range(2):
        claim(submit(owner))
    who = {"business_account": owner.account, "actor_type": "service-account"}
    CustomerSearch.objects.bulk_create(CustomerSearch(criteria={}, **who) for _ in range(300))
    BulkRequest.objects.bulk_create(
        BulkRequest(public_id=uuid4(), fingerprint=b"", **who) for _ in range(300)
    )
    free, some_wait = limits.free_slots(job_tables(), owner.account.pk)
    assert (free, some_wait) == (0, False)
    sql = limits.free_slots_sql(job_tables())
    parameters = [owner.account.pk, *[limits.NO_JOB] * len(job_tables())]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters)
        (((found,),),) = [cursor.fetchall()]
    assert 2 <= sum(rows_looked_at(found[0]["Plan"])) <= 10


def rows_looked_at(plan: dict) -> Iterator[int]:
    """What each node of a plan found and threw away, in all of its loops."""
    rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    if plan.get("Relation Name", "").endswith(("search", "request")):
        yield int(rows * plan["Actual Loops"])
    for part in plan.get("Plans", []):
        yield from rows_looked_at(part)


def test_the_reaper_queues_no_more_than_may_run(owner, outsider, published):
    claim(submit(owner))
    oldest = submit(owner)
    for _ in range(3):
        submit(owner)
    other = submit(outsider)
    CustomerSearch.objects.filter(status=Status.SUBMITTED).update(queued_at=None)
    reap()
    assert {arguments[0] for _, arguments in published} == {str(oldest.pk), str(other.pk)}
    assert len(published) == 2

"""Coalesced bulk requests: done together under one claim, and one running job."""

import json

import pytest

from config.jobs import limits
from config.jobs.models import job_tables
from config.jobs.reaper import reap
from ingest import coalescing
from ingest.models import BulkRequest
from search.models import CustomerSearch
from tests import bulk
from tests.bulk import customer
from tests.jobs import submit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("each_mode")]


def claimed_together(owner, count: int) -> BulkRequest:
    """A request that a worker holds with others, `count` in all."""
    first, *_ = [bulk.request_of(bulk.send(owner, customer())) for _ in range(count)]
    held = BulkRequest.claim(first.pk, worker="tester")
    held.start()
    assert len(coalescing.claim_together(held)) == count
    return held


def test_coalesced_requests_count_as_one_running_job(owner):
    claimed_together(owner, 40)
    assert owner.account.max_running_jobs == 2
    assert BulkRequest.objects.filter(status="STARTED").count() == 40
    assert limits.running(job_tables(), owner.account.pk) == 1
    assert limits.free_slots(job_tables(), owner.account.pk) == (1, False)


def test_a_search_runs_beside_coalesced_requests(owner, published):
    claimed_together(owner, 40)
    published.clear()
    search = submit(owner)
    assert published == [("search.tasks.run_search", [str(search.pk)])]
    assert CustomerSearch.claim(search.pk, worker="tester") is not None
    third = submit(owner)
    assert CustomerSearch.claim(third.pk, worker="tester") is None


def test_a_trial_of_a_file_is_not_done_with_requests_of_items(owner, data):
    """It waits for nothing, and so stands in nobody's way either; but it has no items."""
    first = bulk.request_of(bulk.send(owner, customer()))
    line = json.dumps(customer())
    sent = owner.api.generic(
        "POST", "/v2/data/files?dryRun=true", line, content_type="application/x-ndjson"
    )
    trial = bulk.request_of(bulk.accepted(sent))
    second = bulk.request_of(bulk.send(owner, customer()))
    held = BulkRequest.claim(first.pk, worker="tester")
    held.start()
    assert [part.id for part in coalescing.claim_together(held)] == [first.pk, second.pk]
    trial.refresh_from_db()
    assert trial.status == "SUBMITTED"


def test_released_requests_do_not_count_as_running(owner):
    held = claimed_together(owner, 5)
    coalescing.release(held)
    assert limits.running(job_tables(), owner.account.pk) == 1


def test_released_requests_get_no_more_messages_than_may_run(owner, published):
    """They keep their status, so what was sent for them has to be counted as well."""
    held = claimed_together(owner, 10)
    coalescing.release(held)
    published.clear()
    for _ in range(5):
        reap()
    assert len(published) == 1

"""Jobs, claimed and lost without a worker."""

from datetime import timedelta

from django.db.models.functions import Now

from config.jobs.worker import perform
from customers.criteria import Criteria
from search.models import CustomerSearch

Status = CustomerSearch.Status
HOUR = timedelta(hours=1)


def submit(speaker) -> CustomerSearch:
    """A job that is nobody's yet."""
    criteria = Criteria(customer_account_type="INDIVIDUAL").as_json()
    job = CustomerSearch(criteria=criteria, result_format="CSV")
    job.submit(speaker.actor)
    return job


def claim(job: CustomerSearch) -> CustomerSearch:
    held = CustomerSearch.claim(job.pk, worker="tester")
    assert held is not None
    return held


def lose(job: CustomerSearch) -> None:
    """Let the job's lease run out."""
    CustomerSearch.objects.filter(pk=job.pk).update(lease_until=Now())


def outcome() -> dict[str, object]:
    return {"sha256": "0" * 64, "snapshot_at": Now(), "expires_at": Now() + HOUR}


def run(job: CustomerSearch, work) -> None:
    perform(CustomerSearch, job.pk, work, worker="tester")

"""The worker's side of jobs: doing them, and taking up what was left lying."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError
from django.db.models import Value
from django.db.models.functions import Now

from config.context import request_id
from config.jobs import messages
from config.jobs.lease import ClaimLost, Lease, WorkerStops
from config.jobs.models import (
    MAX_ATTEMPTS,
    Job,
    JobFailed,
    TryAgain,
    claimable,
    kinds,
    lost,
    publish_waiting,
    without_message,
)

logger = logging.getLogger(__name__)
AnyJob = TypeVar("AnyJob", bound=Job)

# When a job was not claimed for so long, its message may be lost.
REQUEUE_AFTER = timedelta(seconds=60)
UNAVAILABLE = (
    f"This was tried {MAX_ATTEMPTS} times, and each time the database or the storage of files was "
    "away. Please submit it again later."
)


def perform(
    kind: type[AnyJob], job_id: UUID, work: Callable[[AnyJob, Lease], None], *, worker: str
) -> None:
    """Claim a job and do it: what every task comes down to.

    `work` moves the job to STARTED and FINISHED itself. It cleans up after itself when it raises:
    `JobFailed` is told to the submitter; a database or network that went away gives the job back
    for another attempt; a worker that stops gives it back as it was; anything else is a bug, logged
    and told as a failure without its text.
    """
    job = kind.claim(job_id, worker=worker)
    if job is None:
        logger.info("job %s is not claimable", job_id)
        return
    token = request_id.set(job.request_id)
    try:
        with Lease(job.renew, job.run_out) as lease:
            attempt(job, lease, work)
    finally:
        bring_next(job.business_account_id)
        request_id.reset(token)


def bring_next(business_account_id: UUID) -> None:
    """Queue what may run now; when the database is away just then, the reaper does it."""
    try:
        publish_waiting(business_account_id)
    except (OperationalError, InterfaceError) as error:
        logger.warning("the next jobs wait for the reaper: %s", type(error).__name__)


def attempt(job: AnyJob, lease: Lease, work: Callable[[AnyJob, Lease], None]) -> None:
    """Do the work once, and write down how it ended."""
    try:
        work(job, lease)
    except ClaimLost:
        logger.info("job %s was cancelled or taken over", job.pk)
    except WorkerStops:
        logger.info("job %s is handed back", job.pk)
        release(job.hand_back)
    except TryAgain as error:
        logger.warning("job %s did not come to its end", job.pk, exc_info=True)
        put_off(job, error)
    except JobFailed as error:
        end(job, error.code, error.message)
    except (OperationalError, InterfaceError, ConnectionError):
        if not lease.is_lost:
            logger.warning("job %s met something that was away", job.pk, exc_info=True)
            put_off(job, JobFailed("UNAVAILABLE", UNAVAILABLE))
    except Exception:
        # Also when the claim was lost meanwhile: a bug is raised, and logged with its trace.
        end(job, "INTERNAL_ERROR", "Something went wrong on our side; it has been logged.")
        raise
    except BaseException:
        release(job.hand_back)
        raise


def put_off(job: Job, failure: JobFailed) -> None:
    """Have the job tried again later, unless that was its last attempt."""
    if job.attempts < MAX_ATTEMPTS:
        release(job.try_again)
    else:
        release(lambda: end(job, failure.code, failure.message))


def end(job: Job, code: str, message: str) -> None:
    """Fail the job, unless another worker claimed it meanwhile."""
    try:
        job.fail(code, message)
    except ClaimLost:
        logger.info("job %s was cancelled or taken over", job.pk)


def release(write: Callable[[], None]) -> None:
    """Write that the job is free; when even that fails, its lease runs out all the same."""
    try:
        write()
    except (OperationalError, InterfaceError) as error:
        logger.warning("a job waits for its lease to run out: %s", type(error).__name__)


# --- Looking after the queue ----------------------------------------------------------------------


def reap() -> int:
    """Take up what was left lying: jobs of dead workers, and jobs without a message.

    Gives in how many accounts there were such jobs.

    A lost job is queued again, or FAILED when it was tried `MAX_ATTEMPTS` times. A waiting one is
    queued again when its message could not be sent, or was lost.
    """
    unattended: set[UUID] = set()
    for kind in kinds():
        give_up(kind)
    forget_lost_messages()
    for kind in kinds():
        left = kind.objects.filter(claimable(), without_message())
        owners = left.order_by().values_list("business_account_id")
        unattended.update(owner for (owner,) in owners.distinct())
    for owner in unattended:
        publish_waiting(owner)
    return len(unattended)


def forget_lost_messages() -> None:
    """Note which jobs have no message any more: it cannot be in the queue, and nobody claimed them.

    That a job waits for long tells nothing of its message: all workers may be busy, or stopped.
    """
    overdue = [
        kind.objects.filter(claimable(), queued_at__lt=Now() - Value(REQUEUE_AFTER))
        for kind in kinds()
    ]
    if not any(jobs.exists() for jobs in overdue):
        return
    if messages.waiting() == 0:
        lost_ones = overdue
    elif (moment := messages.delivered_before()) is not None:
        lost_ones = [jobs.filter(queued_at__lt=moment) for jobs in overdue]
    else:
        lost_ones = []
    count = sum(jobs.update(queued_at=None) for jobs in lost_ones)
    if count:
        logger.warning("the messages of %d jobs were lost", count)
    if any(jobs.exists() for jobs in overdue):
        messages.send_marker()


def give_up(kind: type[Job]) -> None:
    """Fail the jobs whose worker died at the last attempt."""
    exhausted = kind.objects.filter(lost(), attempts__gte=MAX_ATTEMPTS)
    failed = exhausted.update(
        status=Job.Status.FAILED,
        finished_at=Now(),
        error_code="WORKER_LOST",
        error_message=(
            f"This was tried {MAX_ATTEMPTS} times, and each time the worker stopped before it was "
            "done. Please submit it again."
        ),
    )
    if failed:
        logger.error("%d jobs of kind %s failed: worker lost", failed, kind.__name__)

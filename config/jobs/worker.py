"""The worker's side of jobs: claim one, do it, and write down how it ended."""

import logging
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError

from config import tracing
from config.context import request_id
from config.jobs.begun import note_beginning, note_end
from config.jobs.lease import ClaimLost, Lease, WorkerStops
from config.jobs.models import (
    MAX_ATTEMPTS,
    Job,
    JobFailed,
    TryAgain,
    publish_waiting,
)

logger = logging.getLogger(__name__)
AnyJob = TypeVar("AnyJob", bound=Job)

UNAVAILABLE = (
    f"This was tried {MAX_ATTEMPTS} times, and each time the database or the storage of files was "
    "away. Please submit it again later."
)
WRONG = "Something went wrong on our side; it has been logged."


def perform(
    kind: type[AnyJob], job_id: UUID, work: Callable[[AnyJob, Lease], None], *, worker: str
) -> None:
    """Claim a job and do it: what every task comes down to.

    `work` moves the job to STARTED and FINISHED itself. It cleans up after itself when it raises:
    `JobFailed` is told to the submitter; a database or network that went away gives the job back
    for another attempt; a worker that stops gives it back as it was; anything else is a bug, logged
    and told as a failure without its text.
    """
    note_beginning()
    job = kind.claim(job_id, worker=worker)
    if job is None:
        note_end()
        logger.info("job %s is not claimable", job_id)
        return
    token = request_id.set(job.request_id)
    try:
        with (
            tracing.job(str(kind._meta.model_name), job.pk, job.trace_parent, job.attempts),
            Lease(job.renew, job.run_out) as lease,
        ):
            attempt(job, lease, work)
    finally:
        note_end()
        bring_next(job.business_account_id)
        request_id.reset(token)


def bring_next(business_account_id: UUID) -> None:
    """Queue what may run now; when the database is unavailable just then, the reaper does it."""
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
    except Exception as error:
        is_ours = end(job, "INTERNAL_ERROR", WRONG)
        # Also when the claim was lost meanwhile a bug is raised, and logged with its trace; but
        # whoever cancels a job deletes its files, which the lease notices a moment later.
        if is_ours or not isinstance(error, FileNotFoundError):
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


def end(job: Job, code: str, message: str) -> bool:
    """Fail the job; False where it was cancelled, or another worker claimed it meanwhile."""
    try:
        job.fail(code, message)
    except ClaimLost:
        logger.info("job %s was cancelled or taken over", job.pk)
        return False
    return True


def release(write: Callable[[], object]) -> None:
    """Write that the job is free; when even that fails, its lease runs out all the same."""
    try:
        write()
    except (OperationalError, InterfaceError) as error:
        logger.warning("a job waits for its lease to run out: %s", type(error).__name__)

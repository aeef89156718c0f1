"""Takes up what was left lying: jobs of workers that died, and jobs whose message was lost."""

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Value
from django.db.models.functions import Now

from config.jobs import messages
from config.jobs.models import (
    MAX_ATTEMPTS,
    Job,
    claimable,
    kinds,
    lost,
    publish_waiting,
    without_message,
)

logger = logging.getLogger(__name__)

# When a job was not claimed for so long, its message may be lost.
REQUEUE_AFTER = timedelta(seconds=2 * settings.JOB_LEASE_SECONDS)


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
    kind.settle(exhausted)
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

"""Queued work that is a row: its states, who holds it, and what happens when a worker dies.

A job's row is the truth, its message only a hint. A worker claims the row for a lease that it
renews while it works; the database's clock rules. The status only ever moves forward::

    SUBMITTED -> PICKED -> STARTED -> FINISHED
        any of these three -> FAILED | ABORTED

A job whose lease ran out keeps its status, and is claimed again from there. Every claim has an id
of its own, and whatever a worker says of a job counts only under the claim that stands: one that
was given up has no say any more.

A business account has no more messages in the queue than it may have jobs running; its other jobs
wait as rows, and the end of one brings the next. So nobody waits behind all of another's.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import ClassVar, Self
from uuid import UUID, uuid4

from celery import current_app
from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Now
from kombu.exceptions import OperationalError as BrokerError
from uuid_utils.compat import uuid7

from config import metrics, tracing
from config.api.actors import Actor
from config.context import request_id
from config.db.locks import hold_business_account
from config.db.statements import insert_rows
from config.jobs import limits
from config.jobs.lease import ClaimLost

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# To the power of the attempts so far; a database or a bucket that went away needs time to return.
PAUSE_SECONDS = 5


class JobFailed(Exception):
    """The work cannot be done, for a reason that its submitter is told."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class TryAgain(JobFailed):
    """The same, unless one of the attempts that are left comes out better."""


class Job(models.Model):
    """A queued piece of work of a business account, done in the name of the actor who asked for it.

    A subclass names the Celery task that does it, a shell that takes the id as a string, the
    columns by which jobs are queued, for which it has an index of the open jobs, and what to do
    about a job that ran out of time.
    """

    class Status(models.TextChoices):
        SUBMITTED = "SUBMITTED"
        PICKED = "PICKED"
        STARTED = "STARTED"
        FINISHED = "FINISHED"
        FAILED = "FAILED"
        ABORTED = "ABORTED"

    RUNNING: ClassVar[tuple[str, ...]] = (Status.PICKED, Status.STARTED)
    OPEN: ClassVar[tuple[str, ...]] = (Status.SUBMITTED, *RUNNING)
    task_name: ClassVar[str]
    queue_order: ClassVar[str] = "submitted_at, id"
    # What the submitter of a job that ran out of time can do.
    time_limit_advice: str = "Please submit it again."
    objects: models.Manager[Self]

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.SUBMITTED)
    business_account = models.ForeignKey(
        "customers.BusinessAccount", models.PROTECT, related_name="+", db_index=False
    )
    actor_type = models.CharField(max_length=15)
    actor_id = models.CharField(max_length=36, blank=True)
    client_id = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    # Of the request that submitted it, as `traceparent` of W3C's Trace Context has it.
    trace_parent = models.CharField(max_length=55, blank=True, default="", db_default="")
    submitted_at = models.DateTimeField(db_default=Now())
    # When a message was last sent for it; NULL: it waits for a free slot, or for the broker.
    queued_at = models.DateTimeField(null=True, blank=True)
    picked_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    claim_id = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True
        ordering = ["-submitted_at", "-id"]
        indexes = [
            models.Index(
                fields=["business_account", "-submitted_at", "-id"], name="%(class)s_newest"
            ),
            # How many run, or are about to, is asked for every job that comes in, and very many
            # may wait.
            models.Index(
                fields=["business_account"],
                name="%(class)s_running",
                condition=Q(status__in=["PICKED", "STARTED"]),
            ),
            models.Index(
                fields=["business_account"],
                name="%(class)s_queued",
                condition=Q(status="SUBMITTED", queued_at__isnull=False),
            ),
            # For the clean-up.
            models.Index(
                fields=["finished_at"],
                name="%(class)s_ended",
                condition=Q(finished_at__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="SUBMITTED")
                | Q(status="ABORTED")
                | Q(picked_at__isnull=False, claim_id__isnull=False, lease_until__isnull=False),
                name="%(class)s_claimed_before_it_runs",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=False)
                | Q(status__in=["SUBMITTED", "PICKED", "STARTED"]),
                name="%(class)s_ended_at_some_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    # --- Submitting -------------------------------------------------------------------------------

    def submit(self, actor: Actor, *along: models.Model) -> bool:
        """Save a new job in the actor's name; after the commit it is queued if it may run now.

        Other new rows go along with it. False, and nothing of this, when it is there already.
        """
        self.business_account_id = actor.business_account_id
        self.actor_type, self.actor_id, self.client_id = actor.type, actor.id, actor.client_id
        self.request_id, self.trace_parent = request_id.get(), tracing.here()
        if not insert_rows(self, *along, lock=self.acceptance_lock()):
            return False
        transaction.on_commit(self.queue, robust=True)
        return True

    def acceptance_lock(self) -> str:
        """The name of a lock that all hold in common while they accept jobs; empty for none."""
        return ""

    def queue(self) -> None:
        """Send the message of a new job that may run now; others may have to be sent first."""
        account = self.business_account_id
        free, others_wait = limits.free_slots(job_tables(), account, besides=self.pk)
        # Whatever ends brings those that waited for it: only a job that could run now has to let
        # older ones go first.
        if free <= 0 or self.is_far_back():
            return
        if others_wait:
            publish_waiting(account)
        else:
            self.send()

    def is_far_back(self) -> bool:
        """Whether a new job is none of those that may run next."""
        return self.must_wait()

    def send(self) -> None:
        """Send the job's message, unless it has one or is not claimable."""
        unsent = type(self).objects.filter(claimable(), without_message(), pk=self.pk)
        if unsent.update(queued_at=Now()):
            self.publish()

    def publish(self) -> None:
        """Send the job's message; while the broker is unavailable, the reaper sends it later."""
        token = request_id.set(self.request_id)
        try:
            current_app.send_task(self.task_name, [str(self.pk)])
        except (BrokerError, OSError) as error:
            logger.warning("no broker for job %s: %s", self.pk, error)
            type(self).objects.filter(pk=self.pk).update(queued_at=None)
        finally:
            request_id.reset(token)

    # --- Working ----------------------------------------------------------------------------------

    @classmethod
    def claim(cls, job_id: UUID, *, worker: str) -> Self | None:
        """The job, held for `JOB_LEASE_SECONDS` by a new claim; None when it is not claimable.

        It is not when it has ended or another worker holds it (a doubled message), when it was
        tried `MAX_ATTEMPTS` times, when it has to wait for others (`must_wait`), or when its
        business account has `max_running_jobs` running already; the end of one of them brings the
        next.
        """
        with transaction.atomic():
            # Locked, lest it be taken and handed back, with more to wait for, while it is judged.
            open_ones = cls.objects.filter(status__in=cls.OPEN).select_for_update(no_key=True)
            job = open_ones.filter(pk=job_id).first()
            if job is None or job.waits():
                return None
            free = cls.objects.filter(claimable(), pk=job_id)
            if not has_free_slot(job.business_account_id):
                free.update(queued_at=None)
                return None
            claim_id = uuid4()
            claimed = free.update(
                status=models.Case(
                    models.When(status=cls.Status.SUBMITTED, then=Value(cls.Status.PICKED)),
                    default=F("status"),
                ),
                picked_at=Coalesce(F("picked_at"), Now()),
                lease_until=lease_end(),
                claim_id=claim_id,
                attempts=F("attempts") + 1,
                worker=worker[:120],
            )
        if not claimed:
            return None
        held: Self = cls.objects.get(pk=job_id, claim_id=claim_id)
        return held

    def waits(self) -> bool:
        """Whether other jobs of the account have to end first; its message is then used up.

        It is asked a second time, for what it waited for may have ended in between.
        """
        if not self.must_wait():
            return False
        type(self).objects.filter(pk=self.pk).update(queued_at=None)
        return self.must_wait()

    def must_wait(self) -> bool:
        """Whether other jobs of the same account have to end before this one may be claimed."""
        return False

    @classmethod
    def ready(cls, waiting: "models.QuerySet[Self]", most: int) -> Iterable[Self]:
        """Of an account's jobs that wait, in their order, those that need not wait for others."""
        return waiting[:most]

    def note(self, **columns: object) -> None:
        """Write down what is known of running work. Raises `ClaimLost`."""
        self._move(self.RUNNING, **columns)

    def renew(self, **progress: object) -> bool:
        """Hold the job for another lease and note progress; False when it is no longer ours."""
        return self._update(self.RUNNING, lease_until=lease_end(), **progress)

    def start(self) -> None:
        """PICKED to STARTED; a second attempt has been there already. Raises `ClaimLost`."""
        self._move(
            self.RUNNING, status=self.Status.STARTED, started_at=Coalesce(F("started_at"), Now())
        )

    def finish(self, **outcome: object) -> None:
        """STARTED to FINISHED, with what came out. Raises `ClaimLost`."""
        self._move(
            (self.Status.STARTED,), status=self.Status.FINISHED, finished_at=Now(), **outcome
        )
        self.count_end(self.Status.FINISHED, self.rows_of(outcome))
        tracing.note_job(self.Status.FINISHED)

    def fail(self, code: str, message: str, **outcome: object) -> None:
        """To FAILED, with a message that a person understands. Raises `ClaimLost`."""
        self._move(
            self.RUNNING,
            status=self.Status.FAILED,
            finished_at=Now(),
            error_code=code,
            error_message=message,
            **outcome,
        )
        self.count_end(self.Status.FAILED, self.rows_of(outcome))
        tracing.note_job(self.Status.FAILED)

    def hand_back(self) -> None:
        """Release the job at once, as if this attempt had not been."""
        self._update(
            self.RUNNING,
            claim_id=uuid4(),
            lease_until=Now(),
            queued_at=None,
            attempts=F("attempts") - 1,
        )

    def try_again(self) -> None:
        """Release the job; it is tried again after a pause that grows with the attempts."""
        pause = timedelta(seconds=PAUSE_SECONDS**self.attempts)
        self._update(self.RUNNING, claim_id=uuid4(), lease_until=Now() + Value(pause))

    def abort(self, code: str, message: str) -> bool:
        """To ABORTED, whoever holds it: the holder notices within a second. False: it had ended."""
        aborted = (
            type(self)
            .objects.filter(pk=self.pk, status__in=self.OPEN)
            .update(
                status=self.Status.ABORTED,
                finished_at=Now(),
                error_code=code,
                error_message=message,
            )
        )
        if aborted:
            self.count_end(self.Status.ABORTED)
            transaction.on_commit(lambda: publish_waiting(self.business_account_id), robust=True)
        return bool(aborted)

    def run_out(self) -> bool:
        """To ABORTED, because it took longer than `JOB_SECONDS`. False: it had ended."""
        limit = f"This took more than {settings.JOB_SECONDS} seconds and was stopped."
        return self.abort("TIME_LIMIT", f"{limit} {self.time_limit_advice}")

    @classmethod
    def settle(cls, lost: "models.QuerySet[Self]") -> None:
        """Have jobs whose worker died tell what is done; it may have died before it could."""

    def rows_of(self, _outcome: Mapping[str, object]) -> int:
        """How many rows the job has written, by what is noted of its end."""
        return 0

    def count_end(self, status: str, rows: int = 0) -> None:
        """Count the job among those that have ended, once that is committed."""
        kind = str(self._meta.model_name)
        transaction.on_commit(lambda: metrics.note_job(kind, status, rows), robust=True)

    def _move(self, states: tuple[str, ...], **values: object) -> None:
        if not self._update(states, **values):
            raise ClaimLost(str(self.pk))

    def _update(self, states: tuple[str, ...], **values: object) -> bool:
        held = type(self).objects.filter(pk=self.pk, claim_id=self.claim_id, status__in=states)
        return bool(held.update(**values))


def lost() -> Q:
    """Jobs whose holder was not heard of for a whole lease."""
    return Q(status__in=Job.RUNNING, lease_until__lte=Now())


def claimable() -> Q:
    """Jobs that nobody holds, and that may be tried."""
    return (Q(status=Job.Status.SUBMITTED) | lost()) & Q(attempts__lt=MAX_ATTEMPTS)


def without_message() -> Q:
    """Of claimable jobs those for which there is no message: none was sent, or its worker died."""
    return Q(queued_at=None) | Q(status__in=Job.RUNNING, queued_at__lt=F("lease_until"))


def lease_end() -> models.Expression:
    """A lease from now on, by the database's clock."""
    return Now() + Value(timedelta(seconds=settings.JOB_LEASE_SECONDS))


def kinds() -> list[type[Job]]:
    """All kinds of jobs."""
    return Job.__subclasses__()


def job_tables() -> tuple[limits.JobTable, ...]:
    """The tables of all kinds of jobs."""
    return tuple(limits.JobTable(kind._meta.db_table, kind.queue_order) for kind in kinds())


def has_free_slot(business_account_id: UUID) -> bool:
    """Whether one more job of this account may run; to be asked in the transaction that claims it.

    Holds the account, so that two claims at once do not both get the last slot.
    """
    hold_business_account(business_account_id)
    accounts = apps.get_model("customers.BusinessAccount").objects.filter(pk=business_account_id)
    limit: int = accounts.values_list("max_running_jobs", flat=True).get()
    return limits.running(job_tables(), business_account_id) < limit


def publish_waiting(business_account_id: UUID) -> None:
    """Send messages for as many of an account's oldest claimable jobs as may run now.

    A job that has a message gets no second one. Concurrent calls send one message each at most.
    """
    free, some_wait = limits.free_slots(job_tables(), business_account_id)
    if free <= 0 or not some_wait:
        return
    for kind in kinds():
        jobs = kind.objects.filter(business_account=business_account_id, attempts__lt=MAX_ATTEMPTS)
        jobs = jobs.filter(without_message()).order_by(*kind.queue_order.split(", "))
        # Each by its own index: of the waiting ones there may be very many.
        abandoned = jobs.filter(lost())
        # What must wait for others would only be turned away, and take the slot of what it waits
        # for.
        first = list(kind.ready(abandoned, free)) if abandoned[:1] else []
        waiting = kind.ready(jobs.filter(status=Job.Status.SUBMITTED), free)
        for job in [*first, *waiting][:free]:
            job.send()

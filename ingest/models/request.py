"""Queued bulk requests: which may run, and what is told of them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Func, Q, Value

from config.api.actors import Actor
from config.db.statements import Slot, Statement
from config.jobs.models import Job, lease_end
from config.jobs.retention import ended_before
from customers.change_log import Via
from ingest import ordering
from ingest.models.fields import NumbersField
from ingest.models.parts import BulkPart


class BulkRequestQuerySet(models.QuerySet["BulkRequest"]):
    """Questions to the bulk requests."""

    def visible_to(self, actor: Actor) -> "BulkRequestQuerySet":
        """The requests of the actor's client, as long as their account is the actor's to see."""
        return self.within(actor).filter(client_id=actor.client_id)

    def within(self, actor: Actor) -> "BulkRequestQuerySet":
        """The requests of the actor's business account and of those below it, whoever sent them."""
        return self.filter(business_account_id__in=actor.tree)

    def ahead(
        self, account: UUID | Slot, number: int | Slot, keys: ordering.Keys | Slot
    ) -> "models.QuerySet[BulkRequest, tuple[UUID]]":
        """The first that has not ended of those that a request of this number waits for."""
        return self.open_before(account, number).filter(ordering.conflicting(keys))[:1]

    def open_before(
        self, account: UUID | Slot, number: int | Slot
    ) -> "models.QuerySet[BulkRequest, tuple[UUID]]":
        """Those that have not ended before a request of this number, the oldest first."""
        earlier = self.filter(
            business_account=account, status__in=BulkRequest.OPEN, number__lt=number
        )
        # In the order of an index that has the open ones only; `exists` would have none, and the
        # planner would look through all that ever were.
        return earlier.order_by("number").values_list("pk")

    def with_old_content(self) -> "BulkRequestQuerySet":
        """Those that ended `RESULT_SECONDS` ago and may keep what was sent, the oldest first."""
        age = timedelta(seconds=settings.RESULT_SECONDS)
        return self.filter(ended_before(age), keeps_content=True).order_by("finished_at")

    def past_retention(self) -> "BulkRequestQuerySet":
        """Those whose time is over, and that keep nothing any more, the oldest first."""
        age = timedelta(days=settings.BULK_RETENTION_DAYS)
        return self.filter(ended_before(age), keeps_content=False).order_by("finished_at")


# How many open requests are looked at for one that may overtake those that wait for others.
LOOKED_AT = 60


class BulkRequest(Job):
    """A request of `/v2/data`, from its acceptance to its ledger.

    `public_id` is the `requestId` that a client knows, unique among its own. Requests are applied
    as if one after the other by `number`; `conflict_keys` say which of them may overtake which
    (`ingest.ordering`).
    """

    class Action(models.TextChoices):
        CREATE_CUSTOMERS = "CREATE_CUSTOMERS"
        UPDATE_CUSTOMERS = "UPDATE_CUSTOMERS"
        UPDATE_ACCOUNTS = "UPDATE_ACCOUNTS"
        UPDATE_CARDS = "UPDATE_CARDS"
        LOAD_FILE = "LOAD_FILE"
        UNDO = "UNDO"

    # The actions for which a few items were sent in a body.
    OF_ITEMS: ClassVar[tuple[str, ...]] = (
        Action.CREATE_CUSTOMERS,
        Action.UPDATE_CUSTOMERS,
        Action.UPDATE_ACCOUNTS,
        Action.UPDATE_CARDS,
    )
    task_name = "ingest.tasks.run_bulk_request"
    queue_order = "number"
    # What a client is told of a status that this dialect does not know.
    PUBLISHED: ClassVar[dict[str, str]] = {"PICKED": "STARTED", "ABORTED": "FAILED"}

    public_id = models.UUIDField("request id")
    action = models.CharField(max_length=16, choices=Action.choices)
    # Of the path; empty where it names none.
    source_customer_id = models.CharField(max_length=120, blank=True, default="")
    source_account_id = models.CharField(max_length=120, blank=True, default="")
    number = models.BigIntegerField(
        editable=False, db_default=Func(Value("ingest_accepted"), function="nextval")
    )
    conflict_keys: "models.Field[list[int] | None, list[int] | None]" = NumbersField(
        models.BigIntegerField(), null=True, blank=True, db_column="touched"
    )
    # A keyed hash of method, path and body, 32 bytes.
    fingerprint = models.BinaryField()
    retry_of = models.UUIDField(null=True, blank=True)
    undo_of = models.ForeignKey(
        "self", models.SET_NULL, related_name="undos", null=True, blank=True, db_index=False
    )
    # Whether it is only tried out: all is checked, and nothing but its outcome is stored.
    is_dry_run = models.BooleanField(default=False, editable=False)
    items = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(db_default=0)
    failed = models.PositiveIntegerField(default=0)
    # Whether there may be something left of what was sent, or a file of results.
    keeps_content = models.BooleanField(db_default=True, editable=False)

    objects = BulkRequestQuerySet.as_manager()
    # Ids of requests that are done together with this one, under its claim (`ingest.coalescing`).
    coalesced: "tuple[UUID, ...]" = ()

    class Meta(Job.Meta):
        verbose_name = "load"
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                fields=["business_account", "client_id", "public_id"],
                name="bulk_request_id_once_per_client",
            ),
            # One that broke off may be followed by another, which does the rest.
            models.UniqueConstraint(
                fields=["undo_of"],
                name="bulk_request_undone_once",
                condition=Q(undo_of__isnull=False, is_dry_run=False)
                & ~Q(status__in=["FAILED", "ABORTED"]),
            ),
        ]
        indexes = [
            *Job.Meta.indexes,
            # The open ones are few among many that have ended.
            models.Index(
                fields=["business_account", "number"],
                name="bulk_request_order",
                condition=Q(status__in=["SUBMITTED", "PICKED", "STARTED"]),
            ),
            # From a change to what made it.
            models.Index(fields=["request_id"], name="bulk_request_trace"),
            # For the clean-up: most requests keep nothing once they are done.
            models.Index(
                fields=["finished_at"],
                name="bulk_request_with_content",
                condition=Q(keeps_content=True, finished_at__isnull=False),
            ),
            models.Index(
                fields=["undo_of"],
                name="bulk_request_undos",
                condition=Q(undo_of__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Load of {self.submitted_at:%Y-%m-%d, %H:%M}"

    def acceptance_lock(self) -> str:
        """They get their numbers at once, but are seen in the order of their commits.

        So whoever judges by the numbers waits for those that are just being accepted
        (`ordering.latest`). They do not wait for each other, and so reach the disk together.
        """
        return f"ingest:{self.business_account_id}"

    def is_far_back(self) -> bool:
        """Whether it waits for others, or is not looked at by `ready`.

        To compare its keys with those of hundreds takes longer than all else of its acceptance.
        """
        place = self.business_account_id, self.number
        return bool(FAR_BEFORE.rows(*place)) or self.must_wait()

    @classmethod
    def claim(cls, job_id: UUID, *, worker: str) -> "BulkRequest | None":
        """The job, likewise; all earlier ones are seen when it is judged whether it must wait."""
        ordering.latest(job_id)
        return super().claim(job_id, worker=worker)

    def renew(self, **progress: object) -> bool:
        """Hold it for another lease, and with it those that were claimed together with it."""
        BulkRequest.objects.filter(
            pk__in=self.coalesced, claim_id=self.claim_id, status=self.Status.STARTED
        ).update(lease_until=lease_end())
        return super().renew(**progress)

    def rows_of(self, outcome: Mapping[str, object]) -> int:
        """Customers that were created or updated; a dry run writes none."""
        if self.is_dry_run:
            return 0
        counts = [outcome.get(name, 0) for name in ("created", "updated")]
        return sum(count for count in counts if isinstance(count, int))

    def must_wait(self) -> bool:
        """Whether it has to wait for an earlier request (`ingest.ordering`)."""
        account, number, keys = self.business_account_id, self.number, self.conflict_keys
        if keys is None:
            return bool(BulkRequest.objects.ahead(account, number, keys))
        return bool(AHEAD.rows(account, number, keys))

    @classmethod
    def ready(
        cls, waiting: "models.QuerySet[BulkRequest]", most: int
    ) -> "models.QuerySet[BulkRequest]":
        """Those among the first open ones that wait for no earlier one."""
        oldest = cls.objects.filter(
            business_account__in=waiting.values("business_account")[:1], status__in=cls.OPEN
        )
        rows = oldest.order_by("number").values_list("pk", "conflict_keys")[:LOOKED_AT]
        return waiting.filter(pk__in=ordering.runnable(rows))[:most]

    @classmethod
    def settle(cls, lost: "models.QuerySet[BulkRequest]") -> None:
        """Files are done block by block: their counts become those of the blocks."""
        parts = BulkPart.objects.filter(request=models.OuterRef("pk")).order_by()

        def total(name: str) -> models.Subquery:
            sums = parts.values("request").annotate(total=models.Sum(name))
            return models.Subquery(sums.values("total"))

        names = ("created", "updated", "unchanged", "removed", "failed")
        lost.filter(models.Exists(parts)).update(
            items=total("lines"), **{name: total(name) for name in names}
        )

    @property
    def via(self) -> Via:
        """Through what its changes come: who signs in to the back office is no client."""
        return Via.V2 if self.client_id else Via.BACK_OFFICE

    @property
    def is_by_file(self) -> bool:
        """Whether it is a file's load, or the undo of one: done block by block."""
        if self.action == self.Action.UNDO:
            return hasattr(self, "file")
        return self.action == self.Action.LOAD_FILE

    @property
    def time_limit_advice(self) -> str:  # type: ignore[override] # of a class or of a job
        """What its sender can do when it took too long."""
        if self.action == self.Action.LOAD_FILE:
            return (
                "What is counted here is stored. Send the rest of the file, or all of it again in "
                "smaller files: lines that are stored already come out UNCHANGED."
            )
        if self.action == self.Action.UNDO:
            return "What is counted here is put back. Undo the same request again for the rest."
        return "Nothing of it was stored. Send it again, or in several smaller requests."

    @property
    def published_status(self) -> str:
        """The status in the words of the dialect."""
        return self.PUBLISHED.get(self.status, self.status)


FAR_BEFORE = Statement(
    lambda account, number: BulkRequest.objects.open_before(account, number.number)[
        LOOKED_AT - 1 : LOOKED_AT
    ]
)
AHEAD = Statement(
    lambda account, number, keys: BulkRequest.objects.ahead(account, number.number, keys)
)

"""Queued searches."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Now
from django.utils import timezone

from config.api.actors import Actor
from config.jobs.models import Job
from config.jobs.retention import ended_before
from customers.criteria import Criteria


class CustomerSearchQuerySet(models.QuerySet["CustomerSearch"]):
    """Questions to the queued searches."""

    def visible_to(self, actor: Actor) -> "CustomerSearchQuerySet":
        """The searches of the actor's client, as long as all that they cover is the actor's to see.

        A search whose account, or one of the accounts that it read, was moved out of the actor's
        tree no longer exists.
        """
        return self.at_now().within(actor.tree).filter(client_id=actor.client_id)

    def within(self, accounts: "Collection[UUID]") -> "CustomerSearchQuerySet":
        """The searches of these business accounts, as long as they read no others."""
        return self.filter(business_account_id__in=accounts, accounts__contained_by=list(accounts))

    def at_now(self) -> "CustomerSearchQuerySet":
        """Each with the moment at which it was read; its external ids are read when needed."""
        # By name the types of `annotate` would not take it, for the class declares it.
        columns = {"now": Now()}
        return self.annotate(**columns).defer("external_ids")

    def with_id_counts(self) -> "CustomerSearchQuerySet":
        """Each with the number of external ids that it asks for, which are not read."""
        columns = {"id_count": Func("external_ids", function="cardinality")}
        return self.annotate(**columns)

    def with_dead_files(self) -> "CustomerSearchQuerySet":
        """Those whose file's time is over, or whose worker may have left a part of one behind."""
        ended = Q(status__in=[CustomerSearch.Status.FAILED, CustomerSearch.Status.ABORTED])
        # Both by the index of those with a file.
        dead = Q(expires_at__lte=Now()) | Q(ended, expires_at=None)
        return self.exclude(storage_name="").filter(dead)

    def past_retention(self) -> "CustomerSearchQuerySet":
        """Those whose time is over, and whose file is deleted, the oldest first."""
        age = timedelta(days=settings.SEARCH_RETENTION_DAYS)
        return self.filter(ended_before(age), storage_name="").order_by("finished_at")


class CustomerSearch(Job):
    """A search for customers whose answer is a file.

    `criteria` is `Criteria.as_json`, `accounts` the business accounts that were searched, known
    once it has STARTED. `storage_name` says where the file is being written, or lies until it is
    deleted; the manifest lies beside it (`results.manifest_name`).
    """

    class Format(models.TextChoices):
        CSV = "CSV"
        CSV_EXCEL = "CSV_EXCEL"
        JSON = "JSON"
        NDJSON = "NDJSON"
        XLSX = "XLSX"
        PARQUET = "PARQUET"

    class Compression(models.TextChoices):
        NONE = "NONE"
        GZIP = "GZIP"
        ZSTD = "ZSTD"

    EXTENSIONS: ClassVar = {
        "CSV": "csv",
        "CSV_EXCEL": "csv",
        "JSON": "json",
        "NDJSON": "ndjson",
        "XLSX": "xlsx",
        "PARQUET": "parquet",
    }
    CONTENT_TYPES: ClassVar = {
        "CSV": "text/csv; charset=utf-8; header=present",
        "CSV_EXCEL": "text/csv; charset=utf-8; header=present",
        "JSON": "application/json",
        "NDJSON": "application/x-ndjson",
        "XLSX": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "PARQUET": "application/vnd.apache.parquet",
    }
    # Of compressed files: what their names end in, and their content types.
    COMPRESSED: ClassVar = {
        "GZIP": (".gz", "application/gzip"),
        "ZSTD": (".zst", "application/zstd"),
    }
    task_name = "search.tasks.run_search"
    time_limit_advice = "Please narrow the search down with more filters."

    criteria = models.JSONField()
    result_format = models.CharField(max_length=9, choices=Format.choices, default=Format.CSV)
    # None: all that the format has.
    columns: "models.Field[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=40), default=list, blank=True
    )
    compression = models.CharField(
        max_length=4, choices=Compression.choices, default=Compression.NONE
    )
    # None: whatever they are. Left out where many searches are read: there may be very many.
    external_ids: "models.Field[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=120), default=list, blank=True
    )
    accounts: "models.Field[list[UUID], list[UUID]]" = ArrayField(
        models.UUIDField(), default=list, blank=True
    )
    snapshot_at = models.DateTimeField(null=True, blank=True)
    estimated_rows = models.BigIntegerField(null=True, blank=True)
    rows = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    storage_name = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerSearchQuerySet.as_manager()
    # By the database's clock, where a query asked for it (`at_now`).
    now: datetime
    # Where a query asked for it (`with_id_counts`).
    id_count: int

    class Meta(Job.Meta):
        verbose_name = "search"
        verbose_name_plural = "searches"
        permissions = [("run_customersearch", "Can run searches and download their files")]
        constraints = [
            *Job.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(status="FINISHED")
                | (~Q(sha256="") & Q(snapshot_at__isnull=False, expires_at__isnull=False)),
                name="search_finished_with_a_result",
            ),
        ]
        indexes = [
            *Job.Meta.indexes,
            # The open ones are few among many that have ended.
            models.Index(
                fields=["business_account", "status", "submitted_at", "id"],
                name="customersearch_open",
                condition=Q(status__in=["SUBMITTED", "PICKED", "STARTED"]),
            ),
            models.Index(
                fields=["expires_at"], name="search_with_a_file", condition=~Q(storage_name="")
            ),
        ]

    def __str__(self) -> str:
        moment = self.submitted_at
        # A new one has no more than the database's default.
        at = timezone.localtime(moment) if isinstance(moment, datetime) else timezone.localtime()
        return f"search of {at:%d %b %Y, %H:%M}"

    @property
    def wanted(self) -> Criteria:
        """The criteria, read back."""
        return Criteria.from_json(self.criteria)

    @property
    def file_name(self) -> str:
        """The name that a client saves the file under."""
        ending, _ = self.COMPRESSED.get(self.compression, ("", ""))
        return f"customer-accounts-{self.pk}.{self.EXTENSIONS[self.result_format]}{ending}"

    @property
    def content_type(self) -> str:
        """The content type of the file as it is stored."""
        plain = self.CONTENT_TYPES[self.result_format]
        _, compressed = self.COMPRESSED.get(self.compression, ("", plain))
        return str(compressed)

    def rows_of(self, outcome: Mapping[str, object]) -> int:
        """Rows of the file."""
        rows = outcome.get("rows", 0)
        return rows if isinstance(rows, int) else 0

    @property
    def percent(self) -> int | None:
        """How much of the estimated rows is written, at most 99; None as long as nobody knows."""
        if self.estimated_rows is None:
            return None
        return min(99, self.rows * 100 // max(1, self.estimated_rows))

"""Files that are received, stored and loaded, and what is kept of their failed lines."""

from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from config.db.crypto import SealedField
from config.jobs.retention import without_workers
from customers.normalize import uuid7
from ingest.models.request import BulkRequest
from ingest.sheets.columns import Sheet


class BulkFileQuerySet(models.QuerySet["BulkFile"]):
    """Questions to the files."""

    def left_over(self) -> "BulkFileQuerySet":
        """Those beside whose results there may be something in storage, and nobody writes more."""
        ended = BulkRequest.objects.filter(without_workers(), pk=OuterRef("pk"))
        return self.filter(Exists(ended), is_tidied=False)


class BulkFile(models.Model):
    """The file of a `LOAD_FILE` request as stored (`ingest.files.frames`), and that of its results.

    The undo of such a request has one, too, of results alone.

    The names are empty once the files are deleted. `lines` and `blocks` are what was stored, and
    has to be loaded. `problem` tells why a file was not read to its end, though what came before
    was whole: a `Damage` of `ingest.files.inflate`. `name` is what its sender calls it, if that
    is known, `content_digest` tells whether the same was sent before. `sheet` says how a table is
    read (`ingest.sheets.columns.Sheet`); other files have none. `sealed_for` is the id for which
    its blocks are sealed, where that is not the request's own: a file that is tried out stays.

    Whoever does such a request may be killed, or cut off from the database, at any moment, and
    leave something in its folder. So a request that has ended is looked after once more
    (`ingest.cleanup`), whatever its kind and its end; `is_tidied` says that this has been.
    """

    request = models.OneToOneField(
        BulkRequest, models.CASCADE, primary_key=True, related_name="file"
    )
    storage_name = models.CharField(max_length=200, blank=True)
    result_name = models.CharField(max_length=200, blank=True)
    received = models.BigIntegerField()
    lines = models.BigIntegerField()
    # NULL for files that an older version stored, which have no end mark.
    blocks = models.PositiveIntegerField(null=True)
    problem = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200, blank=True, default="")
    content_digest = models.BinaryField(null=True, max_length=32)
    sheet = models.JSONField(null=True)
    sealed_for = models.UUIDField(null=True)
    is_tidied = models.BooleanField(db_default=False, editable=False)

    objects = BulkFileQuerySet.as_manager()

    class Meta:
        indexes = [
            # Few among all that ever were.
            models.Index(
                fields=["request"], name="bulk_file_untidied", condition=Q(is_tidied=False)
            ),
            models.Index(
                fields=["content_digest"],
                name="bulk_file_content",
                condition=Q(content_digest__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def table(self) -> Sheet | None:
        """How its rows are read; None where its lines are JSON."""
        return None if self.sheet is None else Sheet.of(self.sheet)

    @property
    def block_id(self) -> UUID:
        """The id that its blocks are sealed for."""
        return self.sealed_for or UUID(str(self.pk))


class BulkFailedLines(models.Model):
    """The lines of a block that failed, as they were sent, with their errors (`ingest.failed`).

    `lines_sealed` is zlib of NDJSON, sealed. It stays as long as the results do.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey(
        BulkRequest, models.CASCADE, related_name="failed_lines", db_index=False
    )
    number = models.PositiveIntegerField()
    lines_sealed = SealedField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "number"], name="bulk_failed_lines_once_per_block"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class BulkUpload(models.Model):
    """A file that is being received: the row goes in the transaction that accepts its request.

    `request_id` is the id that the request will have, which tells where the file lies.
    """

    request_id = models.UUIDField(primary_key=True)
    started_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return str(self.request_id)

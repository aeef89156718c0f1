"""The items of a request: what was sent, and the outcome of each."""

from uuid import UUID

from django.db import models

from config.db.crypto import SealedField
from ingest.models.request import BulkRequest


class BulkContent(models.Model):
    """What was sent, as long as it is needed: to do the work, and to retry failed items.

    `body_sealed` is the JSON, compressed by zlib and sealed, for it may hold values that belong
    encrypted. Full card numbers are not in it; `refused` has the JSON Pointers where they stood.
    """

    request = models.OneToOneField(
        BulkRequest, models.CASCADE, primary_key=True, related_name="content"
    )
    body_sealed = SealedField()
    refused = models.JSONField(default=list)

    def __str__(self) -> str:
        return str(self.pk)


class BulkItem(models.Model):
    """The outcome of one item of a request: a line of its ledger.

    `errors` are objects of `pointer`, `code` and `message`; so are `notices`, which tell what
    happened though nobody asked for it.
    """

    class Outcome(models.TextChoices):
        CREATED = "CREATED"
        UPDATED = "UPDATED"
        UNCHANGED = "UNCHANGED"
        FAILED = "FAILED"
        # Only an undo removes anything.
        REMOVED = "REMOVED"

    pk = models.CompositePrimaryKey("request_id", "index")
    request = models.ForeignKey(BulkRequest, models.CASCADE, related_name="ledger", db_index=False)
    index = models.PositiveIntegerField()
    source_customer_id = models.CharField(max_length=120, blank=True)
    outcome = models.CharField(max_length=9, choices=Outcome.choices)
    customer_id: "models.UUIDField[UUID | None, UUID | None]" = models.UUIDField(null=True)
    errors = models.JSONField(default=list)
    notices = models.JSONField(default=list)

    class Meta:
        ordering = ["index"]

    def __str__(self) -> str:
        return f"{self.index}: {self.outcome}"

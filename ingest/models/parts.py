"""The blocks of a file that are done."""

from django.db import models


class BulkPart(models.Model):
    """A block of a file that is loaded, or undone: written in the transaction that did it.

    `results` is zlib of the NDJSON that has the outcome of each line. An undo goes by the parts of
    what it undoes, which are kept as long as it may come.
    """

    pk = models.CompositePrimaryKey("request_id", "number")
    request = models.ForeignKey(
        "ingest.BulkRequest", models.CASCADE, related_name="parts", db_index=False
    )
    number = models.PositiveIntegerField()
    lines = models.PositiveIntegerField()
    created = models.PositiveIntegerField()
    updated = models.PositiveIntegerField()
    unchanged = models.PositiveIntegerField()
    removed = models.PositiveIntegerField(db_default=0)
    failed = models.PositiveIntegerField()
    results = models.BinaryField()

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.number}: {self.lines}"

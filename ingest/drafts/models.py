"""What is known of an uploaded file until it is loaded, and what columns are called elsewhere."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import models

from ingest.sheets.columns import Column

if TYPE_CHECKING:
    # It needs these models.
    from ingest.models import BulkUpload


class BulkDraft(models.Model):
    """An uploaded file that its operator looks at: it becomes the file of the load, or goes.

    It lies in storage as that of a load does, under the id that the load will have: that of its
    `upload`, with which it is cleaned up when it is abandoned. `name`, `received`, `lines`,
    `blocks`, `problem`, `content_digest` and `sheet` are those of `BulkFile`; `rows` counts the
    lines that are not blank.
    """

    upload: "models.OneToOneField[BulkUpload, BulkUpload]" = models.OneToOneField(
        "ingest.BulkUpload", models.CASCADE, primary_key=True, related_name="draft"
    )
    business_account = models.ForeignKey(
        "customers.BusinessAccount", models.CASCADE, related_name="+", db_index=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    received = models.BigIntegerField()
    lines = models.BigIntegerField()
    rows = models.BigIntegerField()
    blocks = models.PositiveIntegerField()
    problem = models.CharField(max_length=200, blank=True)
    content_digest = models.BinaryField(max_length=32)
    sheet = models.JSONField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class ColumnMappingQuerySet(models.QuerySet["ColumnMapping"]):
    """Questions to what was remembered."""

    def of_account(self, business_account_id: UUID) -> dict[str, Column]:
        """The columns that a business account's files had, by `squeezed` header."""
        rows = self.filter(business_account=business_account_id)
        return {row.header: Column(row.header, row.name, row.order) for row in rows}


class ColumnMapping(models.Model):
    """What a business account means by a header of its files; an empty name leaves it out."""

    business_account = models.ForeignKey(
        "customers.BusinessAccount", models.CASCADE, related_name="+", db_index=False
    )
    header = models.CharField(max_length=400)
    name = models.CharField(max_length=400, blank=True)
    order = models.CharField(max_length=3, blank=True)

    objects = ColumnMappingQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["business_account", "header"], name="column_mapping_once_per_header"
            )
        ]

    def __str__(self) -> str:
        return f"{self.header}: {self.name}"

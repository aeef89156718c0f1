"""Queued bulk requests, what was sent with them, and the outcome of each item."""

from ingest.drafts.models import BulkDraft, ColumnMapping
from ingest.models.fields import NumbersField
from ingest.models.files import BulkFailedLines, BulkFile, BulkUpload
from ingest.models.items import BulkContent, BulkItem
from ingest.models.parts import BulkPart
from ingest.models.request import BulkRequest

__all__ = [
    "BulkContent",
    "BulkDraft",
    "BulkFailedLines",
    "BulkFile",
    "BulkItem",
    "BulkPart",
    "BulkRequest",
    "BulkUpload",
    "ColumnMapping",
    "NumbersField",
]

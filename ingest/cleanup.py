"""Deletes what is kept of bulk loads once its time is over; called by periodic tasks."""

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Now

from config import files as stored
from config.jobs.retention import BATCH, MOST_BATCHES, delete_in_batches, ended_before
from ingest.files.frames import FOLDER, folder_of
from ingest.models import (
    BulkContent,
    BulkFailedLines,
    BulkFile,
    BulkPart,
    BulkRequest,
    BulkUpload,
)

logger = logging.getLogger(__name__)

# An upload of which nothing was heard for so long has lost its web server.
ABANDONED = timedelta(days=2)
# How many of these, or of old files, are deleted at a time.
MOST_DELETED = 1000


def delete_old_content() -> int:
    """Delete what was sent with requests that ended `RESULT_SECONDS` ago, and their results.

    Also what is left over of requests that have ended. Gives how much that was: rows that were
    deleted, and files that were looked after. What cannot be deleted is tried again later.
    """
    delete_old_parts()
    count = delete_left_over_files()
    kept: set[UUID] = set()
    for _ in range(MOST_BATCHES):
        old = BulkRequest.objects.with_old_content().exclude(pk__in=kept)
        ids = list(old.values_list("pk", flat=True)[:BATCH])
        deleted = [request_id for request_id in ids if delete_files(request_id)]
        with transaction.atomic():
            count += BulkContent.objects.filter(request__in=deleted).delete()[0]
            count += BulkFailedLines.objects.filter(request__in=deleted).delete()[0]
            with_files = BulkFile.objects.filter(request__in=deleted)
            count += with_files.update(storage_name="", result_name="")
            BulkRequest.objects.filter(pk__in=deleted).update(keeps_content=False)
        kept |= {*ids} - {*deleted}
        if len(ids) < BATCH or len(kept) >= BATCH:
            break
    return count


def delete_old_parts() -> None:
    """Delete the outcomes of blocks by which nobody can undo a load any more."""
    age = max(timedelta(days=settings.UNDO_DAYS + 1), timedelta(seconds=settings.RESULT_SECONDS))
    parts = BulkPart.objects.filter(request=OuterRef("pk"))
    old = BulkRequest.objects.filter(ended_before(age), Exists(parts)).order_by()
    for request_id in old.values_list("pk", flat=True)[:MOST_DELETED]:
        BulkPart.objects.filter(request=request_id).delete()


def delete_left_over_files() -> int:
    """Look after the files of requests that have ended, whoever left something; of how many."""
    tidied = [file.pk for file in BulkFile.objects.left_over()[:MOST_DELETED] if tidy(file)]
    return BulkFile.objects.filter(pk__in=tidied).update(is_tidied=True)


def tidy(file: BulkFile) -> bool:
    """Leave nothing of a request that has ended in storage but its results.

    Of a trial that has results, the outcomes of its blocks go, too: nobody undoes it. False when
    that is not possible now.
    """
    if not delete_files(file.pk, keep=file.result_name):
        return False
    BulkFile.objects.filter(pk=file.pk).exclude(storage_name="").update(storage_name="")
    if file.result_name:
        BulkPart.objects.filter(request=file.pk, request__is_dry_run=True).delete()
    return True


def delete_files(request_id: UUID, *, keep: str = "") -> bool:
    """Delete the files of a request but for one; False when that is not possible now."""
    if not BulkFile.objects.filter(pk=request_id).exists():
        return True
    try:
        stored.remove_folder(folder_of(request_id), keep=keep)
    except Exception:
        logger.exception("the files of request %s cannot be deleted", request_id)
        return False
    return True


def delete_abandoned_uploads() -> int:
    """Delete what was stored of uploads whose web server died; how many."""
    long_ago = Now() - Value(ABANDONED)
    found = BulkUpload.objects.filter(started_at__lte=long_ago).order_by("started_at")
    count = 0
    for request_id in found.values_list("pk", flat=True)[:MOST_DELETED]:
        with transaction.atomic():
            # Lest its web server is alive after all, and accepts it meanwhile.
            row = BulkUpload.objects.select_for_update(skip_locked=True).filter(pk=request_id)
            if not row.exists():
                continue
            try:
                stored.remove_folder(folder_of(request_id))
            except Exception:
                logger.exception("an abandoned upload cannot be deleted")
                continue
            row.delete()
            count += 1
    return count + stored.abort_abandoned(FOLDER, age=ABANDONED)


def delete_old_requests() -> int:
    """Delete requests that ended `BULK_RETENTION_DAYS` ago, with their ledgers; how many."""
    return delete_in_batches(BulkRequest.objects.past_retention())

"""What came of the blocks of a file, loaded or put back: counts, and the file of results."""

import logging
import zlib
from collections.abc import Iterator
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from django.db.models import Sum

from config import files as stored
from config.db.batches import rows_by
from config.jobs.lease import Lease
from config.jobs.models import JobFailed
from ingest.batch.apply import COUNTED
from ingest.cleanup import tidy
from ingest.files.blocks import COUNTS, Counts
from ingest.files.frames import folder_of
from ingest.models import BulkFile, BulkPart, BulkRequest

logger = logging.getLogger(__name__)

# Of so many blocks the results are read at once.
RESULTS_READ = 10
NO_SPACE = (
    "The lines are loaded as counted here, but there is no space left for the file of their "
    "results, which are still given line by line."
)


def store_results(request: BulkRequest, lease: Lease) -> str:
    """Store the outcome of each line; gives the name.

    Raises `JobFailed` without space for it, and what `Lease.check` raises.
    """

    def pieces() -> Iterator[bytes]:
        for piece in results_of(request.pk):
            lease.check()
            yield piece
        lease.check()

    name = f"{folder_of(request.pk)}/{request.claim_id}/results.ndjson"
    try:
        stored.store(name, stored.Joined(pieces()))
    except stored.StorageFull as error:
        raise JobFailed("STORAGE_FULL", NO_SPACE) from error
    lease.check()
    return name


def tidy_now(request: BulkRequest) -> None:
    """Delete what a request does not need any more that has just ended.

    What cannot be deleted now, and what other attempts leave, is cleaned up later.
    """
    try:
        tidy(BulkFile.objects.get(pk=request.pk))
    except Exception:
        logger.exception("the files of a request wait for the clean-up")


def settle(request: BulkRequest) -> None:
    """Have the counts of a load that was stopped be those of what is loaded, cancelled or not."""
    held = BulkRequest.objects.filter(pk=request.pk, claim_id=request.claim_id)
    try:
        held.update(**columns(counts_of(request)))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("counts of a load may be old: %s", type(error).__name__)


def columns(counts: Counts) -> dict[str, int]:
    """Counts as columns of a request."""
    return {"items": counts["lines"]} | {name: counts[name] for name in COUNTED.values()}


def counts_of(request: BulkRequest) -> Counts:
    """What is loaded already."""
    found = BulkPart.objects.filter(request=request).aggregate(
        **{name: Sum(name, default=0) for name in COUNTS}
    )
    return {name: found[name] for name in COUNTS}


def results_of(request_id: UUID) -> Iterator[bytes]:
    """The NDJSON of all results, part by part."""
    parts = BulkPart.objects.filter(request=request_id)
    for (packed,) in rows_by("number", parts, "results", batch=RESULTS_READ):
        yield zlib.decompress(packed)

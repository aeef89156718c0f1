"""The job of loading a file, and what its sender is told at its end.

A load has FINISHED only when the rows of its blocks account for every line that was received.
"""

import logging

from django.db import transaction
from django.db.models import Count, Sum

from config.api.actors import Actor
from config.db.rights import may_make_temporary_tables
from config.jobs.lease import Lease
from config.jobs.models import MAX_ATTEMPTS, JobFailed, TryAgain
from ingest.files.frames import ContentLost
from ingest.files.inflate import Damage
from ingest.files.loader import Loader, log
from ingest.files.outcome import settle, store_results, tidy_now
from ingest.files.process import ProcessKilled
from ingest.models import BulkFailedLines, BulkFile, BulkPart, BulkRequest

logger = logging.getLogger(__name__)

RESEND = (
    "Send the whole file again: lines that are stored already come out UNCHANGED, "
    "and those that are missing are added."
)
LOST = (
    "A part of the file was lost or changed in storage after it had been received, and the load "
    "ended there: {loaded} of {lines} lines were loaded. " + RESEND
)
LOST_AFTER_ALL = (
    "All {lines} lines were loaded, but the file was changed in storage after it had been "
    "received. To be sure, send it again: lines that are stored already come out UNCHANGED."
)
# By a `Damage`; files that an older version stored have the words themselves.
DAMAGED: dict[str, str] = {
    Damage.CUT_OFF: (
        "The compressed file was cut off: it ends in the middle. The {lines} lines that were whole "
        "have been loaded. " + RESEND
    ),
    Damage.BROKEN: (
        "The compressed file is damaged in the middle. The {lines} lines that could be read before "
        "that have been loaded. " + RESEND
    ),
    Damage.WRONG_CHECKSUM: (
        "The checksum of the compressed file is wrong: it was changed on its way. The {lines} "
        "lines up to there were loaded as they arrived, and some may be wrong. Send the whole file "
        "again: lines that are right come out UNCHANGED, the others are corrected."
    ),
    Damage.FOLLOWED_BY_JUNK: (
        "After the end of the compressed data comes something that is not gzip, which was not "
        "loaded. All {lines} lines before it have been loaded. If more belongs to the file, send "
        "the whole file again: lines that are stored already come out UNCHANGED."
    ),
}
KILLED = (
    f"This was tried {MAX_ATTEMPTS} times, and each time a process that was loading it was killed, "
    "perhaps for want of memory. What is counted here is stored. Please ask whoever runs this "
    "service, then send the file again: lines that are stored already come out UNCHANGED."
)
NO_TABLES = (
    "A file is tried out in temporary tables, and the database does not let this service make any. "
    "Nothing was checked. Please ask whoever runs this service for the right TEMPORARY; the file "
    "itself can be loaded without."
)


def load_file(request: BulkRequest, actor: Actor, lease: Lease) -> None:
    """From PICKED to FINISHED or, when not all of it was there, FAILED; with a file of results."""
    file = BulkFile.objects.get(pk=request.pk)
    if request.is_dry_run:
        if not may_make_temporary_tables():
            raise JobFailed("NO_TEMPORARY_TABLES", NO_TABLES)
        for rows in (BulkPart, BulkFailedLines):
            rows.objects.filter(request=request).delete()
    loader = Loader(request, file, actor, lease)
    request.start()
    log("a file begins to be loaded", loader, attempt=request.attempts)
    try:
        is_whole = load_all(loader)
        finish(loader, is_whole=is_whole)
    except BaseException as error:
        settle(request)
        log("a file is not loaded to its end", loader, error=type(error).__name__)
        raise
    log("a file is loaded", loader, error=request.error_code)
    tidy_now(request)


def load_all(loader: Loader) -> bool:
    """Load a file; False when a part of it is not in storage any more."""
    try:
        loader.load()
    except ContentLost:
        logger.warning("a stored file is not as it was received", exc_info=True)
        return False
    except ProcessKilled as error:
        raise TryAgain("WORKER_LOST", KILLED) from error
    found = BulkPart.objects.filter(request=loader.request).aggregate(
        blocks=Count("number"), lines=Sum("lines", default=0)
    )
    file = loader.file
    blocks: int = found["blocks"]
    return bool(found["lines"] == file.lines and file.blocks in {None, blocks})


def finish(loader: Loader, *, is_whole: bool) -> None:
    """Write the results, and end the job."""
    request, file = loader.request, loader.file
    name = store_results(request, loader.lease)
    with transaction.atomic():
        BulkFile.objects.filter(pk=request.pk).update(result_name=name)
        if not is_whole:
            loaded = loader.counts["lines"]
            message = LOST if loaded < file.lines else LOST_AFTER_ALL
            message = message.format(loaded=loaded, lines=file.lines)
            request.fail("CONTENT_LOST", message, **loader.progress())
        elif file.problem:
            message = DAMAGED.get(file.problem, file.problem).format(lines=file.lines)
            request.fail("FILE_CUT_OFF", message, **loader.progress())
        else:
            request.finish(**loader.progress(), conflict_keys=[])

"""The request's side of bulk loads: accept, look up, retry, try out."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, transaction
from psycopg.errors import LockNotAvailable, QueryCanceled

from config import files as stored
from config.api.actors import Actor
from config.api.errors import (
    RETRY_SECONDS,
    ApiError,
    Conflict,
    NotFound,
    Problem,
    Unavailable,
    Unprocessable,
    Unreadable,
)
from config.db.statements import snapshot
from ingest import payload
from ingest.batch.apply import prepare
from ingest.batch.items import Item, read_items
from ingest.files.frames import folder_of, upload_name
from ingest.files.inflate import Damage
from ingest.files.table import TableUpload
from ingest.files.upload import Source, Upload
from ingest.models import (
    BulkFile,
    BulkItem,
    BulkRequest,
    BulkUpload,
)
from ingest.ordering import keys_of_entries
from ingest.payload import Content
from ingest.sheets.columns import as_named

logger = logging.getLogger(__name__)

# Why a file has no line that is whole.
UNREADABLE: dict[Damage | None, str] = {
    None: "The file has no lines.",
    Damage.CUT_OFF: (
        "The compressed file is cut off before the end of its first line; nothing was stored. "
        "Send the whole file."
    ),
    Damage.BROKEN: (
        "The compressed file is damaged, or is not gzip; nothing was stored. Send it again."
    ),
    Damage.WRONG_CHECKSUM: "The compressed file is damaged, and has no lines.",
    Damage.FOLLOWED_BY_JUNK: "The compressed part of the file has no lines.",
}

# For each statement of a dry run, whose client waits; they take milliseconds.
DRY_RUN_SECONDS = 3


@dataclass(frozen=True)
class Target:
    """What a request asks for: the action, and what its path names."""

    action: str
    source_customer_id: str = ""
    source_account_id: str = ""


def submit_request(
    *,
    actor: Actor,
    target: Target,
    sent: Content,
    fingerprint: bytes,
    public_id: UUID | None = None,
    retry_of: UUID | None = None,
) -> UUID:
    """Store a request with its body and queue it; gives the `requestId`.

    With the `public_id` of a caller that had it before, the first request counts and nothing
    happens. Raises `Unprocessable` when that one was another.
    """
    request = BulkRequest(
        public_id=public_id or uuid4(),
        action=target.action,
        source_customer_id=target.source_customer_id,
        source_account_id=target.source_account_id,
        fingerprint=fingerprint,
        retry_of=retry_of,
        items=len(sent.entries),
        conflict_keys=keys_of_entries(
            sent.entries,
            are_accounts=target.action == BulkRequest.Action.UPDATE_ACCOUNTS,
            source_customer_id=target.source_customer_id,
            source_account_id=target.source_account_id,
        ),
    )
    if not request.submit(actor, payload.sealed(request.pk, sent)):
        check_is_same(actor, request.public_id, fingerprint)
    return request.public_id


def submit_file(
    *,
    actor: Actor,
    source: Source,
    announced: int | None,
    public_id: UUID | None = None,
    is_table: bool = False,
    is_dry_run: bool = False,
) -> UUID:
    """Store a file while it is read, and queue its load, or its trial; gives the `requestId`.

    `announced` is its size, if the sender told it. A table has our names in its header. Raises as
    `Upload` and `as_named` do, `Unreadable` when it ends before, `NoSpace`, and `Unprocessable` as
    `submit_request` does.

    What is stored is known by a `BulkUpload` from before its first byte until its request is
    committed: of whatever breaks off in between, `delete_abandoned_uploads` finds it.
    """
    request = file_request(public_id=public_id, is_dry_run=is_dry_run)
    BulkUpload.objects.create(request_id=request.pk)
    is_new = False
    try:
        upload = (
            TableUpload(source, request.pk, name_columns=as_named)
            if is_table
            else Upload(source, request.pk)
        )
        receive(upload, request.pk, announced)
        kind = b"file" + (b" table" if is_table else b"") + (b" dry run" if is_dry_run else b"")
        request.fingerprint = payload.fingerprint(kind, upload.digest.digest())
        is_new = accept_file(actor, request, file_of(request, upload))
    except (OperationalError, InterfaceError):
        # Nobody knows whether the request is there; if it is, it needs its file.
        logger.warning("an upload may have been accepted or not", exc_info=True)
        raise
    except BaseException:
        discard_upload(request.pk)
        raise
    if not is_new:
        discard_upload(request.pk)
    return request.public_id


def accept_file(actor: Actor, request: BulkRequest, file: BulkFile) -> bool:
    """Commit the request of a file that was received; False when it was accepted before.

    Raises `Unprocessable` as `submit_request` does, and `Unavailable` when it took so long that the
    file was deleted.
    """
    with transaction.atomic():
        if not BulkUpload.objects.filter(pk=request.pk).delete()[0]:
            raise Unavailable
        if request.submit(actor, file):
            return True
        transaction.set_rollback(True)
    check_is_same(actor, request.public_id, bytes(request.fingerprint))
    return False


def file_request(*, public_id: UUID | None = None, is_dry_run: bool = False) -> BulkRequest:
    """A new request to load a file. One that is tried out changes nothing: nobody waits for it."""
    return BulkRequest(
        public_id=public_id or uuid4(),
        action=BulkRequest.Action.LOAD_FILE,
        conflict_keys=[] if is_dry_run else None,
        is_dry_run=is_dry_run,
    )


def receive(upload: Upload, request_id: UUID, announced: int | None) -> None:
    """Store what comes in for a request. Raises as `submit_file` does."""
    try:
        stored.store(upload_name(request_id), upload)
    except stored.StorageFull as error:
        logger.exception("there is no space for an upload")
        raise NoSpace from error
    except (stored.StorageAway, FileNotFoundError) as error:
        # The folder no longer exists when this took so long that it was cleaned up.
        raise Unavailable from error
    check_upload(upload, announced)


def file_of(request: BulkRequest, upload: Upload) -> BulkFile:
    """The row of a file that was received."""
    return BulkFile(
        request=request,
        storage_name=upload_name(request.pk),
        received=upload.received,
        lines=upload.lines,
        blocks=upload.blocks,
        problem=upload.damage or "",
        content_digest=content_digest(upload),
        sheet=upload.sheet.as_json() if upload.sheet is not None else None,
    )


def content_digest(upload: Upload) -> bytes:
    """What tells whether a file was sent before, by whichever way."""
    return payload.fingerprint(b"content", upload.digest.digest())


def check_upload(upload: Upload, announced: int | None) -> None:
    """Whether a file has come in as a whole. Raises `Unreadable`."""
    if announced is not None and upload.received < announced:
        raise Unreadable(
            f"The body ended after {upload.received} of {announced} bytes; nothing was stored. "
            "Send the file again."
        )
    if not upload.kept:
        raise Unreadable(UNREADABLE[upload.damage])


def discard_upload(request_id: UUID) -> None:
    """Delete what was stored for a request that is not there; later, if it cannot be now."""
    try:
        stored.remove_folder(folder_of(request_id))
        BulkUpload.objects.filter(pk=request_id).delete()
    except Exception:
        logger.exception("an upload waits for the clean-up")


def check_is_same(actor: Actor, public_id: UUID, fingerprint: bytes) -> bool:
    """Whether this client has sent this request before. Raises `Unprocessable` for another one."""
    first = BulkRequest.objects.filter(
        business_account=actor.business_account_id, client_id=actor.client_id, public_id=public_id
    )
    known = first.values_list("fingerprint", flat=True).first()
    if known is not None and bytes(known) != fingerprint:
        raise Unprocessable(
            "This X-CDLX-Request-Id was used for another request.", code="REQUEST_ID_REUSED"
        )
    return known is not None


def get_request(*, actor: Actor, public_id: UUID) -> BulkRequest:
    """A request of the actor's client. Raises `NotFound`."""
    found = BulkRequest.objects.visible_to(actor).select_related("undo_of")
    request = found.filter(public_id=public_id).first()
    if request is None:
        raise NotFound
    return request


def retry_request(*, actor: Actor, request: BulkRequest, public_id: UUID | None = None) -> UUID:
    """Queue the failed items of a request again, as a new one; gives its `requestId`.

    Raises `Conflict` while it has not ended, when nothing failed, or when what was sent is not
    there any more.
    """
    if request.status in request.OPEN:
        raise Conflict("This request has not ended yet.", code="NOT_FINISHED")
    fingerprint = payload.fingerprint(b"retry", request.pk.bytes)
    if public_id is not None and check_is_same(actor, public_id, fingerprint):
        return public_id
    sent = payload.kept_of(request.pk) if request.action in request.OF_ITEMS else None
    if sent is None:
        raise Conflict(
            "Nothing of this request can be tried again: nothing failed, or what was sent was "
            "deleted or cannot be opened.",
            code="NOTHING_TO_RETRY",
        )
    if request.status == request.Status.FINISHED:
        failed = request.ledger.filter(outcome=BulkItem.Outcome.FAILED)
        sent = sent.only(list(failed.values_list("index", flat=True)))
    return submit_request(
        actor=actor,
        target=Target(request.action, request.source_customer_id, request.source_account_id),
        sent=sent,
        fingerprint=fingerprint,
        public_id=public_id,
        retry_of=request.public_id,
    )


def cancel_request(*, request: BulkRequest) -> bool:
    """Stop a request that waits or runs; False when it had ended."""
    done = "put back" if request.action == BulkRequest.Action.UNDO else "stored"
    left = f"Nothing of it was {done}."
    if request.is_by_file:
        left = f"What is counted here is {done}."
    if request.is_dry_run:
        left = "Nothing was stored; what is counted here was checked."
    return request.abort("CANCELLED", f"This was cancelled. {left}")


@dataclass(frozen=True)
class Trial:
    """The outcome that a request would have had."""

    items: Sequence[Item]
    at: datetime


class DryRunTimedOut(ApiError):
    """The registry could not be read in time."""

    status = 503
    code = "DRY_RUN_TIMED_OUT"

    def __init__(self) -> None:
        message = f"{self.code}: the registry could not be read in time. Try again shortly."
        super().__init__(
            "The dry run took too long; nothing was stored.",
            problems=[Problem("dryRun", message, self.code)],
            headers={"Retry-After": str(RETRY_SECONDS)},
        )


def try_out(*, actor: Actor, target: Target, sent: Content) -> Trial:
    """What a request would come to at this moment; nothing is written or locked.

    It waits for nobody who writes, and sees what they have committed. Raises `DryRunTimedOut`.
    """
    items = read_items(
        target.action,
        sent.entries,
        source_customer_id=target.source_customer_id,
        source_account_id=target.source_account_id,
        refused=sent.refused,
    )
    with unlocked() as at:
        prepare(items, actor=actor, is_locked=False)
    return Trial(items, at)


@contextmanager
def unlocked() -> Iterator[datetime]:
    """A moment of the registry, for who tries something out. Raises `DryRunTimedOut`."""
    try:
        with snapshot(seconds=DRY_RUN_SECONDS) as at:
            yield at
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled | LockNotAvailable):
            raise DryRunTimedOut from error
        raise


class NoSpace(ApiError):
    """There is no space for what was sent."""

    status = 507
    code = "STORAGE_FULL"

    def __init__(self) -> None:
        super().__init__(
            "There is no space left for files; nothing was stored. "
            "Please tell whoever runs this service, and send the file again later."
        )

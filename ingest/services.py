"""The request's side of bulk loads: accept, look up, retry, try out."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Now

from config.actors import Actor
from config.errors import ApiError, Conflict, NotFound, Unprocessable, Unreadable
from config.wire import to_json
from customers.record import Via, recorded
from ingest import batch, content, files
from ingest.content import Content
from ingest.items import Item, read_items, touched_by
from ingest.models import BulkContent, BulkFile, BulkItem, BulkPart, BulkRequest

RETRIED = {
    BulkRequest.Action.CREATE_CUSTOMERS,
    BulkRequest.Action.UPDATE_CUSTOMERS,
    BulkRequest.Action.UPDATE_ACCOUNTS,
    BulkRequest.Action.UPDATE_CARDS,
}


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
        touched=touched_by(
            target.action,
            sent.entries,
            source_customer_id=target.source_customer_id,
            source_account_id=target.source_account_id,
        ),
    )
    if not request.submit(actor, content.sealed(request.pk, sent)):
        check_is_same(actor, request.public_id, fingerprint)
    return request.public_id


def submit_file(
    *, actor: Actor, source: files.Source, announced: int | None, public_id: UUID | None = None
) -> UUID:
    """Store a file while it is read, and queue its load; gives the `requestId`.

    `announced` is its size, if the sender told it. Raises as `files.Upload` does, `Unreadable` when
    it ends before, and `Unprocessable` as `submit_request` does.
    """
    request = BulkRequest(
        public_id=public_id or uuid4(), action=BulkRequest.Action.LOAD_FILE, touched=None
    )
    upload = files.Upload(source, request.pk, hashlib.sha256())
    name = f"{files.folder_of(request.pk)}/lines"
    files.store(name, upload)
    is_new = False
    try:
        check_upload(upload, announced)
        fingerprint = content.fingerprint(b"file", upload.digest.digest())
        request.fingerprint = fingerprint
        file = BulkFile(
            request=request,
            storage_name=name,
            received=upload.received,
            lines=upload.lines,
            problem=upload.problem,
        )
        is_new = request.submit(actor, file)
        if not is_new:
            check_is_same(actor, request.public_id, fingerprint)
    except BaseException:
        is_new = False
        raise
    finally:
        if not is_new:
            files.remove(name)
    return request.public_id


def check_upload(upload: files.Upload, announced: int | None) -> None:
    """Whether a file has come in as a whole. Raises `Unreadable`."""
    if announced is not None and upload.received < announced:
        raise Unreadable("The body ended early.")
    if not upload.lines:
        raise Unreadable(upload.problem or "The file has no lines.")


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
    request = BulkRequest.objects.visible_to(actor).filter(public_id=public_id).first()
    if request is None:
        raise NotFound
    return request


def retry_request(*, actor: Actor, request: BulkRequest, public_id: UUID | None = None) -> UUID:
    """Queue what failed of a request again, as a new one; gives its `requestId`.

    Raises `Conflict` while it has not ended, when nothing failed, or when what was sent is not
    there any more.
    """
    if request.status in request.OPEN:
        raise Conflict("This request has not ended yet.", code="NOT_FINISHED")
    fingerprint = content.fingerprint(b"retry", request.pk.bytes)
    if public_id is not None and check_is_same(actor, public_id, fingerprint):
        return public_id
    stored = BulkContent.objects.filter(pk=request.pk).first()
    if request.action not in RETRIED or stored is None:
        raise Conflict(
            "Nothing of this request can be tried again: nothing failed, or what was sent was "
            "deleted.",
            code="NOTHING_TO_RETRY",
        )
    sent = content.unsealed(stored)
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


@dataclass(frozen=True)
class Trial:
    """What would have become of a request."""

    items: Sequence[Item]
    at: datetime


def try_out(*, actor: Actor, target: Target, sent: Content) -> Trial:
    """Do all of a request, and undo it: what it would come to at this moment."""
    items = read_items(
        target.action,
        sent.entries,
        source_customer_id=target.source_customer_id,
        source_account_id=target.source_account_id,
        refused=sent.refused,
    )
    with recorded(actor, via=Via.V2) as at:
        batch.apply(items, actor=actor, at=at)
        transaction.set_rollback(True)
    return Trial(items, at)


class ResultGone(ApiError):
    """The results were there once, and their time is over."""

    status = 410
    code = "GONE"


def results_of(*, request: BulkRequest) -> Iterable[bytes]:
    """The results of a request, line by line: NDJSON, in blocks.

    Raises `NotFound` before there are any, and `ResultGone`.
    """
    if request.status != request.Status.FINISHED:
        raise NotFound
    if request.action != BulkRequest.Action.LOAD_FILE:
        return (to_json(result_line(item)) + b"\n" for item in request.ledger.all())
    file = BulkFile.objects.get(pk=request.pk)
    if not file.result_name or not default_storage.exists(file.result_name):
        raise ResultGone("The results were deleted.")
    return files.read(file.result_name)


def result_line(item: BulkItem) -> dict[str, object]:
    """An item as it would be told as a line of a file."""
    body = {
        "line": item.index + 1,
        "sourceCustomerId": item.source_customer_id or None,
        "outcome": item.outcome,
        "customerId": str(item.customer_id) if item.customer_id else None,
        "errors": item.errors,
    }
    return body | {"notices": item.notices} if item.notices else body


# --- Tidying up -----------------------------------------------------------------------------------


def delete_old_content() -> int:
    """Delete what was sent with requests that ended long ago, and their results; how many."""
    ended = BulkRequest.objects.exclude(status__in=BulkRequest.OPEN)
    old = ended.filter(finished_at__lte=Now() - Value(timedelta(seconds=settings.RESULT_SECONDS)))
    count, _ = BulkContent.objects.filter(request__in=old).delete()
    with_files = BulkFile.objects.filter(request__in=old).exclude(storage_name="", result_name="")
    for file in with_files.iterator():
        for name in (file.storage_name, file.result_name):
            files.remove(name)
        BulkFile.objects.filter(pk=file.pk).update(storage_name="", result_name="")
        count += 1
    # Files that are loaded leave none; a load that failed for good may.
    BulkPart.objects.filter(request__in=ended.filter(status="FINISHED")).delete()
    BulkPart.objects.filter(request__in=old).delete()
    return count

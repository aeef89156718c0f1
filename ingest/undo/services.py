"""The request's side of an undo: ask for one, or try it out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import OperationalError
from django.db.models import Value
from django.db.models.functions import Now
from psycopg.errors import LockNotAvailable, QueryCanceled

from config.api.actors import Actor
from config.api.errors import Conflict, NotFound
from config.db.statements import snapshot
from ingest import payload
from ingest.models import BulkFile, BulkRequest
from ingest.services import DRY_RUN_SECONDS, DryRunTimedOut, check_is_same
from ingest.undo.apply import Entry, prepare, settle
from ingest.undo.runner import customers_of, entries_of


@dataclass(frozen=True)
class UndoTrial:
    """What an undo would have come to."""

    entries: Sequence[Entry]
    at: datetime


def get_undoable(*, actor: Actor, public_id: UUID) -> BulkRequest:
    """A request of the actor's business account or of one below it, whoever sent it.

    Where several clients used the id, the actor's own counts, else the last. Raises `NotFound`.
    """
    found = BulkRequest.objects.filter(public_id=public_id)
    request = (
        found.visible_to(actor).order_by("-number").first()
        or found.within(actor).order_by("-number").first()
    )
    if request is None:
        raise NotFound
    return request


def undo_request(
    *, actor: Actor, request: BulkRequest, is_dry_run: bool = False, public_id: UUID | None = None
) -> UUID:
    """Queue the undo of a request, or a dry run of it; gives its `requestId`.

    It is a request of the same business account, by the actor's client. Raises `Conflict` when the
    request cannot be undone, and `Unprocessable` when `public_id` was used for another request.
    """
    actor = replace(actor, business_account_id=request.business_account_id)
    fingerprint = payload.fingerprint(b"undo", request.pk.bytes, bytes([is_dry_run]))
    if public_id is not None and check_is_same(actor, public_id, fingerprint):
        return public_id
    check_undoable(request)
    undo = BulkRequest(
        public_id=public_id or uuid4(),
        action=BulkRequest.Action.UNDO,
        fingerprint=fingerprint,
        undo_of=request,
        is_dry_run=is_dry_run,
        # It waits for all that came before, and all that comes later waits for it.
        conflict_keys=[] if is_dry_run else None,
    )
    along = []
    if request.is_by_file:
        file = request.file
        along.append(
            BulkFile(
                request=undo,
                name=file.name,
                received=file.received,
                lines=file.lines,
                blocks=file.blocks,
            )
        )
    else:
        undo.items = request.items
    # Somebody else may be faster: with the same id, or with the same undo.
    if not undo.submit(actor, *along) and not check_is_same(actor, undo.public_id, fingerprint):
        raise already_undone()
    return undo.public_id


def try_undo(*, request: BulkRequest) -> UndoTrial:
    """What the undo of a request that is no file would come to; nothing is written or locked.

    Raises as `undo_request` does, and `DryRunTimedOut`.
    """
    check_undoable(request)
    entries = entries_of(request)
    try:
        with snapshot(seconds=DRY_RUN_SECONDS) as at:
            undos = prepare(request, entries, items=customers_of(entries), is_locked=False)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled | LockNotAvailable):
            raise DryRunTimedOut from error
        raise
    settle(entries, undos)
    return UndoTrial(entries, at)


def check_undoable(request: BulkRequest) -> None:
    """Whether a request can be undone now. Raises `Conflict`."""
    if request.status in request.OPEN:
        raise Conflict("This request has not ended yet.", code="NOT_FINISHED")
    age = timedelta(days=settings.UNDO_DAYS)
    recent = BulkRequest.objects.filter(pk=request.pk, finished_at__gt=Now() - Value(age))
    if not recent.exists():
        raise Conflict(
            f"A request can be undone for {settings.UNDO_DAYS} days after its end.",
            code="TOO_OLD",
        )
    undos = request.undos.filter(is_dry_run=False)
    if undos.exclude(status__in=[request.Status.FAILED, request.Status.ABORTED]).exists():
        raise already_undone()
    has_ledger = request.parts if request.is_by_file else request.ledger
    if request.is_dry_run or not has_ledger.exists():
        # Also of a file that an older version loaded.
        raise Conflict(
            "There is nothing to undo: nothing of this request was stored, or nothing is known of "
            "it any more.",
            code="NOTHING_TO_UNDO",
        )


def already_undone() -> Conflict:
    """Why a request is not undone once more."""
    return Conflict(
        "This request was undone already, or is being undone. Undo its undo to have it back.",
        code="ALREADY_UNDONE",
    )

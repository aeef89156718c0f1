"""Requests and their ledgers, as clients get them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from ingest.batch.apply import COUNTED, counts_of
from ingest.batch.items import Item, as_errors, ordered
from ingest.models import BulkRequest
from ingest.services import Trial
from ingest.undo.runner import counts_of as undone_counts
from ingest.undo.services import UndoTrial

Action = BulkRequest.Action
Status = BulkRequest.Status
# Each published status, and those of a job that it stands for.
STATUSES = {
    "SUBMITTED": Q(status=Status.SUBMITTED),
    "STARTED": Q(status__in=BulkRequest.RUNNING),
    "FINISHED": Q(status=Status.FINISHED),
    "FAILED": Q(status__in=[Status.FAILED, Status.ABORTED]),
}
COLUMNS = ("index", "source_customer_id", "outcome", "customer_id", "errors", "notices")


def summary(request: BulkRequest) -> dict[str, object]:
    """A request without its items."""
    body: dict[str, object] = {
        "requestId": str(request.public_id),
        "status": request.published_status,
        "action": request.action,
        "submittedAt": request.submitted_at,
        "startedAt": request.started_at,
        "finishedAt": request.finished_at,
        "counts": counts_told(vars(request), request.action),
    }
    if request.is_by_file:
        body["progress"] = progress(request)
    if request.is_dry_run:
        body["dryRun"] = True
    if request.retry_of is not None:
        body["retryOf"] = str(request.retry_of)
    if request.undo_of is not None:
        body["undoOf"] = str(request.undo_of.public_id)
    if request.error_code:
        body |= {"errorCode": request.error_code, "message": request.error_message}
    return body


def counts_told(counts: Mapping[str, int], action: str) -> dict[str, int]:
    """The counts that a request of this kind has: only an undo removes anything."""
    names = [name for name in COUNTED.values() if name != "removed" or action == Action.UNDO]
    return {name: counts[name] for name in names}


def progress(request: BulkRequest) -> dict[str, object]:
    """How much of a file is loaded; 100 percent only at the end."""
    file = request.file
    has_ended = request.status == Status.FINISHED
    percent = 100 if has_ended else min(99, request.items * 100 // max(1, file.lines))
    return {
        "lines": request.items,
        "totalLines": file.lines,
        "totalBytes": file.received,
        "percent": percent,
    }


def ledger(request: BulkRequest, outcome: str = "") -> dict[str, object]:
    """A request with the outcome of each item, or of those with one outcome, in the order sent.

    Two queries in all.
    """
    body = summary(request)
    if request.is_by_file:
        return body | {"items": [], "resultUrl": result_url(request)}
    rows = request.ledger.filter(outcome=outcome) if outcome else request.ledger.all()
    found = rows.order_by("index").values_list(*COLUMNS)
    return body | {"items": [line(*row) for row in found]}


def result_url(request: BulkRequest) -> str | None:
    """Where the outcome of each line of a file can be read; None when it cannot.

    Of a load that was stopped, results are there as long as its rows are.
    """
    has_ended = request.status not in request.OPEN
    has_parts = has_ended and request.keeps_content and request.parts.exists()
    if not request.file.result_name and not has_parts:
        return None
    return settings.PUBLIC_URL + reverse("bulk-results", args=[request.public_id])


def ledger_of_trial(trial: Trial, public_id: UUID, action: str) -> dict[str, object]:
    """What the ledger would be."""
    return {
        "requestId": str(public_id),
        "status": Status.FINISHED,
        "action": action,
        "submittedAt": trial.at,
        "startedAt": trial.at,
        "finishedAt": trial.at,
        "counts": counts_told(counts_of(trial.items), action),
        "items": [line_of(item) for item in trial.items],
    }


def ledger_of_undo_trial(
    trial: UndoTrial, public_id: UUID, request: BulkRequest
) -> dict[str, object]:
    """What the ledger of the undo of a request would be."""
    return {
        "requestId": str(public_id),
        "status": Status.FINISHED,
        "action": Action.UNDO,
        "submittedAt": trial.at,
        "startedAt": trial.at,
        "finishedAt": trial.at,
        "counts": counts_told(undone_counts(trial.entries), Action.UNDO),
        "dryRun": True,
        "undoOf": str(request.public_id),
        "items": [
            line(
                entry.index,
                entry.source_customer_id,
                entry.outcome,
                entry.customer_id,
                as_errors(entry.problems),
                [],
            )
            for entry in trial.entries
        ],
    }


def line_of(item: Item) -> dict[str, object]:
    """The line of one item, stored or refused."""
    return line(
        item.index,
        item.source_customer_id[:120],
        item.outcome,
        item.customer_id if item.is_stored else None,
        [] if item.is_stored else as_errors(item.problems),
        as_errors(item.notices) if item.is_stored else [],
    )


def line(
    index: int,
    source_customer_id: str,
    outcome: str,
    customer_id: UUID | str | None,
    errors: Sequence[dict[str, str]],
    notices: Sequence[dict[str, str]],
) -> dict[str, object]:
    """One line of a ledger."""
    told = outcome_of(source_customer_id, outcome, customer_id, errors, notices)
    return {"index": index} | told


def outcome_of(
    source_customer_id: str,
    outcome: str,
    customer_id: UUID | str | None,
    errors: Sequence[dict[str, str]],
    notices: Sequence[dict[str, str]],
) -> dict[str, object]:
    """The outcome of an item, without its place. What could not be read is null."""
    body: dict[str, object] = {
        "sourceCustomerId": source_customer_id or None,
        "outcome": outcome,
        "customerId": str(customer_id) if customer_id else None,
        "errors": ordered(errors),
    }
    return body | {"notices": ordered(notices)} if notices else body

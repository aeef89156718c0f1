"""`/v2/data`: bulk loads, and their outcomes."""

from typing import IO, ClassVar
from uuid import UUID, uuid4

from django.http.response import HttpResponseBase
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import reads
from config.api.actors import Scope
from config.api.card_numbers import CARD_NUMBER, is_card_number
from config.api.cursors import PARAMETERS
from config.api.encodings import encoding_of
from config.api.errors import Invalid, Problem
from config.api.json import to_json
from config.api.pagination import PageRequest
from config.api.views import ApiView, JSONResponse
from config.server.bodies import streamed
from ingest import openapi, payload, results, services
from ingest.batch.items import Action
from ingest.downloads import TABLE, download
from ingest.models import BulkItem, BulkRequest
from ingest.payload import read_body
from ingest.services import Target
from ingest.undo.openapi import undo_request as undo_operation
from ingest.undo.services import get_undoable, try_undo, undo_request
from ingest.wire.ledger import (
    STATUSES,
    ledger,
    ledger_of_trial,
    ledger_of_undo_trial,
    summary,
)


class JSONBytes(BaseParser):
    """JSON that is not parsed: a request is told from another by its bytes (`body_of`)."""

    media_type = "application/json"


class Stream(BaseParser):
    """A file, plain or compressed; the view reads it itself."""

    media_type = "application/octet-stream"


class NDJSONStream(Stream):
    """Likewise."""

    media_type = "application/x-ndjson"


class PlainNDJSONStream(Stream):
    """Likewise, under the name without the experimental prefix."""

    media_type = "application/ndjson"


class JSONLinesStream(Stream):
    """Likewise, under its other name."""

    media_type = "application/jsonl"


class TableStream(Stream):
    """Likewise; a table whose header names its columns."""

    media_type = "text/csv"


class GzipStream(Stream):
    """Likewise."""

    media_type = "application/gzip"


def body_of(request: Request) -> bytes:
    """The body as sent, to be read once; empty when there is none."""
    stream: IO[bytes] | None = request.stream
    return b"" if stream is None else stream.read()


def given_id(request: Request) -> UUID | None:
    """`X-CDLX-Request-Id`, if it is a UUID."""
    text = request.META.get("HTTP_X_CDLX_REQUEST_ID", "")
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def target_of(action: str, **source_ids: str) -> Target:
    """What a path names. Raises `Invalid`."""
    problems = []
    for name, member in (
        ("source_customer_id", "sourceCustomerId"),
        ("source_account_id", "sourceAccountId"),
    ):
        source_id = source_ids.get(name)
        if source_id is None:
            continue
        if is_card_number(source_id):
            problems.append(Problem(member, *CARD_NUMBER))
        elif "\0" in source_id or not source_id.strip() or len(source_id) > 120:
            message = "An id has 1 to 120 characters, not all of them blank, and no NUL."
            problems.append(Problem(member, message, "INVALID"))
    if problems:
        raise Invalid(problems)
    return Target(action, **source_ids)


class BulkView(ApiView):
    """A call that stores a request; a worker does it."""

    parser_classes = [JSONBytes]

    def submit(self, request: Request, target: Target) -> HttpResponseBase:
        """Check the envelope, store what was sent, and queue it."""
        body = body_of(request)
        public_id = services.submit_request(
            actor=self.actor,
            target=target,
            sent=read_body(body, target.action),
            fingerprint=payload.fingerprint(
                str(request.method).encode(), request.get_full_path().encode(), body
            ),
            public_id=given_id(request),
        )
        return JSONResponse(to_json({"requestId": str(public_id)}))


class Customers(BulkView):
    """Create or update customers, up to 50 at a time."""

    scopes = {"POST": Scope.BULK_WRITE, "PUT": Scope.BULK_WRITE}
    parameters = {"POST": ("dryRun",), "PUT": ()}

    @openapi.create_customers
    def post(self, request: Request) -> HttpResponseBase:
        """Queue the customers, or with `dryRun=true` try out what their outcomes would be."""
        target = Target(Action.CREATE_CUSTOMERS)
        if not is_dry_run(request):
            return self.submit(request, target)
        sent = read_body(body_of(request), target.action)
        trial = services.try_out(actor=self.actor, target=target, sent=sent)
        return Response(ledger_of_trial(trial, given_id(request) or uuid4(), target.action))

    @openapi.update_customers
    def put(self, request: Request) -> HttpResponseBase:
        """Queue the changes."""
        return self.submit(request, Target(Action.UPDATE_CUSTOMERS))


def is_dry_run(request: Request) -> bool:
    """Whether nothing is to be stored. Raises `Invalid`."""
    text = request.GET.get("dryRun", "false")
    if text not in {"true", "false"}:
        raise Invalid([Problem("dryRun", "This must be true or false.", "INVALID")])
    return text == "true"


class CustomerAccounts(BulkView):
    """The accounts of one customer."""

    scopes = {"PUT": Scope.BULK_WRITE}

    @openapi.update_accounts
    def put(self, request: Request, source_customer_id: str) -> HttpResponseBase:
        """Queue the accounts."""
        target = target_of(Action.UPDATE_ACCOUNTS, source_customer_id=source_customer_id)
        return self.submit(request, target)


class AccountCards(BulkView):
    """The cards on one account of a customer."""

    scopes = {"PUT": Scope.BULK_WRITE}

    @openapi.update_cards
    def put(
        self, request: Request, source_customer_id: str, source_account_id: str
    ) -> HttpResponseBase:
        """Queue the cards."""
        target = target_of(
            Action.UPDATE_CARDS,
            source_customer_id=source_customer_id,
            source_account_id=source_account_id,
        )
        return self.submit(request, target)


class Files(ApiView):
    """Large loads: one customer a line."""

    scopes = {"POST": Scope.BULK_WRITE}
    # Its key would need the whole body in memory; `X-CDLX-Request-Id` does not.
    idempotent = False
    parser_classes = [
        NDJSONStream,
        PlainNDJSONStream,
        JSONLinesStream,
        TableStream,
        GzipStream,
        Stream,
    ]
    parameters = {"POST": ("dryRun",)}

    @openapi.load_file
    def post(self, request: Request) -> Response:
        """Store the file while it arrives, and queue its load; with `dryRun=true`, its trial."""
        is_trial = is_dry_run(request)
        parser = self.get_content_negotiator().select_parser(request, self.get_parsers())
        # What it says is checked; what it is, the first bytes tell.
        encoding_of(request.META)
        announced = request.META.get("CONTENT_LENGTH", "")
        public_id = services.submit_file(
            actor=self.actor,
            source=streamed(request, self.actor.business_account_id),
            announced=int(announced) if announced.isdecimal() else None,
            public_id=given_id(request),
            is_table=isinstance(parser, TableStream),
            is_dry_run=is_trial,
        )
        return Response({"requestId": str(public_id)})


class Requests(ApiView):
    """The client's requests."""

    scopes = {"GET": Scope.BULK_WRITE}
    parameters = {"GET": PARAMETERS | {"status"}}
    repeatable = {"sort"}
    sorts: ClassVar[dict[str, str]] = {"submittedAt": "submitted_at"}

    @openapi.list_requests
    def get(self, request: Request) -> Response:
        """A page of them, newest first, without their items."""
        page_request = PageRequest.read(request, self.sorts, "submittedAt,DESC")
        requests = BulkRequest.objects.visible_to(self.actor).select_related("file", "undo_of")
        if status := request.GET.get("status"):
            if status not in STATUSES:
                message = f"This must be one of {', '.join(STATUSES)}."
                raise Invalid([Problem("status", message, "UNKNOWN_VALUE")])
            requests = requests.filter(STATUSES[status])
        page = page_request.take(requests)
        found = requests.in_bulk(page.ids)
        reads.remember(self.actor)
        return Response(page.envelope([summary(found[pk]) for pk in page.ids if pk in found]))


def wanted_outcome(request: Request) -> str:
    """`outcome`, or nothing for all of them. Raises `Invalid`."""
    outcome = request.GET.get("outcome", "")
    if outcome and outcome not in BulkItem.Outcome:
        message = f"This must be one of {', '.join(BulkItem.Outcome)}."
        raise Invalid([Problem("outcome", message, "UNKNOWN_VALUE")])
    return outcome


class RequestDetail(ApiView):
    """One request."""

    scopes = {"GET": Scope.BULK_WRITE}
    parameters = {"GET": {"outcome"}}

    @openapi.read_request
    def get(self, request: Request, request_id: UUID) -> Response:
        """Its ledger: the outcome of each item, and every error with its place."""
        found = services.get_request(actor=self.actor, public_id=request_id)
        body = ledger(found, wanted_outcome(request))
        # What it tells, the client's next look-up shows, whoever did it.
        reads.remember(self.actor)
        return Response(body, headers={"Cache-Control": "no-store"})


class RequestRetry(ApiView):
    """The failed items of a request, once more."""

    scopes = {"POST": Scope.BULK_WRITE}

    @openapi.retry_request
    def post(self, request: Request, request_id: UUID) -> Response:
        """Queue the failed items as a new request."""
        found = services.get_request(actor=self.actor, public_id=request_id)
        public_id = services.retry_request(
            actor=self.actor, request=found, public_id=given_id(request)
        )
        return Response({"requestId": str(public_id)})


class RequestUndo(ApiView):
    """What a request did, put back."""

    scopes = {"POST": Scope.BULK_WRITE}
    parameters = {"POST": ("dryRun",)}

    @undo_operation
    def post(self, request: Request, request_id: UUID) -> Response:
        """Queue the undo, or with `dryRun=true` tell what it would do; of a file as a request."""
        found = get_undoable(actor=self.actor, public_id=request_id)
        is_trial = is_dry_run(request)
        if is_trial and not found.is_by_file:
            trial = try_undo(request=found)
            return Response(ledger_of_undo_trial(trial, given_id(request) or uuid4(), found))
        public_id = undo_request(
            actor=self.actor, request=found, is_dry_run=is_trial, public_id=given_id(request)
        )
        return Response({"requestId": str(public_id)})


class RequestResults(ApiView):
    """The outcome of each item of a request, or of each line of a file, as a file."""

    scopes = {"GET": Scope.BULK_WRITE}
    parameters = {"GET": {"outcome"}}

    @openapi.read_results
    def get(self, request: Request, request_id: UUID) -> HttpResponseBase:
        """One JSON object a line, in the order sent."""
        outcome = wanted_outcome(request)
        found = services.get_request(actor=self.actor, public_id=request_id)
        lines = results.results_of(request=found, outcome=outcome)
        return download(lines, f"results-{request_id}.ndjson")


class RequestFailed(ApiView):
    """The failed items of a request as they were sent, as a file."""

    scopes = {"GET": Scope.BULK_WRITE}

    @openapi.read_failed
    def get(self, request: Request, request_id: UUID) -> HttpResponseBase:
        """JSON lines, or rows of a table, with their errors: to be corrected and sent again."""
        found = services.get_request(actor=self.actor, public_id=request_id)
        lines = results.failed_of(request=found)
        if results.is_table(found):
            return download(lines, f"failed-{request_id}.csv", TABLE)
        return download(lines, f"failed-{request_id}.ndjson")

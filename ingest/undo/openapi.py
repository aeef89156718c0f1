"""How the API documentation shows the undo of a load."""

from drf_spectacular.utils import OpenApiParameter

from config.api.errors import Conflict
from config.openapi import answer, operation
from ingest.examples import DONE, QUEUED
from ingest.openapi import REQUEST, REUSED, SUBMITTED_HEADER
from ingest.services import DryRunTimedOut
from ingest.wire.answers import AcceptedOrTried

UNDONE = DONE | {
    "action": "UNDO",
    "counts": {"created": 0, "updated": 0, "unchanged": 0, "removed": 1, "failed": 1},
    "dryRun": True,
    "undoOf": "7c1b7e0e-4b5c-4f0e-9a51-0d0a5c0e6d11",
    "items": [
        {
            "index": 0,
            "sourceCustomerId": "16",
            "outcome": "REMOVED",
            "customerId": "5c0f3f4b-6f0a-5c55-8f0e-2d9f8a4f3c11",
            "errors": [],
        },
        {
            "index": 1,
            "sourceCustomerId": "17",
            "outcome": "FAILED",
            "customerId": "0b6f7c1c-51a4-5c57-8f0e-6f3f3b1f2d47",
            "errors": [
                {
                    "pointer": "/contact",
                    "code": "CHANGED_SINCE",
                    "message": "firstName of the contact was changed on 2026-03-02 at 09:30 UTC by "
                    "employee Grace Hopper, through back-office.",
                }
            ],
        },
    ],
}
ABOUT_UNDO = """Puts back what a request changed, as a new request of action `UNDO` with a ledger of
its own, item by item, each whole or not at all: what the request created is removed (`REMOVED`; a
feed may create it again), what it changed gets its values back (`UPDATED`), a customer that it
removed, as an undo does, returns under its old id (`CREATED`). What it did not change is
`UNCHANGED`.

An item fails with `CHANGED_SINCE` when anybody else has changed anything of it since, and stays as
it is; its errors name what was changed and by whom. Customers that share an account which the
request changed are put back together. `NOT_UNDOABLE` tells that a sealed value which was replaced
is not kept.

Files are undone in blocks, with progress and a file of results, as they are loaded. A request can
be undone once, until `KITH_UNDO_DAYS` after its end, by any client of its business account or of
one above it; an undo that ended `FAILED` may be asked for again. An undo can be undone.
"""
undo_request = operation(
    "undoBulkRequest",
    "Undo a request",
    description=ABOUT_UNDO,
    parameters=[
        SUBMITTED_HEADER,
        OpenApiParameter(
            "dryRun",
            {"type": "boolean", "default": False},
            description="`true`: nothing is undone, and the answer is the ledger that the undo "
            "would have; of a file, the id of a request that finds out.",
        ),
    ],
    answers={
        200: answer(AcceptedOrTried, "It is queued; or tried out.", queued=QUEUED, tried=UNDONE)
    },
    errors=[
        Conflict("This request has not ended yet.", code="NOT_FINISHED"),
        Conflict(
            "This request was undone already, or is being undone. Undo its undo to have it back.",
            code="ALREADY_UNDONE",
        ),
        Conflict("A request can be undone for 30 days after its end.", code="TOO_OLD"),
        Conflict(
            "There is nothing to undo: nothing of this request was stored, or nothing is known of "
            "it any more.",
            code="NOTHING_TO_UNDO",
        ),
        REUSED,
        DryRunTimedOut(),
    ],
    gives=REQUEST,
)

"""How the API documentation shows `/v2/data`."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiRequest

from config.api.card_numbers import CARD_NUMBER
from config.api.errors import ApiError, Conflict, Invalid, Problem, TooLarge, Unprocessable
from config.api.json import unsupported
from config.openapi import answer, body, named, operation, page_of
from config.server.uploads import TooManyUploads
from ingest.examples import (
    CARD,
    CLOSED_ACCOUNT,
    CLOSED_CARD,
    DONE,
    FAILED_LINE,
    FAILED_ROW,
    FINISHED,
    LINE,
    QUEUED,
    SAMPLE,
    TABLE,
    TWO_LINES,
    WAITING,
    WHOLE,
)
from ingest.models import BulkItem
from ingest.results import NOT_KEPT, ResultGone
from ingest.services import DryRunTimedOut, NoSpace
from ingest.sheets.columns import MOST_COLUMNS, NAMES
from ingest.wire.answers import Accepted, AcceptedOrTried, Ledger, RequestSummary
from ingest.wire.documentation import (
    AccountsToUpdate,
    CardsToUpdate,
    CustomersToCreate,
    CustomersToUpdate,
)
from ingest.wire.ledger import STATUSES

ABOUT_FAILED = """The failed items of a request as they were sent, to be corrected and sent again.
Each line has the members that were sent, behind `line` (from 1) and `errors`. A line that was no
JSON object is given as `sent`. Those of a table are a table again (`text/csv`), in the columns and
with the delimiter of the file, behind which `error` tells what is wrong. Full card numbers are
masked.

Where corrected lines are sent depends on the `action` of the request. `line` and `errors`, or the
column `error`, may stay: all of these calls ignore them.

| `action` | where to |
| --- | --- |
| `CREATE_CUSTOMERS`, `LOAD_FILE` | `POST /v2/data/files`, the corrected file as it is |
| `UPDATE_CUSTOMERS` | `PUT /v2/data/customers`, the lines as entries of `customers` |
| `UPDATE_ACCOUNTS` | the path of the request, the lines as entries of `accounts` |
| `UPDATE_CARDS` | the path of the request, the lines as entries of `cards` |

A file takes creations only: an update sent in one is read as a customer to create.

Failed items are kept for as long as the results of a file, counted from the end of the request.
"""
ABOUT_FILES = f"""One customer a line, as `POST /v2/data/customers` takes them: NDJSON, plain or
compressed by gzip, with any number of lines. Or, as `text/csv`, a table: see below.

A worker loads the file in blocks, each whole or not at all, and in the order of the file. Errors
are those of their line. The outcome of each line is in a file of results, which has one JSON object
for each: `line` (from 1), `sourceCustomerId`, `outcome`, `customerId`, `errors`; blank lines are
counted and have none. Requests that are sent after a file wait for its end.

A load is `FINISHED` only when every line that was received is accounted for. Otherwise it is
`FAILED`, `counts` and results tell of what was loaded, and `message` says what to do; sent again,
lines that are stored already come out `UNCHANGED`. `errorCode` is then `FILE_CUT_OFF` (a compressed
file ends in the middle, is damaged, or is followed by something else; what was whole is loaded),
`CONTENT_LOST` (a part was lost after it had been received), `CANCELLED`, `TIME_LIMIT`,
`STORAGE_FULL` (there is no space for the results), `WORKER_LOST`, `UNAVAILABLE` or
`INTERNAL_ERROR`. A body that is shorter than its `Content-Length` says is refused, and nothing of
it is stored.

With `?dryRun=true` the whole file is checked by the worker as it would be loaded at that moment,
and nothing is stored but the outcome, which is read as that of a load and has `dryRun`. Each line
is judged by what is stored: of a customer whom the file has twice, both would be `CREATED`.

**Tables.** `text/csv` in UTF-8, with or without a byte order mark, plain or compressed by gzip.
Commas, semicolons, tabs or bars stand between the cells, white space around them is left out;
quoted ones may have line breaks in them. There may be {MOST_COLUMNS} columns.
The first row names the columns, in any order:

{", ".join(f"`{name}`" for name in NAMES)}, `metadata.KEY` and `attribute.NAME`.

A column `error` is left out; any other is refused, with nothing stored. A row with an `externalId`
that is known updates: an empty cell leaves a value as it is, the word `(clear)` clears it. Every
other row creates; one without `externalId` needs a name, an e-mail address or a phone number, and
creates another customer each time it is loaded. A table is a list of customers: it needs none of
the programme's members, and changes nothing of an enrollment.

`email` and `phone` are the primary ones, for a business those of its primary contact, as are the
names; address cells are those of the primary address of the `addressType`, `MAILING` unless it is
given. A new customer is a `BUSINESS` if it has a `businessName` and no `type`, a new phone number
without `phoneType` is `MOBILE`, or `WORK` of a business. `countryCode` has two letters or three,
`dateOfBirth` is `yyyy-MM-dd`. `line` counts rows as spreadsheets do: the header is 1. Errors point
to columns, such as `/email` or `/attribute.color`.
"""


SUBMITTED_HEADER = OpenApiParameter(
    "X-CDLX-Request-Id",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="A UUID. Makes the call safe to repeat: the same id and body get the first answer "
    "again, and nothing happens twice. Anything but a UUID is not looked at.",
)
REUSED = Unprocessable(
    "This X-CDLX-Request-Id was used for another request.", code="REQUEST_ID_REUSED"
)
WRONG_ENVELOPE = Invalid([Problem("/customers", "This is required.", "REQUIRED")])
WRONG_NUMBER = Invalid([Problem("/note", *CARD_NUMBER)])
ERRORS: list[ApiError] = [REUSED, WRONG_ENVELOPE, WRONG_NUMBER]
ACCEPTED = answer(Accepted, "It is stored and queued.", queued=QUEUED)
REQUEST = {"requestId": "$response.body#/requestId"}
# The operations that tell of a request whose items were sent in a body.
WITH_ITEMS = [
    *("createCustomers", "updateCustomers", "updateAccounts", "updateCards"),
    *("listBulkRequests", "readBulkRequest", "retryBulkRequest"),
]
# As the first of the customers was sent.
SENT = {
    "sourceCustomerId": "$request.body#/customers/0/sourceCustomerId",
    "sourceAccountId": "$request.body#/customers/0/accounts/0/sourceAccountId",
}


def dry_run(meaning: str) -> OpenApiParameter:
    """The parameter by which nothing is stored."""
    return OpenApiParameter(
        "dryRun",
        {"type": "boolean", "default": False},
        description=f"`true`: {meaning}.",
    )


create_customers = operation(
    "createCustomers",
    "Create customers",
    body=body(
        CustomersToCreate, the_published_sample=SAMPLE, a_whole_customer={"customers": [WHOLE]}
    ),
    parameters=[
        SUBMITTED_HEADER,
        dry_run("nothing is stored, and the answer is the ledger"),
    ],
    answers={
        200: answer(
            AcceptedOrTried,
            "It is stored and queued; or tried out.",
            queued=QUEUED,
            tried=FINISHED,
        )
    },
    errors=[*ERRORS, DryRunTimedOut()],
    gives=REQUEST | SENT,
)
update_customers = operation(
    "updateCustomers",
    "Update customers",
    body=body(CustomersToUpdate, the_published_sample=SAMPLE),
    parameters=[SUBMITTED_HEADER],
    answers={200: ACCEPTED},
    errors=ERRORS,
    gives=REQUEST | SENT,
)
update_accounts = operation(
    "updateAccounts",
    "Update accounts of a customer",
    body=body(AccountsToUpdate, a_closed_account=CLOSED_ACCOUNT),
    parameters=[SUBMITTED_HEADER],
    answers={200: ACCEPTED},
    errors=ERRORS,
    gives=REQUEST | {"sourceAccountId": "$request.body#/accounts/0/sourceAccountId"},
)
update_cards = operation(
    "updateCards",
    "Update cards on an account",
    body=body(CardsToUpdate, a_new_card={"cards": [CARD]}, a_closed_card=CLOSED_CARD),
    parameters=[SUBMITTED_HEADER],
    answers={200: ACCEPTED},
    errors=ERRORS,
    gives=REQUEST,
)
list_requests = operation(
    "listBulkRequests",
    "List the client's requests",
    parameters=[
        OpenApiParameter(
            "status", {"type": "string", "enum": [*STATUSES]}, description="Only those."
        )
    ],
    answers={200: page_of("BulkRequestPage", RequestSummary, DONE)},
    gives={"requestId": "$response.body#/content/0/requestId"},
)
OUTCOME = OpenApiParameter(
    "outcome",
    {"type": "string", "enum": [*BulkItem.Outcome.values]},
    description="Only items with this outcome.",
)
read_request = operation(
    "readBulkRequest",
    "Read a request's ledger",
    parameters=[OUTCOME],
    answers={
        200: answer(Ledger, "The request.", waiting=WAITING | {"items": []}, finished=FINISHED)
    },
    gives=REQUEST
    | dict.fromkeys(("customerId", "customerIds"), "$response.body#/items/0/customerId"),
)
retry_request = operation(
    "retryBulkRequest",
    "Retry the failed items",
    parameters=[SUBMITTED_HEADER],
    answers={200: ACCEPTED},
    errors=[
        Conflict("This request has not ended yet.", code="NOT_FINISHED"),
        Conflict(
            "Nothing of this request can be tried again: nothing failed, or what was sent was "
            "deleted or cannot be opened.",
            code="NOTHING_TO_RETRY",
        ),
        REUSED,
    ],
    gives=REQUEST,
    # What a file or an undo failed to do is not tried again by this call.
    after=dict.fromkeys(WITH_ITEMS, ""),
)
LINES = OpenApiRequest(OpenApiTypes.BINARY, examples=named({"two_lines": TWO_LINES}))
FILE = {
    "application/x-ndjson": LINES,
    "application/ndjson": LINES,
    "application/jsonl": LINES,
    "text/csv": OpenApiRequest(OpenApiTypes.BINARY, examples=named({"a_table": TABLE})),
    "application/gzip": OpenApiTypes.BINARY,
}
load_file = operation(
    "loadFile",
    "Load a file",
    description=ABOUT_FILES,
    body=FILE,  # type: ignore[arg-type] # of several media types
    parameters=[
        SUBMITTED_HEADER,
        dry_run("the file is checked by the worker, and nothing is stored but the outcome"),
    ],
    answers={200: ACCEPTED},
    errors=[
        REUSED,
        TooLarge("A file may have 2147483648 bytes."),
        TooManyUploads(),
        Invalid([Problem("/Vorname", "There is no such column.", "UNKNOWN_COLUMN")]),
        unsupported("application/xml", ["application/x-ndjson", "text/csv", "application/gzip"]),
        NoSpace(),
    ],
    gives=REQUEST,
)
read_results = operation(
    "readBulkResults",
    "Read results line by line",
    parameters=[OUTCOME],
    answers={
        (200, "application/x-ndjson"): answer(
            OpenApiTypes.BINARY,
            "One JSON object a line: `line`, and the members of a `LedgerItem` but `index`.",
            a_line=LINE,
        )
    },
    errors=[ResultGone("The results were deleted.")],
)
read_failed = operation(
    "readFailedItems",
    "Read the failed items as they were sent",
    description=ABOUT_FAILED,
    answers={
        (200, "application/x-ndjson"): answer(
            OpenApiTypes.BINARY, "One JSON object a line.", a_line=FAILED_LINE
        ),
        (200, "text/csv"): answer(str, "Of a table: its failed rows.", a_row=FAILED_ROW),
    },
    errors=[ResultGone(NOT_KEPT)],
    # For an undo nothing was sent.
    after=dict.fromkeys([*WITH_ITEMS, "loadFile"], ""),
)

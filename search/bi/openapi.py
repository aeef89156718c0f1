"""How the API documentation shows `/v1/search`."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer
from rest_framework import serializers

from config.api.actors import Scope
from config.api.errors import Forbidden
from config.api.json import to_json
from config.api.permissions import missing_scope
from config.openapi import GONE, answer, body, operation, page_of
from customers import examples
from customers.schema import CustomerObject
from search.bi.files import RangeNotSatisfiable
from search.bi.serializers import SearchRequest
from search.bi.status import SearchStatus, SearchSubmitted
from search.columns import COLUMN_NAMES, TYPE_NAMES
from search.models import CustomerSearch
from search.services import Gone

QUERY_ID = "01993a61-5d20-7c09-8e10-9f8e7d6c5b4a"
NAME = f"customer-accounts-{QUERY_ID}.csv"
LINK = f"http://127.0.0.1:8000/v1/search/results/{QUERY_ID}/1xAbCd:pZ3kQ7/{NAME}"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

# The published sample: every member is there, and an empty one filters nothing.
SAMPLE = {
    "fromCreatedAt": "2023-01-01",
    "toCreatedAt": "2023-12-31",
    "customerAccountStatus": ["ACTIVE"],
    "customerAccountType": "INDIVIDUAL",
    "firstName": "John",
    "middleName": "",
    "lastName": "Smith",
    "doingBusinessAsName": "",
    "email": "john.smith@example.com",
    "phoneNumber": "4151234",
    "addressLine1": "1 Main Street",
    "addressLine2": "",
    "addressLine3": "",
    "city": "San Francisco",
    "state": "CA",
    "postalCode": "94105",
    "country": "USA",
    "prefix": "",
    "suffix": "",
    "gender": "",
    "sex": "MALE",
    "resultFormat": "CSV",
}
EVERYTHING = {"customerAccountType": "BUSINESS", "resultFormat": "JSON"}
LIST = {
    "customerAccountType": "INDIVIDUAL",
    "columns": ["externalId", "lastName", "primaryEmail"],
    "externalIds": ["crm-1001", "crm-1002"],
    "compression": "GZIP",
}
SUBMITTED = {
    "queryId": QUERY_ID,
    "status": "SUBMITTED",
    "resultFormat": "CSV",
    "compression": "NONE",
    "submittedAt": "2026-03-01T12:10:00.000Z",
}
STARTED = SUBMITTED | {
    "status": "STARTED",
    "startedAt": "2026-03-01T12:10:00.020Z",
    "progress": {"rows": 120000, "bytes": 41234567, "estimatedRows": 500000, "percent": 24},
}
FINISHED: dict[str, object] = {
    "queryId": QUERY_ID,
    "status": "FINISHED",
    "downloadUrl": LINK,
    "fileName": NAME,
    "manifestUrl": f"{LINK}.manifest.json",
    "resultFormat": "CSV",
    "compression": "NONE",
    "submittedAt": "2026-03-01T12:10:00.000Z",
    "startedAt": "2026-03-01T12:10:00.020Z",
    "finishedAt": "2026-03-01T12:10:03.100Z",
    "rowCount": 500000,
    "byteCount": 171810694,
    "sha256": SHA256,
    "snapshotAt": "2026-03-01T12:10:00.018Z",
    "expiresAt": "2026-03-08T12:10:03.100Z",
}
FAILED = SUBMITTED | {
    "status": "FAILED",
    "finishedAt": "2026-03-01T12:10:03.100Z",
    "errorCode": "STORAGE_FULL",
    "message": "There is no space left for result files.",
}
MANIFEST = {
    "queryId": QUERY_ID,
    "fileName": NAME,
    "resultFormat": "CSV",
    "compression": "NONE",
    "columns": [{"name": "id", "type": "uuid"}, {"name": "lastName", "type": "text"}],
    "criteria": {
        "customerAccountType": "INDIVIDUAL",
        "customerAccountStatus": ["ACTIVE"],
        "timeZone": "UTC",
        "match": "EXACT",
        "lastName": "smith",
    },
    "businessAccountIds": [examples.ACCOUNT_ID, examples.CHILD_ID],
    "snapshotAt": "2026-03-01T12:10:00.018Z",
    "rowCount": 500000,
    "byteCount": 171810694,
    "sha256": SHA256,
    "complete": True,
}
FILE_FORMATS = f"""The file, or with `Range` a part of it. One row per customer, by creation time;
all rows were read at one moment. Sensitive values leave as for a token without
`customers.sensitive`.

- `CSV`: RFC 4180 in UTF-8, lines end in CRLF, with a header row. Columns:
  {", ".join(f"`{name}`" for name in COLUMN_NAMES)}.
- `CSV_EXCEL`: the same for spreadsheets, with a byte-order mark, and with an apostrophe before what
  would be taken for a formula, or for a number without its zeros in front.
- `XLSX`: a workbook. Texts are texts, dates are dates (before 1900-03-01 texts), moments are UTC.
  What comes after 1,048,575 rows is on the next sheet. A text longer than 32,767 characters fails
  the search with `TEXT_TOO_LONG`.
- `PARQUET`: row groups of 20,000 rows, compressed by zstd. `timestamp` columns are in UTC, `date`
  and `boolean` are what they say, all others are texts; an empty cell is null. Where the package
  is missing that writes it, the request is refused with `FORMAT_UNAVAILABLE`.
- `columns` in the request chooses among the columns of these four, and their order.
- `JSON`: one array of customers, as `GET /v1/customers/{{customerId}}` gives them.
- `NDJSON`: such customers, one a line.

With `externalIds` in the request `requestedId` is the first column or member. With `compression` it
is a `.gz` or a `.zst` file; size and checksum are those of that file. The manifest lies beside each
file, at its `manifestUrl`.
"""


class Column(serializers.Serializer[object]):
    """A column of a result file, or a member of its objects."""

    name = serializers.CharField()
    type = serializers.ChoiceField(TYPE_NAMES)


class Manifest(serializers.Serializer[object]):
    """What travels with a result file."""

    queryId = serializers.UUIDField()
    fileName = serializers.CharField()
    resultFormat = serializers.CharField()
    compression = serializers.ChoiceField(CustomerSearch.Compression.choices)
    columns = Column(
        many=True, help_text="In the order of the file; of JSON and NDJSON the objects' members."
    )
    criteria = serializers.DictField(help_text="The filters as they were understood.")
    externalIds = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="As asked for, each once."
    )
    unknownIds = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Of `externalIds`, those that no customer of the accounts has, of any status.",
    )
    businessAccountIds = serializers.ListField(
        child=serializers.UUIDField(), help_text="The accounts that were searched."
    )
    snapshotAt = serializers.DateTimeField()
    isOneSnapshot = serializers.BooleanField(
        required=False,
        help_text="False where the database is distributed: its nodes were read a moment apart.",
    )
    rowCount = serializers.IntegerField()
    byteCount = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Of the file, in hexadecimal.")
    complete = serializers.BooleanField()


BINARY_FILE = answer(OpenApiTypes.BINARY, "The file.")
BINARY_PART = answer(OpenApiTypes.BINARY, "The part of the file.")
PART = answer(str, "The part of the file.", a_part="0,Ada,Lovel")
BINARY_TYPES = (
    *("application/gzip", "application/zstd", "application/vnd.apache.parquet"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
SHOWN_TYPES = ("text/csv", "application/json", "application/x-ndjson")
FILE_OR_MANIFEST = PolymorphicProxySerializer(
    "CustomersOrManifest",
    [CustomerObject(many=True), Manifest],
    resource_type_field_name=None,
    many=False,
)


def of_file(
    name: str, description: str, *statuses: int, required: bool = False
) -> OpenApiParameter:
    """A header of the answers with these statuses."""
    return OpenApiParameter(
        name,
        str,
        OpenApiParameter.HEADER,
        required=required,
        response=list(statuses),
        description=description,
    )


submit_search = operation(
    "submitSearch",
    "Submit a search",
    description="All filters have to hold; names of one contact, and lines of one address. The "
    "answer comes at once; ask `GET /v1/search/customer-accounts/{searchId}` for the file.",
    body=body(SearchRequest, the_published_sample=SAMPLE, all_businesses=EVERYTHING, a_list=LIST),
    answers={200: answer(SearchSubmitted, "It is queued.", queued={"queryId": QUERY_ID})},
    gives={"searchId": "$response.body#/queryId"},
)
list_searches = operation(
    "listSearches",
    "List the client's searches",
    answers={200: page_of("SearchPage", SearchStatus, FINISHED, FAILED)},
    gives={"searchId": "$response.body#/content/0/queryId"},
)
read_search = operation(
    "readSearch",
    "Read a search's status",
    answers={
        200: answer(
            SearchStatus,
            "The search.",
            waiting=SUBMITTED,
            running=STARTED,
            finished=FINISHED,
            failed=FAILED,
        )
    },
    gives={"searchId": "$response.body#/queryId", "fileName": "$response.body#/fileName"},
)
cancel_search = operation("cancelSearch", "Cancel a search", answers={204: GONE})
download_result = operation(
    "downloadResult",
    "Download a result",
    description=FILE_FORMATS,
    parameters=[
        OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="One range of bytes."),
        OpenApiParameter("If-Range", str, OpenApiParameter.HEADER, description="The `ETag`."),
        OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag`."),
        of_file("ETag", "The SHA-256 of the file.", 200, 206, 304, required=True),
        of_file("Accept-Ranges", "`bytes`", 200, 206, 304),
        of_file("Content-Disposition", "The name to save it under.", 200, 206, 304),
        of_file("Content-Range", "Which bytes of how many.", 206, required=True),
        of_file("Location", "Where it is.", 302, required=True),
    ],
    answers={
        (200, "text/csv"): answer(str, "The file.", a_csv_file="id,businessAccountId,…\r\n"),
        (200, "application/x-ndjson"): answer(
            OpenApiTypes.BINARY, "The file.", a_line=to_json(examples.INDIVIDUAL).decode() + "\n"
        ),
        (200, "application/json"): answer(FILE_OR_MANIFEST, "The file.", a_manifest=MANIFEST),
        **{(200, kind): BINARY_FILE for kind in BINARY_TYPES},
        **{(206, kind): PART for kind in SHOWN_TYPES},
        **{(206, kind): BINARY_PART for kind in BINARY_TYPES},
        302: OpenApiResponse(description="The file is in a bucket, which sends it itself."),
        304: OpenApiResponse(description="The file of `If-None-Match` is still the right one."),
    },
    errors=[
        Forbidden(missing_scope(Scope.SEARCH_RUN)),
        Gone("This link has run out; ask for the status again to get a new one."),
        RangeNotSatisfiable("The file has 4711 bytes."),
    ],
    after={
        "readSearch": "`downloadUrl` is this call's whole URL; `signature` is what stands in it "
        "before `fileName`. `manifestUrl` has one of its own."
    },
)

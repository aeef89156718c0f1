"""What is documented about errors: the three bodies, and each status with examples.

An example is the body that the product itself makes of the error (`config.api.dialects`).
"""

from collections.abc import Iterable, Mapping, Sequence

import orjson
from django.http import HttpRequest

from config.api import errors
from config.api.actors import Scope
from config.api.dialects import JSON, XML, core_body, core_xml, customers_body, data_body
from config.api.errors import NO_TOKEN, ApiError, Problem
from config.api.json import Json, to_json
from config.api.permissions import missing_scope
from config.openapi.advice import advised
from config.openapi.components import BODIES

TRACE = "0d9f5a8e-5c55-4f3f-9a53-0a2a7a3c1d6e"
AT = "2026-03-01T12:00:00.123Z"
PROBLEMS = [
    Problem("firstNmae", "This field does not exist. Check the spelling.", "UNKNOWN_FIELD"),
    Problem("addresses[1].stateCode", "This is required when countryCode is USA.", "REQUIRED"),
]

# Each status that follows from what a view declares: in words, and what a client is told.
KNOWN: dict[int, tuple[str, list[ApiError]]] = {
    400: (
        "The request is wrong. Every wrong place is named at once, and nothing was changed.",
        [
            errors.Invalid(PROBLEMS),
            errors.Invalid(
                [Problem("sise", "This parameter does not exist.", "UNKNOWN_PARAMETER")]
            ),
            errors.Unreadable(
                "The body is not JSON: trailing comma is not allowed at line 3, column 1."
            ),
        ],
    ),
    401: (
        "There is no access token, or none that is good.",
        [
            errors.NotAuthenticated(NO_TOKEN),
            errors.NotAuthenticated(
                "The access token is invalid, expired or revoked.", code="INVALID_TOKEN"
            ),
        ],
    ),
    403: (
        "The token is good, but lacks the scope that this call needs.",
        [errors.Forbidden(missing_scope(Scope.CUSTOMERS_WRITE))],
    ),
    404: (
        "It does not exist, or is not visible to this token: the answer is the same.",
        [errors.NotFound()],
    ),
    408: (
        "The body did not arrive in time, or too slowly. Nothing was changed.",
        [errors.BodyTooSlow()],
    ),
    409: (
        "The request conflicts with what is stored, or with one that is still running.",
        [
            errors.Conflict(
                "The first request with this idempotency key is still running.",
                code="IDEMPOTENCY_KEY_IN_USE",
                headers={"Retry-After": "1"},
            ),
        ],
    ),
    412: (
        "It does not have the version that `If-Match` names, or has that of `If-None-Match`.",
        [
            errors.PreconditionFailed(
                "The customer has changed since the version that If-Match names."
            )
        ],
    ),
    413: (
        "The body is larger than this installation reads.",
        [errors.TooLarge("The body is larger than this service reads.")],
    ),
    414: ("The path with its query is too long.", [errors.UriTooLong()]),
    415: (
        "The body is of another type than the call takes, or compressed by other means than gzip.",
        [
            errors.Refused(
                415,
                "UNSUPPORTED_MEDIA_TYPE",
                "The Content-Type text/plain is not accepted here: application/json is, in UTF-8.",
            ),
            errors.Refused(
                415,
                "UNSUPPORTED_CONTENT_ENCODING",
                "A body may come with Content-Encoding gzip, or without any.",
                headers={"Accept-Encoding": "gzip, identity"},
            ),
        ],
    ),
    422: (
        "The `Idempotency-Key` was used for another request.",
        [
            errors.Unprocessable(
                "This idempotency key was used for another request.", code="IDEMPOTENCY_KEY_REUSED"
            )
        ],
    ),
    429: (
        "Too many requests of this client, or too many failed attempts from this address.",
        [errors.TooManyRequests("Too many requests.", seconds=17)],
    ),
    500: ("A fault of ours. Quote `traceId` to support.", [errors.Internal()]),
    503: ("A server that the request needs is unavailable for now.", [errors.Unavailable()]),
}
WORDS = {
    406: "None of the languages, or of the media types, that are asked for is available.",
    410: "It was there once, and its time is over.",
    416: "The range begins behind the end.",
    507: "There is no space left for what was sent. Nothing was stored.",
}

OF_STATUS = {
    401: ["WWW-Authenticate"],
    409: ["Retry-After"],
    415: ["Accept-Encoding"],
    429: ["Retry-After"],
    503: ["Retry-After"],
}
# The members of an XML document are those of the JSON, which the schemas tell.
XML_TEXT: Json = {"type": "string", "contentMediaType": XML}


def headers(*names: str) -> dict[str, Json]:
    """References to the named headers, which every document has."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def response(base: str, status: int, own: Sequence[ApiError], *, is_general: bool) -> Json:
    """The response object of a status: an operation's `own` errors, and the general ones."""
    words, known = KNOWN.get(status, (WORDS.get(status, ""), []))
    name, _ = BODIES[base]
    told = [*own, *(known if is_general else [])]
    examples = dict(example(error, base) for error in told)
    schema = {"$ref": f"#/components/schemas/{name}"}
    content: Json = {JSON: {"schema": schema, "examples": examples}}
    if base == "/core":
        content[XML] = {
            "schema": XML_TEXT,
            "examples": {
                code: {"value": core_xml(shown["value"]).decode()}
                for code, shown in examples.items()
            },
        }
    return {
        "description": advised(words, list(examples)),
        "headers": headers(
            "X-Request-Id", "RateLimit-Policy", "RateLimit", *OF_STATUS.get(status, [])
        ),
        "content": content,
    }


def example(error: ApiError, base: str) -> tuple[str, Json]:
    """The name and the example object of an error, in the body of the dialect."""
    match base:
        case "/core":
            body = to_json(core_body(error, HttpRequest()))
        case "/v2":
            body = to_json(data_body(error) | {"requestId": TRACE})
        case _:
            body = to_json(customers_body(error) | {"timestamp": AT, "traceId": TRACE})
    codes = {problem.code for problem in error.problems} if len(error.problems) == 1 else set()
    return next(iter(codes), error.code), {"value": orjson.loads(body)}


def by_status(own: Iterable[ApiError]) -> Mapping[int, list[ApiError]]:
    """Errors by their status."""
    found: dict[int, list[ApiError]] = {}
    for error in own:
        found.setdefault(error.status, []).append(error)
    return found

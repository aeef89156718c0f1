"""The error bodies of the three dialects, and which path speaks which.

`/core` and `/v2` have bodies of their own; `/v1` and everything else share one.
"""

import re
from datetime import UTC, datetime
from typing import NotRequired, TypedDict
from xml.etree import ElementTree as ET

from django.http import HttpRequest

from config.api.errors import ApiError, Problem
from config.api.json import to_json
from config.api.translation import language_of, speaking, translated, weighted
from config.context import request_id

API_BASES = ("/v1", "/core", "/v2")
JSON, XML = "application/json", "application/xml"
CORE_NAMESPACE = "urn:kith:core:customermgr:v3"

# What eGain calls an outcome, where it is not <status>-100.
CORE_CODES = {
    400: "400-102",
    401: "401-104",
    403: "403-105",
    429: "429-001",
}
# The bare names of Cardlytics' error types. The first three are published, the others follow them.
DATA_TYPES = {
    400: "ValidationException",
    401: "SessionValidationException",
    500: "InternalServerError",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    405: "HttpRequestMethodNotSupported",
    406: "HttpMediaTypeNotAcceptable",
    408: "RequestTimeoutException",
    409: "ConflictException",
    412: "PreconditionFailedException",
    413: "PayloadTooLargeException",
    414: "UriTooLongException",
    415: "HttpMediaTypeNotSupported",
    422: "UnprocessableEntityException",
    429: "TooManyRequestsException",
    503: "ServiceUnavailableException",
    507: "InsufficientStorageException",
}


class CoreDetail(TypedDict):
    """One wrong place, in an error of `/core`."""

    key: str
    value: str


class CoreBody(TypedDict):
    """eGain's error object, its members in the order of their XML."""

    code: str
    developerMessage: str
    details: list[CoreDetail]
    userMessage: NotRequired[str]


def base_of(path: str) -> str:
    """The API base that `path` lies under; ``""`` for none."""
    before, _, rest = path.partition("/")
    base = f"/{rest.partition('/')[0]}"
    return base if base in API_BASES and not before else ""


def error_body(error: ApiError, request: HttpRequest) -> tuple[bytes, str]:
    """The body for `error` in the dialect of the request's path, and its content type."""
    match base_of(request.path):
        case "/core":
            body = core_body(error, request)
            if preferred_type(request) == XML:
                return core_xml(body), XML
            return to_json(body), JSON
        case "/v2":
            return to_json(data_body(error)), JSON
        case _:
            return to_json(customers_body(error)), JSON


def customers_body(error: ApiError) -> dict[str, object]:
    """RocketKOR's error object, of `/v1`."""
    return {
        "timestamp": datetime.now(UTC),
        "traceId": request_id.get(),
        "message": error.message,
        "errorCode": error.code,
        "errors": [
            {"path": problem.path, "message": problem.message, "errorCode": problem.code}
            | dict(problem.extra)
            for problem in error.problems
        ],
    }


def core_body(error: ApiError, request: HttpRequest) -> CoreBody:
    """eGain's error object, of `/core`, within its lengths: 2048, 1024, 30 details of 255 each.

    In the language of the request.
    """
    with speaking(language_of(request)):
        message = translated(error.message)
        details: list[CoreDetail] = [
            {"key": (problem.path or "body")[:255], "value": translated(problem.message)[:255]}
            for problem in error.problems[:30]
        ]
    body: CoreBody = {
        "code": core_code(error),
        "developerMessage": message[:2048],
        "details": details,
    }
    if request.META.get("HTTP_X_EGAIN_ERROR_MESSAGE", "").lower() == "yes":
        body["userMessage"] = message[:1024]
    return body


def core_code(error: ApiError) -> str:
    """``<status>-<number>``; an error may name it itself as its code."""
    if re.fullmatch(r"\d{3}-\d{3}", error.code):
        return error.code
    if error.code == "INVALID_TOKEN":
        return "401-101"
    if error.problems and all(problem.code == "UNKNOWN_PARAMETER" for problem in error.problems):
        return "400-101"
    return CORE_CODES.get(error.status, f"{error.status}-100")


def preferred_type(request: HttpRequest) -> str | None:
    """The media type of `/core` that the caller likes best, JSON among equals; None for none.

    Of the ranges of `Accept` that have a type, the most specific one tells its quality (RFC 9110).
    Parameters, such as a charset, are not looked at; a range that cannot be read is skipped.
    """
    header = request.META.get("HTTP_ACCEPT", "")
    if not header.strip():
        return JSON
    qualities = dict(weighted(header))
    liked = {
        media_type: next(
            (qualities[each] for each in (media_type, "application/*", "*/*") if each in qualities),
            0.0,
        )
        for media_type in (JSON, XML)
    }
    best = max(liked, key=lambda media_type: liked[media_type])
    return best if liked[best] > 0 else None


def core_headers(request: HttpRequest) -> dict[str, str]:
    """What every answer of `/core` says of the languages and media types that it may have."""
    return {"Content-Language": language_of(request), "Vary": "Accept, Accept-Language"}


def core_xml(body: CoreBody) -> bytes:
    """The tree of `core_body` as XML."""
    root = ET.Element("error", xmlns=CORE_NAMESPACE)
    for name, value in body.items():
        if name == "details":
            details = ET.SubElement(root, name)
            for entry in body["details"]:
                detail = ET.SubElement(details, "detail")
                for key, text in entry.items():
                    ET.SubElement(detail, key).text = xml_text(str(text))
        else:
            ET.SubElement(root, name).text = xml_text(str(value))
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml


def xml_text(text: str) -> str:
    """A text with U+FFFD in place of what XML 1.0 has no form for, such as control characters."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def data_body(error: ApiError) -> dict[str, object]:
    """Cardlytics' error object, of `/v2`."""
    kind = DATA_TYPES.get(error.status, "ValidationException")
    return {
        "type": "HttpMessageNotReadable" if error.code == "MALFORMED_BODY" else kind,
        "title": error.message,
        "status": error.status,
        "validationErrors": [
            f"{pointer(problem)}: {problem.message}" for problem in error.problems
        ],
        "requestId": request_id.get(),
    }


def pointer(problem: Problem) -> str:
    """The JSON Pointer (RFC 6901) of a problem's path: ``/customers/3/accounts`` and so on.

    A path may be one already.
    """
    if problem.path.startswith("/"):
        return problem.path
    steps = re.findall(r"[^.\[\]]+", problem.path)
    return "".join("/" + escaped(step) for step in steps)


def escaped(step: str) -> str:
    """One step of a JSON Pointer: a member's name or an index."""
    return step.replace("~", "~0").replace("/", "~1")

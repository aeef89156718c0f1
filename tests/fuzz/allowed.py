"""What Schemathesis has to know of the contract that OpenAPI cannot say."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import schemathesis

FILES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/gzip")
# `signature` is a part of a URL in the answer, for which OpenAPI has no expression.
SIGNATURE = r"$response.body#/downloadUrl#regex:/([^/]+)/[^/]+$"


@schemathesis.serializer(*FILES)
def as_lines(_context: object, value: object) -> bytes:
    """A file is text to the document; whatever it is, it is sent, and under `gzip` no gzip."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


def may_accept_wrong_data(case: Any, response: Any) -> bool:
    """Whether an answer of success to what the document forbids is what the contract says."""
    # A parameter without a value is one that was not given.
    sent = parse_qsl(urlsplit(response.request.url).query, keep_blank_values=True)
    # Of a bulk request only the envelope is checked at once; a wrong item is told in the ledger.
    is_bulk = case.method in {"POST", "PUT"} and case.path.startswith("/v2/data/")
    return is_bulk or any(not value for _, value in sent) or has_empty_text(case.body)


def has_empty_text(value: object) -> bool:
    """Whether `""` stands somewhere in a body: it means "not given", whatever belongs there."""
    if isinstance(value, dict):
        value = list(value.values())
    return any(map(has_empty_text, value)) if isinstance(value, list) else value == ""


def stays_when_deleted(case: Any) -> bool:
    """Whether a call is about what DELETE ends, and does not take away: a search and its status."""
    return case.path.startswith("/v1/search/")


def show_body(case: Any, turn: int) -> None:
    """Put one of the documented examples into a call that has a body, one after the other."""
    content = case.operation.definition.raw.get("requestBody", {}).get("content", {})
    examples = list(content.get(case.media_type, {}).get("examples", {}).values())
    if examples:
        case.body = examples[turn % len(examples)]["value"]


def lead_to_files(document: Mapping[str, Any]) -> None:
    """Complete the link from a search to its file with the signature."""
    status = document["paths"]["/v1/search/customer-accounts/{searchId}"]["get"]
    link = status["responses"]["200"]["links"]["downloadResult"]
    link["parameters"]["signature"] = SIGNATURE

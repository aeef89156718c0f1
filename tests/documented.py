"""The OpenAPI document as the tests read it, and the URL table that it has to keep up with."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from django.urls import Resolver404, resolve
from jsonschema_rs import Draft202012Validator

from config.api.routes import Route, api_routes
from config.openapi.views import document as rendered

Json = dict[str, Any]
# Headers that tell a client something it may act on; an answer has them only where they are said.
TELLING = {
    "ETag",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "RateLimit",
    "Idempotent-Replayed",
}


@cache
def document() -> Json:
    content: Json = json.loads(rendered("json"))
    return content


@cache
def documented_routes() -> dict[str, Route]:
    """By their pattern."""
    return {route.pattern: route for route in api_routes() if route.path in document()["paths"]}


def operations() -> Iterator[tuple[str, str, Json]]:
    """Path, method in capitals and operation object of all calls."""
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            yield path, method.upper(), operation


def resolved(node: Json) -> Json:
    """A part of the document, or what it refers to."""
    if "$ref" not in node:
        return node
    found: Any = document()
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return resolved(found)


def examples(body: Json) -> list[tuple[str, Json, Any]]:
    """Content type, schema and value of each example of a request or an answer."""
    return [
        (kind, media["schema"], example["value"])
        for kind, media in resolved(body).get("content", {}).items()
        for example in media.get("examples", {}).values()
    ]


def call(
    api: Any, route: Route, method: str, ids: Mapping[str, object], *, with_query: bool = True
) -> Any:
    """Make a call as its documentation shows it: parameters and body are the first examples."""
    operation = document()["paths"][route.path][method.lower()]
    shown = {
        each["name"]: next(iter(each["examples"].values()))["value"]
        for each in operation.get("parameters", ())
        if each["in"] == "query" and each.get("examples") and with_query
    }
    url = f"{route.url(ids)}?{urlencode(shown)}" if shown else route.url(ids)
    for kind, _, value in examples(operation.get("requestBody", {})):
        return send(api, method, url, kind, value)
    return api.generic(method, url, "", content_type="application/json")


def send(api: Any, method: str, url: str, kind: str, value: object) -> Any:
    """Make a call with an example of a body."""
    data = json.dumps(value) if kind == "application/json" else value
    return api.generic(method, url, data, content_type=kind)


def validator(schema: Json) -> Draft202012Validator:
    """A validator for a schema of the document; formats count."""
    return compiled(json.dumps(schema))


@cache
def compiled(schema: str) -> Draft202012Validator:
    """The validator for a schema in JSON, made once: most answers have one of a few."""
    whole = {"allOf": [json.loads(schema)], "components": document()["components"]}
    return Draft202012Validator(whole, validate_formats=True)


def check(answer: Any) -> None:
    """Fail unless the answer to a documented call is one that the document announces."""
    call = declared(answer)
    if call is None:
        return
    where = f"{answer.request['REQUEST_METHOD']} {answer.request['PATH_INFO']}: "
    assert str(answer.status_code) in call, f"{where}{answer.status_code} is not documented"
    response = resolved(call[str(answer.status_code)])
    headers = response.get("headers", {})
    needed = {name for name, header in headers.items() if resolved(header).get("required")}
    missing = {name for name in needed if name not in answer}
    unsaid = {name for name in TELLING if name in answer} - headers.keys()
    assert not missing, f"{where}{missing} are not there"
    assert not unsaid, f"{where}{unsaid} are not documented"
    check_body(answer, response.get("content", {}), where)


def check_body(answer: Any, content: Json, where: str) -> None:
    """Fail unless the body is of a documented type, and JSON of its schema or well-formed XML."""
    if answer.streaming or answer.request["REQUEST_METHOD"] == "HEAD":
        return
    if not content:
        assert not answer.content, f"{where}a body that is not documented"
        return
    kind = answer["Content-Type"].partition(";")[0]
    assert kind in content, f"{where}{kind} is not documented"
    if kind == "application/xml":
        ET.fromstring(answer.content)
        return
    errors = list(validator(content[kind]["schema"]).iter_errors(json.loads(answer.content)))
    assert not errors, f"{where}{errors[0].instance_path} {errors[0].message[:500]}"


def declared(answer: Any) -> Json | None:
    """The responses of the call that was answered; None when it is none of the document's."""
    try:
        match = resolve(answer.request["PATH_INFO"])
    except Resolver404:
        return None
    route = documented_routes().get(match.route)
    if route is None or route.view is not getattr(match.func, "view_class", None):
        return None
    method = answer.request["REQUEST_METHOD"].lower()
    item = document()["paths"][route.path]
    if method == "head" and "get" in item:
        method = "get"
    if method in item:
        return dict(item[method]["responses"])
    others = next(iter(item.values()))["responses"]
    # It comes of no documented call, and has the body and the headers of any other error.
    return others | {"405": others["400"]}

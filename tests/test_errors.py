"""What a client is told when something is wrong, in each dialect's body."""

import logging
import uuid
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import connection
from django.http import Http404
from django.urls import path
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.actors import Actor, ActorType, Scope
from config.api.dialects import pointer
from config.api.errors import Conflict, Invalid, PreconditionFailed, Problem, problems
from config.api.views import ApiView, JSONResponse
from tests.factories import Client

ACTOR = Actor(
    ActorType.SERVICE_ACCOUNT,
    "5",
    uuid.UUID(int=1),
    (uuid.UUID(int=1),),
    frozenset({Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE}),
    "client",
)
NAME = "Ada Lovelace"


class Address(serializers.Serializer):
    stateCode = serializers.CharField(max_length=2)  # noqa: N815 -- a wire name


class Person(serializers.Serializer):
    name = serializers.CharField()
    kind = serializers.ChoiceField(["INDIVIDUAL", "BUSINESS"])
    addresses = Address(many=True)
    tags = serializers.ListField(child=serializers.IntegerField())


class NoTokenIsGood(BaseAuthentication):
    def authenticate(self, request: Request):
        if request.META.get("HTTP_AUTHORIZATION"):
            raise AuthenticationFailed

    def authenticate_header(self, _request: Request):
        return "Bearer"


TROUBLES = {
    "conflict": Conflict(
        "Taken.",
        code="EXTERNAL_ID_TAKEN",
        problems=[Problem("externalId", "Taken.", "EXTERNAL_ID_TAKEN", {"id": "7"})],
    ),
    "precondition": PreconditionFailed("Old."),
    "many": Invalid(
        [
            Problem("customers[3].accounts[0].cards[1].last4", "Four digits.", "INVALID"),
            Problem("customers[3]", "Twice.", "DUPLICATE"),
        ]
    ),
    "parameter": Invalid([Problem("$x", "No such parameter.", "UNKNOWN_PARAMETER")]),
    "own-code": Conflict("Sorting needs $sort.", code="400-112"),
    "404": Http404(NAME),
    "403": PermissionDenied(NAME),
    "model": DjangoValidationError({"name": [DjangoValidationError("No.", code="invalid")]}),
    "bug": LookupError(NAME),
}


def fail(name):
    """Run into the trouble called `name`."""
    if name in TROUBLES:
        raise TROUBLES[name]
    with connection.cursor() as cursor:
        if name == "unstorable":
            cursor.execute("SELECT %s::jsonb", ['"\\u0000"'])
        cursor.execute("SET LOCAL statement_timeout = 1")
        cursor.execute("SELECT pg_sleep(1)")


class Trouble(ApiView):
    scopes = {"GET": Scope.CUSTOMERS_READ}

    def get(self, _request: Request, name: str):
        fail(name)


class People(ApiView):
    scopes = {"GET": Scope.CUSTOMERS_READ, "POST": Scope.CUSTOMERS_WRITE}
    parameters = {"GET": {"page", "sort"}}
    repeatable = {"sort"}

    def get(self, _request: Request):
        return JSONResponse(b'{"made":"by the database"}')

    def post(self, request: Request):
        person = Person(data=request.data)
        person.is_valid(raise_exception=True)
        return Response(request.data, status=201)


class Sensitive(ApiView):
    scopes = {"GET": Scope.CUSTOMERS_SENSITIVE}

    def get(self, _request: Request):
        return Response(NAME)


class Closed(ApiView):
    authentication_classes = [NoTokenIsGood]
    scopes = {"GET": Scope.CUSTOMERS_READ}

    def get(self, _request: Request):
        return Response(NAME)


class Public(ApiView):
    authentication_classes: list = []
    permission_classes = [AllowAny]

    def get(self, _request: Request):
        raise AuthenticationFailed("Wrong secret.")


def page(request, name):
    fail(name)


urlpatterns = [
    pattern
    for base in ("v1", "core", "v2/data")
    for pattern in (
        path(f"{base}/trouble/<name>", Trouble.as_view()),
        path(f"{base}/people", People.as_view()),
        path(f"{base}/sensitive", Sensitive.as_view()),
        path(f"{base}/closed", Closed.as_view()),
        path(f"{base}/public", Public.as_view()),
        path(f"{base}/page/<name>", page),
    )
] + [path("page/<name>", page)]
handler400 = "config.api.handlers.bad_request"
handler403 = "config.api.handlers.permission_denied"
handler404 = "config.api.handlers.page_not_found"
handler500 = "config.api.handlers.server_error"

pytestmark = pytest.mark.urls("tests.test_errors")


@pytest.fixture
def api():
    client = Client(raise_request_exception=False)
    client.force_authenticate(user=None, token=ACTOR)
    return client


@pytest.fixture
def stranger():
    return Client(raise_request_exception=False)


def post(api, body: bytes, **headers):
    return api.generic("POST", "/v1/people", body, **{"content_type": "application/json"} | headers)


def test_v1_names_every_wrong_place_at_once(api):
    body = {
        "kind": "CAT",
        "addresses": [{"stateCode": "CA"}, {"stateCode": "CAL"}],
        "tags": [1, "x"],
    }
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    response = api.post("/v1/people", body)
    assert response.status_code == 400
    answer = response.json()
    assert list(answer) == ["timestamp", "traceId", "message", "errorCode", "errors"]
    assert answer["traceId"] == response["X-Request-Id"]
    assert before <= datetime.fromisoformat(answer["timestamp"]) <= datetime.now(UTC)
    assert answer["errorCode"] == "VALIDATION_FAILED"
    assert {(error["path"], error["errorCode"]) for error in answer["errors"]} == {
        ("name", "REQUIRED"),
        ("kind", "UNKNOWN_VALUE"),
        ("addresses[1].stateCode", "TOO_LONG"),
        ("tags[1]", "INVALID"),
    }
    assert all(error["message"] for error in answer["errors"])


def test_the_core_body_has_codes_and_details(api):
    response = api.get("/core/trouble/many")
    assert response.json() == {
        "code": "400-102",
        "developerMessage": "2 fields are invalid.",
        "details": [
            {"key": "customers[3].accounts[0].cards[1].last4", "value": "Four digits."},
            {"key": "customers[3]", "value": "Twice."},
        ],
    }
    assert api.get("/core/trouble/parameter").json()["code"] == "400-101"
    assert api.get("/core/trouble/own-code").json()["code"] == "400-112"


def test_a_core_caller_may_ask_for_a_user_message(api):
    body = api.get("/core/trouble/404", HTTP_X_EGAIN_ERROR_MESSAGE="Yes").json()
    assert body["userMessage"] == "There is no such resource."


def test_a_core_caller_who_prefers_xml_gets_xml(api):
    response = api.get("/core/trouble/many", HTTP_ACCEPT="application/xml, application/json;q=0.5")
    assert response["Content-Type"] == "application/xml"
    root = ET.fromstring(response.content)
    space = {"k": "urn:kith:core:customermgr:v3"}
    assert root.tag == "{urn:kith:core:customermgr:v3}error"
    assert root.findtext("k:code", namespaces=space) == "400-102"
    assert root.findtext("k:details/k:detail[2]/k:value", namespaces=space) == "Twice."


def test_the_data_body_has_json_pointers(api):
    response = api.get("/v2/data/trouble/many")
    assert response.json() == {
        "type": "ValidationException",
        "title": "2 fields are invalid.",
        "status": 400,
        "validationErrors": [
            "/customers/3/accounts/0/cards/1/last4: Four digits.",
            "/customers/3: Twice.",
        ],
        "requestId": response["X-Request-Id"],
    }


def test_an_unreadable_body_has_its_own_type_in_the_data_dialect(api):
    response = api.generic("POST", "/v2/data/people", b"{", content_type="application/json")
    assert response.status_code == 400
    assert response.json()["type"] == "HttpMessageNotReadable"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("conflict", 409, "EXTERNAL_ID_TAKEN"),
        ("precondition", 412, "PRECONDITION_FAILED"),
        ("404", 404, "NOT_FOUND"),
        ("403", 403, "FORBIDDEN"),
        ("model", 400, "VALIDATION_FAILED"),
    ],
)
def test_v1_tells_each_outcome_by_its_code(api, name, status, code):
    response = api.get(f"/v1/trouble/{name}")
    assert (response.status_code, response.json()["errorCode"]) == (status, code)
    assert NAME not in response.content.decode()


def test_a_problem_may_bring_members_of_its_own(api):
    (error,) = api.get("/v1/trouble/conflict").json()["errors"]
    assert error["id"] == "7"


@pytest.mark.parametrize(
    ("where", "shape"),
    [
        ("/v1/nothing", {"timestamp", "traceId", "message", "errorCode", "errors"}),
        ("/core/nothing", {"code", "developerMessage", "details"}),
        ("/v2/data/nothing", {"type", "title", "status", "validationErrors", "requestId"}),
        ("/nothing", {"timestamp", "traceId", "message", "errorCode", "errors"}),
        ("/v1nothing", {"timestamp", "traceId", "message", "errorCode", "errors"}),
    ],
)
def test_an_unknown_path_has_the_body_of_its_dialect(stranger, where, shape):
    response = stranger.get(where)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/json"
    assert set(response.json()) == shape


def test_an_unknown_path_looks_like_a_missing_thing(stranger, api):
    unknown, missing = stranger.get("/v1/nothing").json(), api.get("/v1/trouble/404").json()
    for body in (unknown, missing):
        del body["timestamp"], body["traceId"]
    assert unknown == missing


def test_people_get_pages_outside_of_the_api_only(stranger):
    assert "<h1>" in stranger.get("/nothing", HTTP_ACCEPT="text/html").content.decode()
    assert "<h1>" in stranger.get("/admin/nothing").content.decode()
    assert stranger.get("/v1/nothing", HTTP_ACCEPT="text/html").json()["errorCode"] == "NOT_FOUND"


@pytest.mark.parametrize("base", ["/v1", "/core", "/v2/data"])
def test_another_method_is_405_with_allow(api, base):
    response = api.delete(f"{base}/people")
    assert response.status_code == 405
    assert response["Allow"] == "GET, POST, HEAD"
    assert api.options(f"{base}/people").status_code == 405
    assert api.generic("BREW", f"{base}/people").status_code == 405


def test_a_stranger_learns_no_methods(stranger):
    response = stranger.delete("/v1/closed")
    assert response.status_code == 401
    assert "Allow" not in response


def test_401_names_the_scheme_and_whether_the_token_is_bad(stranger):
    without = stranger.get("/v1/closed")
    assert (without.status_code, without["WWW-Authenticate"]) == (401, "Bearer")
    assert without.json()["errorCode"] == "NOT_AUTHENTICATED"
    bad = stranger.get("/v1/closed", HTTP_AUTHORIZATION="Bearer guess")
    assert (bad.status_code, bad["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert bad.json()["errorCode"] == "INVALID_TOKEN"
    assert stranger.get("/core/closed").json()["code"] == "401-104"
    core = stranger.get("/core/closed", HTTP_AUTHORIZATION="Bearer guess").json()
    assert core["code"] == "401-101"
    assert stranger.get("/v2/data/closed").json()["type"] == "SessionValidationException"


def test_a_view_without_authentication_may_answer_401(stranger):
    response = stranger.get("/v1/public", HTTP_AUTHORIZATION="Basic a2V5OnNlY3JldA==")
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")


def test_a_scope_that_is_missing_is_403(api):
    response = api.get("/v1/sensitive")
    assert (response.status_code, response.json()["errorCode"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"a":1}}',
        b"NaN",
        b'{"a":Infinity}',
        b'"\\ud800"',
        b'"\xed\xa0\x80"',
        b"\xff\xfe{\x00}\x00",
        b'"\xe9"',
        b"[" * 1000 + b"]" * 1000,
        b'{"a":' * 1000 + b"1" + b"}" * 1000,
        b"[" * 100_000,
        b"[]",
        b'"text"',
        b"null",
        b'{"name":"a\\u0000b","kind":"INDIVIDUAL","addresses":[],"tags":[]}',
    ],
)
def test_a_bad_body_is_400(api, body):
    response = post(api, body)
    assert response.status_code == 400
    assert response.json()["errorCode"] in {"MALFORMED_BODY", "VALIDATION_FAILED"}


def test_a_byte_order_mark_is_skipped(api):
    good = b'\xef\xbb\xbf{"name":"a","kind":"INDIVIDUAL","addresses":[],"tags":[]}'
    assert post(api, good).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/json; charset=latin-1",
        "multipart/form-data",
        "",
    ],
)
def test_another_content_type_is_415(api, content_type):
    response = post(api, b"{}", content_type=content_type)
    assert response.status_code == 415
    assert response.json()["errorCode"] == "UNSUPPORTED_MEDIA_TYPE"


def test_a_charset_of_utf_8_is_fine(api):
    assert post(api, b"{}", content_type='application/json; charset="UTF-8"').status_code == 400


@pytest.mark.parametrize("base", ["/v1", "/core", "/v2/data"])
def test_a_body_that_is_too_large_is_413(api, settings, base):
    body = b'"' + b"a" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"'
    response = api.generic("POST", f"{base}/people", body, content_type="application/json")
    assert response.status_code == 413


def test_unknown_repeated_and_broken_parameters_are_named(api):
    response = api.get("/v1/people?pgae=1&page=1&page=2&sort=a&sort=%00")
    assert response.status_code == 400
    assert [(error["path"], error["errorCode"]) for error in response.json()["errors"]] == [
        ("pgae", "UNKNOWN_PARAMETER"),
        ("page", "REPEATED_PARAMETER"),
        ("sort", "NUL_CHARACTER"),
    ]
    assert api.get("/v1/people?page=%ff").json()["errors"][0]["errorCode"] == "INVALID_CHARACTER"
    assert api.get("/v1/people?page=1&sort=a&sort=b").status_code == 200
    assert api.head("/v1/people?page=1").status_code == 200


def test_an_exotic_accept_header_still_gets_json(api):
    response = api.get("/v1/people", HTTP_ACCEPT="image/png")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.content == b'{"made":"by the database"}'


def test_a_database_that_is_away_is_503(api, db, caplog):
    response = api.get("/v1/trouble/timeout")
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert response.json()["errorCode"] == "UNAVAILABLE"
    assert [
        record.levelno for record in caplog.records if record.name == "config.api.handlers"
    ] == [logging.ERROR]


def test_a_value_that_no_check_caught_is_no_500(api, db):
    response = api.get("/v1/trouble/unstorable")
    assert (response.status_code, response.json()["errorCode"]) == (400, "INVALID_VALUE")


@pytest.mark.parametrize("base", ["/v1", "/core", "/v2/data"])
@pytest.mark.parametrize("kind", ["trouble", "page"])
def test_a_fault_of_ours_says_nothing_and_is_logged(api, base, kind, caplog):
    response = api.get(f"{base}/{kind}/bug")
    assert response.status_code == 500
    assert NAME not in response.content.decode()
    assert "Traceback" not in response.content.decode()
    record = next(record for record in caplog.records if record.name == "config.api.handlers")
    assert record.exc_info


def test_a_page_that_fails_is_a_page(stranger):
    response = stranger.get("/page/bug", HTTP_ACCEPT="text/html")
    assert response.status_code == 500
    assert "<h1>" in response.content.decode()


def test_nested_detail_becomes_paths():
    detail = serializers.ValidationError(
        {
            "a": {"b": ["x", "y"], "non_field_errors": ["z"]},
            "l": [{}, {"c": ["x"]}],
            "m": {0: ["x"]},
            "non_field_errors": [serializers.ErrorDetail("w", code="unknown-thing")],
        }
    ).detail
    assert [(problem.path, problem.code) for problem in problems(detail)] == [
        ("a.b", "INVALID"),
        ("a.b", "INVALID"),
        ("a", "INVALID"),
        ("l[1].c", "INVALID"),
        ("m[0]", "INVALID"),
        ("", "UNKNOWN_THING"),
    ]


def test_a_pointer_escapes_its_own_signs():
    assert pointer(Problem("metadata.a/b~c[0]", "", "")) == "/metadata/a~1b~0c/0"
    assert pointer(Problem("", "", "")) == ""

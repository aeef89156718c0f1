"""Sessions of `/v2`: a token for an API key and its secret."""

import json
from uuid import UUID, uuid4

import pytest

from customers.services.people import create_api_key
from tests import bulk, factories
from tests.factories import Client

pytestmark = pytest.mark.django_db

SESSION = "/v2/session/startSession"


def test_a_publisher_starts_a_session_with_a_key_and_its_secret(account, anonymous):
    key = factories.make_api_key(account)
    body = {
        "clientId": key.id,
        "secret": key.secret,
        "scope": ["api:institution"],
        "sourceCustomerId": "c1",
        "unknown": {"x": None},
    }
    answer = anonymous.post(SESSION, body)
    assert answer.status_code == 200, answer.content
    assert list(answer.json()) == ["sessionToken", "expiresIn"]
    assert answer.json()["expiresIn"] == 3600
    assert answer["Cache-Control"] == "no-store"
    token = answer.json()["sessionToken"]
    session = {"X-CDLX-Session-Token": token}
    sent = anonymous.post(bulk.CUSTOMERS, {"customers": [bulk.customer("c1")]}, headers=session)
    request = UUID(bulk.accepted(sent))
    ledger = anonymous.get(f"/v2/data/requests/{request}", headers=session)
    assert ledger.json()["requestId"] == str(request)
    # The same token is good as a bearer, everywhere.
    assert Client(token).get("/v1/customers").status_code == 200


def test_the_header_of_a_session_counts_under_v2_alone(owner, anonymous):
    session = {"X-CDLX-Session-Token": owner.token}
    assert anonymous.get("/v2/data/requests", headers=session).status_code == 200
    assert anonymous.get("/v1/customers", headers=session).status_code == 401
    wrong = {"X-CDLX-Session-Token": "guess"}
    answer = anonymous.get("/v2/data/requests", headers=wrong)
    assert (answer.status_code, answer.json()["type"]) == (401, "SessionValidationException")
    assert "invalid_token" in answer["WWW-Authenticate"]
    both = wrong | {"Authorization": f"Bearer {owner.token}"}
    assert anonymous.get("/v2/data/requests", headers=both).status_code == 200
    both = session | {"Authorization": "Basic eDp5"}
    assert anonymous.get("/v2/data/requests", headers=both).status_code == 200


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, ["/clientId", "/secret"]),
        ({"clientId": "x"}, ["/secret"]),
        ({"clientId": 7, "secret": ["x"]}, ["/clientId", "/secret"]),
        ({"clientId": "", "secret": None}, ["/clientId", "/secret"]),
        ([], [""]),
        ("x", [""]),
    ],
)
def test_a_session_without_its_credentials_is_400_and_names_them(anonymous, body, places):
    answer = anonymous.post(SESSION, json.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.json()["type"]) == (400, "ValidationException")
    found = [error.partition(": ")[0] for error in answer.json()["validationErrors"]]
    assert found == places


def test_a_session_s_errors_have_the_body_of_v2(anonymous):
    unreadable = anonymous.post(SESSION, b"{", content_type="application/json")
    assert unreadable.json()["type"] == "HttpMessageNotReadable"
    assert anonymous.get(SESSION).json()["type"] == "HttpRequestMethodNotSupported"
    assert anonymous.get("/v2/nothing").json()["type"] == "ResourceNotFoundException"
    wrong = anonymous.post(SESSION, {"clientId": str(uuid4()), "secret": "x"})
    assert (wrong.status_code, wrong.json()["type"]) == (401, "SessionValidationException")
    assert wrong.json()["title"] == "The key or its secret is wrong, or the key was revoked."


def test_who_guesses_secrets_of_sessions_is_stopped_and_the_right_one_still_works(
    account, anonymous, settings
):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 2
    key = factories.make_api_key(account)
    statuses = [
        anonymous.post(SESSION, {"clientId": key.id, "secret": "guess"}).status_code
        for _ in range(4)
    ]
    assert statuses == [401, 401, 429, 429]
    assert anonymous.post(SESSION, {"clientId": key.id, "secret": key.secret}).status_code == 200


def test_a_revoked_key_starts_no_session(account, anonymous):
    key = factories.make_api_key(account)
    new = create_api_key(service_account=key.client.service_account)
    new.client.is_active = False
    new.client.save()
    answer = anonymous.post(SESSION, {"clientId": new.client.client_id, "secret": new.secret})
    assert answer.status_code == 401

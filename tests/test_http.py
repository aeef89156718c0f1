"""What clients and proxies may do with requests: encodings, tags, cases of letters, sessions."""

import base64
import gzip
import json
import zlib
from uuid import UUID, uuid4

import pytest

from config.actors import ROLES, Scope
from config.errors import MAX_URI
from customers.models import Customer
from customers.services.people import create_api_key
from ingest.models import BulkFile
from tests import bulk, factories
from tests.factories import Client
from tests.test_customers_api import ADA, create

pytestmark = pytest.mark.django_db

SEARCHES = "/v1/search/customer-accounts"
SEARCH = {"customerAccountType": "INDIVIDUAL"}
FILES = "/v2/data/files"
SESSION = "/v2/session/startSession"


def activities(owner) -> str:
    return f"/v1/customers/{create(owner)['id']}/activities"


# A route of each kind that takes JSON, and a body of it.
BODIES = [
    pytest.param(lambda _: "/v1/customers", ADA, 201, id="customers"),
    pytest.param(
        activities,
        {"type": "email", "mode": "inbound", "sentDate": "2026-01-01T00:00:00Z"},
        201,
        id="activities",
    ),
    pytest.param(lambda _: SEARCHES, SEARCH, 200, id="searches"),
    pytest.param(lambda _: bulk.CUSTOMERS, {"customers": [bulk.customer("c1")]}, 200, id="bulk"),
]


def post(owner, url: str, body: bytes, encoding: str = "", kind: str = "application/json"):
    headers = {"Content-Encoding": encoding} if encoding else {}
    return owner.api.generic("POST", url, body, content_type=kind, headers=headers)


def message_of(answer) -> str:
    """The sentence for a person, in whichever body."""
    body = answer.json()
    return body.get("message") or body.get("title") or body["developerMessage"]


# --- Compressed bodies ----------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "body", "status"), BODIES)
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip", "identity"])
def test_a_body_may_come_compressed_by_gzip(owner, url, body, status, encoding):
    plain = json.dumps(body).encode()
    members = gzip.compress(plain[:20]) + gzip.compress(plain[20:])
    sent = plain if encoding == "identity" else members
    assert post(owner, url(owner), sent, encoding).status_code == status


@pytest.mark.parametrize(("url", "body", "status"), BODIES)
@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "x"])
def test_another_encoding_is_415_and_told_which_is_taken(owner, url, body, status, encoding):
    answer = post(owner, url(owner), json.dumps(body).encode(), encoding)
    assert answer.status_code == 415
    assert "gzip" in message_of(answer)
    assert answer["Accept-Encoding"] == "gzip, identity"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"customers": []}', "The body is not gzip, as its Content-Encoding says."),
        (
            gzip.compress(b"{}", mtime=0) + b"junk",
            "The body is not gzip, as its Content-Encoding says.",
        ),
        (gzip.compress(b'{"customers": []}', mtime=0)[:-9], "The compressed body ends early."),
    ],
)
@pytest.mark.parametrize("url", ["/v1/customers", SEARCHES, bulk.CUSTOMERS])
def test_a_body_that_is_not_gzip_or_not_whole_is_400(owner, url, body, message):
    answer = post(owner, url, body, "gzip")
    assert (answer.status_code, message_of(answer)) == (400, message)


@pytest.mark.parametrize("url", ["/v1/customers", SEARCHES, bulk.CUSTOMERS])
def test_a_small_body_that_unpacks_to_a_large_one_is_413(owner, settings, url):
    bomb = gzip.compress(b" " * (settings.MAX_BODY_BYTES + 1))
    assert len(bomb) < settings.MAX_BODY_BYTES / 100
    assert post(owner, url, bomb, "gzip").status_code == 413
    assert post(owner, url, bomb * 200, "gzip").status_code == 413
    exact = b"{}".ljust(settings.MAX_BODY_BYTES)
    assert post(owner, url, gzip.compress(exact, mtime=0), "gzip").status_code == 400


def test_no_more_of_a_bomb_is_unpacked_than_the_limit(owner, settings, monkeypatch):
    unpacked = []
    real = zlib.decompressobj

    class Counting:
        """zlib's own, which notes how much it gives."""

        def __init__(self, **arguments):
            self.inner = real(**arguments)

        def decompress(self, *arguments):
            part = self.inner.decompress(*arguments)
            unpacked.append(len(part))
            return part

        def __getattr__(self, name):
            return getattr(self.inner, name)

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    bomb = gzip.compress(b" " * 50_000_000, mtime=0)
    assert post(owner, "/v1/customers", bomb, "gzip").status_code == 413
    assert sum(unpacked) <= settings.MAX_BODY_BYTES + 1


def test_a_compressed_request_with_a_key_is_answered_once(owner):
    body = gzip.compress(json.dumps(ADA).encode())
    headers = {"Content-Encoding": "gzip", "Idempotency-Key": "compressed"}
    first, second = (
        owner.api.generic(
            "POST", "/v1/customers", body, content_type="application/json", headers=headers
        )
        for _ in range(2)
    )
    assert first.content == second.content
    assert second["Idempotent-Replayed"] == "true"


def test_a_form_for_a_token_that_is_compressed_is_415(anonymous):
    answer = anonymous.post(
        "/oauth2/token",
        b"x",
        content_type="application/x-www-form-urlencoded",
        headers={"Content-Encoding": "gzip"},
    )
    assert (answer.status_code, answer.json()["error"]) == (415, "invalid_request")


# --- Content types --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["application/x-ndjson", "application/ndjson", "application/jsonl"]
)
@pytest.mark.django_db(transaction=True)
def test_a_file_comes_under_each_name_of_its_type(owner, storage, kind):
    line = json.dumps(bulk.customer("c1")).encode()
    found = bulk.done(owner, bulk.accepted(post(owner, FILES, line, kind=kind)))
    assert found["counts"]["created"] == 1


@pytest.mark.parametrize("kind", ["text/plain", "", "application/json", "text/csv; charset=utf-8"])
def test_another_type_of_a_file_is_415_and_told_which_are_taken(owner, storage, kind):
    answer = post(owner, FILES, b"{}", kind=kind)
    assert answer.status_code == 415
    for accepted in ("x-ndjson", "ndjson", "jsonl", "gzip", "octet-stream"):
        assert f"application/{accepted}" in message_of(answer)
    assert post(owner, FILES, b"{}", "br", kind="application/ndjson").status_code == 415
    assert not BulkFile.objects.exists()


@pytest.mark.parametrize(("url", "body", "status"), BODIES)
@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=latin-1", "text/csv"])
def test_a_415_says_what_is_accepted(owner, url, body, status, kind):
    answer = post(owner, url(owner), json.dumps(body).encode(), kind=kind)
    assert answer.status_code == 415
    assert message_of(answer) == (
        f"The Content-Type {kind} is not accepted here: application/json is, in UTF-8."
    )


@pytest.mark.parametrize(("url", "body", "status"), BODIES)
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_body_that_is_not_utf_8_is_told_so(owner, url, body, status, encoding):
    sent = json.dumps(body | {"note": "Zo\u00eb"}, ensure_ascii=False).encode(encoding)
    answer = post(owner, url(owner), sent)
    assert (answer.status_code, message_of(answer)) == (400, "The body is not UTF-8.")


# --- Paths ----------------------------------------------------------------------------------------


def test_ids_in_paths_are_the_same_in_capitals(owner, storage):
    customer = create(owner)["id"]
    search = owner.api.post(SEARCHES, SEARCH).json()["queryId"]
    request = bulk.send(owner, bulk.customer("c1"))
    bulk.run(request)
    account = str(owner.account.pk)
    for path in (
        f"/v1/customers/{customer}",
        f"/v1/customers/{customer}/activities",
        f"/v1/customers/{customer}/history",
        f"{SEARCHES}/{search}",
        f"/v2/data/requests/{request}",
        f"/v2/data/requests/{request}/results",
        f"/v1/business-accounts/{account}",
        f"/v1/business-accounts/{account}/children",
    ):
        base, _, rest = path.partition(
            next(i for i in (customer, search, request, account) if i in path)
        )
        capitals = path[len(base) : len(path) - len(rest)].upper()
        small, large = owner.api.get(path), owner.api.get(base + capitals + rest)
        assert (small.status_code, large.status_code) == (200, 200), path
        read = [b"".join(each) if each.streaming else each.content for each in (small, large)]
        assert read[0] == read[1]
    assert owner.api.delete(f"{SEARCHES}/{search.upper()}").status_code == 204


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/v1/customers/", "/v1/customers"),
        ("/v1/business-accounts/self/", "/v1/business-accounts/self"),
        ("/v1/search/customer-accounts//", "/v1/search/customer-accounts"),
        ("/v2/data/customers/", "/v2/data/customers"),
        ("/v2/session/startSession/", SESSION),
        ("/v1/api-keys/exchange/", "/v1/api-keys/exchange"),
    ],
)
def test_a_404_for_a_slash_at_the_end_names_the_path_without(owner, path, known):
    answer = owner.api.post(path, {})
    assert answer.status_code == 404
    assert message_of(answer) == f"Paths end without a slash here: {known}"


@pytest.mark.parametrize("path", ["/v1/nothing/", "/v1/", "/v2/data/nothing/", "/v1/customers/x/"])
def test_a_404_for_what_is_there_in_no_way_names_nothing(owner, path):
    assert message_of(owner.api.get(path)) == "There is no such resource."


@pytest.mark.parametrize("page", ["docs", "schema"])
def test_the_documentation_is_found_with_a_slash_too(anonymous, page):
    answer = anonymous.get(f"/{page}/?format=yaml")
    assert (answer.status_code, answer["Location"]) == (302, f"/{page}?format=yaml")


@pytest.mark.parametrize("base", ["/v1/customers", "/v2/data/requests", "/core/customermgr/v3"])
def test_a_path_that_is_too_long_is_414_in_the_dialect_s_body(owner, base):
    answer = owner.api.get(f"{base}?name={'x' * MAX_URI}")
    assert answer.status_code == 414
    assert message_of(answer) == f"A path with its query may have {MAX_URI} characters."
    assert answer["X-Request-Id"]


# --- Tags -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_a_customer_that_the_client_has_is_304(owner, confidant, form):
    url = f"/v1/customers/{create(owner)['id']}"
    for speaker in (owner, confidant):
        tag = speaker.api.get(url)["ETag"]
        answer = speaker.api.get(url, headers={"If-None-Match": form.format(tag)})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
        assert speaker.api.head(url, headers={"If-None-Match": tag}).status_code == 304
        answer = speaker.api.get(url, headers={"If-None-Match": '"0"'})
        assert answer.status_code == 200
    other = confidant.api.get(url, headers={"If-None-Match": owner.api.get(url)["ETag"]})
    assert other.status_code == 200


def test_a_304_is_no_way_to_what_one_may_not_see(owner, outsider):
    url = f"/v1/customers/{create(owner)['id']}"
    assert outsider.api.get(url, headers={"If-None-Match": "*"}).status_code == 404


def writes(owner) -> list:
    """Every call that writes a customer with an `ETag`."""
    customer = create(
        owner,
        addresses=[
            {
                "type": "MAILING",
                "streetLine1": "1 Main St",
                "zipCode": "02139",
                "countryCode": "USA",
                "stateCode": "MA",
                "cityName": "Boston",
            }
        ],
    )
    url = f"/v1/customers/{customer['id']}"
    address = customer["addresses"][0]["id"]
    return [
        lambda **headers: owner.api.put(url, {"prefix": "Dr"}, headers=headers),
        lambda **headers: owner.api.put(f"{url}/suspend", headers=headers),
        lambda **headers: owner.api.put(f"{url}/activate", headers=headers),
        lambda **headers: owner.api.delete(f"{url}/addresses/{address}", headers=headers),
        lambda **headers: owner.api.delete(url, headers=headers),
    ]


def test_a_write_with_if_none_match_of_what_is_there_is_412(owner):
    for write in writes(owner):
        for tag in ("*", '"1"', 'W/"1"', '"0", "1"'):
            answer = write(**{"If-None-Match": tag})
            assert (answer.status_code, answer.json()["errorCode"]) == (412, "PRECONDITION_FAILED")
            assert "If-None-Match" in message_of(answer)
    customer = Customer.objects.get()
    assert (customer.version, customer.status) == (1, "ACTIVE")
    assert writes(owner)[0](**{"If-None-Match": '"7"'}).status_code == 200


def test_a_412_for_a_weak_tag_says_that_weak_tags_never_match(owner):
    for write in writes(owner):
        answer = write(**{"If-Match": 'W/"1"'})
        assert answer.status_code == 412
        assert message_of(answer) == (
            'If-Match names W/"1", a weak tag, and weak tags never match: send "1". A proxy that '
            "compresses answers makes their tags weak."
        )
        assert "changed since" in message_of(write(**{"If-Match": '"0"'}))


# --- Credentials ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
@pytest.mark.parametrize("spaces", [" ", "  "])
def test_the_names_of_schemes_have_no_case(account, anonymous, scheme, spaces):
    key = factories.make_api_key(account)
    code = base64.b64encode(f"{key.id}:{key.secret}".encode()).decode()
    header = {"Authorization": f"{scheme}{spaces}{code}"}
    answer = anonymous.post(
        "/oauth2/token",
        "grant_type=client_credentials",
        content_type="application/x-www-form-urlencoded",
        headers=header,
    )
    assert answer.status_code == 200, answer.content
    token = answer.json()["access_token"]
    assert anonymous.post("/v1/api-keys/exchange", headers=header).status_code == 200
    for bearer in ("Bearer", "bearer", "BEARER"):
        seen = anonymous.get("/v1/customers", headers={"Authorization": f"{bearer}{spaces}{token}"})
        assert seen.status_code == 200
    for path in ("introspect", "revoke_token"):
        answer = anonymous.post(
            f"/oauth2/{path}",
            f"token={token}",
            content_type="application/x-www-form-urlencoded",
            headers=header,
        )
        assert answer.status_code == 200, answer.content


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/v1/customers", "No access token was sent"),
        ("/v2/data/customers", "No access token was sent"),
        ("/v1/api-keys/exchange", "No credentials were sent"),
    ],
)
@pytest.mark.parametrize("header", [None, "", "Bearer "])
def test_a_401_without_credentials_says_that_none_were_sent(anonymous, path, what, header):
    if header == "Bearer " and "exchange" in path:
        header = " "
    headers = {} if header is None else {"Authorization": header}
    answer = anonymous.post(path, {}, headers=headers)
    assert answer.status_code == 401
    assert message_of(answer).startswith(what)
    assert "invalid_token" not in answer["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["token", "revoke_token", "introspect"])
def test_oauth_says_that_no_credentials_were_sent(anonymous, settings, path):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 1
    for _ in range(3):
        answer = anonymous.post(
            f"/oauth2/{path}",
            "grant_type=client_credentials&token=x",
            content_type="application/x-www-form-urlencoded",
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.json()["error_description"].startswith("No credentials were sent")


def test_no_credentials_are_no_guess(anonymous, settings):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 1
    answers = [anonymous.post("/v1/api-keys/exchange") for _ in range(4)]
    assert {answer.status_code for answer in answers} == {401}


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("post", "/v1/customers", Scope.CUSTOMERS_WRITE),
        ("get", "/v2/data/requests", Scope.BULK_WRITE),
        ("post", SEARCHES, Scope.SEARCH_RUN),
    ],
)
def test_a_403_names_the_scope_that_is_missing(account, reader, method, path, scope):
    answer = getattr(reader.api, method)(path)
    assert answer.status_code == 403
    assert f"the scope {scope}," in message_of(answer)
    assert "Roles" not in message_of(answer)


def test_a_403_names_the_roles_to_an_employee(account):
    viewer = factories.make_employee_speaker(account, role="View Only")
    answer = viewer.api.post("/v1/customers", ADA)
    assert answer.status_code == 403
    message = message_of(answer)
    assert "customers.write" in message
    writing = [role for role, scopes in ROLES.items() if Scope.CUSTOMERS_WRITE in scopes]
    assert message.endswith(f"Roles that may have it: {', '.join(writing)}.")


# --- Idempotency ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "wrong", "right", "status"),
    [
        ("/v1/customers", ADA | {"firstName": ""}, ADA, 201),
        (SEARCHES, {}, SEARCH, 200),
        (bulk.CUSTOMERS, {}, {"customers": [bulk.customer("c1")]}, 200),
    ],
)
def test_a_corrected_body_is_taken_under_the_key_of_the_wrong_one(
    owner, path, wrong, right, status
):
    headers = {"Idempotency-Key": "the-same-key"}
    assert owner.api.post(path, wrong, headers=headers).status_code == 400
    first = owner.api.post(path, right, headers=headers)
    again = owner.api.post(path, right, headers=headers)
    assert (first.status_code, again.content) == (status, first.content)
    assert owner.api.post(path, wrong, headers=headers).status_code == 422


# --- Sessions -------------------------------------------------------------------------------------


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

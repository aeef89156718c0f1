"""What clients and proxies may do with requests: paths, tags, credentials, keys."""

import base64

import pytest

from config.api.actors import Scope
from config.api.errors import MAX_URI
from customers.models import Customer
from customers.roles import ROLES
from tests import bulk, factories
from tests.answers import message_of
from tests.customers import ADA, create

pytestmark = pytest.mark.django_db

SEARCHES = "/v1/search/customer-accounts"
SEARCH = {"customerAccountType": "INDIVIDUAL"}
SESSION = "/v2/session/startSession"


# --- Headers for browsers -------------------------------------------------------------------------


def test_an_answer_protects_browsers_as_a_page_does(owner, client, settings):
    settings.SECURE_HSTS_SECONDS = 600
    names = (
        "X-Content-Type-Options",
        "X-Frame-Options",
        "Referrer-Policy",
        "Cross-Origin-Opener-Policy",
        "Strict-Transport-Security",
    )
    page = client.get("/admin/login/", secure=True)
    call = owner.api.get("/v1/business-accounts/self", secure=True)
    assert all(page[name] for name in names)
    assert {name: call[name] for name in names} == {name: page[name] for name in names}
    assert call["Content-Length"] == str(len(call.content))
    plain = owner.api.get("/v1/business-accounts/self")
    assert "Strict-Transport-Security" not in plain


@pytest.mark.parametrize("path", ["/v1/customers", "/core/customermgr/v3/customer", "/v2/data/x"])
def test_a_call_to_a_host_that_is_not_ours_is_refused(path, owner):
    answer = owner.api.get(path, headers={"Host": "elsewhere.example"})
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json"


def test_a_call_has_no_session_and_asks_for_none(owner, django_assert_num_queries):
    owner.api.get("/v1/business-accounts/self")
    owner.api.cookies["sessionid"] = "0" * 32
    with django_assert_num_queries(2):
        answer = owner.api.get("/v1/business-accounts/self")
    assert not answer.cookies
    assert not hasattr(answer.wsgi_request, "session")


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
    writing = [role for role, may in ROLES.items() if Scope.CUSTOMERS_WRITE in may.scopes]
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

"""What `/v2/data` accepts and refuses at once, and whom it tells the outcome."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import Change, Customer
from ingest import payload
from ingest.cleanup import delete_old_content
from ingest.models import BulkContent, BulkItem, BulkRequest
from ingest.wire.profile import MEMBERS
from tests import bulk
from tests.bulk import CUSTOMERS, REQUESTS, account, card, customer, ledger, load, outcomes

pytestmark = pytest.mark.django_db
URLS = [
    ("post", CUSTOMERS, "customers"),
    ("put", CUSTOMERS, "customers"),
    ("put", f"{CUSTOMERS}/c1/accounts", "accounts"),
    ("put", f"{CUSTOMERS}/c1/accounts/a1/cards", "cards"),
]
NUMBER = "4111111111111111"
FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in "378282246310005")


def refused(answer, status: int = 400) -> list[str]:
    assert answer.status_code == status, answer.content
    body = answer.json()
    assert (body["status"], body["type"]) == (status, body["type"])
    assert not BulkRequest.objects.exists()
    return body["validationErrors"]


# --- At once --------------------------------------------------------------------------------------


def test_a_request_is_answered_with_its_id_and_queued(
    owner, published, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = owner.api.post(CUSTOMERS, {"customers": [customer("c1")]})
    assert list(answer.json()) == ["requestId"]
    request = bulk.request_of(answer.json()["requestId"])
    assert published == [("ingest.tasks.run_bulk_request", [str(request.pk)])]
    assert (request.status, request.items) == ("SUBMITTED", 1)
    assert not Customer.objects.exists()


def test_a_request_takes_few_queries(owner, django_assert_num_queries):
    # The token; then the row and what was sent in one statement, so that nobody's turn is held up.
    with django_assert_num_queries(2):
        owner.api.post(CUSTOMERS, {"customers": [customer("c1")]})


@pytest.mark.parametrize(("method", "url", "name"), URLS)
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([], ""),
        (7, ""),
        ({}, "/{name}"),
        ({"{name}": None}, "/{name}"),
        ({"{name}": {}}, "/{name}"),
        ({"{name}": []}, "/{name}"),
        ({"{name}": [{}, 1, {}, "x", None, []]}, "/{name}/1"),
    ],
)
def test_a_body_without_its_list_is_refused_at_once(owner, method, url, name, body, place):
    sent = json.loads(json.dumps(body).replace("{name}", name))
    answer = getattr(owner.api, method)(url, sent)
    errors = refused(answer)
    assert errors[0].startswith(place.format(name=name) + ": ")
    assert len(errors) == (4 if place.endswith("/1") else 1)


def test_more_than_fifty_customers_are_refused(owner):
    customers = [customer() for _ in range(51)]
    errors = refused(owner.api.post(CUSTOMERS, {"customers": customers}))
    assert errors == ["/customers: This must have 1 to 50 entries, not 51."]
    bulk.accepted(owner.api.post(CUSTOMERS, {"customers": customers[:50]}))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"customers": [{}]} x', b'"\\ud800"'])
def test_what_is_not_json_is_refused(owner, body):
    answer = owner.api.post(CUSTOMERS, body, content_type="application/json")
    refused(answer)
    assert answer.json()["type"] == "HttpMessageNotReadable"


def test_nesting_and_size_and_type_have_limits(owner, settings):
    deep = b'{"customers":' + b"[" * 1000 + b"]" * 1000 + b"}"
    refused(owner.api.post(CUSTOMERS, deep, content_type="application/json"))
    refused(owner.api.post(CUSTOMERS, b"{}", content_type="text/plain"), 415)
    large = json.dumps({"customers": [{"x": "y" * settings.MAX_BODY_BYTES}]}).encode()
    refused(owner.api.post(CUSTOMERS, large, content_type="application/json"), 413)


@pytest.mark.parametrize("value", [None, 7, [], {}, "", "\0", "x" * 10_000, True, 1e300, -1])
def test_any_value_anywhere_is_an_error_of_its_item_and_never_a_fault(owner, value):
    items = [customer(f"c-{name}") | {name: value} for name in customer("c")]
    for name in account("c"):
        source = f"a-{name}"
        items.append(customer(source, accounts=[account(source) | {name: value}]))
    for name in card("c", "a"):
        source = f"k-{name}"
        held = card(source, source) | {name: value}
        items.append(customer(source, accounts=[account(source, source, cards=[held])]))
    items += [customer(f"p-{name}") | {name: value} for name in MEMBERS]
    assert len(items) <= 50
    found = load(owner, *items)
    for index, item in enumerate(found["items"]):
        assert all(error["pointer"].startswith(f"/customers/{index}") for error in item["errors"])
        assert "\0" not in json.dumps(item["errors"])


@pytest.mark.parametrize(
    "moment", ["0000-01-01", "99999-01-01", "2023-02-30", "0001-01-01T00:00:00+14:00"]
)
def test_a_moment_that_cannot_be_is_an_error(owner, moment):
    found = load(owner, customer("c1", enrollmentStartDate=moment))
    assert bulk.errors(found) == {("/customers/0/enrollmentStartDate", "INVALID")}


@pytest.mark.parametrize("url", ["/accounts", "/accounts/a1/cards"])
@pytest.mark.parametrize("source_id", ["x" * 121, "%00", "%20", NUMBER, "4111-1111-1111-1111"])
def test_an_id_in_the_path_that_cannot_be_is_refused(owner, url, source_id):
    name = url.rpartition("/")[2]
    errors = refused(owner.api.put(f"{CUSTOMERS}/{source_id}{url}", {name: [{}]}))
    assert errors[0].startswith("/sourceCustomerId: ")


def test_an_id_in_the_path_may_have_slashes(owner):
    load(owner, customer("a/b", accounts=[]))
    public_id = bulk.put_accounts(owner, "a%2Fb", account("a/b", "x/y"))
    assert outcomes(bulk.done(owner, public_id)) == ["CREATED"]
    public_id = bulk.put_cards(owner, "a%2Fb", "x%2Fy", card("a/b", "x/y"))
    assert outcomes(bulk.done(owner, public_id)) == ["UNCHANGED"]


# --- Card numbers ---------------------------------------------------------------------------------


def everything_stored() -> str:
    """All columns of all tables, with what is sealed opened, as text."""
    texts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            texts += [row for (row,) in cursor.fetchall()]
    texts += [payload.unsealed(row).stored.decode() for row in BulkContent.objects.all()]
    return "\n".join(texts)


@pytest.mark.parametrize(
    "number",
    [NUMBER, "4111 1111 1111 1111", "4111-1111-1111-1111", FULL_WIDTH],
)
@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (lambda number: {"organizationId": number}, "/organizationId"),
        (lambda number: {"sourceCustomerId": number}, "/sourceCustomerId"),
        (lambda number: {"note": {"deep": ["x", f"card: {number}, 12/27"]}}, "/note/deep/1"),
        (lambda number: {"metadata": {number: "x"}}, "/metadata/[card number removed]"),
        (lambda number: {"accounts": [account("c1", number)]}, "/accounts/0/sourceAccountId"),
        (
            lambda number: {
                "accounts": [account("c1", cards=[card("c1", "account-of-c1", number)])]
            },
            "/accounts/0/cards/0/last4",
        ),
    ],
)
def test_a_full_card_number_is_refused_and_stored_nowhere(owner, caplog, number, change, pointer):
    body = {"customers": [customer("c0"), customer("c1") | change(number)]}
    public_id = bulk.accepted(owner.api.post(CUSTOMERS, body))
    found = bulk.done(owner, public_id)
    assert outcomes(found) == ["CREATED", "FAILED"]
    assert (f"/customers/1{pointer}", "CARD_NUMBER") in bulk.errors(found, 1)
    for text in (everything_stored(), json.dumps(found), caplog.text):
        assert number not in text
        assert NUMBER not in text


def test_a_card_number_as_a_json_number_is_refused(owner):
    found = load(owner, customer("c1", note=int(NUMBER)))
    assert bulk.errors(found) == {("/customers/0/note", "CARD_NUMBER")}


def test_a_card_number_beside_the_items_refuses_the_request(owner):
    body = {"customers": [customer("c1")], "note": f"see {NUMBER}"}
    (error,) = refused(owner.api.post(CUSTOMERS, body))
    assert error.startswith("/note: ")
    assert NUMBER not in error


def test_a_request_with_a_card_number_is_recognised_when_it_is_sent_again(owner):
    name = str(uuid4())
    body = {"customers": [customer("c1", note=NUMBER)]}
    first = owner.api.post(CUSTOMERS, body, headers={"X-CDLX-Request-Id": name})
    again = owner.api.post(CUSTOMERS, body, headers={"X-CDLX-Request-Id": name})
    assert first.json() == again.json() == {"requestId": name}
    assert BulkRequest.objects.count() == 1
    body["customers"][0]["note"] = "5555555555554444"
    answer = owner.api.post(CUSTOMERS, body, headers={"X-CDLX-Request-Id": name})
    assert answer.status_code == 422


# --- Again ----------------------------------------------------------------------------------------


def test_the_same_id_and_body_happen_once(owner):
    name = str(uuid4())
    sent = customer("c1")
    assert bulk.send(owner, sent, **{"X-CDLX-Request-Id": name.upper()}) == name
    bulk.run(name)
    assert bulk.send(owner, sent, **{"X-CDLX-Request-Id": name}) == name
    assert BulkRequest.objects.count() == 1
    assert outcomes(ledger(owner, name)) == ["CREATED"]


@pytest.mark.parametrize(
    ("method", "url", "changed"),
    [
        ("post", CUSTOMERS, True),
        ("put", CUSTOMERS, False),
        ("put", f"{CUSTOMERS}/c1/accounts", True),
    ],
)
def test_the_same_id_for_another_request_is_refused(owner, method, url, changed):
    name = str(uuid4())
    sent = customer("c1")
    bulk.send(owner, sent, **{"X-CDLX-Request-Id": name})
    body = {"customers": [sent | {"organizationId": "2"} if changed else sent]}
    if url.endswith("accounts"):
        body = {"accounts": [account("c1")]}
    answer = getattr(owner.api, method)(url, body, headers={"X-CDLX-Request-Id": name})
    assert answer.status_code == 422
    assert answer.json()["type"] == "UnprocessableEntityException"
    assert BulkRequest.objects.count() == 1


def test_another_clients_use_of_the_same_id_is_another_request(owner, colleague, outsider):
    name = str(uuid4())
    sent = customer("c1")
    for speaker in (owner, colleague, outsider):
        assert bulk.send(speaker, sent, **{"X-CDLX-Request-Id": name}) == name
    assert BulkRequest.objects.filter(public_id=name).count() == 3
    assert ledger(outsider, name)["status"] == "SUBMITTED"


@pytest.mark.parametrize("name", ["", "not-a-uuid", "x" * 36])
def test_an_id_that_is_no_uuid_is_replaced(owner, name):
    first = bulk.send(owner, customer("c1"), **{"X-CDLX-Request-Id": name})
    assert first != name
    assert first != bulk.send(owner, customer("c1"), **{"X-CDLX-Request-Id": name})


def test_the_same_body_under_another_id_changes_nothing(owner):
    sent = [customer("c1"), customer("c2")]
    load(owner, *sent)
    before = Change.objects.count()
    assert set(outcomes(load(owner, *sent))) == {"UNCHANGED"}
    assert Change.objects.count() == before


def test_an_idempotency_key_is_honoured_too(owner):
    body = {"customers": [customer("c1")]}
    first, again = (
        owner.api.post(CUSTOMERS, body, headers={"Idempotency-Key": "key-17"}) for _ in range(2)
    )
    assert first.content == again.content
    assert BulkRequest.objects.count() == 1


# --- Ledgers --------------------------------------------------------------------------------------


def test_a_ledger_before_the_work_is_done_has_no_items(owner):
    found = ledger(owner, bulk.send(owner, customer("c1")))
    assert (found["status"], found["items"], found["finishedAt"]) == ("SUBMITTED", [], None)
    assert found["counts"] == {"created": 0, "updated": 0, "unchanged": 0, "failed": 0}


def test_all_errors_of_all_items_are_told_at_once(owner):
    wrong = customer("c2", country="usa", alertOptInStatus=["ALL", "SOME"], organizationId=None)
    first = wrong["accounts"][0]
    first |= {"status": "CLOSED", "primarySourceCustomerId": "stranger", "type": "XXX"}
    first["cards"][0] |= {"last4": "12", "closeDate": "2001-01-01", "sourceAccountId": "other"}
    wrong["accounts"].append(7)
    found = load(owner, {}, bulk.without(customer("c1"), "postalCode", "accounts"), wrong)
    assert outcomes(found) == ["FAILED", "FAILED", "FAILED"]
    required = {place for place, code in bulk.errors(found, 0) if code == "REQUIRED"}
    assert len(required) == 10
    assert bulk.errors(found, 1) == {
        ("/customers/1/postalCode", "REQUIRED"),
        ("/customers/1/accounts", "REQUIRED"),
    }
    at = "/customers/2"
    assert bulk.errors(found, 2) == {
        (f"{at}/country", "UNKNOWN_VALUE"),
        (f"{at}/alertOptInStatus/1", "UNKNOWN_VALUE"),
        (f"{at}/organizationId", "REQUIRED"),
        (f"{at}/accounts/0/accountCloseDate", "REQUIRED"),
        (f"{at}/accounts/0/primarySourceCustomerId", "NOT_A_HOLDER"),
        (f"{at}/accounts/0/type", "UNKNOWN_VALUE"),
        (f"{at}/accounts/0/cards/0/last4", "INVALID"),
        (f"{at}/accounts/0/cards/0/sourceAccountId", "CONTRADICTION"),
        (f"{at}/accounts/1", "INVALID_TYPE"),
    }
    messages = [error["message"] for item in found["items"] for error in item["errors"]]
    assert all(message.endswith(".") and message[0].isupper() for message in messages)


@pytest.mark.parametrize("speaker", ["colleague", "child", "parent", "sibling", "outsider"])
def test_a_request_is_its_clients_alone(owner, request, speaker):
    other = request.getfixturevalue(speaker)
    public_id = bulk.send(owner, customer("c1", country=""))
    bulk.run(public_id)
    never = other.api.get(f"{REQUESTS}/{uuid4()}").json()
    for answer in (
        other.api.get(f"{REQUESTS}/{public_id}"),
        other.api.post(f"{REQUESTS}/{public_id}/retry"),
    ):
        assert answer.status_code == 404
        assert answer.json() | {"requestId": ""} == never | {"requestId": ""}
    assert other.api.get(REQUESTS).json()["totalElements"] == 0


def test_requests_are_listed_newest_first_and_by_status(owner):
    bulk.load(owner, customer("c0"))
    first, third = (bulk.send(owner, customer(f"c{n}")) for n in range(2))
    second = str(BulkRequest.objects.earliest("submitted_at").public_id)
    listed = owner.api.get(REQUESTS).json()
    assert [each["requestId"] for each in listed["content"]] == [third, first, second]
    assert "items" not in listed["content"][0]
    waiting = owner.api.get(REQUESTS, {"status": "SUBMITTED", "size": 1}).json()
    assert [each["requestId"] for each in waiting["content"]] == [third]
    following = {"status": "SUBMITTED", "size": 1, "cursor": waiting["nextCursor"]}
    assert owner.api.get(REQUESTS, following).json()["content"][0]["requestId"] == first
    assert owner.api.get(REQUESTS, {"status": "PICKED"}).status_code == 400
    assert owner.api.get(REQUESTS, {"stat": "FINISHED"}).status_code == 400


def test_a_request_that_failed_as_a_whole_says_why(owner):
    public_id = bulk.send(owner, customer("c1"))
    BulkContent.objects.all().delete()
    bulk.run(public_id)
    found = ledger(owner, public_id)
    assert (found["status"], found["errorCode"], found["items"]) == ("FAILED", "CONTENT_LOST", [])


def test_a_ledger_takes_few_queries(owner, django_assert_num_queries):
    load(owner, customer("c1"), customer("c2"))
    public_id = str(BulkRequest.objects.get().public_id)
    with django_assert_num_queries(3):
        ledger(owner, public_id)


# --- Once more ------------------------------------------------------------------------------------


def test_what_failed_is_tried_again_as_a_new_request(owner):
    load(owner, customer("c2"))
    first = bulk.put(owner, customer("c1"), customer("c2"), customer("c3", country="?"))
    bulk.run(first)
    assert outcomes(ledger(owner, first)) == ["FAILED", "UNCHANGED", "FAILED"]
    load(owner, customer("c1"))
    second = bulk.accepted(owner.api.post(f"{REQUESTS}/{first}/retry"))
    found = bulk.done(owner, second)
    assert found["retryOf"] == first
    assert [item["sourceCustomerId"] for item in found["items"]] == ["c1", "c3"]
    assert outcomes(found) == ["UNCHANGED", "FAILED"]
    assert ("/customers/1/country", "UNKNOWN_VALUE") in bulk.errors(found, 1)


def test_a_retry_does_not_forget_card_numbers(owner):
    first = bulk.send(owner, customer("c0"), customer("c1", note=NUMBER))
    bulk.run(first)
    second = bulk.accepted(owner.api.post(f"{REQUESTS}/{first}/retry"))
    assert bulk.errors(bulk.done(owner, second)) == {("/customers/0/note", "CARD_NUMBER")}


def test_only_what_failed_can_be_tried_again(owner):
    public_id = bulk.send(owner, customer("c1"))
    url = f"{REQUESTS}/{public_id}/retry"
    assert owner.api.post(url).status_code == 409
    bulk.run(public_id)
    assert owner.api.post(url).status_code == 409
    assert BulkRequest.objects.count() == 1


def test_a_retry_with_an_id_happens_once(owner):
    first = bulk.send(owner, customer("c1", country="?"))
    bulk.run(first)
    url, name = f"{REQUESTS}/{first}/retry", str(uuid4())
    for _ in range(2):
        answer = owner.api.post(url, headers={"X-CDLX-Request-Id": name})
        assert answer.json() == {"requestId": name}
    assert BulkRequest.objects.count() == 2


def test_what_was_sent_is_deleted_in_the_end(owner, settings):
    load(owner, customer("c1", country="?"))
    assert delete_old_content() == 0
    before = timezone.now() - timedelta(seconds=settings.RESULT_SECONDS)
    BulkRequest.objects.update(finished_at=before)
    assert delete_old_content() == 1
    assert BulkItem.objects.count() == 1


# --- Trying out -----------------------------------------------------------------------------------


def test_a_dry_run_tells_the_same_and_stores_nothing(owner):
    load(owner, customer("c1"), customer("c2"))
    before = Change.objects.count(), BulkRequest.objects.count()
    sent = [
        customer("c1"),
        customer("c2", organizationId="9"),
        customer("c3", firstName="Ada", emails=["ada@example.com"]),
        customer("c4", country="?"),
        customer("c5", note=NUMBER),
    ]
    answer = owner.api.post(f"{CUSTOMERS}?dryRun=true", {"customers": sent})
    tried = answer.json()
    assert outcomes(tried) == ["UNCHANGED", "UPDATED", "CREATED", "FAILED", "FAILED"]
    assert (Change.objects.count(), BulkRequest.objects.count()) == before
    assert Customer.objects.count() == 2
    real = load(owner, *sent)
    assert real["items"] == tried["items"]
    assert real["counts"] == tried["counts"]
    assert real.keys() == tried.keys()


@pytest.mark.parametrize("value", ["", "yes", "TRUE", "1"])
def test_a_dry_run_is_asked_for_clearly(owner, value):
    answer = owner.api.post(f"{CUSTOMERS}?dryRun={value}", {"customers": [customer("c1")]})
    assert refused(answer)
    assert owner.api.put(f"{CUSTOMERS}?dryRun=true", {}).status_code == 400

"""What the members of a load may be: days in their order, and ids as they are."""

import pytest

from customers.models import Account, Card, Change, Customer
from tests import bulk
from tests.bulk import account, card, customer, done, errors, load, outcomes

pytestmark = pytest.mark.django_db
# Opened and closed on the same day, as feeds write it.
SAME_DAY = [
    ("2020-01-01T09:00:00Z", "2020-01-01"),
    ("2020-01-01T00:00:00-05:00", "2020-01-01"),
    ("2020-01-01T22:00:00-05:00", "2020-01-01"),
    ("2020-01-01T22:00:00-05:00", "2020-01-01T23:00:00-05:00"),
    ("2020-01-01", "2020-01-01T23:59:59+20:00"),
]
DAY_BEFORE = [("2020-01-01T00:00:00Z", "2019-12-31T23:59:59Z"), ("2020-01-02", "2020-01-01")]


def closed(opened: str, ended: str) -> list[bulk.Body]:
    """An account and a card that were opened and closed."""
    cards = [card("c1", "a", status="CLOSED", openDate=opened, closeDate=ended)]
    days = {"accountOpenDate": opened, "accountCloseDate": ended}
    return [account("c1", "a", status="CLOSED", cards=cards, **days)]


@pytest.mark.parametrize(("opened", "ended"), SAME_DAY)
def test_what_is_closed_on_the_day_of_its_opening_is_accepted(owner, opened, ended):
    found = load(owner, customer("c1", accounts=closed(opened, ended)))
    assert outcomes(found) == ["CREATED"], found
    assert (Account.objects.get().status, Card.objects.get().status) == ("CLOSED", "CLOSED")
    assert outcomes(load(owner, customer("c1", accounts=closed(opened, ended)))) == ["UNCHANGED"]
    sent = closed(opened, ended)[0]
    assert outcomes(done(owner, bulk.put_accounts(owner, "c1", sent))) == ["UNCHANGED"]
    assert outcomes(done(owner, bulk.put_cards(owner, "c1", "a", *sent["cards"]))) == ["UNCHANGED"]


@pytest.mark.parametrize(("opened", "ended"), DAY_BEFORE)
def test_what_is_closed_on_an_earlier_day_is_refused(owner, opened, ended):
    found = load(owner, customer("c1", accounts=closed(opened, ended)))
    assert errors(found) == {
        ("/customers/0/accounts/0/accountCloseDate", "INVALID_RANGE"),
        ("/customers/0/accounts/0/cards/0/closeDate", "INVALID_RANGE"),
    }


def test_an_enrollment_that_ends_before_it_starts_is_refused(owner):
    start = "2023-01-01T08:00:00Z"
    found = load(
        owner,
        customer("c1", enrollmentStartDate=start, enrollmentEndDate="2022-12-31"),
        customer("c2", enrollmentStartDate=start, enrollmentEndDate="2023-01-01"),
    )
    assert outcomes(found) == ["FAILED", "CREATED"]
    assert errors(found) == {("/customers/0/enrollmentEndDate", "INVALID_RANGE")}
    earlier = {"sourceCustomerId": "c2", "enrollmentEndDate": "2022-01-01"}
    found = done(owner, bulk.put(owner, earlier))
    assert errors(found) == {("/customers/0/enrollmentEndDate", "INVALID_RANGE")}


# --- Ids ------------------------------------------------------------------------------------------

OPAQUE = ["trail7 ", " lead", "a\u00a0", "Ångström", "A\u030angström", "a/b?c=%20"]


@pytest.mark.parametrize("source_id", OPAQUE)
def test_an_id_is_the_same_in_every_dialect_as_it_was_sent(owner, source_id):
    assert outcomes(load(owner, customer(source_id))) == ["CREATED"]
    url = f"/v1/customers/{bulk.id_of(owner, source_id)}"
    found = owner.api.get(url).json()
    assert found["externalId"] == source_id
    before = Change.objects.count()
    answer = owner.api.put(url, found)
    assert (answer.status_code, answer.json()) == (200, found)
    assert Change.objects.count() == before
    listed = owner.api.get("/v1/customers", {"externalId": source_id}).json()
    assert [each["id"] for each in listed["content"]] == [found["id"]]
    listed = owner.api.get("/v1/customers", {"externalId": f"{source_id} "}).json()
    assert listed["totalElements"] == 0
    taken = owner.api.post("/v1/customers", person(source_id))
    assert (taken.status_code, taken.json()["errorCode"]) == (409, "EXTERNAL_ID_TAKEN")
    assert owner.api.put(url, {"externalId": f"{source_id} "}).status_code == 409
    made = owner.api.post("/v1/customers", person(f"{source_id} ")).json()
    assert (made["externalId"], made["id"]) == (
        f"{source_id} ",
        str(bulk.id_of(owner, f"{source_id} ")),
    )


def test_an_id_in_a_path_is_the_same_as_in_a_body(owner):
    load(owner, customer("trail7 ", accounts=[account("trail7 ", " a ")]))
    sent = {"sourceAccountId": " a ", "status": "FRAUD"}
    url = f"{bulk.CUSTOMERS}/trail7%20/accounts"
    found = done(owner, bulk.accepted(owner.api.put(url, {"accounts": [sent]})))
    assert outcomes(found) == ["UPDATED"], found
    sent = card("trail7 ", " a ", last4="9999")
    found = done(owner, bulk.accepted(owner.api.put(f"{url}/%20a%20/cards", {"cards": [sent]})))
    assert outcomes(found) == ["CREATED"], found
    url = f"{bulk.CUSTOMERS}/trail7/accounts"
    found = done(owner, bulk.accepted(owner.api.put(url, {"accounts": [{"sourceAccountId": "a"}]})))
    assert ("/accounts/0", "UNKNOWN_CUSTOMER") in errors(found)


def person(external_id: str) -> bulk.Body:
    return {
        "type": "INDIVIDUAL",
        "externalId": external_id,
        "firstName": "Nia",
        "lastName": "Okoro",
        "primaryPhoneNumber": {"number": "+14155550142", "type": "MOBILE"},
        "primaryEmail": {"value": "nia@kite.example"},
    }


@pytest.mark.parametrize("sign", ["\t", "\n", "\r", "\x1f", "\x7f", "\x85"], ids=ascii)
@pytest.mark.parametrize("place", ["in {} it", "{} before", "after {}"])
def test_control_characters_in_an_id_are_refused_at_creation(owner, sign, place):
    name = place.format(sign)
    held = account(name, name, sourcePortfolioId=name)
    sent = customer(name, organizationId=name, sourceParentCustomerId=name, accounts=[held])
    found = load(owner, sent)
    at = "/customers/0"
    assert errors(found) == {
        (f"{at}/{member}", "INVALID_CHARACTER")
        for member in (
            "sourceCustomerId",
            "organizationId",
            "sourceParentCustomerId",
            "accounts/0/sourceAccountId",
            "accounts/0/sourceCustomerIds/0",
            "accounts/0/primarySourceCustomerId",
            "accounts/0/sourcePortfolioId",
            "accounts/0/cards/0/sourceAccountId",
            "accounts/0/cards/0/sourceCustomerId",
        )
    }
    message = "An id has visible characters, and no control characters or line breaks."
    assert {each["message"] for each in found["items"][0]["errors"]} == {message}
    answer = owner.api.post("/v1/customers", person(name))
    assert answer.status_code == 400
    (problem,) = answer.json()["errors"]
    assert problem == {
        "path": "externalId",
        "message": message,
        "errorCode": "INVALID_CHARACTER",
    }
    assert not Customer.objects.exists()


def test_a_customer_whose_id_has_a_control_character_already_may_be_sent_back(owner):
    load(owner, customer("c1"))
    Customer.objects.update(external_id="c1\r")
    url = f"/v1/customers/{bulk.id_of(owner, 'c1')}"
    found = owner.api.get(url).json()
    answer = owner.api.put(url, found)
    assert (answer.status_code, answer.json()) == (200, found)

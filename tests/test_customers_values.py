"""Values of customers: what is accepted, what is refused and why, and how it is kept."""
# ruff: noqa: RUF001 - letters that look alike are the subject

import uuid
from dataclasses import replace

import pytest

from config.api.actors import ActorType
from config.api.bodies import AnyText
from config.api.errors import Invalid
from customers.change_log import Via
from customers.models import ContactPoint
from customers.serializers import CustomerUpdate
from customers.services import customers as services
from tests import bulk
from tests.customers import ACME, ADA, HOME, SHIPPING, create, post, put, refused, wrong

pytestmark = pytest.mark.django_db


# --- Codes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "state"),
    [
        *(("USA", state) for state in ("AA", "AE", "AP", "PR", "DC")),
        *(("ESP", "M"), ("ESP", "MD"), ("AUT", "9"), ("IRL", "D"), ("GBR", "ENG"), ("JPN", "13")),
        *(("XKX", None), ("CIV", "AB"), ("FRA", "2A"), ("GUY", "DE")),
    ],
)
def test_every_country_and_subdivision_of_the_standard_is_accepted(owner, country, state):
    address = HOME | {"countryCode": country, "stateCode": state}
    (shown,) = create(owner, addresses=[address])["addresses"]
    assert (shown["countryCode"], shown["stateCode"]) == (country, state)
    found = owner.api.get("/v1/customers", {"countryCode": country}).json()
    assert found["totalElements"] == 1
    search = {"customerAccountType": "INDIVIDUAL", "country": country, "state": state or ""}
    assert owner.api.post("/v1/search/customer-accounts", search).status_code == 200


def test_kosovo_is_a_country_in_every_member_and_dialect(owner):
    born = {"placeOfBirth": {"countryCode": "XKX"}, "citizenshipCountryCode": "XKX"}
    sealed = {"socialId": "1234567890", "socialIdCountryCode": "XKX"}
    customer = create(owner, **born, **sealed)
    assert customer["placeOfBirth"]["countryCode"] == customer["citizenshipCountryCode"] == "XKX"
    assert bulk.outcomes(bulk.load(owner, bulk.customer("c1", country="XK"))) == ["CREATED"]
    shown = owner.api.get(f"/v1/customers/{bulk.id_of(owner, 'c1')}").json()
    assert shown["addresses"][0]["countryCode"] == "XKX"


def test_a_military_state_is_one_of_the_united_states_alone(owner):
    address = HOME | {"countryCode": "CAN", "stateCode": "AE"}
    assert wrong(owner, ADA | {"addresses": [address]}) == {
        "addresses[0].stateCode": "UNKNOWN_SUBDIVISION"
    }


# --- Verified -------------------------------------------------------------------------------------


@pytest.mark.parametrize("was_verified", [True, False])
@pytest.mark.parametrize("who", ["owner", "employee"])
def test_a_changed_number_that_is_said_to_be_verified_is(request, owner, who, was_verified):
    speaker = request.getfixturevalue(who)
    customer = create(owner)
    if was_verified:
        verified = {"primaryPhoneNumber": {"verified": True}, "primaryEmail": {"verified": True}}
        put(owner, customer, verified)
    changed = put(
        speaker,
        customer,
        {
            "primaryPhoneNumber": {"number": "+14155550143", "verified": True},
            "primaryEmail": {"value": "new@example.com", "verified": True},
        },
    )
    assert changed["primaryPhoneNumber"]["number"] == "+14155550143"
    assert changed["primaryPhoneNumber"]["verified"] is True
    assert changed["primaryEmail"] == {"value": "new@example.com", "verified": True}


def test_the_number_of_a_contact_that_is_said_to_be_verified_is(owner):
    business = create(owner, ACME)
    (contact,) = business["contacts"]
    phone = {"number": "+14155550143", "verified": True}
    for _ in range(2):
        entry = {"id": contact["id"], "primaryPhoneNumber": phone}
        (changed,) = put(owner, business, {"contacts": [entry]})["contacts"]
        assert changed["primaryPhoneNumber"]["verified"] is True
        phone = {"number": "+14155550144", "verified": True}


def test_a_signed_in_customer_verifies_nothing(owner):
    customer = create(owner)
    put(owner, customer, {"primaryPhoneNumber": {"verified": True}})
    actor = replace(owner.actor, type=ActorType.CUSTOMER)

    def send(phone):
        body = CustomerUpdate().parse({"primaryPhoneNumber": phone})
        key = uuid.UUID(customer["id"])
        services.update_customer(actor=actor, customer_id=key, submission=body, via=Via.V1)

    send({"number": "+14155550143", "verified": True})
    shown = owner.api.get(f"/v1/customers/{customer['id']}").json()["primaryPhoneNumber"]
    assert (shown["number"], shown["verified"]) == ("+14155550143", False)
    with pytest.raises(Invalid) as caught:
        send({"verified": True})
    assert [problem.code for problem in caught.value.problems] == ["NOT_ALLOWED"]


# --- Members that are one thing, or none ----------------------------------------------------------


@pytest.mark.parametrize("kind", ["MAILING", "PHYSICAL"])
@pytest.mark.parametrize(
    "name",
    ["Sarah", {"foo": "x"}, {"firstName": "x" * 60}, {"firstName": 7}, [], 7, None, "", "\u202e"],
)
def test_a_recipient_is_ignored_unless_the_address_is_for_parcels(owner, kind, name):
    customer = create(owner, addresses=[HOME | {"type": kind, "name": name}])
    (address,) = customer["addresses"]
    assert "name" not in address
    entry = {"id": address["id"], "name": name, "streetLine2": "Suite 1"}
    (changed,) = put(owner, customer, {"addresses": [entry]})["addresses"]
    assert changed == address | {"streetLine2": "Suite 1"}
    assert "name" not in changed
    found = bulk.load(owner, bulk.customer("c1", addresses=[HOME | {"type": kind, "name": name}]))
    assert bulk.outcomes(found) == ["CREATED"]


def test_a_recipient_is_checked_where_the_address_is_for_parcels(owner):
    assert wrong(owner, ADA | {"addresses": [HOME | {"type": "SHIPPING", "name": "Sarah"}]}) == {
        "addresses[0].name": "INVALID_TYPE"
    }
    name = {"firstName": "x" * 60, "lastName": "y", "foo": "z"}
    assert wrong(owner, ADA | {"addresses": [SHIPPING | {"name": name}]}) == {
        "addresses[0].name.firstName": "TOO_LONG",
        "addresses[0].name.foo": "UNKNOWN_FIELD",
    }
    customer = create(owner, addresses=[HOME, SHIPPING])
    home, parcel = customer["addresses"]
    assert refused(owner, customer, {"addresses": [{"id": parcel["id"], "name": "Sarah"}]}) == {
        "addresses[0].name": "INVALID_TYPE"
    }
    twin = {"addresses": [SHIPPING | {"name": "Sarah"}]}
    response = owner.api.put(f"/v1/customers/{customer['id']}", twin)
    assert [error["path"] for error in response.json()["errors"]] == ["addresses[0].name"]
    moved = {"id": home["id"], "type": "SHIPPING", "name": {"firstName": "Al", "foo": 1}}
    assert refused(owner, customer, {"addresses": [moved]}) == {
        "addresses[0].name.lastName": "REQUIRED",
        "addresses[0].name.foo": "UNKNOWN_FIELD",
    }
    found = bulk.load(owner, bulk.customer("c1", addresses=[SHIPPING | {"name": name}]))
    assert bulk.errors(found) == {("/customers/0/addresses/0/name/firstName", "TOO_LONG")}


@pytest.mark.parametrize(
    "other",
    [
        {"number": "+14151234", "type": "MOBILE"},
        {"number": "1 415 1234", "type": "MOBILE"},
        {"type": "MOBILE", "number": "4151234"},
    ],
)
def test_both_spellings_of_the_phone_member_may_say_the_same(owner, other):
    customer = create(owner, primaryPhonenumber=other)
    assert customer["primaryPhoneNumber"]["number"] == "+14151234"
    both = {
        "primaryPhoneNumber": {"number": "5551234"},
        "primaryPhonenumber": {"number": "15551234"},
    }
    assert put(owner, customer, both)["primaryPhoneNumber"]["number"] == "+15551234"
    contact = ACME["contacts"][0] | {"primaryPhonenumber": {"number": "4151234", "type": "WORK"}}
    create(owner, ACME | {"contacts": [contact]})
    cleared = {
        "primaryPhoneNumber": {"number": "4151234", "provider": None},
        "primaryPhonenumber": {"number": "+14151234", "provider": ""},
    }
    assert put(owner, customer, cleared)["primaryPhoneNumber"]["number"] == "+14151234"


@pytest.mark.parametrize(
    "other",
    [{"number": "5551234", "type": "MOBILE"}, {"number": "4151234", "type": "WORK"}, None],
)
def test_both_spellings_of_the_phone_member_may_not_differ(owner, other):
    assert wrong(owner, ADA | {"primaryPhonenumber": other}) == {
        "primaryPhonenumber": "CONTRADICTION"
    }


def test_an_id_that_is_named_twice_is_a_duplicate(owner):
    customer = create(owner, addresses=[HOME])
    entry = {"id": customer["addresses"][0]["id"]}
    assert refused(owner, customer, {"addresses": [entry, entry, entry]}) == {
        "addresses[1].id": "DUPLICATE",
        "addresses[2].id": "DUPLICATE",
    }
    business = create(owner, ACME)
    entry = {"id": business["contacts"][0]["id"]}
    assert refused(owner, business, {"contacts": [entry, entry]}) == {"contacts[1].id": "DUPLICATE"}


def test_a_po_box_is_an_error_of_its_own_line(owner):
    address = HOME | {"type": "PHYSICAL"}
    lines = {"streetLine3": "PO Box 12", "streetLine5": "Postfach 7"}
    assert wrong(owner, ADA | {"addresses": [address | lines]}) == {
        "addresses[0].streetLine3": "PO_BOX",
        "addresses[0].streetLine5": "PO_BOX",
    }
    customer = create(owner, addresses=[address])
    entry = {"id": customer["addresses"][0]["id"], "streetLine2": "P.O. Box 9"}
    assert refused(owner, customer, {"addresses": [entry]}) == {
        "addresses[0].streetLine2": "PO_BOX"
    }
    found = bulk.load(owner, bulk.customer("c1", addresses=[address | {"streetLine4": "PO Box 1"}]))
    assert bulk.errors(found) == {("/customers/0/addresses/0/streetLine4", "PO_BOX")}


# --- Days and moments -----------------------------------------------------------------------------

NO_DAYS = ["2003-02-29", "1900-02-29", "2024-13-01", "2024-04-31", "2024-00-10", "0000-01-01"]
NO_FORM = [
    *("1990-6-1", "１９９０-06-01", "1990/06/01", "19900601", "90-06-01", "1990-06-01T00:00:00Z")
]
FORM = "Not a date or date-time of ISO 8601, such as 2023-01-31T08:00:00Z."


@pytest.mark.parametrize("day", NO_DAYS)
def test_a_day_that_the_calendar_does_not_have_is_said_to_be_none(owner, day):
    search = {"customerAccountType": "INDIVIDUAL", "fromCreatedAt": day}
    query = {"createdAtFrom": day, "createdAtTo": day}
    for response, places in (
        (post(owner, ADA | {"dateOfBirth": day}), ["dateOfBirth"]),
        (owner.api.get("/v1/customers", query), ["createdAtFrom", "createdAtTo"]),
        (owner.api.post("/v1/search/customer-accounts", search), ["fromCreatedAt"]),
    ):
        assert response.status_code == 400, response.content
        errors = response.json()["errors"]
        assert [error["path"] for error in errors] == places
        assert {error["message"] for error in errors} == {"The calendar has no such day."}


@pytest.mark.parametrize("day", NO_FORM)
def test_a_day_is_written_in_one_form(owner, day):
    search = {"customerAccountType": "INDIVIDUAL", "toCreatedAt": day}
    for response in (
        post(owner, ADA | {"dateOfBirth": day}),
        owner.api.get("/v1/customers", {"createdAtFrom": day}),
        owner.api.post("/v1/search/customer-accounts", search),
    ):
        assert response.status_code == 400, response.content
        (error,) = response.json()["errors"]
        assert "yyyy-MM-dd" in error["message"]


def test_letters_of_a_date_time_may_be_small(owner):
    url = f"/v1/customers/{create(owner)['id']}/activities"
    call = {"type": "calltrack", "mode": "inbound"}
    for moment in ("2026-03-01t10:00:00z", "2026-03-01T10:00:00Z", "2026-03-01t12:00:00+02:00"):
        response = owner.api.post(url, call | {"sentDate": moment})
        assert response.status_code == 201, response.content
        assert response.json()["sentDate"] == "2026-03-01T10:00:00.000Z"
    loaded = bulk.customer("c1", customerCreationDate="2017-01-01t08:00:00z")
    assert bulk.outcomes(bulk.load(owner, loaded)) == ["CREATED"]


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        ("2026-02-29T10:00:00Z", "The calendar has no such day."),
        ("2026-02-28T24:00:01Z", "There is no such time."),
        ("2026-3-1T10:00:00Z", FORM),
        ("２０２６-03-01", FORM),
    ],
)
def test_a_moment_that_is_none_is_refused_with_the_reason(owner, moment, message):
    url = f"/v1/customers/{create(owner)['id']}/activities"
    call = {"type": "calltrack", "mode": "inbound", "sentDate": moment}
    (error,) = owner.api.post(url, call).json()["errors"]
    assert (error["path"], error["message"]) == ("sentDate", message)
    found = bulk.load(owner, bulk.customer("c1", enrollmentStartDate=moment))
    (error,) = found["items"][0]["errors"]
    assert (error["pointer"], error["message"]) == ("/customers/0/enrollmentStartDate", message)


# --- What is not set ------------------------------------------------------------------------------


def test_what_is_not_set_leaves_as_null_unless_it_is_free_text(owner):
    abroad = {"type": "MAILING", "streetLine1": "1 Quay", "zipCode": "1"}
    customer = create(owner, addresses=[abroad])
    nulls = {name for name, value in customer.items() if value is None}
    assert nulls == {
        *("sex", "dateOfBirth", "placeOfBirth", "socialIdCountryCode", "citizenshipCountryCode")
    }
    (address,) = customer["addresses"]
    assert {name for name, value in address.items() if value is None} == {
        "stateCode",
        "countryCode",
    }
    texts = {*("prefix", "middleName", "suffix", "gender", "pronoun", "securityQuestion")}
    texts |= {"securityAnswer", "socialId", "externalId"}
    assert {customer[name] for name in texts} == {address["cityName"]} == {""}
    assert put(owner, customer, customer) == customer
    city = put(owner, customer, {"placeOfBirth": {"city": "London"}})
    assert city["placeOfBirth"] == {"city": "London", "countryCode": None}
    assert put(owner, customer, city) == city
    country = {"city": "", "countryCode": "GBR"}
    assert put(owner, customer, {"placeOfBirth": country})["placeOfBirth"] == country
    assert put(owner, customer, {"placeOfBirth": None})["placeOfBirth"] is None


def test_a_phone_number_of_no_type_leaves_with_null_and_may_be_sent_back(owner):
    customer = create(owner)
    ContactPoint.objects.filter(kind="PHONE").update(phone_type="")
    shown = owner.api.get(f"/v1/customers/{customer['id']}").json()
    assert shown["primaryPhoneNumber"]["type"] is None
    assert put(owner, shown, shown) == shown


def test_history_tells_of_what_was_not_set_as_the_customer_does(owner):
    customer = create(owner)
    put(owner, customer, {"sex": "FEMALE", "prefix": "Dr."})
    put(owner, customer, {"sex": None, "prefix": None})
    page = owner.api.get(f"/v1/customers/{customer['id']}/history").json()["content"]
    contacts = [change for change in page if change["entity"] == "contact"][:2]
    told = {
        (each["field"], each["from"], each["to"])
        for change in contacts
        for each in change["changes"]
    }
    assert {each for each in told if each[0] == "sex"} == {
        ("sex", "FEMALE", None),
        ("sex", None, "FEMALE"),
    }


@pytest.mark.parametrize(("sent", "kept"), [(None, None), (" a ", "a"), ("a\n", "a")])
def test_a_text_stays_what_it_is_on_both_ways_to_read_it(sent, kept):
    assert AnyText(allow_null=True, max_length=3).run_validation(sent) == kept

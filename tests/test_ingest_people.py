"""Loads that carry a whole customer: the profile members, by the rules of `/v1`."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import (
    AttributeDefinition,
    AttributeValue,
    Change,
    Contact,
    ContactPoint,
    Customer,
)
from tests import bulk, factories
from tests.bulk import customer, errors, load, outcomes

pytestmark = pytest.mark.django_db

PERSON = {
    "type": "INDIVIDUAL",
    "firstName": "Ada",
    "middleName": "King",
    "lastName": "Lovelace",
    "emails": [{"value": "Ada@Example.com", "verified": True}, "countess@example.com"],
    "phones": [
        {"number": "4155550123", "type": "MOBILE"},
        {"number": "+442079460958", "type": "WORK", "extension": "31"},
    ],
    "addresses": [
        {
            "type": "PHYSICAL",
            "streetLine1": "12 St James's Square",
            "zipCode": "SW1Y 4JH",
            "countryCode": "GBR",
            "unknown": 7,
        }
    ],
    "metadata": {"crm": "A-17"},
    "customAttributes": {"tier": "gold", "pin": "1234"},
}
BUSINESS = {
    "type": "BUSINESS",
    "businessName": "Engines Ltd",
    "contacts": [
        {
            "firstName": "Charles",
            "lastName": "Babbage",
            "primaryPhoneNumber": {"number": "+442079460958", "type": "WORK"},
            "primaryEmail": {"value": "charles@example.com"},
        },
        {"firstName": "Ada", "lastName": "Lovelace"},
    ],
}


@pytest.fixture(autouse=True)
def definitions(account):
    for name, is_encrypted in (("tier", False), ("pin", True)):
        AttributeDefinition.objects.create(
            business_account=account, name=name, is_encrypted=is_encrypted
        )


def shown(owner, source_customer_id: str) -> dict:
    return owner.api.get(f"/v1/customers/{bulk.id_of(owner, source_customer_id)}").json()


def test_a_whole_person_is_loaded(owner):
    found = load(owner, customer("c1", **PERSON))
    assert outcomes(found) == ["CREATED"], found
    person = shown(owner, "c1")
    assert (person["firstName"], person["middleName"], person["lastName"]) == (
        "Ada",
        "King",
        "Lovelace",
    )
    assert person["primaryEmail"] == {"value": "Ada@Example.com", "verified": True}
    assert person["primaryPhoneNumber"]["number"] == "+14155550123"
    assert person["metadata"] == {"crm": "A-17"}
    assert person["customAttributes"] == {"tier": "gold", "pin": ""}
    assert {address["type"]: address["zipCode"] for address in person["addresses"]} == {
        "PHYSICAL": "SW1Y 4JH",
        "MAILING": "78753",
    }
    points = ContactPoint.objects.filter(customer=bulk.id_of(owner, "c1"))
    assert {(point.value, point.is_primary) for point in points} == {
        ("Ada@Example.com", True),
        ("countess@example.com", False),
        ("+14155550123", True),
        ("+442079460958", False),
    }
    sealed = AttributeValue.objects.get(definition__name="pin")
    assert sealed.value == ""
    for words in ("lovelace", "countess@example.com", "c1"):
        listed = owner.api.get("/v1/customers", {"search": words}).json()
        assert listed["totalElements"] == 1


def test_an_identical_repeat_of_a_whole_person_writes_nothing(owner):
    load(owner, customer("c1", **PERSON), customer("c2", **BUSINESS))
    before = Change.objects.count()
    found = load(owner, customer("c1", **PERSON), customer("c2", **BUSINESS))
    assert outcomes(found) == ["UNCHANGED", "UNCHANGED"]
    assert Change.objects.count() == before


def test_a_business_is_loaded_with_its_contacts(owner):
    assert outcomes(load(owner, customer("c1", **BUSINESS))) == ["CREATED"]
    business = shown(owner, "c1")
    assert (business["type"], business["businessName"]) == ("BUSINESS", "Engines Ltd")
    assert [(each["firstName"], each["primary"]) for each in business["contacts"]] == [
        ("Charles", True),
        ("Ada", False),
    ]
    changed = {"contacts": [{"firstName": "ADA", "lastName": "Lovelace", "middleName": ""}]}
    assert outcomes(load(owner, customer("c1", **changed))) == ["UPDATED"]
    assert Contact.objects.filter(customer=bulk.id_of(owner, "c1")).count() == 2


def test_a_business_without_contacts_has_one_without_a_name(owner):
    load(owner, customer("c1", type="BUSINESS", businessName="Engines Ltd"))
    (contact,) = shown(owner, "c1")["contacts"]
    assert (contact["firstName"], contact["primary"]) == ("", True)
    load(owner, customer("c1", emails=["office@example.com"]))
    assert shown(owner, "c1")["contacts"][0]["primaryEmail"]["value"] == "office@example.com"


def test_a_customer_that_says_nothing_of_itself_has_no_contact(owner):
    load(owner, customer("c1"), customer("c2", type="INDIVIDUAL", metadata={"a": "b"}))
    assert not Contact.objects.exists()
    url = f"/v1/customers/{bulk.id_of(owner, 'c1')}"
    found = owner.api.get(url).json()
    assert {found[name] for name in ("firstName", "lastName", "socialId")} == {""}
    assert found["sex"] is found["dateOfBirth"] is found["placeOfBirth"] is None
    assert (found["primaryPhoneNumber"], found["primaryEmail"]) == (None, None)
    before = Change.objects.count()
    assert owner.api.put(url, found).json() == found
    assert Change.objects.count() == before
    phone = {"number": "4155550123", "type": "MOBILE"}
    changed = owner.api.put(url, {"primaryPhoneNumber": phone}).json()
    assert changed["primaryPhoneNumber"]["number"] == "+14155550123"
    assert Contact.objects.get().is_primary


def test_a_person_is_filled_in_bit_by_bit(owner):
    load(owner, customer("c1"))
    assert outcomes(load(owner, customer("c1", lastName="Lovelace"))) == ["UPDATED"]
    assert outcomes(load(owner, customer("c1", phones=PERSON["phones"]))) == ["UPDATED"]
    person = shown(owner, "c1")
    assert (person["firstName"], person["lastName"]) == ("", "Lovelace")
    assert person["primaryPhoneNumber"]["number"] == "+14155550123"
    assert bulk.stored(owner, "c1").name == "Lovelace"
    assert bulk.stored(owner, "c1").version == 3
    assert Contact.objects.count() == 1


def test_programme_data_and_profile_change_as_one(owner):
    load(owner, customer("c1", **PERSON))
    found = load(owner, customer("c1", **PERSON | {"firstName": "Eve"}, organizationId="9"))
    assert outcomes(found) == ["UPDATED"]
    assert bulk.stored(owner, "c1").version == 2


def test_a_primary_number_that_an_operator_chose_stays(owner):
    load(owner, customer("c1", **PERSON))
    person = Contact.objects.get(customer=bulk.id_of(owner, "c1"))
    chosen = {"primaryEmail": {"value": "chosen@example.com"}}
    assert owner.api.put(f"/v1/customers/{person.customer_id}", chosen).status_code == 200
    load(owner, customer("c1", emails=["new@example.com"]))
    assert shown(owner, "c1")["primaryEmail"]["value"] == "chosen@example.com"
    load(owner, customer("c1", emails=[{"value": "new@example.com", "primary": True}]))
    assert shown(owner, "c1")["primaryEmail"]["value"] == "new@example.com"


def test_the_rules_of_v1_hold_and_their_places_are_pointers(owner):
    found = load(
        owner,
        customer(
            "c1",
            emails=["ok@example.com", {"value": "no address"}],
            phones=[{"number": "12"}],
            addresses=[
                {"type": "MAILING", "streetLine1": "1 Main", "zipCode": "1", "countryCode": "USA"}
            ],
            metadata={"k": 7},
            customAttributes={"nobody knows": "x"},
            businessName="Not for people",
            country="?",
        ),
        customer("c2", type="BUSINESS"),
        customer("c3", **BUSINESS | {"contacts": [{"firstName": "Charles"}]}),
    )
    assert outcomes(found) == ["FAILED", "FAILED", "FAILED"]
    at = "/customers/0"
    assert errors(found, 0) >= {
        (f"{at}/emails/1/value", "INVALID"),
        (f"{at}/phones/0/number", "INVALID"),
        (f"{at}/phones/0/type", "REQUIRED"),
        (f"{at}/addresses/0/stateCode", "REQUIRED"),
        (f"{at}/metadata/k", "INVALID_TYPE"),
        (f"{at}/customAttributes/nobody knows", "UNKNOWN_ATTRIBUTE"),
        (f"{at}/businessName", "NOT_FOR_THIS_TYPE"),
        (f"{at}/country", "UNKNOWN_VALUE"),
    }
    assert errors(found, 1) == {("/customers/1/businessName", "REQUIRED")}
    assert ("/customers/2/contacts/0/lastName", "REQUIRED") in errors(found, 2)
    assert not Customer.objects.exists()


def test_the_type_of_a_known_customer_never_changes(owner):
    load(owner, customer("c1"))
    found = load(owner, customer("c1", **BUSINESS))
    assert ("/customers/0/type", "IMMUTABLE") in errors(found)


def test_a_full_address_of_the_country_needs_no_other_of_the_postal_code_alone(owner):
    address = {
        "type": "MAILING",
        "streetLine1": "1 Main Street",
        "cityName": "Austin",
        "stateCode": "TX",
        "countryCode": "USA",
        "zipCode": "78753",
    }
    load(owner, customer("c1", addresses=[address]), customer("c2", addresses=[address]))
    (only,) = shown(owner, "c1")["addresses"]
    assert (only["streetLine1"], only["primary"]) == ("1 Main Street", True)
    load(owner, customer("c1", postalCode="10001"))
    load(owner, customer("c2", postalCode="10001", firstName="Ada"))
    assert [len(shown(owner, each)["addresses"]) for each in ("c1", "c2")] == [1, 1]
    load(owner, customer("c1", postalCode="10115", country="DE"))
    load(owner, customer("c2", postalCode="10115", country="DE", firstName="Eve"))
    for source_id in ("c1", "c2"):
        found = {each["zipCode"]: each["primary"] for each in shown(owner, source_id)["addresses"]}
        assert found == {"78753": True, "10115": False}


def test_an_address_of_the_same_postal_code_needs_no_other(owner):
    address = {"type": "PHYSICAL", "zipCode": "SW1Y 4JH", "countryCode": "GBR"}
    place = {"postalCode": "SW1Y 4JH", "country": "GB"}
    load(owner, customer("c1", addresses=[address], **place))
    assert [each["type"] for each in shown(owner, "c1")["addresses"]] == ["PHYSICAL"]
    load(owner, customer("c2", addresses=[address]))
    assert len(shown(owner, "c2")["addresses"]) == 2


def test_what_operators_know_of_an_address_is_not_repeated_by_a_load(owner):
    made = factories.make_customer(owner.account, external_id="c1")
    factories.make_address(made, "PHYSICAL")
    load(owner, customer("c1"))
    assert len(shown(owner, "c1")["addresses"]) == 1


def test_an_address_without_a_street_line_is_kept_and_may_be_sent_back(owner):
    address = {"type": "SHIPPING", "zipCode": "SW1Y 4JH", "countryCode": "GBR"}
    address["name"] = {"firstName": "Ada", "lastName": "Lovelace"}
    sent = customer("c1", addresses=[address, {"type": "MAILING", "zipCode": "1"}], **BUSINESS)
    found = load(owner, sent)
    assert outcomes(found) == ["CREATED"], found
    url = f"/v1/customers/{bulk.id_of(owner, 'c1')}"
    person = owner.api.get(url).json()
    assert [each["streetLine1"] for each in person["addresses"]] == ["", "", ""]
    before = Change.objects.count()
    assert outcomes(load(owner, sent)) == ["UNCHANGED"]
    answer = owner.api.put(url, person)
    assert (answer.status_code, answer.json()) == (200, person)
    assert Change.objects.count() == before
    known = {"id": person["addresses"][0]["id"], "streetLine1": ""}
    found = load(owner, sent | {"addresses": [known | {"streetLine2": "x"}]})
    assert outcomes(found) == ["UPDATED"], found


def test_nobodys_profile_is_touched_by_a_neighbours_error(owner):
    factories.make_customer(owner.account, external_id="c2")
    found = load(
        owner,
        customer("c1", firstName="Eve", lastName="x" * 41),
        customer("c2", firstName="Eve"),
    )
    assert outcomes(found) == ["FAILED", "UPDATED"]
    assert shown(owner, "c2")["firstName"] == "Eve"
    assert not Customer.objects.filter(pk=bulk.id_of(owner, "c1")).exists()


def test_profiles_are_looked_for_by_key_and_only_where_there_is_a_customer(owner):
    asked = []
    for person in (PERSON, PERSON | {"lastName": "King"}):
        with CaptureQueriesContext(connection) as queries:
            load(owner, customer("c1", **person))
        parts = [each["sql"].partition(" FROM ") for each in queries]
        asked.append([rest for columns, _, rest in parts if '"sort_first_name"' in columns])
    assert asked[0] == []
    (condition,) = asked[1]
    assert '"id" = ANY' in condition
    assert "business_account" not in condition

"""An update is a merge: what it does not name stays, and what changes nothing leaves no trace."""

import threading
import uuid

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.api import text
from customers.models import (
    Address,
    AttributeDefinition,
    Change,
    ContactPoint,
    Customer,
)
from tests.customers import ACME, ADA, HOME, SHIPPING, create, put, refused
from tests.threads import in_threads

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_mode")]

WHOLE = ADA | {
    "prefix": "Countess",
    "middleName": "King",
    "sex": "FEMALE",
    "securityQuestion": "First machine?",
    "securityAnswer": "Engine",
    "dateOfBirth": "1852-11-27",
    "placeOfBirth": {"city": "London", "countryCode": "GBR"},
    "socialId": "123456789",
    "socialIdCountryCode": "GBR",
    "metadata": {"a": "1", "b": "2"},
    "addresses": [HOME, SHIPPING],
}


@pytest.mark.parametrize("body", [WHOLE, ACME | {"addresses": [HOME, SHIPPING]}])
@pytest.mark.parametrize("speaker", ["owner", "confidant"])
def test_sending_back_what_a_get_gave_changes_nothing(request, speaker, body):
    speaker = request.getfixturevalue(speaker)
    customer = create(speaker, body)
    changes, version = Change.objects.count(), Customer.objects.get().version
    assert put(speaker, customer, customer) == customer
    assert Change.objects.count() == changes
    assert Customer.objects.get().version == version


def test_null_and_empty_text_clear_what_is_optional(owner):
    customer = create(owner, WHOLE)
    changed = put(
        owner,
        customer,
        {
            "prefix": "",
            "middleName": None,
            "sex": "",
            "dateOfBirth": "",
            "placeOfBirth": {"city": None},
            "securityQuestion": None,
            "metadata": {"a": None},
        },
    )
    assert changed["placeOfBirth"] == {"city": "", "countryCode": "GBR"}
    assert changed["metadata"] == {"b": "2"}
    for name in ("prefix", "middleName", "securityQuestion"):
        assert changed[name] == ""
    assert changed["sex"] is changed["dateOfBirth"] is None
    assert put(owner, customer, {"placeOfBirth": None, "metadata": None})["metadata"] == {}


def test_an_object_that_names_nothing_changes_nothing(owner):
    customer = create(owner, WHOLE)
    parcel = customer["addresses"][1]["id"]
    nothing = {
        "placeOfBirth": {},
        "primaryPhoneNumber": {},
        "primaryEmail": {},
        "metadata": {},
        "addresses": [{"id": parcel, "name": {}}],
    }
    assert put(owner, customer, nothing) == customer


def test_what_is_required_cannot_be_cleared(owner):
    customer = create(owner)
    assert refused(
        owner,
        customer,
        {
            "firstName": "",
            "lastName": None,
            "primaryPhoneNumber": {"number": "", "type": None},
            "primaryEmail": None,
        },
    ) == {
        "firstName": "REQUIRED",
        "lastName": "REQUIRED",
        "primaryPhoneNumber.number": "REQUIRED",
        "primaryPhoneNumber.type": "REQUIRED",
        "primaryEmail.value": "REQUIRED",
    }
    business = create(owner, ACME)
    assert refused(owner, business, {"businessName": ""}) == {"businessName": "REQUIRED"}
    assert refused(owner, business, {"contacts": [{"lastName": "Two"}]}) == {
        "contacts[0].firstName": "REQUIRED"
    }

    for nothing in (None, ""):
        assert refused(owner, business, {"contacts": nothing}) == {"contacts": "REQUIRED"}
    parcels = create(owner, addresses=[SHIPPING])
    entry = {"id": parcels["addresses"][0]["id"], "name": None}
    assert refused(owner, parcels, {"addresses": [entry]}) == {
        "addresses[0].name.firstName": "REQUIRED",
        "addresses[0].name.lastName": "REQUIRED",
    }


def test_only_null_clears_a_sensitive_value(owner, confidant):
    customer = create(owner, WHOLE)
    put(owner, customer, {"securityAnswer": "", "socialId": "6789"})
    put(owner, customer, {"socialId": ""})
    whole = confidant.api.get(f"/v1/customers/{customer['id']}").json()
    assert (whole["socialId"], whole["securityAnswer"]) == ("123456789", "Engine")
    put(owner, customer, {"socialId": None, "securityAnswer": None})
    whole = confidant.api.get(f"/v1/customers/{customer['id']}").json()
    assert (whole["socialId"], whole["securityAnswer"]) == ("", "")


@pytest.mark.parametrize(("social_id", "shown"), [("12345678", "5678"), ("1234", "34"), ("7", "")])
def test_a_short_social_id_is_not_given_away(owner, social_id, shown):
    assert create(owner, socialId=social_id, socialIdCountryCode="USA")["socialId"] == shown


def test_type_status_and_external_id_are_accepted_when_equal(owner):
    customer = create(owner, externalId="E-1")
    same = {"type": "INDIVIDUAL", "status": "ACTIVE", "externalId": "E-1"}
    assert put(owner, customer, same)["updatedAt"] == customer["updatedAt"]
    assert refused(owner, customer, {"type": "BUSINESS"}) == {"type": "IMMUTABLE"}
    assert refused(owner, customer, {"status": "SUSPENDED"}) == {"status": "READ_ONLY"}
    response = owner.api.put(f"/v1/customers/{customer['id']}", {"externalId": "E-2"})
    assert (response.status_code, response.json()["errorCode"]) == (409, "EXTERNAL_ID_IMMUTABLE")


def test_a_changed_number_is_no_longer_verified(owner):
    customer = create(owner)
    verified = {"primaryPhoneNumber": {"verified": True}, "primaryEmail": {"verified": True}}
    customer = put(owner, customer, verified)
    assert (
        customer["primaryPhoneNumber"]["verified"] is customer["primaryEmail"]["verified"] is True
    )
    same_number = {"primaryPhoneNumber": {"number": "4151234", "extension": "7"}}
    assert put(owner, customer, same_number)["primaryPhoneNumber"]["verified"] is True
    others = {
        "primaryPhoneNumber": {"number": "+14155550100"},
        "primaryEmail": {"value": "ada.king@example.com"},
    }
    customer = put(owner, customer, others)
    assert (
        customer["primaryPhoneNumber"]["verified"] is customer["primaryEmail"]["verified"] is False
    )


def test_an_email_address_keeps_its_new_spelling_and_stays_verified(owner):
    customer = create(owner, primaryEmail={"value": "ada@example.com", "verified": True})
    changed = put(owner, customer, {"primaryEmail": {"value": "ADA@example.com"}})
    assert changed["primaryEmail"] == {"value": "ADA@example.com", "verified": True}


def test_the_first_address_of_a_type_is_primary_unless_another_is_marked(owner):
    second = HOME | {"zipCode": "2"}
    customer = create(owner, addresses=[HOME, second, SHIPPING])
    assert [a["primary"] for a in customer["addresses"]] == [True, False, True]
    customer = create(owner, addresses=[HOME, second | {"primary": True}])
    assert [a["primary"] for a in customer["addresses"]] == [False, True]


def test_a_marked_address_takes_over_and_an_equal_one_is_updated(owner):
    customer = create(owner, addresses=[HOME])
    customer = put(owner, customer, {"addresses": [HOME | {"zipCode": "2", "primary": True}]})
    assert [a["primary"] for a in customer["addresses"]] == [False, True]
    customer = put(owner, customer, {"addresses": [HOME | {"primary": True}]})
    assert [a["primary"] for a in customer["addresses"]] == [True, False]
    assert len(customer["addresses"]) == 2


def test_an_equal_address_takes_the_recipient_of_the_new_one(owner):
    customer = create(owner, addresses=[SHIPPING])
    (parcel,) = customer["addresses"]
    recipient = {"firstName": "Jill", "lastName": "Jones"}
    (changed,) = put(owner, customer, {"addresses": [SHIPPING | {"name": recipient}]})["addresses"]
    assert changed == parcel | {"name": recipient | {"middleName": ""}}


def test_a_primary_address_that_changes_its_type_does_not_take_over(owner):
    customer = create(owner, addresses=[HOME, HOME | {"type": "PHYSICAL"}])
    mailing, physical = customer["addresses"]
    moved = {"addresses": [{"id": mailing["id"], "type": "PHYSICAL"}]}
    changed = put(owner, customer, moved)["addresses"]
    assert {a["id"]: a["primary"] for a in changed} == {mailing["id"]: False, physical["id"]: True}
    assert {a["type"] for a in changed} == {"PHYSICAL"}


def test_an_address_with_an_id_merges(owner):
    customer = create(owner, addresses=[HOME, SHIPPING])
    home, parcel = customer["addresses"]
    entries = [
        {"id": home["id"], "streetLine2": "Suite 1"},
        {"id": parcel["id"], "name": {"middleName": "Fred"}},
    ]
    changed = put(owner, customer, {"addresses": entries})["addresses"]
    assert changed[0] == home | {"streetLine2": "Suite 1"}
    expected = {"firstName": "Jack", "middleName": "Fred", "lastName": "Smith"}
    assert changed[1] == parcel | {"name": expected}
    assert refused(owner, customer, {"addresses": [{"id": home["id"], "countryCode": "DEU"}]}) == {
        "addresses[0].stateCode": "UNKNOWN_SUBDIVISION"
    }
    assert refused(owner, customer, {"addresses": [entries[0], entries[0]]}) == {
        "addresses[1].id": "DUPLICATE"
    }


def test_the_oldest_remaining_address_takes_over_from_a_removed_one(owner):
    customer = create(
        owner, addresses=[HOME, HOME | {"zipCode": "2"}, HOME | {"zipCode": "3"}, SHIPPING]
    )
    ids = [address["id"] for address in customer["addresses"]]
    url = f"/v1/customers/{customer['id']}"
    assert owner.api.delete(f"{url}/addresses/{ids[0]}").status_code == 204
    assert owner.api.delete(f"{url}/addresses/{ids[0]}").status_code == 404
    left = owner.api.get(url).json()["addresses"]
    assert [(a["id"], a["primary"]) for a in left] == [
        (ids[1], True),
        (ids[2], False),
        (ids[3], True),
    ]
    unmarked = put(owner, customer, {"addresses": [{"id": ids[1], "primary": False}]})
    assert [a["primary"] for a in unmarked["addresses"]] == [False, True, True]


def test_addresses_are_not_cleared_in_passing(owner):
    customer = create(owner, addresses=[HOME])
    assert put(owner, customer, {"addresses": []})["addresses"] == customer["addresses"]
    assert refused(owner, customer, {"addresses": None}) == {"addresses": "INVALID"}


def test_a_contact_is_added_merged_and_made_primary(owner):
    business = create(owner, ACME)
    jack = business["contacts"][0]
    jill = {
        "firstName": "Jill",
        "lastName": "Jones",
        "primary": True,
        "primaryPhoneNumber": {"number": "+14155550100", "type": "WORK"},
        "primaryEmail": {"value": "jill@acme.com"},
    }
    changed = put(owner, business, {"contacts": [jill, {"id": jack["id"], "middleName": "Q"}]})
    assert [(c["firstName"], c["primary"]) for c in changed["contacts"]] == [
        ("Jill", True),
        ("Jack", False),
    ]
    assert changed["contacts"][1]["middleName"] == "Q"
    cleared = put(owner, business, {"contacts": [{"id": jack["id"], "primaryEmail": None}]})
    assert cleared["contacts"][1]["primaryEmail"] is None
    assert refused(owner, business, {"contacts": [{"id": jack["id"], "primary": True}]}) == {
        "contacts[0].primaryEmail.value": "REQUIRED"
    }
    jill_id = changed["contacts"][0]["id"]
    assert refused(owner, business, {"contacts": [{"id": jill_id, "primary": False}]}) == {
        "contacts": "PRIMARY_REQUIRED"
    }
    assert refused(owner, business, {"contacts": [{"id": str(uuid.uuid4())}]}) == {
        "contacts[0].id": "UNKNOWN_CONTACT"
    }


def test_a_business_is_renamed_by_either_name_beside_the_old_other(owner):
    business = create(owner, ACME)
    renamed = put(owner, business, business | {"businessName": "Emca"})
    assert renamed["doingBusinessAsName"] == "Emca"
    renamed = put(owner, business, renamed | {"doingBusinessAsName": "Ecma"})
    assert renamed["businessName"] == "Ecma"
    both = {"businessName": "One", "doingBusinessAsName": "Two"}
    assert refused(owner, business, both) == {"doingBusinessAsName": "CONTRADICTION"}


def test_custom_attributes_merge_and_encrypted_ones_stay_sealed(owner, confidant, account):
    AttributeDefinition.objects.create(business_account=account, name="tier")
    AttributeDefinition.objects.create(business_account=account, name="pet", is_encrypted=True)
    customer = create(owner, customAttributes={"tier": "gold", "pet": "Cerberus"})
    assert customer["customAttributes"] == {"tier": "gold", "pet": ""}
    url = f"/v1/customers/{customer['id']}"
    changed = put(owner, customer, {"customAttributes": {"tier": "silver", "pet": ""}})
    assert changed["customAttributes"] == {"tier": "silver", "pet": ""}
    whole = confidant.api.get(url).json()
    assert whole["customAttributes"]["pet"] == "Cerberus"
    assert put(confidant, customer, whole) == whole
    assert put(owner, customer, {"customAttributes": {"pet": None}})["customAttributes"] == {
        "tier": "silver"
    }
    assert put(owner, customer, {"customAttributes": None})["customAttributes"] == {}


def test_a_customer_that_was_loaded_without_a_phone_stays_editable(owner):
    customer = create(owner, addresses=[HOME])
    ContactPoint.objects.all().delete()
    Address.objects.update(street_line_1="", street_line_1_folded="")
    shown = owner.api.get(f"/v1/customers/{customer['id']}").json()
    assert shown["primaryPhoneNumber"] is None
    assert put(owner, customer, shown | {"firstName": "Augusta"})["firstName"] == "Augusta"
    address = {"id": shown["addresses"][0]["id"], "cityName": "Ada"}
    assert put(owner, customer, {"addresses": [address]})["addresses"][0]["cityName"] == "Ada"
    phone = {"primaryPhoneNumber": {"number": "4151234"}}
    assert refused(owner, customer, phone) == {"primaryPhoneNumber.type": "REQUIRED"}


@pytest.mark.django_db(transaction=True)
def test_two_updates_at_once_keep_each_others_fields(owner):
    customer = create(owner)
    url = f"/v1/customers/{customer['id']}"
    barrier = threading.Barrier(2)

    def update(body):
        barrier.wait()
        try:
            assert owner.api.put(url, body).status_code == 200
        finally:
            connection.close()

    for number in range(5):
        bodies = {"prefix": f"P{number}"}, {"suffix": f"S{number}"}
        threads = [threading.Thread(target=update, args=[body]) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        now = owner.api.get(url).json()
        assert (now["prefix"], now["suffix"]) == (f"P{number}", f"S{number}")


@pytest.mark.django_db(transaction=True)
def test_of_two_updates_at_once_of_one_version_one_is_refused(owner):
    url = f"/v1/customers/{create(owner)['id']}"
    for number in range(5):
        tag, barrier = owner.api.get(url)["ETag"], threading.Barrier(2)

        def update(place, number=number, tag=tag, barrier=barrier):
            barrier.wait()
            body = {("prefix", "suffix")[place]: f"N{number}"}
            return owner.api.put(url, body, headers={"If-Match": tag}).status_code

        assert sorted(in_threads(2, update)) == [200, 412]
        now = owner.api.get(url).json()
        assert [now["prefix"], now["suffix"]].count(f"N{number}") == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_customers_at_once_with_one_external_id_one_is_refused(owner):
    for number in range(5):
        barrier = threading.Barrier(2)

        def add(_place, number=number, barrier=barrier):
            barrier.wait()
            return owner.api.post("/v1/customers", ADA | {"externalId": f"X-{number}"})

        answers = in_threads(2, add)
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        made, refused = (
            next(each.json() for each in answers if each.status_code == status)
            for status in (201, 409)
        )
        assert made["id"] in str(refused)
    assert Customer.objects.count() == 5


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(
    lambda name: text.trimmed(name) == name and text.is_one_line(name) and "\0" not in name
)
WORDS = NAMES.filter(text.is_visible)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "firstName": WORDS,
        "middleName": NAMES | st.none() | st.just(""),
        "prefix": NAMES | st.none(),
        "primaryPhoneNumber": st.fixed_dictionaries(
            {}, optional={"extension": st.just("31"), "provider": NAMES | st.none()}
        ),
        "metadata": st.dictionaries(st.sampled_from("abcde"), NAMES | st.none()),
        "addresses": st.lists(
            st.fixed_dictionaries({"zipCode": st.sampled_from("123")}).map(
                lambda part: HOME | part
            ),
            max_size=4,
        ),
    },
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=CHANGES)
def test_a_merge_does_once_what_it_would_do_twice(owner, changes):
    customer = create(owner, WHOLE)
    once = put(owner, customer, changes)
    assert put(owner, customer, changes) == once
    # Of which the primary phone number is a view.
    untouched = set(customer) - set(changes) - {"updatedAt", "contactPoints"}
    assert {name: once[name] for name in untouched} == {name: customer[name] for name in untouched}
    for kind in ("MAILING", "SHIPPING"):
        assert sum(a["primary"] for a in once["addresses"] if a["type"] == kind) == 1

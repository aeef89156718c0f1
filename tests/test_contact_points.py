"""Every way to reach a contact: reading, merging, removing and finding contact points."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import AttributeValue, Change, ContactPoint, Customer
from tests import bulk, factories
from tests.customers import ACME, ADA, codes, create, put, refused

pytestmark = pytest.mark.django_db

TWITTER = {"kind": "TWITTER", "value": "Ada.1815"}
WORK = {"kind": "PHONE", "value": "+14155550177", "type": "WORK", "extension": "7"}
OTHER = {"kind": "EMAIL", "value": "Countess@example.com"}


def points(customer, kind=None):
    """The contact points as a client sees them, by kind and value."""
    return [
        (each["kind"], each["value"], each.get("primary"))
        for each in customer["contactPoints"]
        if kind in {None, each["kind"]}
    ]


def point(customer, value):
    return next(each for each in customer["contactPoints"] if each["value"] == value)


# --- Reading and writing --------------------------------------------------------------------------


def test_the_primary_number_and_address_are_among_the_contact_points(owner):
    customer = create(owner)
    assert points(customer) == [
        ("PHONE", customer["primaryPhoneNumber"]["number"], True),
        ("EMAIL", customer["primaryEmail"]["value"], True),
    ]
    assert list(customer)[-3:] == ["contactPoints", "department", "relationship"]
    assert list(customer["contactPoints"][0]) == [
        *("id", "kind", "value", "type", "provider", "extension", "verified", "primary")
    ]


def test_points_of_all_kinds_are_kept_and_come_back(owner):
    kinds = ["FACEBOOK", "TWITTER", "INSTAGRAM", "APPLE", "YOUTUBE"]
    sent = [{"kind": kind, "value": f"Ada {kind}"} for kind in kinds] + [WORK, OTHER]
    customer = create(owner, contactPoints=sent)
    found = points(customer)
    assert len(found) == 9
    assert all((each["kind"], each["value"]) in [(k, v) for k, v, _ in found] for each in sent)
    assert {name: point(customer, WORK["value"])[name] for name in WORK} == WORK
    assert point(customer, WORK["value"])["primary"] is False


def test_primary_points_stand_for_the_primary_number_and_address(owner):
    whole = {name: ADA[name] for name in ("type", "firstName", "lastName")}
    reach = [WORK | {"primary": True}, OTHER | {"primary": True}]
    customer = create(owner, whole | {"contactPoints": reach})
    assert customer["primaryPhoneNumber"]["number"] == WORK["value"]
    assert customer["primaryPhoneNumber"]["extension"] == "7"
    assert customer["primaryEmail"]["value"] == OTHER["value"]
    response = owner.api.post("/v1/customers", whole | {"contactPoints": [WORK]})
    assert codes(response) == {"primaryEmail.value": "REQUIRED"}


def test_contacts_of_a_business_have_points_too(owner):
    jack = ACME["contacts"][0] | {"contactPoints": [TWITTER]}
    business = create(owner, ACME | {"contacts": [jack]})
    (contact,) = business["contacts"]
    assert ("TWITTER", "Ada.1815", None) in points(contact)
    assert list(contact)[-2:] == ["contactPoints", "customAttributes"]
    assert "contactPoints" not in business


def test_a_known_id_merges_and_an_equal_value_updates(owner):
    customer = create(owner, contactPoints=[WORK])
    known = point(customer, WORK["value"])
    changed = put(owner, customer, {"contactPoints": [{"id": known["id"], "provider": "Orbit"}]})
    assert point(changed, WORK["value"]) == known | {"provider": "Orbit"}
    same = {"kind": "PHONE", "value": "1 (415) 555-0177", "type": "HOME"}
    changed = put(owner, customer, {"contactPoints": [same]})
    assert point(changed, WORK["value"])["type"] == "HOME"
    assert len(points(changed, "PHONE")) == 2


def test_a_changed_value_is_no_longer_verified(owner):
    customer = create(owner, contactPoints=[TWITTER | {"verified": True}])
    known = point(customer, TWITTER["value"])
    assert known["verified"] is True
    changed = put(owner, customer, {"contactPoints": [{"id": known["id"], "value": "ada.1816"}]})
    assert point(changed, "ada.1816")["verified"] is False


def test_the_marked_point_becomes_primary(owner):
    customer = create(owner, contactPoints=[WORK, OTHER])
    marks = [
        {"id": point(customer, each["value"])["id"], "primary": True} for each in (WORK, OTHER)
    ]
    changed = put(owner, customer, {"contactPoints": marks})
    assert changed["primaryPhoneNumber"]["number"] == WORK["value"]
    assert changed["primaryEmail"]["value"] == OTHER["value"]
    assert [primary for _, _, primary in points(changed, "PHONE")] == [True, False]
    unmark = {"id": point(changed, WORK["value"])["id"], "primary": False}
    changed = put(owner, customer, {"contactPoints": [unmark]})
    assert changed["primaryPhoneNumber"]["number"] == customer["primaryPhoneNumber"]["number"]


# --- Two views of one thing -----------------------------------------------------------------------


def test_sending_back_what_a_get_gave_changes_nothing(owner):
    for body in (ADA | {"contactPoints": [TWITTER, WORK]}, ACME):
        customer = create(owner, body)
        changes = Change.objects.count()
        assert put(owner, customer, customer) == customer
        assert Change.objects.count() == changes


def test_a_changed_view_beside_the_old_points_counts(owner):
    customer = create(owner, contactPoints=[WORK])
    new = customer["primaryPhoneNumber"] | {"number": "+14155550188"}
    mail = {"value": "new@example.com", "verified": False}
    whole = customer | {"primaryPhoneNumber": new, "primaryEmail": mail}
    changed = put(owner, customer, whole)
    assert changed["primaryPhoneNumber"]["number"] == "+14155550188"
    assert changed["primaryEmail"]["value"] == "new@example.com"
    assert len(changed["contactPoints"]) == 3


def test_a_changed_point_beside_the_old_view_counts(owner):
    customer = create(owner)
    first, *rest = customer["contactPoints"]
    new = first | {"value": "+14155550188", "extension": "9"}
    changed = put(owner, customer, customer | {"contactPoints": [new, *rest]})
    assert changed["primaryPhoneNumber"]["number"] == "+14155550188"
    assert changed["primaryPhoneNumber"]["extension"] == "9"


def test_another_primary_beside_the_old_view_counts(owner):
    customer = create(owner)
    whole = customer | {"contactPoints": [*customer["contactPoints"], WORK | {"primary": True}]}
    changed = put(owner, customer, whole)
    assert changed["primaryPhoneNumber"]["number"] == WORK["value"]


def test_two_different_changes_of_one_thing_are_refused(owner):
    customer = create(owner)
    first = customer["contactPoints"][0]
    body = {
        "primaryPhoneNumber": {"number": "+14155550111"},
        "contactPoints": [first | {"value": "+14155550122"}],
    }
    assert refused(owner, customer, body) == {"primaryPhoneNumber": "CONTRADICTION"}
    moved = {
        "primaryEmail": {"value": "one@example.com"},
        "contactPoints": [OTHER | {"primary": True}],
    }
    assert refused(owner, customer, moved) == {"primaryEmail": "CONTRADICTION"}


def test_an_old_view_beside_a_change_restores_nothing(owner):
    """The members of the view that equal what is stored count as not sent."""
    customer = create(owner, contactPoints=[])
    first, *_ = customer["contactPoints"]
    stored = {"contactPoints": [{"id": first["id"], "extension": "12", "provider": "Orbit"}]}
    customer = put(owner, customer, stored)
    view = customer["primaryPhoneNumber"] | {"provider": "Comet"}
    entry = customer["contactPoints"][0] | {"extension": ""}
    body = {"primaryPhoneNumber": view, "contactPoints": [entry]}
    changed = put(owner, customer, body)["primaryPhoneNumber"]
    assert (changed["extension"], changed["provider"]) == ("", "Comet")


def test_a_cleared_view_is_that_of_the_oldest_that_remains(owner):
    jill = {"firstName": "Jill", "lastName": "Jones", "contactPoints": [OTHER]}
    jill |= {"primaryEmail": {"value": "jill@acme.com"}}
    business = create(owner, ACME | {"contacts": [*ACME["contacts"], jill]})
    contact = business["contacts"][1]
    changed = put(owner, business, {"contacts": [{"id": contact["id"], "primaryEmail": None}]})
    assert changed["contacts"][1]["primaryEmail"]["value"] == OTHER["value"]
    assert len(points(changed["contacts"][1], "EMAIL")) == 1


def test_a_contact_has_each_value_once(owner):
    customer = create(owner, contactPoints=[OTHER])
    changed = put(owner, customer, {"primaryEmail": {"value": "COUNTESS@example.com"}})
    assert changed["primaryEmail"]["value"] == "COUNTESS@example.com"
    assert len(points(changed, "EMAIL")) == 2
    first = point(customer, customer["primaryEmail"]["value"])
    twice = {"contactPoints": [{"id": first["id"], "value": OTHER["value"]}]}
    assert refused(owner, customer, twice) == {"contactPoints[0].value": "DUPLICATE"}


def test_a_phone_number_is_no_card_number_and_a_handle_may_not_be_one(owner):
    """An entry with a known id need not say its kind."""
    customer = create(owner, contactPoints=[WORK, TWITTER])
    looks_like_a_card = "+4915107511631"
    entry = {"id": point(customer, WORK["value"])["id"], "value": looks_like_a_card}
    changed = put(owner, customer, {"contactPoints": [entry]})
    assert point(changed, looks_like_a_card)["type"] == "WORK"
    entry = {"id": point(customer, TWITTER["value"])["id"], "value": "4111111111111111"}
    assert refused(owner, customer, {"contactPoints": [entry]}) == {
        "contactPoints[0].value": "CARD_NUMBER"
    }


def test_the_same_change_twice_is_one(owner):
    customer = create(owner)
    first = customer["contactPoints"][0]
    body = {
        "primaryPhoneNumber": {"number": "+14155550111", "provider": "Orbit"},
        "contactPoints": [first | {"value": "+1 415 555 0111"}],
    }
    changed = put(owner, customer, body)
    assert changed["primaryPhoneNumber"]["number"] == "+14155550111"
    assert changed["primaryPhoneNumber"]["provider"] == "Orbit"


# --- What is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"value": "x"}, {"kind": "REQUIRED"}),
        ({"kind": "TWITTER"}, {"value": "REQUIRED"}),
        ({"kind": "FAX", "value": "1"}, {"kind": "UNKNOWN_VALUE"}),
        ({"kind": "PHONE", "value": "abc"}, {"value": "INVALID"}),
        ({"kind": "EMAIL", "value": "abc"}, {"value": "INVALID"}),
        (TWITTER | {"primary": True}, {"primary": "NOT_FOR_THIS_KIND"}),
        (TWITTER | {"extension": "1"}, {"extension": "NOT_FOR_THIS_KIND"}),
        (TWITTER | {"handle": "x"}, {"handle": "UNKNOWN_FIELD"}),
        ({"kind": "TWITTER", "value": "x" * 321}, {"value": "TOO_LONG"}),
        ({"kind": "TWITTER", "value": "a\nb"}, {"value": "INVALID_CHARACTER"}),
        ({"kind": "TWITTER", "value": "4111111111111111"}, {"value": "CARD_NUMBER"}),
        ({"id": str(uuid.uuid4())}, {"id": "UNKNOWN_CONTACT_POINT"}),
    ],
)
def test_a_wrong_entry_is_refused(owner, entry, expected):
    customer = create(owner)
    found = refused(owner, customer, {"contactPoints": [entry]})
    for member, code in expected.items():
        assert found[f"contactPoints[0].{member}"] == code


def test_a_kind_never_changes_and_points_are_not_cleared_in_passing(owner):
    customer = create(owner, contactPoints=[TWITTER])
    known = point(customer, TWITTER["value"])
    assert refused(owner, customer, {"contactPoints": [known | {"kind": "APPLE"}]}) == {
        "contactPoints[0].kind": "IMMUTABLE"
    }
    assert refused(owner, customer, {"contactPoints": None}) == {"contactPoints": "INVALID"}
    assert refused(owner, customer, {"contactPoints": [{"id": known["id"], "value": ""}]}) == {
        "contactPoints[0].value": "REQUIRED"
    }
    assert put(owner, customer, {"contactPoints": []}) == customer


def test_two_primaries_of_a_kind_and_one_point_twice_are_refused(owner):
    customer = create(owner, contactPoints=[WORK])
    both = [WORK | {"primary": True}, {"kind": "PHONE", "value": "+14155550199", "primary": True}]
    assert refused(owner, customer, {"contactPoints": both}) == {
        "contactPoints[1].primary": "DUPLICATE_PRIMARY"
    }
    assert refused(owner, customer, {"contactPoints": [WORK, WORK]}) == {
        "contactPoints[1].id": "DUPLICATE"
    }


def test_a_business_has_no_points_of_its_own(owner):
    business = create(owner, ACME)
    assert refused(owner, business, {"contactPoints": [TWITTER]}) == {
        "contactPoints": "NOT_FOR_THIS_TYPE"
    }


# --- Removing -------------------------------------------------------------------------------------


def test_a_point_is_removed_and_the_oldest_of_its_kind_takes_over(owner):
    customer = create(owner, contactPoints=[WORK, TWITTER])
    url = f"/v1/customers/{customer['id']}"
    first = customer["primaryPhoneNumber"]["number"]
    for value in (first, TWITTER["value"]):
        removed = f"{url}/contact-points/{point(customer, value)['id']}"
        assert owner.api.delete(removed).status_code == 204
        assert owner.api.delete(removed).status_code == 404
    left = owner.api.get(url).json()
    assert left["primaryPhoneNumber"]["number"] == WORK["value"]
    assert points(left, "TWITTER") == []


def test_the_last_number_of_a_contact_that_needs_one_stays(owner):
    customer = create(owner)
    for each in customer["contactPoints"]:
        answer = owner.api.delete(f"/v1/customers/{customer['id']}/contact-points/{each['id']}")
        assert (answer.status_code, answer.json()["errorCode"]) == (409, "LAST_CONTACT_POINT")
    assert owner.api.get(f"/v1/customers/{customer['id']}").json() == customer


def test_other_tenants_remove_nothing(owner, sibling, outsider, child):
    customer = create(owner, contactPoints=[TWITTER])
    known = point(customer, TWITTER["value"])["id"]
    for speaker in (sibling, outsider, child):
        url = f"/v1/customers/{customer['id']}/contact-points/{known}"
        assert speaker.api.delete(url).status_code == 404
    other = create(owner)
    url = f"/v1/customers/{other['id']}/contact-points/{known}"
    assert owner.api.delete(url).status_code == 404


def test_an_old_version_removes_nothing(owner):
    customer = create(owner, contactPoints=[TWITTER])
    url = f"/v1/customers/{customer['id']}/contact-points/{point(customer, 'Ada.1815')['id']}"
    assert owner.api.delete(url, HTTP_IF_MATCH='"99"').status_code == 412


@pytest.fixture
def acme(owner):
    """A business with two contacts, both within reach."""
    jill = {
        "firstName": "Jill",
        "lastName": "Jones",
        "primaryPhoneNumber": {"number": "+14155550100", "type": "WORK"},
        "primaryEmail": {"value": "jill@acme.com"},
    }
    return create(owner, ACME | {"contacts": [*ACME["contacts"], jill]})


def remove(speaker, customer, contact, query=""):
    return speaker.api.delete(f"/v1/customers/{customer['id']}/contacts/{contact['id']}{query}")


def test_a_contact_is_removed_with_what_hangs_on_it(owner, acme, account):
    jack, jill = acme["contacts"]
    vip = account.attribute_definitions.create(name="vip", target="contactPerson")
    row = Customer.objects.get().contacts.get(id=jill["id"])
    AttributeValue.objects.create(
        customer_id=acme["id"],
        contact_id=row.id,
        definition=vip,
        value="yes",
        created_at=row.created_at,
        updated_at=row.created_at,
    )
    assert remove(owner, acme, jill).status_code == 204
    assert remove(owner, acme, jill).status_code == 404
    assert not ContactPoint.objects.filter(contact_id=row.id).exists()
    assert not AttributeValue.objects.exists()
    left = owner.api.get(f"/v1/customers/{acme['id']}").json()
    assert [each["id"] for each in left["contacts"]] == [jack["id"]]
    answer = remove(owner, acme, jack)
    assert (answer.status_code, answer.json()["errorCode"]) == (409, "LAST_CONTACT")


def test_the_primary_contact_goes_only_when_the_next_one_is_named(owner, acme):
    jack, jill = acme["contacts"]
    answer = remove(owner, acme, jack)
    assert (answer.status_code, answer.json()["errorCode"]) == (409, "PRIMARY_REQUIRED")
    for wrong in (jack["id"], str(uuid.uuid4()), "x"):
        assert remove(owner, acme, jack, f"?primary={wrong}").status_code == 400
    assert remove(owner, acme, jack, f"?primary={jill['id']}").status_code == 204
    (left,) = owner.api.get(f"/v1/customers/{acme['id']}").json()["contacts"]
    assert (left["id"], left["primary"]) == (jill["id"], True)


def test_a_contact_out_of_reach_does_not_become_the_primary_one(owner, acme):
    jack, jill = acme["contacts"]
    put(owner, acme, {"contacts": [{"id": jill["id"], "primaryEmail": None}]})
    answer = remove(owner, acme, jack, f"?primary={jill['id']}")
    assert codes(answer) == {"primary": "CONTACT_POINT_REQUIRED"}


def test_the_contact_of_an_individual_cannot_be_removed(owner):
    customer = create(owner)
    contact = Customer.objects.get().contacts.get()
    assert remove(owner, customer, {"id": contact.id}).status_code == 404


# --- Finding, history, loads ----------------------------------------------------------------------


def test_a_list_is_filtered_by_contact_point(owner, child):
    customer = create(owner, contactPoints=[TWITTER, WORK, OTHER])
    create(owner)

    def ids(speaker, value):
        answer = speaker.api.get("/v1/customers", {"contactPoint": value})
        assert answer.status_code == 200, answer.content
        return [each["id"] for each in answer.json()["content"]]

    for value in ("TWITTER:Ada.1815", "PHONE:+14155550177", "EMAIL:countess@EXAMPLE.com"):
        assert ids(owner, value) == [customer["id"]]
        assert ids(child, value) == []
    for value in ("TWITTER:ada.1815", "FACEBOOK:Ada.1815"):
        assert ids(owner, value) == []


@pytest.mark.parametrize("value", ["Ada.1815", "FAX:1", "TWITTER:", "PHONE:abc", "EMAIL:x", ":x"])
def test_a_wrong_filter_is_refused(owner, value):
    answer = owner.api.get("/v1/customers", {"contactPoint": value})
    assert codes(answer) == {"contactPoint": "INVALID"}


def test_history_names_changes_by_these_names(owner):
    customer = create(owner)
    put(owner, customer, {"contactPoints": [TWITTER]})
    latest = owner.api.get(f"/v1/customers/{customer['id']}/history").json()["content"]
    added = next(each for each in latest if each["entity"] == "contactPoint")
    fields = {each["field"]: each["to"] for each in added["changes"]}
    assert (fields["kind"], fields["value"]) == ("TWITTER", "Ada.1815")


def test_a_load_brings_contact_points(owner, account):
    jack = ACME["contacts"][0] | {"contactPoints": [TWITTER]}
    people = [
        bulk.customer("c1", firstName="Ada", lastName="Lovelace", contactPoints=[WORK, TWITTER]),
        bulk.customer("c2", type="BUSINESS", businessName="Acme", contacts=[jack]),
        bulk.customer("c3", firstName="Eva", contactPoints=[{"kind": "PHONE", "value": "abc"}]),
    ]
    ledger = bulk.load(owner, *people)
    assert [each["outcome"] for each in ledger["items"]] == ["CREATED", "CREATED", "FAILED"]
    assert ledger["items"][2]["errors"][0]["pointer"] == "/customers/2/contactPoints/0/value"
    listed = owner.api.get("/v1/customers", {"contactPoint": "TWITTER:Ada.1815"}).json()
    assert {each["externalId"] for each in listed["content"]} == {"c1", "c2"}
    assert bulk.load(owner, *people[:2])["counts"]["unchanged"] == 2


def test_a_signed_in_customer_sees_its_own_points(owner):
    customer = create(owner, contactPoints=[TWITTER])
    speaker = factories.make_customer_speaker(Customer.objects.get())
    seen = speaker.api.get(f"/v1/customers/{customer['id']}").json()
    assert seen["contactPoints"] == customer["contactPoints"]


# --- Any sequence of updates ----------------------------------------------------------------------

ENTRY = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["PHONE", "EMAIL", "TWITTER"]),
        "number": st.integers(0, 3),
        "primary": st.sampled_from([None, True, False]),
    }
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(ENTRY, max_size=3), min_size=1, max_size=4))
def test_views_and_points_agree_after_any_updates(owner, requests):
    """One primary phone and e-mail each, which are what the views show."""
    customer = create(owner)
    for entries in requests:
        sent = []
        for each in entries:
            number, kind = each["number"], each["kind"]
            values = {
                "PHONE": f"+1415555010{number}",
                "EMAIL": f"ada{number}@example.com",
                "TWITTER": f"ada{number}",
            }
            entry = {"kind": kind, "value": values[kind]}
            if each["primary"] is not None and kind != "TWITTER":
                entry["primary"] = each["primary"]
            sent.append(entry)
        url = f"/v1/customers/{customer['id']}"
        answer = owner.api.put(url, {"contactPoints": sent})
        assert answer.status_code in {200, 400}
        seen = owner.api.get(url).json()
        for kind, member, value in (
            ("PHONE", "primaryPhoneNumber", "number"),
            ("EMAIL", "primaryEmail", "value"),
        ):
            primary = [each for each in seen["contactPoints"] if each.get("primary")]
            (one,) = [each for each in primary if each["kind"] == kind]
            assert one["value"] == seen[member][value]
        keys = [(each["kind"], each["value"]) for each in seen["contactPoints"]]
        assert len(keys) == len(set(keys))

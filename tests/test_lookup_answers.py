"""Immediate search: the object, pages, and how many statements they take."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from tests import factories
from tests.lookups import (
    SEARCH,
    found,
    give,
    make_attribute,
    make_crowd,
    make_whole_ada,
    refused,
    search,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(account) -> Customer:
    return make_whole_ada(account)


@pytest.fixture
def crowd(account) -> list[Customer]:
    return make_crowd(account)


def names(answer) -> list[str]:
    return [each["customerName"] for each in answer.json()["customer"]]


def walk(api, **query) -> list[str]:
    """The ids of all customers, from page to page."""
    answer = search(api, **query)
    ids = []
    while True:
        body = answer.json()
        ids += [each["id"] for each in body["customer"]]
        links = body["paginationInfo"].get("link", [])
        following = next((link["href"] for link in links if link["rel"] == "next"), None)
        if following is None:
            return ids
        answer = api.get(following)


# --- The object -----------------------------------------------------------------------------------


def test_the_summary_has_the_members_of_the_dialect_in_their_order(owner, ada):
    body = search(owner.api, email="ada@example.com").json()
    assert list(body) == ["link", "customer", "paginationInfo"]
    (customer,) = body["customer"]
    assert list(customer) == [
        "link",
        "cases",
        "customerName",
        "type",
        "lastModified",
        "contacts",
        "id",
    ]
    path = f"{SEARCH}/{ada.pk}"
    assert customer["link"] == [{"rel": "self", "href": path}]
    case = f"/core/casemgr/v3/case?customer={ada.pk}"
    assert customer["cases"] == {"link": [{"rel": "case", "href": case}]}
    assert customer["customerName"] == "Ada Lovelace"
    assert customer["type"] == {"value": "individual", "displayValue": "Individual"}


def test_a_contact_has_its_points_by_kind_and_the_addresses(owner, ada):
    customer = search(owner.api, email="ada@example.com").json()["customer"][0]
    (contact,) = customer["contacts"]["contact"]
    assert list(contact) == [
        "systemCreated",
        "salutation",
        "firstName",
        "lastName",
        "lastModified",
        "email",
        "postal",
        "phone",
        "website",
        "social",
        "id",
    ]
    assert contact["email"][0]["emailAddress"] == "ada@example.com"
    (phone,) = contact["phone"]
    parts = {name: phone[name] for name in ("countryCode", "areaCode", "phoneNo", "extension")}
    assert parts == {
        "countryCode": "1",
        "areaCode": "408",
        "phoneNo": "2343456",
        "extension": "102",
    }
    assert phone["type"] == {"value": "office", "displayValue": "Office"}
    assert contact["social"][0]["type"]["value"] == "Twitter"
    assert contact["social"][0]["socialId"] == "ada1815"
    (address,) = contact["postal"]
    assert (address["address_1"], address["address_2"]) == ("1 Main Street", "Flat 7")
    assert address["type"] == {"value": "mailing", "displayValue": "Mailing address"}
    assert contact["website"] == []


def test_what_a_search_by_phone_needs_is_in_the_answer(owner, ada):
    """The digits of the parts are the criterion that finds the number."""
    phone = search(owner.api, email="ada@example.com").json()
    (point,) = phone["customer"][0]["contacts"]["contact"][0]["phone"]
    digits = point["countryCode"] + point["areaCode"] + point["phoneNo"] + point["extension"]
    assert found(owner.api, phone=digits) == [str(ada.pk)]


def test_a_customer_without_a_contact_has_an_empty_list(owner, account):
    customer = factories.make_customer(account)
    customer.contacts.all().delete()
    answer = owner.api.get(f"{SEARCH}/{customer.pk}")
    assert answer.json()["customer"][0]["contacts"] == {"contact": []}


def test_the_department_is_shown_when_the_switch_is_on(owner, account, ada):
    department = factories.make_department(account, "Returns")
    Customer.objects.filter(pk=ada.pk).update(department=department)
    query = {"email": "ada@example.com", "department": "Returns"}
    assert "department" not in search(owner.api, **query).json()["customer"][0]
    account.departmentalization = True
    account.save()
    shown = search(owner.api, **query).json()["customer"][0]["department"]
    assert shown == {"name": "Returns", "id": str(department.pk)}


def test_attributes_are_shown_when_they_are_asked_for_and_have_a_value(owner, account, ada):
    boss = factories.make_employee(account, name="Charles Babbage")
    Customer.objects.filter(pk=ada.pk).update(
        role="Partner",
        industry="computing",
        market_segment="science",
        entitlements="all engines",
        level="gold",
        how_referred="Website",
        preferred_agent=boss,
        created_by_id=str(boss.pk),
    )
    give(make_attribute(account, "tier"), ada, "A")
    give(make_attribute(account, "region"), ada, "north")
    give(make_attribute(account, "vip", target="contactPerson"), ada.contacts.get(), "yes")
    customer = search(owner.api, email="ada@example.com", _attribute="all").json()["customer"][0]
    assert customer["role"] == {"value": "Partner", "displayValue": "Partner"}
    assert customer["level"] == {"value": "gold", "displayValue": "gold"}
    assert customer["howReferred"]["value"] == "Website"
    assert customer["preferredAgent"] == {"name": "Charles Babbage", "id": str(boss.pk)}
    assert customer["createdBy"] == {"id": str(boss.pk)}
    assert (customer["marketSegment"], customer["entitlements"]) == ("science", "all engines")
    assert customer["customAttributes"] == {
        "customAttribute": [
            {"attribName": "region", "attribValues": {"attribValue": [{"value": "north"}]}},
            {"attribName": "tier", "attribValues": {"attribValue": [{"value": "A"}]}},
        ]
    }
    (contact,) = customer["contacts"]["contact"]
    assert contact["customAttributes"]["customAttribute"][0]["attribName"] == "vip"
    some = search(owner.api, email="ada@example.com", _attribute="role,custom.tier").json()
    (customer,) = some["customer"]
    assert "level" not in customer
    assert len(customer["customAttributes"]["customAttribute"]) == 1


def test_encrypted_attributes_never_leave(confidant, account, ada):
    secret = make_attribute(account, "secret", is_encrypted=True)
    give(secret, ada, "the engine's password")
    customer = search(confidant.api, email="ada@example.com", _attribute="all").json()
    assert "customAttributes" not in customer["customer"][0]
    refused(search(confidant.api, email="x@y.example", _attribute="custom.secret"), "400-102")
    refused(search(confidant.api, email="x@y.example", _sort="custom.secret"), "400-102")


# --- Pages ----------------------------------------------------------------------------------------


def test_without_paging_the_first_25_are_page_one(owner, crowd):
    info = search(owner.api, customerName="bob").json()["paginationInfo"]
    assert info == {"count": 7, "pagenum": 1, "pagesize": 25}


def test_links_lead_to_the_neighbours_with_parameters_sorted_and_encoded(owner, crowd):
    answer = search(owner.api, customerName="bob*", _sort="customerName", _pagesize=3, _pagenum=2)
    body = answer.json()
    rest = "$pagesize=3&$sort=customerName&customerName=bob%2A"
    assert body["link"] == [{"rel": "self", "href": f"{SEARCH}?$pagenum=2&{rest}"}]
    assert body["paginationInfo"] == {
        "count": 7,
        "pagenum": 2,
        "pagesize": 3,
        "link": [
            {"rel": "prev", "href": f"{SEARCH}?$pagenum=1&{rest}"},
            {"rel": "next", "href": f"{SEARCH}?$pagenum=3&{rest}"},
        ],
    }


def test_a_range_begins_anywhere(owner, crowd):
    everybody = names(search(owner.api, customerName="bob", _sort="customerName"))
    answer = search(
        owner.api, customerName="bob", _sort="customerName", _rangestart=3, _rangesize=4
    )
    assert names(answer) == everybody[2:6]
    info = answer.json()["paginationInfo"]
    assert (info["count"], info["rangestart"], info["rangesize"]) == (7, 3, 4)
    before, after = (parse_qs(urlsplit(link["href"]).query) for link in info["link"])
    assert (before["$rangestart"], before["$rangesize"]) == (["1"], ["2"])
    assert (after["$rangestart"], after["$rangesize"]) == (["7"], ["4"])


def test_nothing_found_and_a_page_past_the_end_are_204(owner, crowd):
    for query in (
        {"customerName": "nobody"},
        {"customerName": "bob", "_pagenum": 2},
        {"customerName": "bob", "_rangestart": 8},
        {"customerName": "bob", "_pagenum": "9" * 400},
    ):
        answer = search(owner.api, **query)
        assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["id", "type", "customerName", "custom.tier"])
def test_following_next_shows_every_customer_once(owner, account, crowd, sort, order):
    tier = make_attribute(account, "tier")
    for number, customer in enumerate(crowd[:5]):
        give(tier, customer, "AB"[number % 2])
    query = {"customerName": "bob", "_sort": sort, "_order": order}
    whole = found(owner.api, **query)
    assert sorted(whole) == sorted(str(customer.pk) for customer in crowd)
    for size in (1, 2, 3):
        assert walk(owner.api, **query, _pagesize=size) == whole
        assert walk(owner.api, **query, _rangesize=size) == whole


def test_orders_break_ties_by_id(owner, account, crowd):
    query = {"customerName": "bob", "_sort": "customerName"}
    assert names(search(owner.api, **query)) == sorted(customer.name for customer in crowd)
    twins = [str(customer.pk) for customer in crowd if customer.name == "Bob B"]
    assert [each for each in found(owner.api, **query) if each in twins] == sorted(twins)
    by_type = search(owner.api, customerName="bob", _sort="type").json()["customer"]
    kinds = [each["type"]["value"] for each in by_type]
    assert kinds == sorted(kinds)


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_customers_without_the_attribute_come_last(owner, account, crowd, order):
    tier = make_attribute(account, "tier")
    for customer, value in zip(crowd, "BAC", strict=False):
        give(tier, customer, value)
    ids = found(owner.api, customerName="bob", _sort="custom.tier", _order=order)
    having = [str(crowd[number].pk) for number in (1, 0, 2)]
    assert ids[:3] == (having if order == "asc" else having[::-1])


def test_long_lists_have_an_estimated_count_and_the_same_order(owner, crowd, monkeypatch):
    queries = [
        {"customerName": "bob", "_sort": sort, "_order": order}
        for sort in ("id", "type", "customerName")
        for order in ("asc", "desc")
    ]
    whole = [found(owner.api, **query) for query in queries]
    monkeypatch.setattr("search.immediate.lookup.EXACT_TOTAL", 3)
    for query, expected in zip(queries, whole, strict=True):
        info = search(owner.api, **query).json()["paginationInfo"]
        assert info["countIsEstimate"] is True
        assert info["count"] >= 7
        assert walk(owner.api, **query, _pagesize=2) == expected


# --- Statements -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "statements"),
    [
        ({"email": "ada@example.com"}, 2),
        ({"email": "ada@example.com", "_attribute": "all", "_sort": "customerName"}, 2),
        ({"customerName": "love", "created": "[2020-01-01T00:00:00Z,]"}, 2),
        ({"custom": [{"object": "customer", "name": "tier", "value": "A"}]}, 3),
    ],
)
def test_a_search_takes_a_fixed_number_of_statements(owner, account, ada, query, statements):
    give(make_attribute(account, "tier"), ada, "A")
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert found(owner.api, **query)
        assert len(captured) == statements, [each["sql"][:80] for each in captured]
        for number in range(5):
            other = factories.make_customer(account)
            factories.make_contact(other, is_primary=False, first_name=f"Friend {number}")

"""Immediate search: the form of a query, the order of checks, ids and lists."""

import pytest

from customers.models import Customer
from tests import factories
from tests.lookups import (
    SEARCH,
    make_acme,
    make_ada,
    make_attribute,
    parameters,
    refused,
    search,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(account) -> Customer:
    return make_ada(account)


@pytest.fixture
def acme(account) -> Customer:
    return make_acme(account)


# --- The form of the query ------------------------------------------------------------------------


def test_an_unsupported_parameter_is_named(owner):
    answer = search(owner.api, email="a@b.example", emial="x")
    assert "emial" in refused(answer, "400-101")
    assert [each["key"] for each in answer.json()["details"]] == ["emial"]


def test_a_repeated_parameter_is_refused(owner):
    answer = owner.api.get(f"{SEARCH}?email=a@b.example&email=c@d.example")
    assert "only once" in refused(answer, "400-101")


@pytest.mark.parametrize("name", ["email", "phone", "$attribute", "$sort"])
def test_an_empty_parameter_is_refused(owner, name):
    assert name in refused(owner.api.get(f"{SEARCH}?customerName=ada&{name}="), "400-102")


@pytest.mark.parametrize("name", ["$pagenum", "$pagesize", "$rangestart", "$rangesize"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "\uff11", "+1"])
def test_what_is_no_positive_integer_is_refused(owner, name, value):
    answer = owner.api.get(SEARCH, {"customerName": "ada", name: value})
    assert name in refused(answer, "400-105")


@pytest.mark.parametrize("name", ["$pagesize", "$rangesize"])
def test_a_size_above_75_is_refused(owner, name):
    answer = owner.api.get(SEARCH, {"customerName": "ada", name: "76"})
    assert "75" in refused(answer, "400-102")


def test_pages_and_ranges_cannot_be_mixed(owner):
    for page in ("_pagenum", "_pagesize"):
        for place in ("_rangestart", "_rangesize"):
            refused(search(owner.api, customerName="ada", **{page: "1", place: "1"}), "400-101")


def test_order_needs_sort(owner):
    refused(search(owner.api, customerName="ada", _order="asc"), "400-101")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", "person"),
        ("$attribute", "shoeSize"),
        ("$attribute", "custom."),
        ("$attribute", "role,,pin"),
        ("$sort", "lastName"),
        ("$sort", "id,type"),
        ("$sort", "custom."),
        ("$order", "down"),
    ],
)
def test_an_unsupported_value_is_refused_with_the_allowed_ones(owner, name, value):
    query = {"customerName": "ada", "$sort": "id"} | {name: value}
    message = refused(owner.api.get(SEARCH, query), "400-102")
    assert name in message
    assert "one of" in message


def test_text_that_is_not_utf_8_or_has_a_nul_is_refused(owner):
    for value in ("%FF%FE", "a%00b"):
        refused(owner.api.get(f"{SEARCH}?customerName=ada&email={value}"), "400-102")


# --- The order of checks --------------------------------------------------------------------------


def test_checks_go_401_406_403_400(anonymous, reader, owner):
    bad = {"HTTP_ACCEPT_LANGUAGE": "tlh"}
    assert anonymous.get(f"{SEARCH}?x=1", **bad).status_code == 401
    assert reader.api.get(f"{SEARCH}?x=1", **bad).status_code == 406
    assert reader.api.get(f"{SEARCH}?x=1").status_code == 403
    assert owner.api.get(f"{SEARCH}?x=1").status_code == 400


def test_401_tells_a_missing_token_from_a_bad_one(anonymous, revoked):
    refused(anonymous.get(SEARCH), "401-104")
    refused(revoked.api.get(SEARCH), "401-101")


def test_other_methods_are_405(owner):
    answer = owner.api.post(SEARCH, {})
    assert answer.status_code == 405
    assert answer.json()["code"] == "405-100"


# --- By ids ---------------------------------------------------------------------------------------


def test_customers_are_read_by_up_to_75_ids(owner, account, ada, acme):
    answer = owner.api.get(f"{SEARCH}/{acme.pk},{str(ada.pk).upper()},{ada.pk}")
    body = answer.json()
    assert body.keys() == {"customer"}
    assert [each["id"] for each in body["customer"]] == sorted([str(ada.pk), str(acme.pk)])
    many = [factories.make_customer(account, email="", phone="") for _ in range(75)]
    ids = ",".join(str(each.pk) for each in many)
    assert len(owner.api.get(f"{SEARCH}/{ids}").json()["customer"]) == 75
    refused(owner.api.get(f"{SEARCH}/{ids},{ada.pk}"), "400-108")


def test_one_unknown_id_is_404(owner, ada):
    for unknown in ("01993a61-5d20-7c09-8e10-9f8e7d6c5b4a", "4711"):
        message = refused(owner.api.get(f"{SEARCH}/{ada.pk},{unknown}"), "404-100")
        assert unknown in message
        assert str(ada.pk) not in message


def test_an_empty_id_is_refused(owner, ada):
    refused(owner.api.get(f"{SEARCH}/{ada.pk},,"), "400-108")


def test_ids_take_attribute_sort_and_order_only(owner, ada, acme):
    url = f"{SEARCH}/{ada.pk},{acme.pk}"
    answer = owner.api.get(url, parameters(_sort="customerName", _order="desc", _attribute="all"))
    assert [each["customerName"] for each in answer.json()["customer"]] == [
        "Ada Lovelace",
        "Acme Trading",
    ]
    for name in ("$pagenum", "email", "department"):
        refused(owner.api.get(url, {name: "1"}), "400-101")


# --- Lists ----------------------------------------------------------------------------------------


def test_lists_tell_what_can_be_searched_and_asked_for(owner, account):
    make_attribute(account, "tier")
    make_attribute(account, "secret", is_encrypted=True)
    make_attribute(account, "vip", target="contactPerson")
    body = owner.api.get(f"{SEARCH}/attributes", parameters(_attribute="all")).json()
    assert {each["value"] for each in body["type"]} == {"individual", "corporate", "group"}
    assert {"value": "FRA", "displayValue": "France"} in body["country"]
    assert body["custom"]["customAttribute"] == [
        {"object": "contactPerson", "attribName": "vip"},
        {"object": "customer", "attribName": "tier"},
    ]
    some = owner.api.get(f"{SEARCH}/attributes", parameters(_attribute="type,contacts")).json()
    assert some.keys() == {"link", "type", "contacts"}


def test_lists_require_attribute(owner):
    url = f"{SEARCH}/attributes"
    refused(owner.api.get(url), "400-112")
    refused(owner.api.get(url, parameters(_attribute="level,x")), "400-102")

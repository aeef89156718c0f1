"""`GET /v1/customers`: filters, order, pages and cursors."""

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from config.api.cursors import signature_of
from customers.filters import CustomerFilter
from customers.models import ContactPoint, Customer
from customers.sorting import SORTS
from tests import bulk, factories
from tests.customers import ACME, HOME, codes, create, listed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_mode")]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def names(page):
    return [c.get("firstName") or c.get("businessName") for c in page["content"]]


@pytest.fixture
def several(owner):
    """Three customers of the house, an hour apart, the last one created last."""
    zoe = create(
        owner,
        firstName="Zoë",
        lastName="Łukasz",
        externalId="ZED-9",
        addresses=[HOME | {"cityName": "Zürich", "countryCode": "CHE", "stateCode": None}],
    )
    acme = create(owner, ACME)
    ada = create(owner, addresses=[HOME])
    for hours, customer in enumerate([zoe, acme, ada]):
        moment = NOON + timedelta(hours=hours)
        Customer.objects.filter(pk=customer["id"]).update(created_at=moment)
    return {"zoe": zoe, "acme": acme, "ada": ada}


def test_a_page_has_whole_objects_newest_first(owner, several):
    page = listed(owner)
    assert names(page) == ["Ada", "ACME", "Zoë"]
    url = f"/v1/customers/{several['ada']['id']}"
    assert page["content"][0] == owner.api.get(url).json()
    content = page.pop("content")
    assert page == {
        "totalElements": 3,
        "totalPages": 1,
        "number": 0,
        "numberOfElements": len(content),
        "hasNext": False,
        "nextCursor": None,
    }


def test_an_empty_list_is_a_page(owner):
    page = listed(owner)
    assert (page["totalElements"], page["totalPages"], page["content"]) == (0, 0, [])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"search": "zoe"}, ["Zoë"]),
        ({"search": "LUKASZ zoe"}, ["Zoë"]),
        ({"search": "zoe smith"}, []),
        ({"search": "jsmith@acme.com"}, ["ACME"]),
        ({"search": "4151234"}, ["Ada", "ACME", "Zoë"]),
        ({"search": "zed-9"}, ["Zoë"]),
        ({"search": "%"}, []),
        ({"search": "łukasz, zoë"}, ["Zoë"]),
        ({"search": "lukasz%"}, []),
        ({"search": "luk_sz"}, []),
        ({"search": "<jsmith@acme.com>"}, ["ACME"]),
        ({"search": "(415) 1234"}, ["Ada", "ACME", "Zoë"]),
        ({"search": ""}, ["Ada", "ACME", "Zoë"]),
        ({"name": "acm"}, ["ACME"]),
        ({"name": "Jack"}, []),
        ({"primaryEmail": "ADA@EXAMPLE.COM"}, ["Ada", "Zoë"]),
        ({"primaryEmail": "da@example.com"}, []),
        ({"primaryPhoneNumber": "+1 415-1234"}, ["Ada", "ACME", "Zoë"]),
        ({"primaryPhoneNumber": "4151234"}, ["Ada", "ACME", "Zoë"]),
        ({"externalId": "ZED-9"}, ["Zoë"]),
        ({"externalId": "zed-9"}, []),
        ({"type": "BUSINESS"}, ["ACME"]),
        ({"status": "ACTIVE", "type": "INDIVIDUAL"}, ["Ada", "Zoë"]),
        ({"status": "SUSPENDED"}, []),
        ({"cityName": "ZURICH"}, ["Zoë"]),
        ({"cityName": "zurich", "countryCode": "USA"}, []),
        ({"countryCode": "USA", "zipCode": "63368"}, ["Ada"]),
        ({"createdAtFrom": "2026-03-01", "createdAtTo": "2026-03-01"}, ["Ada", "ACME", "Zoë"]),
        ({"createdAtFrom": "2026-03-02"}, []),
        ({"createdAtFrom": "2026-03-02", "timeZone": "+11:00"}, ["Ada", "ACME"]),
        ({"createdAtTo": "2026-03-01", "timeZone": "Pacific/Auckland"}, []),
        ({"sort": "createdAt,ASC"}, ["Zoë", "ACME", "Ada"]),
        ({"sort": ["type,ASC", "firstName,DESC"]}, ["ACME", "Zoë", "Ada"]),
        ({"sort": "lastName"}, ["ACME", "Ada", "Zoë"]),
        ({"size": "1", "page": "1"}, ["ACME"]),
    ],
)
def test_filters_are_anded_and_sorts_obeyed(owner, several, query, expected):
    page = listed(owner, **query)
    if query == {"sort": "lastName"}:
        # A business sorts by its primary contact: Lovelace, Łukasz, Smith.
        expected = ["Ada", "Zoë", "ACME"]
    assert names(page) == expected


def test_a_customer_is_found_by_its_id_and_its_beginning(owner, several):
    customer_id = several["zoe"]["id"]
    assert names(listed(owner, search=customer_id)) == ["Zoë"]
    assert names(listed(owner, search=customer_id.upper())) == ["Zoë"]
    assert names(listed(owner, search=customer_id[:13])) == ["Zoë"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"serch": "x"}, {"serch": "UNKNOWN_PARAMETER"}),
        ({"page": "-1", "size": "201"}, {"page": "INVALID", "size": "INVALID"}),
        ({"size": "0"}, {"size": "INVALID"}),
        ({"page": "1e3"}, {"page": "INVALID"}),
        ({"page": "99999999999"}, {"page": "INVALID"}),
        ({"sort": "password"}, {"sort": "INVALID"}),
        ({"sort": "createdAt,UP"}, {"sort": "INVALID"}),
        ({"cursor": "abc"}, {"cursor": "INVALID_CURSOR"}),
        ({"cursor": "W10="}, {"cursor": "INVALID_CURSOR"}),
        ({"cursor": "abc", "page": "1"}, {"cursor": "CONTRADICTION"}),
        (
            {"type": "PERSON", "status": "DELETED", "createdAtFrom": "01/02/2026"},
            {"type": "UNKNOWN_VALUE", "status": "UNKNOWN_VALUE", "createdAtFrom": "INVALID"},
        ),
        (
            {"primaryPhoneNumber": "x", "countryCode": "US", "timeZone": "Mars/Olympus"},
            {"primaryPhoneNumber": "INVALID", "countryCode": "INVALID", "timeZone": "INVALID"},
        ),
        ({"createdAtFrom": "2026-02-02", "createdAtTo": "2026-02-01"}, {"createdAtTo": "INVALID"}),
        ({"search": "a b c d e f g h i j k"}, {"search": "INVALID"}),
        ({"search": "a\0"}, {"search": "NUL_CHARACTER"}),
        ({"businessAccountId": "7"}, {"businessAccountId": "INVALID"}),
        ({"includeChildren": "maybe"}, {"includeChildren": "UNKNOWN_VALUE"}),
        ({"status": ["ACTIVE", "SUSPENDED"]}, {"status": "REPEATED_PARAMETER"}),
        (
            {"serch": "x", "size": "0", "name": "a\0", "type": "PERSON", "cursor": "abc"},
            {
                "serch": "UNKNOWN_PARAMETER",
                "size": "INVALID",
                "name": "NUL_CHARACTER",
                "type": "UNKNOWN_VALUE",
            },
        ),
        (
            {"cursor": "abc", "zipCode": "1" * 11},
            {"cursor": "INVALID_CURSOR", "zipCode": "TOO_LONG"},
        ),
    ],
)
def test_an_unknown_parameter_or_bad_value_is_refused(owner, query, expected):
    response = owner.api.get("/v1/customers", query)
    assert response.status_code == 400, response.content
    assert codes(response) == expected


@pytest.mark.parametrize("name", sorted(CustomerFilter.base_filters))
@pytest.mark.parametrize("blank", [" ", "\t", "\u200b", "\u0301", "\u3000\u00ad"], ids=ascii)
def test_a_filter_of_which_nothing_is_compared_is_refused(owner, name, blank):
    response = owner.api.get("/v1/customers", {name: blank})
    assert response.status_code == 400, response.content
    assert codes(response) == {name: "NOTHING_TO_COMPARE"}
    assert owner.api.get("/v1/customers", {name: ""}).status_code == 200


@pytest.mark.parametrize(
    ("external_id", "other", "words"),
    [
        ("100%", "100x", "100%"),
        ("C++", "Cobol", "C++"),
        ("c#", "c1", "c#"),
        ("a.b", "axb", "a.b"),
        ("100+", "100-", "100+"),
        ("1.5", "15", "1.5"),
        ("(x)", "x", "(x)"),
        ("a_b", "axb", "a_b"),
        ("a\\b", "ab", "a\\b"),
        ("“q”", "q", "“q”"),
    ],
)
def test_a_word_is_found_as_it_is_written(owner, external_id, other, words):
    found, _ = create(owner, externalId=external_id), create(owner, externalId=other)
    for query in (words, words.upper(), f"ada {words}"):
        assert [c["id"] for c in listed(owner, search=query)["content"]] == [found["id"]]


@pytest.mark.parametrize(
    "query",
    [
        "primaryEmail=notmail",
        "primaryEmail=a@b",
        "primaryEmail=ada+tag@example.com",
        "primaryPhoneNumber=+14151234",
        "primaryPhoneNumber=+4930901820",
    ],
)
def test_what_is_no_address_or_number_is_refused_with_the_reason(owner, query):
    create(owner, primaryEmail={"value": "ada+tag@example.com"})
    response = owner.api.get(f"/v1/customers?{query}")
    assert response.status_code == 400, response.content
    (error,) = response.json()["errors"]
    assert error["errorCode"] == "INVALID"
    assert ("%2B" in error["message"]) is ("+" in query)
    escaped = query.replace("+", "%2B")
    assert owner.api.get(f"/v1/customers?{escaped}").status_code == (200 if "+" in query else 400)


@pytest.mark.parametrize("stored", ["Jörg@bücher.example", "jörg@xn--bcher-kva.example"])
def test_both_forms_of_a_domain_find_the_same_customer(owner, stored):
    customer = create(owner, primaryEmail={"value": stored})
    create(owner, primaryEmail={"value": "jorg@bucher.example"})
    assert customer["primaryEmail"]["value"] == stored
    for asked in ("jörg@BÜCHER.example", "JÖRG@xn--bcher-kva.example"):
        found = listed(owner, primaryEmail=asked)["content"]
        assert [each["id"] for each in found] == [customer["id"]]
        found = listed(owner, search=asked)["content"]
        assert customer["id"] in [each["id"] for each in found]
        changed = owner.api.put(
            f"/v1/customers/{customer['id']}", {"primaryEmail": {"value": asked, "verified": True}}
        )
        assert changed.json()["primaryEmail"] == {"value": asked, "verified": True}
    other = {"primaryEmail": {"value": stored}}
    changed = owner.api.put(f"/v1/customers/{customer['id']}", other).json()
    assert changed["primaryEmail"]["verified"] is True
    entries = {"emails": [{"value": "a@xn--bcher-kva.example"}, {"value": "a@bücher.example"}]}
    bulk.load(owner, bulk.customer("c1", **entries))
    loaded = ContactPoint.objects.filter(customer=bulk.id_of(owner, "c1"), kind="EMAIL")
    assert loaded.count() == 1


def test_children_are_listed_when_asked_for(parent, owner, child, outsider):
    for speaker in (parent, owner, child, outsider):
        create(speaker)
    assert listed(parent)["totalElements"] == 1
    assert listed(parent, includeChildren="true")["totalElements"] == 3
    only = listed(parent, businessAccountId=str(owner.account.pk))
    assert [c["businessAccountId"] for c in only["content"]] == [str(owner.account.pk)]
    both = listed(parent, businessAccountId=str(owner.account.pk), includeChildren="true")
    assert both["totalElements"] == 2
    for foreign in (parent.account, outsider.account):
        response = owner.api.get("/v1/customers", {"businessAccountId": str(foreign.pk)})
        assert codes(response) == {"businessAccountId": "INVALID"}


@pytest.mark.parametrize("sort", ["createdAt,DESC", "firstName,ASC", "status,DESC", "type"])
def test_cursors_walk_the_whole_list_once(owner, sort):
    for number in range(7):
        create(owner, firstName=f"Name {number % 3}")
    everything = [c["id"] for c in listed(owner, sort=sort)["content"]]
    walked, cursor = [], {}
    while cursor is not None:
        page = listed(owner, sort=sort, size=2, **cursor)
        assert page["totalElements"] == 7
        assert page["number"] == len(walked) // 2
        walked += [c["id"] for c in page["content"]]
        cursor = {"cursor": page["nextCursor"]} if page["hasNext"] else None
    assert walked == everything
    assert len(set(walked)) == 7


# Accounts of one statement, and how many accounts an engine walks through one by one.
LIMITS = {
    "one statement": (8, 100),
    "two statements": (3, 100),
    "five statements": (1, 100),
    "too many accounts to walk": (8, 4),
}


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("direction", ["DESC", "ASC"])
@pytest.mark.parametrize("name", ["createdAt", "updatedAt"])
def test_pages_of_several_accounts_are_those_of_one_list(
    parent, owner, child, sibling, monkeypatch, name, direction, limits
):
    of_one_statement, most_walks = LIMITS[limits]
    monkeypatch.setattr("customers.prepared_lists.OF_ONE_STATEMENT", of_one_statement)
    monkeypatch.setattr("customers.querysets.MOST_WALKS", most_walks)
    nephew = factories.make_business_account(parent=sibling.account)
    # The sibling has none. Some moments are of customers of several accounts.
    tree = [parent.account, owner.account, sibling.account, nephew, child.account]
    outsider = factories.make_business_account()
    owners = [outsider, parent.account, owner.account, nephew, child.account]
    for number in range(24):
        moment = NOON + timedelta(hours=number // 8 if number % 7 else number)
        factories.make_customer(
            owners[number % len(owners)],
            created_at=moment,
            updated_at=moment,
            status="DELETED" if number in {1, 13} else "ACTIVE",
        )
    rows = Customer.objects.present().filter(business_account__in=tree)
    sign, column = "-" if direction == "DESC" else "", SORTS[name]
    order = rows.order_by(f"{sign}{column}", f"{sign}id")
    everything = [str(pk) for pk in order.values_list("pk", flat=True)]
    query = {"includeChildren": "true", "size": 4, "sort": f"{name},{direction}"}
    walked, cursor, number = [], {}, 0
    while cursor is not None:
        page = listed(parent, **query, **cursor)
        assert page["content"] == listed(parent, **query, page=number)["content"]
        assert page["totalElements"] == len(everything)
        walked += [c["id"] for c in page["content"]]
        cursor = {"cursor": page["nextCursor"]} if page["hasNext"] else None
        number += 1
    assert walked == everything
    assert (len(walked), number) == (17, 5)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        *((1, 10**30), (1, -1), (1, 2**53 - 1), (3, 10**30), (3, -1), (3, 1_000), (4, True)),
        *((2, ["A\0", str(uuid.uuid4())]), (2, ["A", str(uuid.uuid4())]), (5, ""), (5, None)),
    ],
)
def test_a_made_up_cursor_is_refused(owner, place, value):
    create(owner)
    create(owner)
    query = {"sort": "firstName", "size": 1}
    state = json.loads(base64.urlsafe_b64decode(listed(owner, **query)["nextCursor"]))
    state[place] = value
    assert_no_cursor(owner, base64.urlsafe_b64encode(json.dumps(state).encode()).decode(), **query)
    assert_no_cursor(owner, base64.urlsafe_b64encode(json.dumps(state[:5]).encode()).decode())


def test_a_cursor_that_an_earlier_release_gave_is_still_good(settings):
    settings.SECRET_KEY = "s" * 50
    assert signature_of([["name"], 2, ["a"], 5, False], ("v1/customers",)) == (
        "b285e9f06b5386976c2a0a7b0fd99073dae64f90b5692a1143af35e1b2bbf59a"
    )


def assert_no_cursor(speaker, cursor, url="/v1/customers", **query):
    response = speaker.api.get(url, query | {"cursor": cursor})
    assert response.status_code == 400, response.content
    assert codes(response) == {"cursor": "INVALID_CURSOR"}


def test_a_cursor_belongs_to_its_filters(owner):
    for _ in range(3):
        create(owner)
    query = {"name": "ada", "type": "INDIVIDUAL", "size": 1}
    cursor = listed(owner, **query)["nextCursor"]
    assert_no_cursor(owner, cursor)
    assert_no_cursor(owner, cursor, name="ada")
    assert_no_cursor(owner, cursor, name="ad", type="INDIVIDUAL")
    assert_no_cursor(owner, cursor, **query, search="ada")
    assert_no_cursor(owner, listed(owner, size=1)["nextCursor"], includeChildren="true")
    following = listed(owner, **query | {"size": 2}, cursor=cursor, search="")
    assert following["totalElements"] == 3
    assert len(following["content"]) == 2


def test_a_cursor_belongs_to_its_business_account(owner, colleague, parent, child):
    for _ in range(2):
        create(owner)
    cursor = listed(owner, size=1)["nextCursor"]
    assert listed(colleague, cursor=cursor)["numberOfElements"] == 1
    for stranger in (parent, child):
        assert_no_cursor(stranger, cursor)


def test_a_cursor_of_one_list_is_none_of_another(owner, parent):
    """Every list of the API: customers, activities, changes, children, searches, bulk requests."""
    ada, zoe = create(owner), create(owner)
    call = {"type": "email", "mode": "inbound", "sentDate": "2026-03-01T10:00:00Z"}
    for customer in (ada, zoe):
        for _ in range(2):
            owner.api.post(f"/v1/customers/{customer['id']}/activities", call)
        owner.api.put(f"/v1/customers/{customer['id']}", {"prefix": "Dr."})
    for _ in range(2):
        factories.make_business_account(parent=owner.account)
        search = {"customerAccountType": "INDIVIDUAL"}
        assert owner.api.post("/v1/search/customer-accounts", search).status_code == 200
        bulk.send(owner, bulk.customer())
    urls = [
        "/v1/customers",
        *(f"/v1/customers/{customer['id']}/activities" for customer in (ada, zoe)),
        *(f"/v1/customers/{customer['id']}/history" for customer in (ada, zoe)),
        "/v1/business-accounts/self/children",
        "/v1/search/customer-accounts",
        "/v2/data/requests",
    ]
    cursors = {url: owner.api.get(url, {"size": 1}).json()["nextCursor"] for url in urls}
    for url in urls:
        for other, cursor in cursors.items():
            response = owner.api.get(url, {"size": 1, "cursor": cursor})
            assert response.status_code == (200 if url == other else 400), response.content
    status = {"size": 1, "cursor": cursors["/v2/data/requests"], "status": "SUBMITTED"}
    assert owner.api.get("/v2/data/requests", status).status_code == 400


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"createdAtFrom": "2026-03-02", "timeZone": "+18:00"}, ["Ada", "ACME", "Zoë"]),
        ({"createdAtTo": "2026-03-01", "timeZone": "-16:00"}, ["Ada", "ACME", "Zoë"]),
        ({"createdAtTo": "2026-03-01", "timeZone": "+18:00"}, []),
        ({"createdAtFrom": "0001-01-01", "timeZone": "+18:00"}, ["Ada", "ACME", "Zoë"]),
        ({"createdAtTo": "0001-01-01", "timeZone": "+18:00"}, []),
        ({"createdAtTo": "9999-12-31", "timeZone": "-18:00"}, ["Ada", "ACME", "Zoë"]),
        ({"createdAtFrom": "9999-12-31", "timeZone": "-18:00"}, []),
    ],
)
def test_a_day_is_read_at_the_farthest_offsets_and_the_ends_of_time(
    owner, several, query, expected
):
    assert names(listed(owner, **query)) == expected


@pytest.mark.parametrize("words", ["2024-001", "ord-2024", "4-00", "001/x", "2024001"])
def test_a_part_of_an_external_id_finds_its_customer(owner, words):
    create(owner, externalId="ORD-2024-001/X9")
    create(owner, externalId="ORD-2025-002/X9")
    assert [c["externalId"] for c in listed(owner, search=words)["content"]] == ["ORD-2024-001/X9"]


def test_a_cursor_belongs_to_its_order(owner):
    for _ in range(2):
        create(owner)
    cursor = listed(owner, size=1)["nextCursor"]
    response = owner.api.get("/v1/customers", {"cursor": cursor, "sort": "status"})
    assert codes(response) == {"cursor": "INVALID_CURSOR"}


def test_a_customer_created_meanwhile_moves_no_page(owner):
    for name in ("First", "Second", "Third"):
        create(owner, firstName=name)
    page = listed(owner, size=1)
    create(owner, firstName="Fourth")
    assert names(listed(owner, size=1, cursor=page["nextCursor"])) == ["Second"]

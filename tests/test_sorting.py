"""Every order of the list of customers goes by an index, in both directions and by cursor."""

import json
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import product
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.db import connection

from config.db.estimates import nodes
from config.db.online import rows
from config.db.postgresql.sessions import numbered
from customers import normalize, sorting
from customers.change_log import unrecorded
from customers.models import Change, Contact, Customer
from tests import factories
from tests.customers import ACME, ADA, create

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
DIRECTIONS = ("ASC", "DESC")
ORDERS = [
    *([f"{name},{direction}"] for name, direction in product(sorting.SORTS, DIRECTIONS)),
    ["status,DESC", "lastName,ASC"],
    ["lastName,ASC", "firstName,DESC"],
    ["type,ASC", "status,DESC"],
    ["firstName,DESC", "businessName,ASC"],
    ["businessName,ASC", "lastName,DESC", "type,ASC"],
]
BY_NAME = {"+".join(orders): (orders,) for orders in ORDERS}
START = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE = [
    ("Ada", "Lovelace"),
    ("Ada", "Byron"),
    ("Zoë", "Łukasz"),
    ("Cher", ""),
    ("", "Smith"),
    ("", ""),
    ("", ""),
]


@pytest.fixture
def crowd(account, child_account):
    """Customers of two accounts, of every type and status, with and without names."""
    number = 0
    for owner, (first, last) in product((account, child_account), PEOPLE):
        for business_name, status in (("", "ACTIVE"), ("Acme", "ACTIVE"), ("", "SUSPENDED")):
            number += 1
            customer = factories.make_customer(
                owner,
                first_name=first,
                last_name=last,
                business_name=business_name,
                status=status,
                created_at=START + timedelta(minutes=number % 11),
                updated_at=START + timedelta(hours=number % 5, minutes=number % 11),
            )
            if number % 4 == 0:
                # As a load brings a business of which nobody has said the name.
                Customer.objects.filter(pk=customer.pk).update(
                    type="GROUP", business_name="", business_name_folded=""
                )
    Customer.objects.filter(pk=customer.pk).update(status="DELETED")
    return [account.pk, child_account.pk]


@pytest.fixture
def long_lists(monkeypatch):
    """Every list counts as one that is too long to be sorted."""
    monkeypatch.setattr("config.api.pagination.EXACT_TOTAL", 0)


def listed(api, **query):
    response = api.get("/v1/customers", query)
    assert response.status_code == 200, response.content
    return response.json()


def expected(accounts, orders, **filters):
    """The ids as PostgreSQL sorts them, without a page or an index in mind."""
    columns = []
    for text in orders:
        name, _, direction = text.partition(",")
        columns.append(("-" if direction == "DESC" else "") + sorting.SORTS[name])
    columns.append("-id" if direction == "DESC" else "id")
    rows = Customer.objects.present().filter(business_account__in=accounts, **filters)
    return [str(pk) for pk in rows.order_by(*columns).values_list("pk", flat=True)]


@pytest.mark.usefixtures("each_mode")
def test_a_walk_by_cursor_gives_every_customer_once_in_order(owner, crowd, long_lists, each_alone):
    def walk(orders):
        walked, cursor, number = [], {}, 0
        query = {"includeChildren": "true", "size": 7, "sort": orders}
        while cursor is not None:
            page = listed(owner.api, **query, **cursor)
            walked += [customer["id"] for customer in page["content"]]
            cursor = {"cursor": page["nextCursor"]} if page["nextCursor"] else None
            number += 1
        assert walked == expected(crowd, orders)
        assert len(walked) == 41

    each_alone(walk, BY_NAME)


@pytest.mark.usefixtures("each_mode")
def test_a_page_by_number_is_that_of_the_walk(owner, crowd, long_lists, each_alone):
    def turn_to(orders):
        for number, filters in (
            (0, {}),
            (2, {}),
            (1, {"type": "INDIVIDUAL"}),
            (0, {"status": "SUSPENDED"}),
        ):
            page = listed(owner.api, size=4, sort=orders, page=number, **filters)
            everything = expected(crowd[:1], orders, **filters)
            assert [c["id"] for c in page["content"]] == everything[number * 4 : number * 4 + 4]

    each_alone(turn_to, BY_NAME)


@pytest.mark.usefixtures("each_mode")
@pytest.mark.parametrize(("most_first", "most_walks"), [(200_000, 100), (200_000, 1), (0, 100)])
def test_a_list_is_the_same_however_its_first_rows_are_found(
    owner, crowd, long_lists, monkeypatch, most_first, most_walks
):
    monkeypatch.setattr("customers.sorting.MOST_FIRST", most_first)
    monkeypatch.setattr("customers.querysets.MOST_WALKS", most_walks)
    for orders in ORDERS:
        page = listed(owner.api, includeChildren="true", size=10, sort=orders)
        assert [c["id"] for c in page["content"]] == expected(crowd, orders)[:10]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_order_of_changes_is_walked_from_the_first_day_of_creation(
    owner, crowd, long_lists, direction
):
    early = Customer.objects.order_by("id").values_list("pk", flat=True)[:12]
    Customer.objects.filter(pk__in=list(early)).update(created_at=START - timedelta(days=3))
    orders, query = [f"updatedAt,{direction}"], {"createdAtFrom": "2026-03-01", "size": 10}
    page = listed(owner.api, includeChildren="true", sort=orders, **query)
    in_time = expected(crowd, orders, created_at__gte=START)
    assert [customer["id"] for customer in page["content"]] == in_time[:10]
    walks = asked(owner, urlencode({"sort": orders[0]} | query))
    assert walks
    assert all('"updated_at" >= ' in sql for sql, _ in walks)


def asked(owner, query):
    """The statements that find the first rows of a long list, as they go along indexes."""
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    found = []

    def note(execute, sql, params, many, context):
        if "stream_0" in sql or "UNION ALL" in sql or 'business_account_id" = (%s::uuid)' in sql:
            found.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        assert owner.api.get(f"/v1/customers?{query}").status_code == 200
    return found


def plans(owner, query):
    """How PostgreSQL finds the first rows of a long list."""
    found = []
    for sql, params in asked(owner, query):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}", params)
            found.append("\n".join(row[0] for row in cursor.fetchall()))
    return found


INDEX = {
    # Where there are few customers, a walk past those of other accounts is as good.
    "createdAt": {"customer_list", "customer_newest"},
    "updatedAt": {"customer_sort_updated"},
    "firstName": {"customer_sort_first", "customer_sort_ids"},
    "lastName": {"customer_sort_last", "customer_sort_ids"},
    "businessName": {"customer_sort_business", "customer_sort_ids"},
    "status": {"customer_sort_ids"},
    "type": {"customer_sort_ids"},
}


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("name", sorting.SORTS)
def test_every_order_is_read_off_an_index_without_sorting(
    owner, crowd, name, direction, long_lists
):
    for size in (1, 50):
        found = plans(owner, f"sort={name},{direction}&size={size}")
        assert found
        for plan in found:
            assert "Sort" not in plan
            assert "Seq Scan on customers_customer" not in plan
            used = {word for word in plan.replace("(", " ").split() if word.startswith("customer_")}
            assert used <= INDEX[name], plan


@pytest.fixture
def strangers(outsider):
    """A thousand customers of another tree, half before and half behind all others in any order."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [
        Customer(
            business_account=outsider.account,
            type="INDIVIDUAL",
            is_named=True,
            sort_last_name=letter,
            created_at=start + timedelta(days=days),
            updated_at=start + timedelta(days=days),
        )
        for letter, days in 500 * [("a", -1), ("z", 1)]
    ]
    with unrecorded():
        Customer.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")


def looked_at(sql, params):
    """How many customers a statement looks at; a prepared one is planned for any values."""
    with connection.cursor() as cursor:
        if is_prepared := "::uuid" in sql:
            cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            cursor.execute(f"PREPARE asked AS {numbered(sql)}")
            sql = f"EXECUTE asked ({', '.join(['%s'] * len(params))})"
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        ((plan,),) = cursor.fetchall()
        if is_prepared:
            cursor.execute("DEALLOCATE asked")
    scans = [
        node for node in nodes(plan[0]["Plan"]) if node.get("Relation Name") == "customers_customer"
    ]
    seen = [node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in scans]
    return sum(rows * node["Actual Loops"] for rows, node in zip(seen, scans, strict=True))


@pytest.mark.usefixtures("each_mode")
@pytest.mark.parametrize(
    ("order", "most"),
    [
        # A page, one more, one more of the other account, and what has the cursor's moment.
        ("createdAt,DESC", 12),
        ("createdAt,ASC", 12),
        ("updatedAt,DESC", 12),
        ("updatedAt,ASC", 12),
        # A page of each account, and of each of seven lists of those without a name.
        ("lastName,DESC", 8 * 2 * 6),
        ("lastName,ASC", 8 * 2 * 6),
    ],
)
def test_the_first_customers_of_accounts_are_found_past_none_of_others(
    owner, crowd, strangers, long_lists, order, most
):
    query = f"includeChildren=true&size=5&sort={order}"
    for _ in range(2):
        found = asked(owner, query)
        assert found
        assert 6 <= sum(looked_at(*each) for each in found) <= most
        page = listed(owner.api, includeChildren="true", size=5, sort=order)
        query = f"includeChildren=true&size=5&sort={order}&cursor={page['nextCursor']}"


def test_the_sort_keys_are_kept_by_every_write(owner):
    customer = create(owner, ADA, firstName="Zoë", lastName="Ángström")
    row = Customer.objects.get(pk=customer["id"])
    assert (row.sort_first_name, row.sort_last_name, row.is_named) == ("zoe", "angstrom", True)
    owner.api.put(f"/v1/customers/{row.pk}", {"lastName": "Byron"})
    row.refresh_from_db()
    assert row.sort_last_name == "byron"
    business = create(owner, ACME)
    row = Customer.objects.get(pk=business["id"])
    primary = Contact.objects.get(customer=row, is_primary=True)
    assert row.sort_first_name == primary.first_name_folded != ""
    new = {"firstName": "Boss", "lastName": "Chief", "primary": True}
    contact = ACME["contacts"][0] | new
    assert owner.api.put(f"/v1/customers/{row.pk}", {"contacts": [contact]}).status_code == 200
    row.refresh_from_db()
    assert (row.sort_first_name, row.sort_last_name) == ("boss", "chief")


def test_the_sort_keys_of_customers_that_were_there_are_filled_without_a_trace(
    account, monkeypatch
):
    migration = import_module("customers.migrations.0014_fill_sort_keys")
    monkeypatch.setattr(rows, "FIRST_BATCH", 3)
    monkeypatch.setattr(rows, "LARGEST_BATCH", 3)
    monkeypatch.setattr(rows, "SMALLEST_BATCH", 3)
    for first, last in PEOPLE:
        factories.make_customer(account, first_name=first, last_name=last)
    keys = ("sort_first_name", "sort_last_name", "is_named", "version")
    wanted = list(Customer.objects.order_by("id").values_list(*keys))
    recorded = Change.objects.count()
    with unrecorded():
        Customer.objects.update(sort_first_name="", sort_last_name="", is_named=False)
    migration.fill(apps, connection.schema_editor())
    assert list(Customer.objects.order_by("id").values_list(*keys)) == wanted
    assert Change.objects.count() == recorded


def test_a_name_too_long_for_an_index_is_sorted_by_its_beginning(owner):
    long = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 40
    customer = create(owner, ADA, firstName=long, lastName=long)
    row = Customer.objects.get(pk=customer["id"])
    assert row.sort_last_name == normalize.fold(long)[:120]


def test_the_planner_knows_how_many_customers_a_word_finds(account):
    now = datetime.now(UTC)
    # One in twenty-five is called Smith.
    names = [f"{'smith' if number % 25 == 0 else 'jones'} {number}" for number in range(1000)]
    rows = [
        Customer(
            business_account=account,
            type="INDIVIDUAL",
            search_text=name,
            name_folded=name,
            name_key=name,
            created_at=now,
            updated_at=now,
        )
        for name in names
    ]
    with unrecorded():
        Customer.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")
    for found in (Customer.objects.named(["smith"]), Customer.objects.searched(["smith"])):
        ((plan,),) = [json.loads(found.explain(format="json"))]
        assert 20 <= plan["Plan"]["Plan Rows"] <= 80

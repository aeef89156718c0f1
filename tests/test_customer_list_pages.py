"""The list of customers in the back office: search, filters, pages, and suggestions."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import Customer
from tests import bulk, factories
from tests.customer_pages import LIST, text_of
from tests.customers import ACME, create
from tests.factories import browser_of

pytestmark = pytest.mark.django_db


def listed(browser, **query):
    """The names on the list."""
    text = text_of(browser.get(LIST, query))
    return [name.strip() for name in re.findall(r'/change/">(.*?)</a>', text)]


def test_a_scrap_of_a_name_phone_or_email_finds_a_customer(browser, owner):
    create(owner)
    create(owner, ACME)
    assert listed(browser) == ["ACME", "Ada Lovelace"]
    for scrap in ("lovel", "415123", "ada@ex", "ADA lace"):
        assert listed(browser, q=scrap)[-1] == "Ada Lovelace"
    assert listed(browser, q="jsmith") == ["ACME"]
    assert listed(browser, q="nobody") == []
    assert listed(browser, q="one two " * 20) == []


def test_an_email_address_is_broken_before_its_last_part(browser, owner):
    create(owner)
    assert "<span>Ada<wbr>@example.com</span>" in text_of(browser.get(LIST))


def test_the_filters_narrow_the_list(browser, account, child_account, owner):
    department = factories.make_department(account, "Retail")
    factories.make_customer(account, first_name="Rita", department=department)
    factories.make_customer(child_account, first_name="Carl")
    factories.make_customer(account, first_name="Della", status="DELETED")
    factories.make_customer(account, first_name="Sue", status="SUSPENDED")
    create(owner, ACME)
    names = {name.split()[0] for name in listed(browser)}
    assert names == {"Rita", "Carl", "Sue", "ACME"}
    assert listed(browser, status__exact="DELETED") == ["Della Lovelace"]
    assert listed(browser, status__exact="SUSPENDED") == ["Sue Lovelace"]
    assert listed(browser, type__exact="BUSINESS") == ["ACME"]
    assert listed(browser, department="Retail") == ["Rita Lovelace"]
    assert listed(browser, account="Child Branch") == ["Carl Lovelace"]
    assert len(listed(browser, account="House Bank")) == 4
    today = timezone.now().date()
    assert len(listed(browser, created_from=today, created_to=today)) == 4
    assert listed(browser, created_from=today + timedelta(days=2)) == []
    for order in ("oldest", "changed", "name", "business"):
        assert len(listed(browser, order=order)) == 4
    assert listed(browser, order="oldest")[0] == "Rita Lovelace"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"account": "Parent Holding"}, "There is no such business account."),
        ({"department": "Nowhere"}, "There is no such department."),
        ({"created_from": "soon"}, "Enter a valid date."),
        ({"created_from": "2026-02-01", "created_to": "2026-01-01"}, "before the other date"),
        ({"status__exact": "DELETED", "order": "name"}, "in the order of time"),
        ({"after": "WzFd"}, "There is no such page."),
    ],
)
def test_a_filter_that_cannot_be_understood_says_so(browser, customer, query, message):
    text = text_of(browser.get(LIST, query))
    assert message in text
    assert "/change/" not in text


def test_a_filter_that_is_none_is_400(browser):
    assert browser.get(LIST, {"search_text__contains": "a"}).status_code == 400


def test_a_customer_without_a_name_is_listed_by_its_external_id(browser, owner, account):
    bulk.load(owner, bulk.customer("feed-17"))
    assert listed(browser) == ["feed-17"]
    Customer.objects.create(
        business_account=account,
        type="INDIVIDUAL",
        created_at=timezone.now(),
        updated_at=timezone.now(),
    )
    assert listed(browser) == ["(no name)", "feed-17"]


@pytest.mark.parametrize("order", ["", "oldest", "changed", "name", "business"])
@pytest.mark.parametrize("exact", [10, 10_000])
@pytest.mark.parametrize("fields", [{}, {"is_superuser": True}])
def test_a_long_list_has_pages(account, child_account, monkeypatch, order, exact, fields):
    monkeypatch.setattr("config.api.pagination.EXACT_TOTAL", exact)
    monkeypatch.setattr("customers.admin.customer_list.PAGE_SIZE", 5)
    wanted = set()
    for number in range(12):
        tenant = account if number % 3 else child_account
        wanted.add(str(factories.make_customer(tenant, first_name=f"Ada{number}").pk))
    browser, pages, url = browser_of(account, **fields), [], f"{LIST}?order={order}"

    def page(rel: str) -> str:
        """What is listed, and the address of the page that follows, or of the one before."""
        text = text_of(browser.get(url))
        pages.append(re.findall(r'customer/([0-9a-f-]+)/change/">', text))
        assert (f'href="?order={order}">First page</a>' in text) == (len(pages) not in {1, 5})
        link = re.search(rf'rel="{rel}" href="([^"]+)"', text)
        return LIST + html.unescape(link[1]) if link else ""

    for _ in "123":
        last, url = url, page("next")
    assert not url
    assert [len(each) for each in pages] == [5, 5, 2]
    assert {each for found in pages for each in found} == wanted
    url, pages = last, pages[:2]
    for _ in "123":
        url = page("prev")
    assert not url
    assert pages[:2] == pages[4:2:-1]


@pytest.mark.parametrize("order", ["", "oldest", "changed", "name", "business"])
@pytest.mark.parametrize(("cheap", "walks"), [(40_000, 0), (0, 0), (0, 1_000_000)])
def test_many_that_a_search_finds_have_pages(
    account, child_account, monkeypatch, order, cheap, walks
):
    """Whether they are found at once, walked through or sorted."""
    monkeypatch.setattr("config.api.pagination.EXACT_TOTAL", 3)
    monkeypatch.setattr("config.api.pagination.CHEAP", cheap)
    monkeypatch.setattr("customers.admin.customer_list.PAGE_SIZE", 5)
    monkeypatch.setattr("customers.admin.customer_walks.WALKS", walks)
    wanted = set()
    for number in range(12):
        tenant = account if number % 3 else child_account
        name = "Grace" if number % 4 else "Ada"
        customer = factories.make_customer(tenant, first_name=name)
        wanted |= {str(customer.pk)} if number % 4 else set()
    browser, seen, url = browser_of(account), [], f"{LIST}?q=grace&order={order}"
    for count in (5, 4):
        text = text_of(browser.get(url))
        found = re.findall(r'customer/([0-9a-f-]+)/change/">', text)
        assert len(found) == count
        seen += found
        link = re.search(r'rel="next" href="([^"]+)"', text)
        url = LIST + html.unescape(link[1]) if link else ""
    assert set(seen) == wanted


@pytest.mark.parametrize(("cheap", "of"), [(40_000, "of 4 customers"), (0, "of about ")])
def test_many_that_a_search_finds_are_counted_where_that_is_quick(
    browser, account, monkeypatch, cheap, of
):
    monkeypatch.setattr("config.api.pagination.EXACT_TOTAL", 2)
    monkeypatch.setattr("config.api.pagination.CHEAP", cheap)
    monkeypatch.setattr("customers.admin.customer_list.PAGE_SIZE", 3)
    for _ in range(4):
        factories.make_customer(account)
    assert f"1\N{EN DASH}3 {of}" in text_of(browser.get(LIST, {"q": "ada"}))


@pytest.mark.parametrize("count", [1, 8])
def test_the_list_makes_so_many_queries_whatever_is_on_it(
    browser, owner, count, django_assert_num_queries
):
    for _ in range(count):
        create(owner, ACME)
    browser.get(LIST)
    session, user, permissions, tree = 1, 1, 1, 1
    total, ids, customers, contacts, points = 1, 1, 1, 1, 1
    numbers = (session, user, permissions, tree, total, ids, customers, contacts, points)
    with django_assert_num_queries(sum(numbers)):
        browser.get(LIST, {"q": "acme"})


def test_suggestions_are_of_the_own_tree(browser, account, child_account, parent_account):
    factories.make_department(parent_account, "Above")
    factories.make_department(child_account, "Below")
    url = f"{LIST}suggestions/"
    assert browser.get(url, {"of": "account"}).json()["names"] == ["Child Branch", "House Bank"]
    assert browser.get(url, {"of": "account", "term": "chi"}).json()["names"] == ["Child Branch"]
    assert browser.get(url, {"of": "department"}).json()["names"] == ["Below"]


@pytest.mark.parametrize("column", ["created_at", "updated_at"])
def test_deleted_customers_are_read_in_order_from_indexes_of_their_own(db, column):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    deleted = Customer.objects.filter(status="DELETED")
    for sign in ("", "-"):
        rows = deleted.order_by(f"{sign}{column}", f"{sign}id").values("id", column)
        assert "using customer_deleted_" in rows[:50].explain()

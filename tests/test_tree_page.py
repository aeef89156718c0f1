"""The list of business accounts is their tree, as far as the operator sees it."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.oauth_steps import signed_in

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/businessaccount/"


def rows(browser, query="") -> list[tuple[str, float]]:
    """Names with their indents, from the top down."""
    text = browser.get(LIST + query).content.decode()
    found = re.findall(r'padding-left: ([\d.]+)rem">(?:<span[^>]*>└ </span>)?([^<]+)<', text)
    return [(name, float(indent)) for indent, name in found]


@pytest.fixture
def branches(account, child_account):
    """Below the child, and beside it with an earlier name."""
    factories.make_business_account("Grandchild", parent=child_account)
    factories.make_business_account("A Branch", parent=account)


def test_each_parent_stands_before_its_children_indented_by_depth(account, branches):
    browser = signed_in(factories.make_employee(account, role="Owner", is_staff=True))
    assert rows(browser) == [
        ("House Bank", 0),
        ("A Branch", 1.25),
        ("Child Branch", 1.25),
        ("Grandchild", 2.5),
    ]
    assert [name for name, _ in rows(browser, "?q=branch")] == ["A Branch", "Child Branch"]


def test_a_superuser_sees_all_trees_from_the_top(account, branches, outsider):
    browser = signed_in(factories.make_employee(account, is_staff=True, is_superuser=True))
    assert rows(browser)[:3] == [("Outside Bank", 0), ("Parent Holding", 0), ("House Bank", 1.25)]


def test_the_tree_takes_as_many_queries_for_many_accounts_as_for_one(
    account, branches, django_assert_num_queries
):
    browser = signed_in(factories.make_employee(account, role="Owner", is_staff=True))
    for _ in range(2):
        browser.get(LIST)
        with django_assert_num_queries(6):
            browser.get(LIST)
        factories.make_business_account(parent=account)


def test_no_page_asks_more_than_once_for_the_tree_that_its_operator_sees(account, branches, owner):
    browser = signed_in(factories.make_employee(account, role="Owner", is_staff=True))
    key = owner.key.client.service_account_id
    asked = {}
    for page in (
        "",
        *("customers/customer/", "customers/customer/add/", "customers/customer/suggestions/"),
        *("customers/user/", "customers/user/add/", "customers/signinattempt/"),
        *("customers/serviceaccount/", "customers/serviceaccount/add/"),
        *(f"customers/serviceaccount/{key}/{end}/" for end in ("change", "edit", "history")),
        *("customers/oauthclient/", "customers/oauthclient/add/", "customers/businessaccount/"),
        *("search/customersearch/", "search/customersearch/add/"),
        *("ingest/bulkrequest/", "ingest/bulkrequest/upload/"),
    ):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"/admin/{page}").status_code == 200, page
        asked[page] = sum("WITH RECURSIVE tree" in each["sql"] for each in queries)
    assert {page: count for page, count in asked.items() if count > 1} == {}
    assert sum(asked.values()) > len(asked) // 2

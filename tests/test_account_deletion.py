"""A business account, a department or a custom attribute goes after a question only."""

import re

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import AttributeDefinition, BusinessAccount, Department
from customers.services import business
from tests import factories
from tests.customer_pages import text_of
from tests.customers import create
from tests.factories import browser_of

pytestmark = pytest.mark.django_db
ACCOUNTS = "/admin/customers/businessaccount/"


@pytest.fixture
def tier(account):
    return AttributeDefinition.objects.create(business_account=account, name="tier")


@pytest.fixture
def claims(account):
    return factories.make_department(account, "Claims")


@pytest.fixture
def superuser(account):
    return browser_of(account, is_superuser=True)


def form(account, tier, claims, **changed):
    """The account's form, with both ticked to be deleted."""
    lists = {"departments": claims, "attribute_definitions": tier}
    sent = {"name": account.name, "default_region": "US", "max_running_jobs": "2"}
    for name, row in lists.items():
        sent |= {f"{name}-TOTAL_FORMS": "1", f"{name}-INITIAL_FORMS": "1"}
        sent |= {f"{name}-0-id": row.pk, f"{name}-0-name": row.name, f"{name}-0-DELETE": "on"}
        sent[f"{name}-0-business_account"] = account.pk
    return sent | {"attribute_definitions-0-target": "customer"} | changed


def test_parts_of_an_account_go_after_a_question(account, owner, tier, claims):
    browser, url = browser_of(account), f"{ACCOUNTS}{account.pk}/change/"
    create(owner, customAttributes={"tier": "gold"}, department="Claims")
    sent = form(account, tier, claims, name="House Bank Ltd")
    question = text_of(browser.post(url, sent))
    assert "Delete Claims and tier?" in question
    assert "deleted from every customer" in question
    assert (Department.objects.count(), AttributeDefinition.objects.count()) == (1, 1)
    hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', question)
    answer = {name: value for name, value in hidden if name != "csrfmiddlewaretoken"}
    assert browser.post(url, answer).status_code == 302
    assert not Department.objects.exists()
    assert not AttributeDefinition.objects.exists()
    assert BusinessAccount.objects.filter(name="House Bank Ltd").exists()


@pytest.mark.parametrize("part", ["tier", "Claims"])
def test_what_too_many_customers_have_is_not_deleted_in_one_call(
    account, owner, tier, claims, part, monkeypatch
):
    monkeypatch.setattr(business, "MOST_AT_ONCE", 2)
    kept = {"customAttributes": {"tier": "gold"}} if part == "tier" else {"department": "Claims"}
    for _ in range(3):
        create(owner, **kept)
    browser, url = browser_of(account), f"{ACCOUNTS}{account.pk}/change/"
    text = text_of(browser.post(url, form(account, tier, claims, confirmed="yes")))
    assert f"More than 2 customers have {part}: " in text
    assert (Department.objects.count(), AttributeDefinition.objects.count()) == (1, 1)


def test_whoever_may_not_change_an_account_is_not_asked(account, tier, claims):
    url = f"{ACCOUNTS}{account.pk}/change/"
    answer = browser_of(account, "Clerk").post(url, form(account, tier, claims))
    assert answer.status_code == 403


def test_no_customer_is_read_to_delete_what_they_have(account, owner, tier, claims):
    create(owner, customAttributes={"tier": "gold"}, department="Claims")
    url = f"{ACCOUNTS}{account.pk}/change/"
    with CaptureQueriesContext(connection) as queries:
        browser_of(account).post(url, form(account, tier, claims, confirmed="yes"))
    read = [
        each["sql"]
        for each in queries
        if re.match(r'SELECT "customers_(c|attributev)', each["sql"])
    ]
    assert read == []


def test_an_account_that_is_used_stays_and_the_page_says_why(account, owner, superuser):
    for _ in range(3):
        factories.make_customer(account)
    url = f"{ACCOUNTS}{account.pk}/delete/"
    with CaptureQueriesContext(connection) as queries:
        text = text_of(superuser.get(url))
    assert "House Bank cannot be deleted" in text
    kept = re.search(r"It has ([^.]+)\.", text)[1]
    assert {"customers", "people"} <= set(kept.split(", "))
    assert not any('SELECT "customers_customer"' in each["sql"] for each in queries)
    assert "cannot be deleted" in text_of(superuser.post(url))
    assert BusinessAccount.objects.filter(pk=account.pk).exists()
    assert not LogEntry.objects.exists()


def test_an_account_that_nobody_used_is_deleted_after_a_question(account, superuser, owner):
    empty = factories.make_business_account("Never Opened", parent=account)
    factories.make_department(empty, "Claims")
    url = f"{ACCOUNTS}{empty.pk}/delete/"
    assert "Delete Never Opened?" in text_of(superuser.get(url))
    assert superuser.post(url)["Location"] == ACCOUNTS
    assert not BusinessAccount.objects.filter(pk=empty.pk).exists()
    assert LogEntry.objects.get().action_flag == DELETION


def test_nobody_but_a_superuser_deletes_an_account(account, child_account):
    url = f"{ACCOUNTS}{child_account.pk}/delete/"
    assert browser_of(account).get(url).status_code == 403
    assert browser_of(account).post(url).status_code == 403

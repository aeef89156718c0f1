"""The figures on the first page of the back office, and what lies behind them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from customers import customer_figures, figures
from customers.figures import SECTIONS
from customers.models import Customer
from ingest.models import BulkRequest
from search.models import CustomerSearch
from tests import factories, jobs
from tests.factories import browser_of, make_customer
from tests.inventory import make_bulk_request, make_finished_search

pytestmark = pytest.mark.django_db


def shown(browser) -> dict[str, figures.Figures]:
    """The figures of each section."""
    sections = browser.get("/admin/").context["sections"]
    return {section.name: known for section, known in sections}


def count_of(known, kind: str, status: str) -> int:
    return dict(dict(known.values["kinds"])[kind])[status]


def test_customers_are_told_by_type_and_status(account, child_account):
    make_customer(account)
    make_customer(child_account)
    make_customer(account, status="SUSPENDED")
    make_customer(account, business_name="Acme", status="DELETED")
    known = shown(browser_of(account))["customers"]
    assert known.values["total"] == 4
    assert count_of(known, "INDIVIDUAL", "ACTIVE") == 2
    assert count_of(known, "INDIVIDUAL", "SUSPENDED") == 1
    assert count_of(known, "BUSINESS", "DELETED") == 1
    assert count_of(known, "GROUP", "ACTIVE") == 0


def test_new_customers_are_told_by_day_of_the_operators_zone(account, monkeypatch):
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    make_customer(account, created_at=datetime(2026, 5, 19, 23, tzinfo=UTC))
    make_customer(account, created_at=datetime(2026, 5, 20, 1, tzinfo=UTC))
    make_customer(account, created_at=now - timedelta(days=40))
    browser = browser_of(account)
    days = dict(shown(browser)["customers"].values["days"])
    assert len(days) == 30
    assert (days[now.date()], days[now.date() - timedelta(days=1)]) == (1, 1)
    browser.cookies["kith_time_zone"] = "Europe/Berlin"
    values = shown(browser)["customers"].values
    assert dict(values["days"])[now.date()] == 2
    assert (values["new"], values["most"]) == (2, 2)


def test_an_empty_registry_says_what_to_do(account):
    text = browser_of(account).get("/admin/").content.decode()
    assert "No customers yet." in text


def test_queued_work_is_told_by_state(owner, storage):
    browser = browser_of(owner.account)
    waiting = jobs.submit(owner)
    jobs.submit(owner)
    running = jobs.submit(owner)
    jobs.claim(running).start()
    jobs.claim(jobs.submit(owner)).fail("STORAGE_FULL", "Full.")
    make_finished_search(owner)
    CustomerSearch.objects.filter(status="FINISHED").update(rows=1234)
    earlier = make_finished_search(owner)
    day_ago = timezone.now() - timedelta(days=1)
    CustomerSearch.objects.filter(pk=earlier.pk).update(finished_at=day_ago, rows=7)
    values = shown(browser)["searches"].values
    waiting.refresh_from_db()
    assert values == {
        "waiting": 2,
        "running": 1,
        "oldest": waiting.submitted_at,
        "done": 1,
        "broken": 1,
        "total": 1234,
    }


def test_loads_tell_their_failed_items(owner):
    make_bulk_request(owner)
    values = shown(browser_of(owner.account))["loads"].values
    assert (values["done"], values["total"]) == (1, 1)


def test_each_figure_leads_to_a_list_that_shows_as_many(owner, storage):
    make_customer(owner.account, status="SUSPENDED")
    jobs.submit(owner)
    jobs.claim(jobs.submit(owner)).fail("STORAGE_FULL", "Full.")
    make_finished_search(owner)
    make_bulk_request(owner)
    browser = browser_of(owner.account)
    text = browser.get("/admin/").content.decode()
    main = text[text.index('id="dashboard"') :]
    links = re.findall(r'<a href="([^"]+\?[^"]+)"[^>]*>(\d+)</a>', main)
    assert len(links) > 10
    for href, number in links:
        response = browser.get(href.replace("&amp;", "&"))
        assert response.status_code == 200, href
        if "state=" in href:
            assert response.context["cl"].result_count == int(number), href
        elif "status" in href:
            assert response.context["total"] == int(number), href


# --- Scope ----------------------------------------------------------------------------------------


def test_nobody_s_figures_have_a_parent_or_a_sibling_in_them(
    account, parent_account, parent, sibling, outsider, storage
):
    for speaker in (parent, sibling, outsider):
        make_customer(speaker.account)
        make_finished_search(speaker)
        make_bulk_request(speaker)
        jobs.submit(speaker)
    for known in shown(browser_of(account)).values():
        counts = [value for value in known.values.values() if isinstance(value, int)]
        assert sum(counts) == known.values.get("scale", 0)
    everything = shown(browser_of(account, is_superuser=True))
    assert everything["customers"].values["total"] == 3
    assert everything["searches"].values["waiting"] == 3
    assert shown(browser_of(parent_account))["customers"].values["total"] == 2


def test_who_may_not_see_a_list_sees_no_figures_of_it(account):
    browser = Browser()
    person = factories.make_employee(account, role="Clerk", is_staff=True)
    person.groups.clear()
    browser.force_login(person)
    assert shown(browser) == {}
    assert "Your role sees nothing here yet" in browser.get("/admin/").content.decode()


# --- Size -----------------------------------------------------------------------------------------


def test_the_dashboard_takes_as_many_queries_whatever_there_is(
    owner, storage, django_assert_num_queries
):
    browser = browser_of(owner.account)
    browser.get("/admin/")
    for _ in range(2):
        with django_assert_num_queries(QUERIES):
            browser.get("/admin/")
        make_customer(owner.account)
        make_finished_search(owner)
        make_bulk_request(owner)


QUERIES = 15


@pytest.fixture
def large(monkeypatch) -> None:
    """Anything at all is too much to be counted in a request."""
    monkeypatch.setattr(figures, "SMALL", -1)


def test_what_is_large_is_counted_by_a_worker_and_kept(account, large, published):
    make_customer(account)
    browser = browser_of(account)
    known = shown(browser)["customers"]
    assert (known.values, known.counted_at) == ({"about": 1}, None)
    text = browser.get("/admin/").content.decode()
    assert "About 1" in text
    assert "data-pending" in text
    # One message for each section, however often somebody looks.
    assert [message for message in published if message[0] == figures.TASK] == [
        (figures.TASK, [name, str(account.pk), "UTC"]) for name in SECTIONS
    ]
    for name in SECTIONS:
        figures.count(name, str(account.pk), "UTC")
    make_customer(account)
    known = shown(browser)["customers"]
    assert known.values["total"] == 1
    text = browser.get("/admin/").content.decode()
    assert "Counted at" in text
    assert "data-pending" not in text


def test_kept_figures_are_counted_anew_after_a_minute(account, large, published, monkeypatch):
    browser = browser_of(account)
    for name in SECTIONS:
        figures.count(name, str(account.pk), "UTC")
    shown(browser)
    assert published == []
    monkeypatch.setattr(figures, "FRESH", timedelta(seconds=0))
    monkeypatch.setattr(figures, "ask_to_count", lambda *asked: published.append(asked))
    assert shown(browser)["customers"].values["total"] == 0
    assert len(published) == len(SECTIONS)


def test_figures_of_one_tree_are_not_those_of_another(account, child_account, large):
    make_customer(account)
    for name in SECTIONS:
        figures.count(name, str(account.pk), "UTC")
        figures.count(name, str(child_account.pk), "UTC")
        figures.count(name, "", "UTC")
    assert shown(browser_of(account))["customers"].values["total"] == 1
    assert shown(browser_of(child_account))["customers"].values["total"] == 0
    assert shown(browser_of(account, is_superuser=True))["customers"].values["total"] == 1


def test_without_a_broker_and_a_cache_there_are_estimates(account, large, broker_away, settings):
    browser = browser_of(account)
    with broker_away:
        assert shown(browser)["customers"].counted_at is None
    caches = dict(settings.CACHES["default"]) | {"LOCATION": "unix:///nowhere/cache.sock"}
    settings.CACHES = {"default": caches}
    assert shown(browser)["customers"].values == {"about": 0}


def test_the_count_of_few_is_exact_and_of_many_bounded(account, django_assert_max_num_queries):
    make_customer(account)
    make_customer(account)
    customers = Customer.objects.all()
    assert figures.is_at_most(customers, 2)
    assert not figures.is_at_most(customers, 1)
    assert customer_figures.guess([account.pk]) == {"about": 2}
    assert BulkRequest.objects.count() == 0

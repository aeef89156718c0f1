"""What surrounds every page of the back office: navigation, time zone, outcomes, error pages."""

import re
from itertools import pairwise

import pytest
from django.contrib import messages
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from config.api.errors import Unavailable
from config.api.pages import error_page
from customers.models import AttributeConversion, AttributeDefinition, SignInAttempt
from tests import factories
from tests.factories import browser_of

pytestmark = pytest.mark.django_db
WORK = ["Dashboard", "Customers", "Searches", "Loads"]
ACCESS = ["Business accounts", "People", "API keys", "OAuth clients"]
LINK = re.compile(
    r'<a href="([^"]+)"[^>]*>\s*<span[^>]*aria-hidden="true">\w+</span>\s*<span>([^<]+)'
)


def navigation(browser) -> dict[str, str]:
    text = browser.get("/admin/").content.decode()
    return {title: href for href, title in LINK.findall(text)}


def test_an_owner_finds_everything_in_the_navigation(account):
    assert list(navigation(browser_of(account))) == WORK + ACCESS


def test_each_entry_leads_to_a_page(account):
    browser = browser_of(account)
    for title, href in navigation(browser).items():
        response = browser.get(href)
        assert response.status_code == 200, title
        assert f"<title> {title}" in re.sub(r"\s+", " ", response.content.decode())


def test_who_may_not_see_a_list_has_no_link_to_it(account):
    browser = Browser()
    person = factories.make_employee(account, role="Clerk", is_staff=True)
    person.groups.clear()
    browser.force_login(person)
    assert list(navigation(browser)) == ["Dashboard"]


def test_pages_by_app_lead_to_the_dashboard(account):
    browser = browser_of(account)
    for app in ("customers", "search", "ingest"):
        assert browser.get(reverse("admin:app_list", args=[app]))["Location"] == "/admin/"


# --- Times ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "shown"),
    [
        ("Asia/Tokyo", "Asia/Tokyo"),
        ("", "UTC"),
        ("Nowhere/Land", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("Europe", "UTC"),
    ],
)
def test_times_are_in_the_zone_of_the_browser(account, cookie, shown):
    browser = browser_of(account)
    browser.cookies["kith_time_zone"] = cookie
    assert f"Times in {shown}" in browser.get("/admin/").content.decode()
    assert timezone.get_current_timezone_name() == "UTC"


def test_a_list_shows_days_in_the_zone_of_the_browser(account):
    moment = timezone.datetime(2026, 3, 1, 22, 30, tzinfo=timezone.get_default_timezone())
    factories.make_customer(account, created_at=moment)
    browser = browser_of(account)
    listed = reverse("admin:customers_customer_changelist")
    assert ">1 Mar 2026<" in browser.get(listed).content.decode()
    browser.cookies["kith_time_zone"] = "Asia/Kolkata"
    assert ">2 Mar 2026<" in browser.get(listed).content.decode()


def test_a_sign_in_is_called_by_its_time_in_the_zone_of_the_browser(account):
    browser = browser_of(account)
    person = factories.make_employee(account)
    moment = timezone.datetime(2026, 3, 1, 22, 30, tzinfo=timezone.get_default_timezone())
    attempt = SignInAttempt.objects.create(
        person=person, business_account=account, outcome="SIGNED_IN", door="BACK_OFFICE"
    )
    SignInAttempt.objects.update(at=moment)
    browser.cookies["kith_time_zone"] = "Asia/Kolkata"
    page = reverse("admin:customers_signinattempt_change", args=[attempt.pk])
    assert f"{person} at 2 Mar 2026, 04:00" in browser.get(page).content.decode()


# --- Words ----------------------------------------------------------------------------------------


def listed(browser, model, query="") -> str:
    response = browser.get(reverse(f"admin:{model}_changelist") + query)
    assert response.status_code == 200
    return response.content.decode()


def test_every_list_is_reached_by_links(account):
    browser = browser_of(account)
    steps = ["businessaccount", "attributedefinition", "attributeconversion"]
    for here, there in pairwise(steps):
        address = reverse(f"admin:customers_{there}_changelist")
        assert f'href="{address}"' in listed(browser, f"customers_{here}")
    assert "customers/signinattempt/" in listed(browser, "customers_user")
    clerk = browser_of(account, "Clerk")
    assert "customers/attributeconversion/" not in listed(clerk, "customers_businessaccount")


def test_a_button_says_what_is_added(account):
    superuser = browser_of(account, is_superuser=True)
    assert "Add business account" in listed(superuser, "customers_businessaccount")
    page = superuser.get(reverse("admin:customers_businessaccount_change", args=[account.pk]))
    assert "Save and add another" not in page.content.decode()


def test_filters_are_in_words_and_count_nothing(account):
    text = listed(browser_of(account), "search_customersearch")
    assert "CSV for Excel" in text
    assert "Csv Excel" not in text
    assert "Show counts" not in text
    for model, words in {
        "ingest_bulkrequest": ["By kind", "Customers by API", "Dry runs"],
        "customers_user": ["By state", "Invited"],
        "customers_attributedefinition": ["Not encrypted"],
    }.items():
        text = listed(browser_of(account), model)
        assert [each for each in words if each not in text] == []
        assert "By is " not in text


def test_people_are_filtered_by_whether_they_can_sign_in(account):
    invited = factories.make_employee(account, email="invited@example.com")
    invited.set_unusable_password()
    invited.save()
    factories.make_employee(account, email="gone@example.com", is_active=False)
    browser = browser_of(account, email="owner@example.com")
    for state in ("invited", "gone", "owner"):
        asked = {"gone": "deactivated", "owner": "active"}.get(state, state)
        rows = re.findall(
            r">(\w+)@example.com</a>", listed(browser, "customers_user", f"?state={asked}")
        )
        assert rows == [state]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; x64) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge 140 on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari 18 on iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Firefox/143.0", "Firefox 143 on Linux"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 60, "x" * 40 + "…"),
    ],
)
def test_a_browser_is_told_in_a_few_words(account, sent, shown):
    SignInAttempt.objects.create(
        business_account=account, outcome="SIGNED_IN", door="APP", browser=sent
    )
    text = listed(browser_of(account), "customers_signinattempt")
    assert re.search(rf">\s*{re.escape(shown)}\s*<", text)


def test_an_empty_registry_says_what_to_do_first(account):
    add = reverse("admin:customers_customer_add")
    for address in (reverse("admin:index"), reverse("admin:customers_customer_changelist")):
        text = browser_of(account).get(address).content.decode()
        assert f'href="{add}">Add the first one</a>' in text
        text = browser_of(account, "View Only").get(address).content.decode()
        assert f'href="{add}"' not in text


def test_a_conversion_is_told_in_words(account):
    definition = AttributeDefinition.objects.create(business_account=account, name="tier")
    job = AttributeConversion.objects.create(
        business_account=account, definition=definition, to_encrypted=True, converted=1200
    )
    browser = browser_of(account)
    page = reverse("admin:customers_attributeconversion_change", args=[job.pk])
    for address, text in (
        ("list", listed(browser, "customers_attributeconversion")),
        ("page", browser.get(page).content.decode()),
    ):
        assert "Encrypt values" in text
        assert "1,200 converted" in text
        assert "Waiting" in text
        assert "Conversion of tier" in text or address == "list"
        assert str(job.pk) not in re.sub(r'(href|value)="[^"]+"', "", text)
        assert "+00:00" not in text
    assert str(account.pk) not in re.sub(r'href="[^"]+"', "", text)


@pytest.mark.parametrize("role", ["Owner", "View Only"])
def test_who_may_only_look_is_not_told_how_to_fill_it_in(account, role):
    definition = AttributeDefinition.objects.create(business_account=account, name="tier")
    browser = browser_of(account, role)
    page = reverse("admin:customers_attributedefinition_change", args=[definition.pk])
    text = browser.get(page).content.decode()
    assert "Tick for" not in text
    assert "Is encrypted" not in text
    assert re.search(r">\s*tier\s*</span>", text), "a name is not written with a capital"
    page = reverse("admin:customers_businessaccount_change", args=[account.pk])
    text = browser.get(page).content.decode()
    assert ("separated by commas" in text) == (role == "Owner")
    assert "Two factor roles" not in text


def test_a_history_has_each_head_once(account):
    superuser = browser_of(account, is_superuser=True)
    person = factories.make_employee(account)
    superuser.post(reverse("admin:customers_user_deactivate", args=[person.pk]))
    text = superuser.get(reverse("admin:customers_user_history", args=[person.pk])).content.decode()
    assert "Deactivated" in text
    assert "data-label" not in text
    assert (
        "Nothing was done to it"
        in superuser.get(
            reverse("admin:customers_businessaccount_history", args=[account.pk])
        ).content.decode()
    )


def test_who_forgot_a_password_finds_the_way_back(client):
    text = client.get(reverse("account:forgot-password")).content.decode()
    assert f'href="{reverse("admin:login")}"' in text


# --- Outcomes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "role"),
    [
        (messages.SUCCESS, "status"),
        (messages.INFO, "status"),
        (messages.WARNING, "alert"),
        (messages.ERROR, "alert"),
    ],
)
def test_outcomes_are_announced(account, level, role, rf, monkeypatch):
    browser = browser_of(account)
    request = rf.get("/")
    request.session, request._messages = browser.session, None
    storage = messages.storage.default_storage(request)
    storage.add(level, "It came out like this.")
    response = browser.get("/")
    storage.update(response)
    browser.cookies.update(response.cookies)
    text = browser.get("/admin/").content.decode()
    assert re.search(rf'role="{role}"[^>]*>(\s|<div[^>]*>)*It came out like this\.', text)


# --- Error pages ----------------------------------------------------------------------------------


def test_a_missing_page_says_so_in_words_and_names_the_request(account):
    response = browser_of(account).get("/admin/nothing/here/", HTTP_X_REQUEST_ID="trace-7")
    text = response.content.decode()
    assert response.status_code == 404
    assert "There is nothing here" in text
    assert "trace-7" in text
    assert "Go to the dashboard" in text
    assert "kith/icon.svg" in text


def test_a_page_outside_of_the_back_office_leads_to_the_first_page(client):
    text = client.get("/nothing", HTTP_ACCEPT="text/html").content.decode()
    assert 'href="/"' in text
    assert "There is nothing here" in text


def test_what_a_role_may_not_do_is_403_in_words(account):
    response = browser_of(account, "View Only").get(reverse("admin:customers_businessaccount_add"))
    assert response.status_code == 403
    assert "Your role does not include it" in response.content.decode()


def test_what_cannot_be_understood_is_400_in_words(account):
    response = browser_of(account).get(reverse("admin:customers_customer_changelist") + "?q=%00")
    assert response.status_code == 400
    assert "This request cannot be understood" in response.content.decode()


def test_a_failure_is_500_in_words_and_without_details(account, monkeypatch):
    browser = browser_of(account)
    monkeypatch.setattr("customers.admin.navigation.WORK", [("Broken",)])
    response = browser.get("/admin/", HTTP_X_REQUEST_ID="trace-8")
    text = response.content.decode()
    assert response.status_code == 500
    assert "Something went wrong on our side" in text
    assert "trace-8" in text
    assert "Broken" not in text


def test_while_a_server_is_away_the_page_says_when_to_come_back():
    response = error_page(RequestFactory().get("/admin/"), Unavailable())
    assert response.status_code == 503
    assert response["Retry-After"]
    assert "not available for a moment" in response.content.decode()


def test_a_form_of_an_earlier_session_is_told_to_be_out_of_date(account):
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(factories.make_employee(account, role="Owner", is_staff=True))
    response = browser.post("/admin/logout/", {"csrfmiddlewaretoken": "x" * 32})
    assert response.status_code == 403
    assert "This page has expired" in response.content.decode()

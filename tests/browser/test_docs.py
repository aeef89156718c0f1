"""The page of the API documentation."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.browser.axe import assert_accessible
from tests.browser.conftest import DESKTOP, PHONE
from tests.commands import run
from tests.documented import operations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def docs(open_page):
    """Opens the page, at a place of it."""

    def open_at(place="", *, user=None, **options):
        page = open_page(user, **options)
        # Swagger UI takes some seconds of a processor.
        page.set_default_timeout(60_000)
        page.goto(f"/docs{place}")
        page.wait_for_selector("#docs[data-ready]")
        return page

    return open_at


def test_the_page_shows_it_all_and_fetches_nothing_from_elsewhere(open_page, live_server):
    fetched = []
    page = open_page()
    page.on("request", lambda request: fetched.append(urlsplit(request.url)))
    page.goto("/docs")
    page.wait_for_selector("#docs[data-ready]")
    text = page.inner_text("#docs")
    outside = {url.netloc for url in fetched if url.scheme != "data"}
    assert outside == {urlsplit(live_server.url).netloc}
    for _, _, operation in operations():
        assert operation["summary"] in text
    assert "Your first customer" in text


def test_a_call_is_found_linked_to_and_shown_in_three_languages(docs):
    page = docs()
    page.keyboard.press("/")
    page.keyboard.type("createcustomer /v1")
    assert page.locator("#contents li:visible").count() == 1
    page.keyboard.press("Enter")
    call = page.locator("#operations-Customers-createCustomer")
    expect(call).to_be_in_viewport()
    assert page.evaluate("scrollY") > 500
    assert 0 <= call.bounding_box()["y"] < 150
    call.get_by_role("button", name="TypeScript").click()
    assert "await fetch" in call.locator(".samples pre").inner_text()
    chapter = docs("#one-customer-three-dialects")
    assert chapter.evaluate("scrollY") > 500
    assert (
        chapter.locator("#contents a[aria-current]").inner_text() == "One customer, three dialects"
    )
    again = docs("#/Customers/createCustomer")
    shown = again.locator("#operations-Customers-createCustomer .samples pre")
    shown.wait_for()
    assert again.locator(".samples").count() == 1


def test_a_request_is_sent_with_the_readers_own_token(docs, account):
    key = factories.make_api_key(account)
    page = docs("#/Customers/listCustomers")
    page.get_by_role("button", name="Authorize").first.click()
    bearer = page.locator(".auth-container", has_text="bearer").first
    bearer.locator("input").fill(factories.make_token(key.client))
    bearer.get_by_role("button", name="Apply credentials").click()
    bearer.get_by_role("button", name="Close", exact=True).click()
    assert '"totalElements": 0' in answer_to_list(page)


def answer_to_list(page):
    """What the call that is open answers when it is sent from the page."""
    call = page.locator("#operations-Customers-listCustomers")
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    answer = call.locator(".live-responses-table .response-col_description pre").first
    answer.wait_for()
    return answer.inner_text()


def test_a_person_signs_in_from_the_page(docs, operator, account, live_server):
    made = run(
        "create_oauth_client",
        "API page",
        "--business-account",
        account.name,
        "--grant=authorization-code",
        "--public",
        f"--redirect-uri={live_server.url}/docs/oauth2-redirect",
    )
    page = docs("#/Customers/listCustomers", user=operator)
    page.get_by_role("button", name="Authorize").first.click()
    form = page.locator(".auth-container", has_text="authorizationCode with PKCE")
    form.get_by_label("client_id").fill(made["clientId"])
    form.locator("label[for^=customers\\.read]").click()
    with page.expect_popup() as opened:
        form.get_by_role("button", name="Apply given OAuth2 credentials").click()
    consent = opened.value
    with consent.expect_event("close"):
        consent.get_by_role("button", name="Allow").click()
    form.get_by_role("button", name="Remove authorization").wait_for()
    form.get_by_role("button", name="Close", exact=True).click()
    assert '"totalElements": 0' in answer_to_list(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_systems_theme_until_another_is_chosen(docs, scheme):
    page = docs(color_scheme=scheme)

    def is_dark():
        return page.evaluate("document.documentElement.classList.contains('dark-mode')")

    assert is_dark() == (scheme == "dark")
    page.locator("#theme").click()
    page.reload()
    assert is_dark() == (scheme == "light")


def test_nothing_stands_out_of_a_phones_screen(docs):
    page = docs("#/Customers/createCustomer", viewport=PHONE)
    page.locator(".samples pre").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_role("button", name="Contents").click()
    page.locator("#contents a", has_text="Your first load").click()
    assert not page.locator("#contents").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(docs, scheme):
    page = docs("#/Customers/createCustomer", color_scheme=scheme)
    page.locator(".samples pre").wait_for()
    for viewport in (DESKTOP, PHONE):
        page.set_viewport_size(viewport)
        assert_accessible(page)
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container").first.wait_for()
    # All around it was looked at before, and takes as long as the page is.
    assert_accessible(page, within=".dialog-ux")

"""The first page of the back office, and the way from it to all others."""

import pytest
from playwright.sync_api import Page, expect

from tests import factories, jobs
from tests.browser.axe import assert_accessible
from tests.browser.conftest import PHONE

pytestmark = pytest.mark.browser


def test_figures_lead_to_what_they_count(page: Page, owner):
    factories.make_customer(owner.account)
    jobs.submit(owner)
    page.goto("/admin/")
    expect(page.get_by_role("link", name="1, Individual, Active")).to_be_visible()
    expect(page.get_by_role("img", name="1 new customers in 30 days")).to_be_visible()
    assert_accessible(page)
    page.get_by_text("Each day as a table").click()
    expect(page.get_by_role("columnheader", name="New customers")).to_be_visible()
    searches = page.get_by_role("region", name="Searches")
    searches.get_by_role("link", name="1", exact=True).click()
    expect(page.get_by_role("progressbar")).to_have_count(1)
    page.emulate_media(color_scheme="dark")
    page.goto("/admin/")
    assert_accessible(page)


def test_on_a_phone_the_navigation_opens_by_keyboard(open_page, operator):
    phone = open_page(operator, viewport=PHONE, timezone_id="Europe/Berlin")
    phone.goto("/admin/")
    expect(phone.get_by_role("link", name="Customers", exact=True)).to_be_hidden()
    phone.get_by_role("button", name="Open navigation").press("Enter")
    assert_accessible(phone)
    phone.keyboard.press("Tab")
    phone.get_by_role("link", name="Customers", exact=True).press("Enter")
    expect(phone.get_by_role("heading", name="Customers")).to_be_visible()
    phone.get_by_role("button", name="Open navigation").press("Enter")
    expect(phone.get_by_text("Times in Europe/Berlin")).to_be_visible()
    phone.keyboard.press("Escape")
    expect(phone.get_by_text("Times in Europe/Berlin")).to_be_hidden()
    phone.goto("/admin/nothing/here/")
    expect(phone.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert_accessible(phone)
    for path in ("/admin/", "/admin/nothing/here/"):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), path

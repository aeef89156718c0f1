"""The first page of the back office."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import assert_accessible

pytestmark = pytest.mark.browser


def test_who_is_signed_in_sees_the_customers_and_everybody_can_use_the_page(page: Page):
    page.goto("/admin/")
    expect(page.get_by_role("link", name="Customers", exact=True).first).to_be_visible()
    assert_accessible(page)

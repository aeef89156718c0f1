"""An Owner makes a key, a program uses it, and it is rotated and revoked."""

import base64
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.browser.axe import assert_accessible, assert_accessible_in_both_themes
from tests.browser.conftest import DESKTOP, PHONE

pytestmark = pytest.mark.browser


def exchange(server: str, key: str, secret: str) -> int:
    """The status with which a program is answered that shows key and secret."""
    basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
    request = urllib.request.Request(
        f"{server}/v1/api-keys/exchange", method="POST", headers={"Authorization": f"Basic {basic}"}
    )
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.code


def copied(page: Page) -> str:
    """What the button "Copy" puts into the clipboard."""
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    return page.evaluate("navigator.clipboard.readText()")


def confirm(page: Page, verb: str, name: str) -> None:
    page.get_by_role("button", name=verb).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(name)
    assert_accessible(page)
    dialog.get_by_role("button", name=verb).click()


def test_a_key_is_made_copied_used_rotated_and_revoked(page: Page, live_server):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/admin/customers/serviceaccount/")
    page.get_by_role("button", name="New API key").click()
    page.get_by_label("Name", exact=True).fill("Webshop")
    scopes = page.get_by_role("group", name="Scopes")
    scopes.get_by_label("Load customers in bulk").uncheck()
    page.get_by_role("button", name="Create").click()
    key = page.get_by_label("Key", exact=True).input_value()
    first = copied(page)
    assert_accessible(page)
    assert exchange(live_server.url, key, first) == 200
    # Loading the page again makes no second key, and shows no secret.
    page.reload()
    expect(page.get_by_text("Load customers in bulk")).to_have_count(0)
    expect(page.get_by_text("Read customers")).to_be_visible()
    assert first not in page.content()

    confirm(page, "Rotate", "Webshop")
    second = copied(page)
    assert [exchange(live_server.url, key, each) for each in (first, second)] == [200, 200]
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("the old one until")).to_be_visible()

    confirm(page, "Revoke", "Webshop")
    expect(page.get_by_text("The key of Webshop was revoked.")).to_be_visible()
    assert [exchange(live_server.url, key, each) for each in (first, second)] == [401, 401]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["wide", "phone"])
def test_everybody_can_use_the_pages_of_keys_and_clients(open_page, operator, viewport):
    key = factories.make_api_key(operator.business_account)
    app = factories.make_app(business_account=operator.business_account)
    page = open_page(operator, color_scheme="dark", viewport=viewport)
    for path in (
        "serviceaccount/",
        "serviceaccount/add/",
        f"serviceaccount/{key.client.service_account_id}/change/",
        "oauthclient/",
        "oauthclient/add/",
        f"oauthclient/{app.pk}/change/",
    ):
        page.goto(f"/admin/customers/{path}")
        assert_accessible_in_both_themes(page)
        overflow = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(overflow), path

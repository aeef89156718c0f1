"""An Owner invites somebody, who chooses a password and signs in with an authenticator app."""

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from customers.models import Authenticator, SignInAttempt, User
from tests import factories
from tests.browser.axe import assert_accessible, assert_accessible_in_both_themes
from tests.browser.conftest import DESKTOP, PHONE
from tests.second_factors import code_of, equip

pytestmark = pytest.mark.browser
PASSWORD = "a quite different sentence 42"
CUT_OFF = """[...document.querySelectorAll('.data-row > *')]
    .filter((cell) => cell.scrollHeight > cell.clientHeight + 1).map((cell) => cell.innerText)"""
OVERFLOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def sign_in(page: Page) -> None:
    page.get_by_label("Email", exact=True).fill("eva@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_person_is_invited_chooses_a_password_and_signs_in_with_a_code(
    page: Page, open_page, operator, live_server
):
    account = operator.business_account
    account.two_factor_roles = ["Clerk"]
    account.save()
    page.goto("/admin/customers/user/")
    page.get_by_role("button", name="Add person").click()
    page.get_by_label("Email", exact=True).fill("eva@example.com")
    page.get_by_label("Name", exact=True).fill("Eva Example")
    page.get_by_label("Role", exact=True).select_option("Clerk")
    assert_accessible(page)
    page.get_by_role("button", name="Invite").click()
    link = page.get_by_label("Link", exact=True).input_value()
    assert_accessible(page)

    hers = open_page()
    hers.goto(link.replace(settings.PUBLIC_URL, ""))
    assert_accessible(hers)
    hers.get_by_label("Password", exact=True).fill(PASSWORD)
    hers.get_by_label("Password again").fill(PASSWORD)
    hers.get_by_role("button", name="Save password").click()
    hers.get_by_role("link", name="Sign in to the back office").click()
    assert_accessible(hers)
    sign_in(hers)
    expect(hers.get_by_text("requires a second factor")).to_be_visible()
    assert_accessible(hers)
    person = User.objects.get(email="eva@example.com")
    hers.get_by_label("Code", exact=True).fill(code_of(person))
    hers.get_by_role("button", name="Turn on").click()
    expect(hers.get_by_role("heading", name="Recovery codes", level=2)).to_be_visible()
    recovery = hers.locator("#codes li").first.inner_text()
    assert_accessible(hers)
    hers.get_by_role("link", name="Go on").click()
    expect(hers).to_have_url(f"{live_server.url}/admin/")

    # On another machine, with the app and then without it.
    Authenticator.objects.update(last_t=-1)
    for code in (code_of(person), recovery):
        other = open_page()
        other.goto("/admin/")
        sign_in(other)
        other.get_by_label("Code", exact=True).fill(code)
        assert_accessible(other)
        other.get_by_role("button", name="Sign in").click()
        expect(other).to_have_url(f"{live_server.url}/admin/")

    page.goto(f"/admin/customers/user/{person.pk}/change/")
    page.get_by_role("button", name="Deactivate").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("eva@example.com")
    assert_accessible(page)
    dialog.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Eva Example was deactivated.")).to_be_visible()
    hers.reload()
    expect(hers.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["wide", "phone"])
def test_everybody_can_use_the_pages_of_people_and_the_own_account(open_page, operator, viewport):
    person = factories.make_employee(operator.business_account, name="Grace Hopper")
    equip(person)
    factories.make_department(operator.business_account, "Returns")
    page = open_page(operator, color_scheme="dark", viewport=viewport)
    SignInAttempt.objects.create(
        person=person,
        business_account=person.business_account,
        door="APP",
        outcome="LOCKED_OUT",
        address="192.0.2.1",
        browser="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36",
    )
    factories.make_business_account("Child Branch", parent=operator.business_account)
    for path in (
        "user/",
        "user/add/",
        f"user/{person.pk}/change/",
        f"user/{person.pk}/edit/",
        "user/account/",
        "user/account/two-factor/",
        "signinattempt/",
        "businessaccount/",
        "attributedefinition/",
        "attributeconversion/",
        f"businessaccount/{operator.business_account_id}/history/",
        f"businessaccount/{operator.business_account_id}/change/",
    ):
        page.goto(f"/admin/customers/{path}")
        assert_accessible_in_both_themes(page)
        assert not page.evaluate(OVERFLOW), path
        assert page.evaluate(CUT_OFF) == [], path
    nobody = open_page(viewport=viewport)
    for path in ("/admin/login/", "/oauth2/login", "/account/forgot-password"):
        for color_scheme in ("light", "dark"):
            nobody.emulate_media(color_scheme=color_scheme)
            nobody.goto(path)
            assert_accessible(nobody)
            assert not nobody.evaluate(OVERFLOW), path

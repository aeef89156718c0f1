"""Pages that somebody else leads a browser to: forms, ways on, and sessions that were prepared."""

from urllib.parse import quote

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client as Browser

from tests import factories
from tests.factories import PASSWORD
from tests.forms import forms
from tests.oauth_steps import signed_in
from tests.second_factors import code_of, equip

pytestmark = pytest.mark.django_db
DOORS = ("/admin/login/", "/oauth2/login")
# What programs send forms to, who have no cookies.
OF_PROGRAMS = {"/oauth2/token/", "/oauth2/revoke_token/", "/oauth2/introspect/"}
ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "https:evil.example/",
    "\thttps://evil.example/",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "javascript:alert('evil')",
)


@pytest.fixture
def person(account):
    return factories.make_employee(account, role="Owner", is_staff=True)


def sign_in(browser, door, person, query="", **more):
    """Go through a door, in one step or two; the last answer."""
    form = {"username": person.email, "password": PASSWORD}
    answer = browser.post(door + query, form | more)
    if answer.status_code == 200:
        answer = browser.post(door + query, {"code": code_of(person)} | more)
    return answer


@pytest.mark.parametrize("is_equipped", [False, True])
@pytest.mark.parametrize("door", DOORS)
def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(door, person, is_equipped):
    if is_equipped:
        equip(person)
    planted = SessionStore()
    planted["of"] = "somebody else"
    planted.create()
    browser, other = Browser(), Browser()
    for each in (browser, other):
        each.cookies["sessionid"] = planted.session_key
    assert sign_in(browser, door, person).status_code == 302
    assert browser.get("/admin/").status_code == 200
    assert browser.cookies["sessionid"].value != planted.session_key
    assert other.get("/admin/").status_code == 302


def test_a_form_without_its_token_changes_nothing_on_any_page(account):
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(factories.make_employee(account, is_staff=True, is_superuser=True))
    for cookie in ("", "c" * 32):
        browser.cookies["csrftoken"] = cookie
        statuses = {path: browser.post(path, {"a": "b"}).status_code for path in forms()}
        assert {path for path, status in statuses.items() if status != 403} == OF_PROGRAMS


@pytest.mark.parametrize("is_equipped", [False, True])
@pytest.mark.parametrize("door", DOORS)
def test_a_sign_in_leads_to_no_other_site(door, person, is_equipped, each_alone):
    if is_equipped:
        equip(person)

    def try_one(way_on):
        query = f"?next={quote(way_on)}"
        for answer in (
            sign_in(Browser(), door, person, query),
            sign_in(Browser(), door, person, next=way_on),
            signed_in(person).get(door + query),
            signed_in(person).post("/admin/logout/" + query, {"next": way_on}),
        ):
            assert "evil" not in answer.get("Location", "")

    each_alone(try_one, {way_on: [way_on] for way_on in ELSEWHERE})

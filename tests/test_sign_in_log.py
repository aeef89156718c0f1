"""Owners and Admins see who signed in or tried to, and who was locked out."""

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from config.api import attempts
from customers.models import SignInAttempt
from customers.roles import ROLES
from customers.services.sign_in_log import delete_old_sign_ins
from tests import factories
from tests.factories import PASSWORD, Client
from tests.oauth_steps import signed_in
from tests.second_factors import code_of, equip

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/signinattempt/"


@pytest.fixture
def person(account):
    return factories.make_employee(account, is_staff=True, name="Grace Hopper")


def sign_in(door, email, password=PASSWORD, browser=None, **extra):
    form = {"username": email, "password": password}
    return (browser or Browser()).post(door, form, **extra)


def told() -> list[tuple[str, str]]:
    """Door and outcome of each row, the oldest first."""
    return list(SignInAttempt.objects.order_by("at", "id").values_list("door", "outcome"))


def test_each_try_of_a_person_is_on_record_with_where_from(person):
    browser = Browser(headers={"user-agent": "Netscape\t4"})
    sign_in("/admin/login/", person.email, "wrong", browser, REMOTE_ADDR="192.0.2.9")
    sign_in("/oauth2/login", person.email.upper(), browser=browser, REMOTE_ADDR="2001:db8::1")
    assert told() == [("BACK_OFFICE", "WRONG_PASSWORD"), ("APP", "SIGNED_IN")]
    first, second = SignInAttempt.objects.order_by("at", "id")
    assert (first.person, first.address, first.browser) == (person, "192.0.2.9", "Netscape4")
    assert (second.person, second.address) == (person, "2001:db8::1")
    assert first.business_account == person.business_account


def test_both_steps_are_on_record(person):
    equip(person)
    browser = Browser()
    sign_in("/admin/login/", person.email, browser=browser)
    assert told() == []
    browser.post("/admin/login/", {"code": "x"})
    browser.post("/admin/login/", {"code": code_of(person)})
    assert [outcome for _, outcome in told()] == ["WRONG_CODE", "SIGNED_IN"]


def test_a_lock_out_is_on_record_once_and_refused_tries_are_not(person):
    for _ in range(attempts.FREE + 4):
        sign_in("/admin/login/", person.email, "wrong")
    outcomes = [outcome for _, outcome in told()]
    assert outcomes == ["WRONG_PASSWORD"] * attempts.FREE + ["LOCKED_OUT"]


def test_what_strangers_type_is_not_kept(person):
    for _ in range(attempts.FREE):
        sign_in("/admin/login/", "my password in the wrong field", "wrong")
    row = SignInAttempt.objects.get()
    assert (row.outcome, row.person, row.business_account) == ("LOCKED_OUT", None, None)


def test_wrong_secrets_of_a_key_are_on_record_now_and_then(owner, outsider):
    key = owner.key
    for _ in range(attempts.FREE + 5):
        for name in (key.id, "nobody", "ü\x07"):
            form = {"grant_type": "client_credentials", "client_id": name, "client_secret": "x"}
            Browser().post("/oauth2/token", form)
        Client().post("/v2/session/startSession", {"clientId": key.id, "secret": "x"})
    assert told() == [("KEY", "WRONG_SECRET"), ("KEY", "LOCKED_OUT")]
    assert {row.business_account for row in SignInAttempt.objects.all()} == {owner.account}


@pytest.mark.parametrize("role", ROLES)
def test_owners_and_admins_see_the_sign_ins_of_their_tree(account, person, outsider, role):
    foreign = factories.make_employee(outsider.account, email="foreign@example.com")
    for each in (person, foreign):
        sign_in("/oauth2/login", each.email)
    browser = signed_in(factories.make_employee(account, role=role, is_staff=True))
    page = browser.get(LIST)
    if role not in {"Owner", "Admin"}:
        assert page.status_code == 403
        return
    assert "Grace Hopper" in page.content.decode()
    assert "foreign@example.com" not in page.content.decode()
    assert "Grace" not in browser.get(f"{LIST}?outcome__exact=LOCKED_OUT").content.decode()
    shown = browser.get(f"/admin/customers/user/{person.pk}/change/").content.decode()
    assert "Signed in" in shown


def test_old_sign_ins_are_deleted(person, settings):
    for _ in range(2):
        sign_in("/oauth2/login", person.email)
    settings.SIGN_IN_RETENTION_DAYS = 30
    old = SignInAttempt.objects.first()
    SignInAttempt.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=31))
    assert delete_old_sign_ins() == 1
    assert SignInAttempt.objects.count() == 1


def test_the_list_takes_as_many_queries_for_many_rows_as_for_one(
    person, account, django_assert_num_queries
):
    browser = signed_in(factories.make_employee(account, role="Owner", is_staff=True))
    sign_in("/oauth2/login", person.email)
    for _ in range(2):
        browser.get(LIST)
        with django_assert_num_queries(6):
            browser.get(LIST)
        for _ in range(4):
            sign_in("/oauth2/login", factories.make_employee(account).email)

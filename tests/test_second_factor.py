"""Two-factor sign-in at every door: set up, asked for, not to be got round, taken away."""

import json
import re
from datetime import timedelta
from time import time

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from config.api import attempts
from customers.models import Authenticator, RecoveryCode, User, second_factor
from customers.services.second_factor import verify_code
from tests import factories
from tests.factories import PASSWORD
from tests.oauth_steps import authorize_url, signed_in, submit
from tests.second_factors import code_of, equip

pytestmark = pytest.mark.django_db
DOORS = ("/admin/login/", "/oauth2/login")
ACCOUNT = "/admin/customers/user/account/"
SETUP = f"{ACCOUNT}two-factor/"


@pytest.fixture
def person(account) -> User:
    return factories.make_employee(account, role="Owner", is_staff=True)


@pytest.fixture
def clock(monkeypatch):
    """Moves the time by which codes are judged, and gives it."""
    ahead = [0]
    monkeypatch.setattr(second_factor, "time", lambda: time() + ahead[0])

    def move(seconds=0):
        ahead[0] += seconds
        return time() + ahead[0]

    return move


def show_password(door, person, browser=None, **extra):
    browser = browser or Browser()
    form = {"username": person.email, "password": PASSWORD}
    return browser, browser.post(door, form, **extra)


def show_code(door, browser, code, **extra):
    return browser.post(door, {"code": code}, **extra)


def is_signed_in(browser) -> bool:
    return "_auth_user_id" in browser.session


# --- Signing in -----------------------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS)
def test_the_password_alone_signs_nobody_in_who_has_a_second_factor(door, person):
    equip(person)
    browser, page = show_password(door, person)
    assert page.status_code == 200
    assert re.search(r"<label[^>]*>Code</label>", page.content.decode())
    assert not is_signed_in(browser)
    assert browser.get("/admin/").status_code == 302
    assert show_code(door, browser, code_of(person)).status_code == 302
    assert browser.get("/admin/").status_code == 200


@pytest.mark.parametrize("door", DOORS)
def test_a_code_is_good_once(door, person, clock):
    equip(person)
    code = code_of(person)
    for is_good in (True, False):
        browser, _ = show_password(door, person)
        assert (show_code(door, browser, code).status_code == 302) is is_good
    # Of the pause after a wrong code another test speaks.
    Authenticator.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    browser, _ = show_password(door, person)
    assert show_code(door, browser, code_of(person, clock(60))).status_code == 302


def test_codes_of_another_time_or_person_are_wrong(person, account, clock):
    other = factories.make_employee(account)
    equip(other)
    equip(person)
    for wrong in (code_of(person, clock() + 300), code_of(other), "000000", "", "٠١٢٣٤٥", "x" * 40):
        assert not verify_code(person, wrong)
        Authenticator.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    assert verify_code(person, f" {code_of(person)[:3]} {code_of(person)[3:]} ")


def test_after_a_wrong_code_even_a_good_one_has_to_wait(person):
    equip(person)
    assert not verify_code(person, "000000")
    device = Authenticator.objects.get()
    assert device.throttling_failure_count == 1
    Authenticator.objects.update(throttling_failure_timestamp=timezone.now() + timedelta(minutes=1))
    assert not verify_code(person, code_of(person))
    Authenticator.objects.update(throttling_failure_timestamp=timezone.now() - timedelta(minutes=1))
    assert verify_code(person, code_of(person))


@pytest.mark.parametrize("door", DOORS)
def test_a_recovery_code_is_good_once_and_for_its_person_only(door, person, account):
    codes = equip(person)
    other = factories.make_employee(account, is_staff=True)
    equip(other)
    browser, _ = show_password(door, other)
    assert show_code(door, browser, codes[0]).status_code == 200
    for is_good in (True, False):
        browser, _ = show_password(door, person)
        typed = codes[0].upper().replace("-", " ")
        assert (show_code(door, browser, typed).status_code == 302) is is_good
    assert person.recovery_codes.count() == len(codes) - 1


@pytest.mark.parametrize("door", DOORS)
def test_wrong_codes_count_as_failed_sign_ins_and_the_password_forgets_none(door, person):
    equip(person)
    statuses = []
    for number in range(attempts.FREE):
        address = {"REMOTE_ADDR": f"192.0.2.{number}"}
        browser, page = show_password(door, person, **address)
        assert page.status_code == 200
        statuses.append(show_code(door, browser, "123456", **address).status_code)
    assert statuses == [200] * (attempts.FREE - 1) + [429]
    assert show_password(door, person)[1].status_code == 429


def test_after_a_pause_the_sign_in_begins_anew(person):
    equip(person)
    browser, _ = show_password(DOORS[0], person)
    for _ in range(attempts.FREE):
        page = show_code(DOORS[0], browser, "123456")
    assert "Password" in page.content.decode()
    assert "too long" in show_code(DOORS[0], browser, code_of(person)).content.decode()
    assert not is_signed_in(browser)


def test_the_second_step_is_for_a_short_while(person, monkeypatch):
    equip(person)
    browser, _ = show_password(DOORS[0], person)
    monkeypatch.setattr("customers.views.sign_in.time", lambda: time() + 301)
    assert "too long" in show_code(DOORS[0], browser, code_of(person)).content.decode()
    assert not is_signed_in(browser)


def test_a_code_without_a_password_before_is_nothing(person):
    equip(person)
    for door in DOORS:
        browser = Browser()
        assert "too long" in show_code(door, browser, code_of(person)).content.decode()
        assert not is_signed_in(browser)


def test_who_loses_access_between_the_steps_is_not_signed_in(person):
    equip(person)
    for change in ({"is_active": False}, {"is_active": True, "access_version": 9}):
        browser, _ = show_password(DOORS[0], person)
        User.objects.filter(pk=person.pk).update(**change)
        show_code(DOORS[0], browser, code_of(person))
        assert not is_signed_in(browser)
        User.objects.filter(pk=person.pk).update(is_active=True)


def test_the_way_on_is_kept_over_both_steps(person, app):
    equip(person)
    url = authorize_url(app)
    browser = Browser()
    login = browser.get(url)["Location"]
    form = {"username": person.email, "password": PASSWORD, "next": url}
    browser.post(login, form)
    done = browser.post(login, {"code": code_of(person), "next": url})
    assert done["Location"] == url
    assert submit(browser, url).status_code == 302
    Authenticator.objects.update(last_t=-1)
    door = "/admin/login/?next=/admin/customers/customer/"
    browser, _ = show_password(door, person)
    done = show_code(door, browser, code_of(person))
    assert done["Location"] == "/admin/customers/customer/"


# --- Setting up -----------------------------------------------------------------------------------


def test_it_is_set_up_by_a_first_code_and_ends_other_sessions(person):
    browser, other = signed_in(person), signed_in(person)
    page = browser.get(SETUP)
    assert "no-store" in page["Cache-Control"]
    assert "<svg" in page.content.decode()
    assert Authenticator.objects.get().words in page.content.decode()
    assert "wrong" in browser.post(SETUP, {"code": "000000"}).content.decode()
    assert other.get("/admin/").status_code == 200
    Authenticator.objects.update(throttling_failure_count=0)
    shown = browser.post(SETUP, {"code": code_of(person)}).content.decode()
    codes = re.findall(r"<li>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})", shown)
    assert len(codes) == 10
    assert browser.get("/admin/").status_code == 200
    assert other.get("/admin/").status_code == 302
    assert verify_code(person, codes[3])
    assert browser.get(SETUP).status_code == 302


def test_a_secret_that_was_not_confirmed_asks_nobody_for_a_code(person):
    signed_in(person).get(SETUP)
    assert show_password(DOORS[0], person)[1].status_code == 302
    assert not verify_code(person, code_of(person))


def test_removal_and_new_recovery_codes_take_the_password(person):
    old = equip(person)
    browser = signed_in(person)
    for path in ("two-factor/remove/", "recovery-codes/"):
        for form in ({}, {"password": "wrong"}):
            assert browser.post(ACCOUNT + path, form).status_code == 302
    assert verify_code(person, old[0])
    page = browser.post(f"{ACCOUNT}recovery-codes/", {"password": PASSWORD}).content.decode()
    new = re.findall(r"<li>([a-z2-7-]{19})", page)
    assert not verify_code(person, old[1])
    assert verify_code(person, new[0])
    browser.post(f"{ACCOUNT}two-factor/remove/", {"password": PASSWORD})
    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert show_password(DOORS[0], person)[1].status_code == 302


def test_who_guesses_the_password_on_the_own_page_is_paused(person):
    equip(person)
    browser = signed_in(person)
    for _ in range(attempts.FREE):
        browser.post(f"{ACCOUNT}two-factor/remove/", {"password": "wrong"})
    browser.post(f"{ACCOUNT}two-factor/remove/", {"password": PASSWORD})
    assert Authenticator.objects.exists()


def test_secrets_are_sealed_and_recovery_codes_are_hashes(person, settings):
    codes = equip(person)
    device = Authenticator.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT encode(key_sealed, 'hex') FROM customers_authenticator")
        (stored,) = cursor.fetchone()
        cursor.execute("SELECT row_to_json(c)::text FROM customers_recoverycode c")
        rows = json.dumps(cursor.fetchall())
    assert device.key.hex() not in stored
    assert not any(code.replace("-", "") in rows for code in codes)
    settings.ENCRYPTION_KEYS = {"new": bytes(32)} | settings.ENCRYPTION_KEYS
    call_command("rotate_encryption_keys")
    assert Authenticator.objects.get().key == device.key


def test_only_who_is_signed_in_has_an_own_page(customer):
    customer_browser = signed_in(factories.make_customer_speaker(customer).user)
    for path in ("", "two-factor/", "two-factor/remove/", "recovery-codes/"):
        for browser in (Browser(), customer_browser):
            assert browser.get(ACCOUNT + path).status_code == 302
            assert "login" in browser.post(ACCOUNT + path)["Location"]


@pytest.mark.parametrize("role", ["View Only", "Clerk"])
def test_every_employee_has_an_own_page(account, role):
    browser = signed_in(factories.make_employee(account, role=role, is_staff=True))
    assert browser.get(ACCOUNT).status_code == 200
    assert browser.get(SETUP).status_code == 200


# --- Required, and reset --------------------------------------------------------------------------


@pytest.fixture
def strict(account):
    account.two_factor_roles = ["Owner", "Clerk"]
    account.save()


@pytest.mark.parametrize("door", DOORS)
def test_who_must_and_has_none_is_led_to_the_set_up_and_no_further(strict, door, person, app):
    browser, page = show_password(door, person)
    assert page["Location"].startswith(SETUP)
    for url in ("/admin/", "/admin/customers/customer/", authorize_url(app)):
        assert browser.get(url)["Location"].startswith(SETUP), url
    assert browser.post("/admin/customers/serviceaccount/add/", {})["Location"].startswith(SETUP)
    page = browser.get(f"{SETUP}?next=/admin/customers/customer/")
    assert "requires a second factor" in page.content.decode()
    form = {"code": code_of(person), "next": "/admin/customers/customer/"}
    assert 'href="/admin/customers/customer/"' in browser.post(SETUP, form).content.decode()
    assert browser.get("/admin/customers/customer/").status_code == 200


def test_the_set_up_leads_nowhere_else(person):
    page = signed_in(person).get(f"{SETUP}?next=https://elsewhere.example/")
    assert "elsewhere" not in page.content.decode()


def test_it_is_required_of_sessions_that_are_open_too_and_only_of_these_roles(account, person):
    browser = signed_in(person)
    manager = signed_in(factories.make_employee(account, role="Manager", is_staff=True))
    assert browser.get("/admin/").status_code == 200
    account.two_factor_roles = ["Owner"]
    account.save()
    assert browser.get("/admin/").status_code == 302
    assert manager.get("/admin/").status_code == 200


def test_who_must_have_it_does_not_remove_it(strict, person):
    equip(person)
    signed_in(person).post(f"{ACCOUNT}two-factor/remove/", {"password": PASSWORD})
    assert Authenticator.objects.exists()


def test_an_installation_may_require_it_of_superusers_who_belong_to_no_account(account, settings):
    above = User.objects.create_superuser("root@example.com", PASSWORD)
    browser = signed_in(above)
    assert browser.get("/admin/").status_code == 200
    settings.SUPERUSERS_NEED_TWO_FACTORS = True
    assert browser.get("/admin/")["Location"].startswith(SETUP)
    others = signed_in(factories.make_employee(account, role="Owner", is_staff=True))
    assert others.get("/admin/").status_code == 200
    equip(above)
    browser = signed_in(above)
    assert browser.get("/admin/").status_code == 200
    browser.post(f"{ACCOUNT}two-factor/remove/", {"password": PASSWORD})
    assert Authenticator.objects.filter(user=above).exists()


def test_an_owner_requires_it_on_the_page_of_the_business_account(account, person):
    browser = signed_in(person)
    url = f"/admin/customers/businessaccount/{account.pk}/change/"
    form = {"name": account.name, "default_region": "US", "two_factor_roles": ["Admin", "Clerk"]}
    for prefix in ("departments", "attribute_definitions"):
        form |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    assert browser.post(url, form).status_code == 302
    account.refresh_from_db()
    assert account.two_factor_roles == ["Admin", "Clerk"]


def reset(browser, person):
    return browser.post(reverse("admin:customers_user_reset_two_factor", args=[person.pk]))


def test_an_owner_resets_the_second_factor_of_who_lost_it_on_record(account, person):
    clerk = factories.make_employee(account, is_staff=True)
    equip(clerk)
    theirs = signed_in(clerk)
    browser = signed_in(person)
    assert reset(browser, clerk).status_code == 302
    assert not Authenticator.objects.exists()
    assert theirs.get("/admin/").status_code == 302
    history = browser.get(f"/admin/customers/user/{clerk.pk}/history/").content.decode()
    assert "Two-factor sign-in was reset" in history


def test_an_admin_resets_nobody_s_and_an_owner_no_superuser_s(account, person):
    clerk = factories.make_employee(account)
    above = factories.make_employee(account, is_superuser=True)
    admin = signed_in(factories.make_employee(account, role="Admin", is_staff=True))
    for browser, each in ((admin, clerk), (admin, person), (signed_in(person), above)):
        equip(each)
        reset(browser, each)
        assert Authenticator.objects.filter(user=each).exists()

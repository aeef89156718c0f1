"""Employees in the back office: invited, given roles and departments, sent away and called back."""

import re
import smtplib

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client as Browser
from django.urls import reverse

from config.api.errors import NotFound
from customers import tasks
from customers.authentication import actor_of
from customers.models import User
from customers.roles import ROLES
from customers.services import employees, passwords, second_factor
from tests import factories
from tests.factories import PASSWORD
from tests.oauth_steps import signed_in, token_pair

pytestmark = pytest.mark.django_db
LIST, ADD = "/admin/customers/user/", "/admin/customers/user/add/"
NEW = "a quite different sentence 42"


@pytest.fixture
def boss(account) -> User:
    return factories.make_employee(account, role="Owner", is_staff=True)


@pytest.fixture
def browser(boss) -> Browser:
    return signed_in(boss)


def invite(browser, account, **fields):
    form = {"email": "eva@example.com", "role": "Clerk", "business_account": account.pk}
    return browser.post(ADD, form | fields)


def act(browser, verb, person, **form):
    return browser.post(reverse(f"admin:customers_user_{verb}", args=[person.pk]), form)


def edit(browser, person, **fields):
    form = {"name": person.name, "role": person.groups.get().name} | fields
    return act(browser, "edit", person, **form)


def link_on(response) -> str:
    return re.search(r"http://[^\s\"]+(/account/password/[^\s\"]+)", response).group(1)


def choose(link, password=NEW):
    """Follow a link in a browser of its own, and choose a password."""
    browser = Browser()
    page = browser.get(link, follow=True)
    if not page.redirect_chain:
        return page
    form = {"new_password1": password, "new_password2": password}
    return browser.post(page.redirect_chain[-1][0], form, follow=True)


def can_sign_in(person, password=PASSWORD) -> bool:
    return Browser().login(username=person.email, password=password)


# --- Invitations ----------------------------------------------------------------------------------


def test_without_mail_the_link_of_an_invitation_is_shown_to_be_handed_over(browser, account):
    response = invite(browser, account, name="Eva")
    person = User.objects.get(email="eva@example.com")
    assert (person.is_staff, person.groups.get().name) == (True, "Clerk")
    assert not person.has_usable_password()
    assert "no-store" in response["Cache-Control"]
    done = choose(link_on(response.content.decode()))
    assert "Your password is saved" in done.content.decode()
    assert can_sign_in(person, NEW)
    assert "Invited" in LogEntry.objects.get().get_change_message()


def test_with_mail_the_link_goes_to_the_person_and_is_shown_to_nobody(browser, account, settings):
    settings.EMAIL_URL = "smtp://mail.example"
    response = invite(browser, account)
    assert response.status_code == 302
    sent = mail.outbox[0]
    assert sent.to == ["eva@example.com"]
    assert "House Bank" in sent.body
    assert "Your password is saved" in choose(link_on(sent.body)).content.decode()


def test_an_invitation_that_no_mail_server_takes_is_handed_over(
    browser, account, settings, monkeypatch
):
    settings.EMAIL_URL = "smtp://mail.example"

    def refuse(*_args):
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    text = invite(browser, account).content.decode()
    assert "could not be sent" in text
    assert "Your password is saved" in choose(link_on(text)).content.decode()


def test_what_is_wrong_with_an_invitation_stands_beside_its_field(browser, account, outsider):
    foreign = factories.make_department(outsider.account)
    factories.make_department(account)
    factories.make_employee(account, email="eva@example.com")
    for wrong, word in (
        ({"email": "nobody"}, "valid email"),
        ({"email": "EVA@example.com"}, "Somebody signs in as"),
        ({"role": "King"}, "valid choice"),
        ({"name": "4111 1111 1111 1111"}, "card number"),
        ({"business_account": outsider.account.pk}, "valid choice"),
        ({"department": foreign.pk}, "valid choice"),
    ):
        response = invite(browser, account, **{"email": "new@example.com"} | wrong)
        assert response.status_code == 200
        assert word in response.content.decode(), wrong
    assert not User.objects.filter(email="new@example.com").exists()


def test_a_person_of_a_child_account_gets_no_department_of_the_parent(
    browser, account, child_account
):
    above = factories.make_department(account, "Above")
    response = invite(browser, account=child_account, department=above.pk)
    assert "is no department of this business account" in response.content.decode()


# --- Changes --------------------------------------------------------------------------------------


def test_role_name_and_departments_are_changed_and_recorded(browser, account, clerk):
    home = factories.make_department(account, "Home")
    other = factories.make_department(account, "Other")
    fields = {"department": home.pk, "foreign_departments": [other.pk]}
    edit(browser, clerk, name="Grace", role="Manager", **fields)
    clerk.refresh_from_db()
    assert (clerk.name, clerk.groups.get().name, clerk.department) == ("Grace", "Manager", home)
    assert list(clerk.foreign_departments.all()) == [other]
    history = browser.get(f"{LIST}{clerk.pk}/history/").content.decode()
    assert "Clerk → Manager" in history
    assert "none → Home, Other" in history


def test_a_group_that_is_no_role_is_kept(browser, clerk):
    extra = clerk.groups.create(name="Auditors")
    act(browser, "edit", clerk, role="Manager", name="")
    assert {group.name for group in clerk.groups.all()} == {"Manager", extra.name}


@pytest.mark.parametrize("verb", ["edit", "deactivate", "reactivate", "link"])
def test_an_admin_does_not_touch_an_owner_nor_an_owner_a_superuser(account, boss, verb):
    admin = signed_in(factories.make_employee(account, role="Admin", is_staff=True))
    above = factories.make_employee(account, role="Clerk", is_superuser=True)
    for browser, person in ((admin, boss), (signed_in(boss), above), (admin, above)):
        before = User.objects.filter(pk=person.pk).values().get()
        response = act(browser, verb, person, role="View Only", name="x")
        assert response.status_code in {302, 403}
        assert "/account/password/" not in response.content.decode()
        assert User.objects.filter(pk=person.pk).values().get() == before


def test_an_admin_makes_nobody_an_owner_not_even_themselves(account, clerk):
    person = factories.make_employee(account, role="Admin", is_staff=True)
    admin = signed_in(person)
    assert "valid choice" in invite(admin, account, role="Owner").content.decode()
    for each in (clerk, person):
        assert "valid choice" in edit(admin, each, role="Owner").content.decode()
    assert not User.objects.filter(groups__name="Owner").exists()


def test_an_account_keeps_an_owner_who_can_sign_in(browser, boss, account):
    assert "only Owner" in edit(browser, boss, role="Admin").content.decode()
    other = factories.make_employee(account, role="Owner", is_staff=True)
    other.set_unusable_password()
    other.save()
    assert "only Owner" in edit(browser, boss, role="Admin").content.decode()
    superuser = signed_in(factories.make_employee(account, is_superuser=True, is_staff=True))
    act(superuser, "deactivate", boss)
    boss.refresh_from_db()
    assert boss.is_active
    third = factories.make_employee(account, role="Owner")
    act(superuser, "deactivate", boss)
    boss.refresh_from_db()
    assert not boss.is_active
    assert third.is_active


def test_nobody_deactivates_themselves(browser, boss, account):
    factories.make_employee(account, role="Owner")
    act(browser, "deactivate", boss)
    boss.refresh_from_db()
    assert boss.is_active


def test_who_is_deactivated_loses_sessions_tokens_and_links_at_once(browser, account, app):
    person = factories.make_employee(account, is_staff=True)
    theirs, pair = signed_in(person), token_pair(app, person)
    link = link_on(act(browser, "link", person).content.decode())
    assert theirs.get("/admin/").status_code == 200
    act(browser, "deactivate", person)
    for _ in range(2):
        assert theirs.get("/admin/").status_code == 302
        assert actor_of(pair["access_token"]) is None
        assert "not good any more" in choose(link).content.decode()
        # What has ended does not come back.
        act(browser, "reactivate", person)
    assert can_sign_in(person)


# --- Links for passwords --------------------------------------------------------------------------


def test_a_link_is_good_once_and_for_a_password_by_the_rules(browser, clerk):
    link = link_on(act(browser, "link", clerk).content.decode())
    page = choose(link, "short").content.decode()
    assert "at least 12 characters" in page
    clerk.refresh_from_db()
    assert clerk.check_password(PASSWORD)
    assert "Your password is saved" in choose(link).content.decode()
    assert can_sign_in(clerk, NEW)
    assert "not good any more" in choose(link, "yet another sentence 43").content.decode()
    assert can_sign_in(clerk, NEW)


def test_a_link_ends_after_its_time(browser, clerk, settings):
    link = link_on(act(browser, "link", clerk).content.decode())
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "not good any more" in choose(link).content.decode()


def test_a_link_is_for_nobody_else(browser, account, clerk):
    other = factories.make_employee(account)
    mine, theirs = (link_on(act(browser, "link", p).content.decode()) for p in (clerk, other))
    mixed = mine.rsplit("/", 1)[0] + "/" + theirs.rsplit("/", 1)[1]
    assert "not good any more" in choose(mixed).content.decode()
    for made_up in ("/account/password/x/y", "/account/password/%00/set-password"):
        assert "not good any more" in Browser().get(made_up).content.decode()


def ask(email, **extra):
    return Browser().post("/account/forgot-password", {"email": email}, **extra)


def test_a_forgotten_password_is_mailed_for_and_the_answer_tells_nothing(
    settings, clerk, published, run_published
):
    settings.EMAIL_URL = "smtp://mail.example"
    locked = factories.make_employee(clerk.business_account)
    locked.set_unusable_password()
    locked.save()
    pages = [ask(each) for each in (clerk.email.upper(), "nobody@example.com", locked.email)]
    assert len({(page.status_code, page.content) for page in pages}) == 1
    assert len(published) == 3
    run_published()
    assert [message.to for message in mail.outbox] == [[clerk.email]]
    assert "Your password is saved" in choose(link_on(mail.outbox[0].body)).content.decode()


@pytest.fixture
def run_published(published):
    """Does what a worker would do with the messages."""

    def run():
        for name, arguments in published:
            assert name == "customers.tasks.mail_password_link"
            tasks.mail_password_link(*arguments)

    return run


def test_links_are_asked_for_a_few_times_only_and_that_keeps_nobody_from_signing_in(
    settings, clerk, empty_queue
):
    settings.EMAIL_URL = "smtp://mail.example"
    statuses = [ask(clerk.email, REMOTE_ADDR=f"192.0.2.{n}").status_code for n in range(7)]
    assert statuses == [200] * 4 + [429] * 3
    form = {"username": clerk.email, "password": PASSWORD}
    assert Browser().post("/oauth2/login", form).status_code == 302


def test_without_mail_who_forgot_a_password_is_told_whom_to_ask(clerk, published):
    for page in (Browser().get("/account/forgot-password"), ask(clerk.email)):
        assert "Ask an Owner or Admin" in page.content.decode()
    assert published == []


def test_without_a_broker_the_page_still_answers(settings, clerk, broker_away):
    settings.EMAIL_URL = "smtp://mail.example"
    with broker_away:
        assert ask(clerk.email).status_code == 200


# --- Who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_only_owners_and_admins_look_after_people(account, clerk, role):
    browser = signed_in(factories.make_employee(account, role=role, is_staff=True))
    status = 200 if role in {"Owner", "Admin"} else 403
    for path in (LIST, ADD, f"{LIST}{clerk.pk}/change/", f"{LIST}{clerk.pk}/edit/"):
        assert browser.get(path).status_code == status, path
    if status == 403:
        assert invite(browser, account).status_code == 403
        for verb in ("edit", "deactivate", "reactivate", "link"):
            assert act(browser, verb, clerk).status_code == 403


def test_people_elsewhere_are_not_there(browser, outsider, parent_account):
    for account in (outsider.account, parent_account):
        person = factories.make_employee(account)
        for verb in ("edit", "deactivate", "reactivate", "link"):
            assert act(browser, verb, person, role="Clerk").status_code == 404
        person.refresh_from_db()
        assert person.is_active


@pytest.mark.parametrize("where", ["outsider", "parent"])
def test_no_service_changes_access_outside_of_the_tree(boss, request, where):
    foreign = request.getfixturevalue(where).account
    person = factories.make_employee(foreign, role="Clerk")
    for change in (
        lambda: employees.invite(
            by=boss, email="eva@example.com", name="", business_account=foreign, role="Clerk"
        ),
        lambda: employees.change_person(
            by=boss, person=person, name="x", role="Admin", department=None, foreign_departments=()
        ),
        lambda: employees.deactivate(by=boss, person=person),
        lambda: employees.reactivate(by=boss, person=person),
        lambda: passwords.make_link(by=boss, person=person),
        lambda: second_factor.reset_second_factor(by=boss, person=person),
    ):
        with pytest.raises(NotFound):
            change()
    person.refresh_from_db()
    assert (person.is_active, person.name, person.access_version) == (True, "", 0)
    assert person.groups.get().name == "Clerk"
    assert not User.objects.filter(email="eva@example.com").exists()


def test_a_superuser_of_no_account_changes_access_everywhere(outsider):
    above = User.objects.create_superuser("root@example.com", PASSWORD)
    person = employees.invite(
        by=above, email="eva@example.com", name="", business_account=outsider.account, role="Owner"
    )
    assert passwords.make_link(by=above, person=person)


def test_who_is_of_no_account_and_no_superuser_changes_nobody(clerk):
    nobody = User.objects.create_user("nobody@example.com", PASSWORD)
    nobody.groups.set([Group.objects.get(name="Owner")])
    with pytest.raises(NotFound):
        employees.deactivate(by=nobody, person=clerk)


def test_a_customer_who_signs_in_is_no_employee(browser, customer):
    person = factories.make_customer_speaker(customer).user
    assert person.email not in browser.get(LIST).content.decode()
    for verb in ("edit", "deactivate", "link"):
        assert act(browser, verb, person, role="Owner").status_code == 404


def test_an_address_that_is_only_opened_changes_nothing(browser, clerk):
    for verb in ("deactivate", "reactivate", "link"):
        url = reverse(f"admin:customers_user_{verb}", args=[clerk.pk])
        assert browser.get(url).status_code == 404


def test_the_list_takes_as_many_queries_for_many_people_as_for_one(
    browser, account, django_assert_max_num_queries
):
    with django_assert_max_num_queries(10) as one:
        browser.get(LIST)
    for _ in range(5):
        factories.make_employee(account)
    with django_assert_max_num_queries(len(one.captured_queries)):
        browser.get(LIST)

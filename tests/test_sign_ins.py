"""Who signs in where: departments, logins of customers, and apps, as commands make them."""

import io
import re
import sys
import uuid

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser

from config.api.actors import Scope
from customers.models import AttributeDefinition, Change, Customer, Department, OAuthClient, User
from tests import factories
from tests.commands import refuse, run
from tests.customers import create
from tests.factories import PASSWORD, Client
from tests.oauth_steps import answer, authorize_url, redeem, refresh, signed_in, submit

pytestmark = pytest.mark.django_db

SEARCH = "/core/customermgr/v3/customer"
CORE = {"scope": Scope.CORE_READ}


@pytest.fixture
def typed(monkeypatch):
    """A password on standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))


def make_app(account, *args: object) -> dict[str, str | None]:
    return run(
        *("create_oauth_client", "Desk", "--business-account", account.pk),
        *("--grant", "authorization-code", "--redirect-uri", factories.REDIRECT_URI, *args),
    )


# --- Departments and attributes -------------------------------------------------------------------


def test_departments_are_made_once_by_name(account):
    made = run("create_department", " Returns ", "--business-account", account.pk)
    assert Department.objects.get(pk=made["id"]).name == "Returns"
    said = refuse("create_department", "Returns", "--business-account", account.pk)
    assert "already" in said
    for wrong in ("", " ", "x" * 121, "a\nb", "4111111111111111"):
        assert "name:" in refuse("create_department", wrong, "--business-account", account.pk)


@pytest.mark.parametrize("target", ["customer", "contactPerson"])
def test_attributes_are_made_for_customers_and_contacts(account, target):
    args = ("--business-account", account.pk, "--target", target)
    definition = AttributeDefinition.objects.get(pk=run("create_attribute", "tier", *args)["id"])
    assert (definition.name, definition.target, definition.is_encrypted) == ("tier", target, False)
    sealed = run("create_attribute", "secret", *args, "--encrypted")
    assert AttributeDefinition.objects.get(pk=sealed["id"]).is_encrypted
    assert "already" in refuse("create_attribute", "tier", *args)
    assert "target" in refuse("create_attribute", "x", "--business-account", account.pk)


def test_departmentalization_is_switched_on_and_off(account):
    for word, is_on in (("on", True), ("on", True), ("off", False)):
        made = run("set_departmentalization", word, "--business-account", account.pk)
        assert made == {"id": str(account.pk), "departmentalization": is_on}
        account.refresh_from_db()
        assert account.departmentalization is is_on


def test_an_employee_has_a_home_and_foreign_departments(account, child_account):
    home, foreign = (
        factories.make_department(account, "Home"),
        factories.make_department(child_account, "Far"),
    )
    made = run(
        *("create_employee", "eva@example.com", "--business-account", account.pk),
        *("--role", "Clerk", "--department", "Home", "--foreign-department", "Far"),
    )
    user = User.objects.get(pk=made["id"])
    assert user.department == home
    assert list(user.foreign_departments.all()) == [foreign]


def test_a_department_that_cannot_be_told_is_refused(account, child_account, outsider):
    for owner in (account, child_account):
        factories.make_department(owner, "Twice")
    factories.make_department(outsider.account, "Theirs")
    args = ("create_employee", "eva@example.com", "--business-account", account.pk)
    for name, word in (("Twice", "Several"), ("Theirs", "no department"), ("x", "no department")):
        assert word in refuse(*args, "--role", "Clerk", "--department", name)
    assert not User.objects.exists()


# --- Sign-ins of customers ------------------------------------------------------------------------


def test_a_customer_gets_a_sign_in_and_a_login_id_on_record(owner, typed):
    customer = create(owner)
    made = run(
        "create_customer_login", customer["id"], "--email", "ada@home.example", "--password-stdin"
    )
    user = User.objects.get(pk=made["id"])
    assert (str(user.customer_id), user.is_staff) == (customer["id"], False)
    assert user.check_password(PASSWORD)
    assert Customer.objects.get().contacts.get().login_id == "ada@home.example"
    change = Change.objects.filter(entity="contact").order_by("-at", "-id").first()
    assert (change.via, change.after) == ("command", {"login_id": "ada@home.example"})
    (shown,) = owner.api.get(SEARCH, {"email": "ada@example.com"}).json()["customer"]
    assert shown["contacts"]["contact"][0]["loginId"] == "ada@home.example"


def test_the_primary_contact_of_a_business_gets_the_login_id(account):
    customer = factories.make_customer(account, business_name="Acme")
    first = customer.contacts.get()
    customer.contacts.update(is_primary=False)
    second = factories.make_contact(customer, first_name="Eva")
    run("create_customer_login", customer.pk, "--email", "eva@acme.example")
    logins = dict(customer.contacts.values_list("first_name", "login_id"))
    assert logins == {first.first_name: "", second.first_name: "eva@acme.example"}


def test_without_a_password_nobody_signs_in(owner):
    customer = create(owner)
    made = run("create_customer_login", customer["id"], "--email", "ada@home.example")
    assert not User.objects.get(pk=made["id"]).has_usable_password()


def test_a_sign_in_that_cannot_be_is_refused(owner, account):
    customer = create(owner)
    factories.make_employee(account, email="taken@example.com")
    command = ("create_customer_login", customer["id"], "--email")
    assert "already" in refuse(*command, "taken@example.com")
    assert "email:" in refuse(*command, "nonsense")
    run(*command, "ada@home.example")
    assert "already" in refuse(*command, "other@home.example")
    assert "no customer" in refuse("create_customer_login", uuid.uuid4(), "--email", "a@b.example")
    Customer.objects.update(status="DELETED")
    assert "no customer" in refuse(*command, "c@d.example")


@pytest.mark.parametrize("status", ["SUSPENDED", "DELETED"])
def test_a_customer_that_is_not_active_neither_signs_in_nor_goes_on(account, status):
    app = OAuthClient.objects.get(client_id=make_app(account, "--public")["clientId"])
    speaker = factories.make_customer_speaker(factories.make_customer(account))
    user = speaker.user
    code = answer(submit(signed_in(user), authorize_url(app, **CORE)))["code"]
    tokens = redeem(app, code).json()
    late = answer(submit(signed_in(user), authorize_url(app, **CORE)))["code"]
    assert Client(tokens["access_token"]).get(SEARCH).status_code == 200
    Customer.objects.update(status=status)
    assert Client(tokens["access_token"]).get(SEARCH).status_code == 401
    assert refresh(app, tokens["refresh_token"]).status_code == 400
    assert redeem(app, late).status_code == 400
    form = {"username": user.email, "password": PASSWORD}
    page = Browser().post("/oauth2/login", form)
    assert page.status_code == 200
    assert "The email address or the password is wrong." in page.content.decode()


# --- In the back office ---------------------------------------------------------------------------


def page_of(customer):
    return f"/admin/customers/customer/{customer.pk}/sign-in/"


@pytest.mark.parametrize("role", ["Owner", "Admin"])
def test_an_operator_gives_a_customer_a_sign_in(account, role):
    customer = factories.make_customer(account)
    operator = factories.make_employee(account, role=role, is_staff=True)
    browser = signed_in(operator)
    change_page = browser.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
    assert f'action="{page_of(customer)}"' in change_page
    assert "Give a sign-in" in browser.get(page_of(customer)).content.decode()
    form = {"email": "ada@home.example", "password": "short"}
    refused = browser.post(page_of(customer), form)
    assert "too short" in refused.content.decode()
    done = browser.post(page_of(customer), form | {"password": PASSWORD})
    assert done.status_code == 302
    assert User.objects.get(customer_id=customer.pk).check_password(PASSWORD)
    change = Change.objects.filter(entity="contact").order_by("-at", "-id").first()
    assert (change.via, change.actor_id) == ("back-office", str(operator.pk))
    again = browser.post(page_of(customer), {"email": "b@home.example", "password": PASSWORD})
    assert "has a sign-in already" in again.content.decode()


def test_who_may_not_decide_who_signs_in_cannot_give_one(account, outsider):
    customer = factories.make_customer(account)
    form = {"email": "ada@home.example", "password": PASSWORD}
    for home, role, status in (
        (account, "Manager", 403),
        (account, "Clerk", 403),
        (account, "View Only", 403),
        (outsider.account, "Owner", 404),
    ):
        browser = signed_in(factories.make_employee(home, role=role, is_staff=True))
        assert browser.get(page_of(customer)).status_code == status
        assert browser.post(page_of(customer), form).status_code == status
        assert browser.post(f"{page_of(customer)}link/").status_code == status
    assert not User.objects.filter(customer_id=customer.pk).exists()


def test_without_mail_an_operator_hands_over_a_link_for_a_customers_password(account):
    customer = factories.make_customer(account)
    person = factories.make_customer_speaker(customer).user
    browser = signed_in(factories.make_employee(account, role="Owner", is_staff=True))
    assert person.email in browser.get(page_of(customer)).content.decode()
    assert browser.get(f"{page_of(customer)}link/").status_code == 405
    made = browser.post(f"{page_of(customer)}link/")
    link = re.search(r"http://[^/]+(/account/password/[^\s\"]+)", made.content.decode()).group(1)
    assert "Made a link" in LogEntry.objects.get().get_change_message()
    theirs, password = Browser(), "a quite different sentence 42"
    page = theirs.get(link, follow=True).redirect_chain[-1][0]
    theirs.post(page, {"new_password1": password, "new_password2": password})
    person.refresh_from_db()
    assert person.check_password(password)


def test_a_customer_without_a_sign_in_and_one_whose_is_off_get_no_link(account):
    customer = factories.make_customer(account)
    browser = signed_in(factories.make_employee(account, role="Owner", is_staff=True))
    assert browser.post(f"{page_of(customer)}link/").status_code == 404
    person = factories.make_customer_speaker(customer).user
    User.objects.filter(pk=person.pk).update(is_active=False)
    refused = browser.post(f"{page_of(customer)}link/", follow=True)
    assert "deactivated" in refused.content.decode()
    assert not LogEntry.objects.exists()


# --- Apps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_public", [True, False])
def test_an_employee_and_a_customer_search_through_an_app(account, is_public):
    """The whole way: consent, code with PKCE, token, refresh."""
    made = make_app(account, *(["--public"] if is_public else []))
    assert (made["clientSecret"] is None) is is_public
    app = OAuthClient.objects.get(client_id=made["clientId"])
    secret = {} if is_public else {"client_secret": made["clientSecret"]}
    customer = factories.make_customer(account)
    employee = factories.make_employee(account, role="Clerk")
    for user, query in (
        (employee, {"email": "ada@example.com"}),
        (factories.make_customer_speaker(customer).user, {}),
    ):
        code = answer(submit(signed_in(user), authorize_url(app, **CORE)))["code"]
        assert redeem(app, code, code_verifier="x" * 50, **secret).status_code == 400
        code = answer(submit(signed_in(user), authorize_url(app, **CORE)))["code"]
        if not is_public:
            assert redeem(app, code).status_code == 401
        tokens = redeem(app, code, **secret).json()
        found = Client(tokens["access_token"]).get(SEARCH, query).json()["customer"]
        assert [each["id"] for each in found] == [str(customer.pk)]


def test_only_people_of_the_account_and_below_sign_in_to_its_app(
    account, child_account, parent_account, outsider
):
    app = OAuthClient.objects.get(client_id=make_app(account)["clientId"])
    for home, may in (
        (account, True),
        (child_account, True),
        (parent_account, False),
        (outsider.account, False),
    ):
        browser = signed_in(factories.make_employee(home))
        page = browser.get(authorize_url(app, **CORE))
        assert (page.status_code == 200) is may


def test_an_app_asks_for_no_more_than_its_scopes(account):
    app = OAuthClient.objects.get(
        client_id=make_app(account, "--public", "--scope", Scope.CORE_READ)["clientId"]
    )
    browser = signed_in(factories.make_employee(account))
    assert browser.get(authorize_url(app, **CORE)).status_code == 200
    refused = browser.get(authorize_url(app, scope="customers.read"))
    assert "invalid_scope" in refused["Location"]


def test_a_program_gets_a_client_of_its_own(account):
    made = run(
        *("create_oauth_client", "Sync", "--business-account", account.pk),
        *("--grant", "client-credentials", "--scope", Scope.CORE_READ),
    )
    form = {
        "grant_type": "client_credentials",
        "client_id": made["clientId"],
        "client_secret": made["clientSecret"],
    }
    token = Browser().post("/oauth2/token", form).json()
    assert token["scope"] == Scope.CORE_READ
    factories.make_customer(account)
    found = Client(token["access_token"]).get(SEARCH, {"email": "ada@example.com"})
    assert found.status_code == 200


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example.com/callback",
        "https://app.example.com/#fragment",
        "javascript:alert(1)",
        "https://",
        "app.example.com",
        "https://[::1",
        "https://a.example/x y",
    ],
)
def test_a_redirect_uri_that_is_not_safe_is_refused(account, uri):
    args = ("--business-account", account.pk, "--grant", "authorization-code")
    assert "redirectUri:" in refuse("create_oauth_client", "x", *args, "--redirect-uri", uri)


def test_what_does_not_belong_to_a_grant_is_refused(account):
    args = ("create_oauth_client", "x", "--business-account", account.pk, "--grant")
    assert "redirectUri:" in refuse(*args, "authorization-code")
    assert "public:" in refuse(*args, "client-credentials", "--public")
    assert "no scope" in refuse(*args, "client-credentials", "--scope", "made.up")
    local = ("--redirect-uri", "http://127.0.0.1:8080/callback")
    assert run(*args, "authorization-code", *local)["clientSecret"]

"""The management commands by which an installation is set up."""

import io
import os
import sys
import uuid

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client as Browser

from config.api.actors import DEFAULT_SCOPES, Scope
from config.commands import CommandLine, connect_as_owner
from customers.authentication import actor_of
from customers.management.commands import setup
from customers.models import BusinessAccount, Customer, OAuthClient, ServiceAccount, User
from customers.roles import ROLES
from customers.services.tokens import exchange_key
from tests.commands import refuse, run
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("command", "is_owner"),
    [
        ("migrate", True),
        ("row_security --apply kith_app", True),
        ("row_security --check", False),
        ("check_isolation", False),
        ("check_isolation --only v1", False),
    ],
)
def test_commands_connect_as_the_owner_unless_they_are_about_web_and_worker(
    command, is_owner, monkeypatch
):
    monkeypatch.setattr("os.environ", {"DATABASE_URL": "app", "KITH_OWNER_DATABASE_URL": "owner"})
    connect_as_owner(["manage.py", *command.split()])
    assert os.environ["DATABASE_URL"] == ("owner" if is_owner else "app")


def test_the_owners_url_may_be_in_a_file(monkeypatch):
    monkeypatch.setattr(
        "os.environ", {"DATABASE_URL": "app", "KITH_OWNER_DATABASE_URL_FILE": "/a/file"}
    )
    connect_as_owner(["manage.py", "migrate"])
    assert os.environ["DATABASE_URL_FILE"] == "/a/file"
    assert "DATABASE_URL" not in os.environ


# --- create_business_account ----------------------------------------------------------------------


def test_a_business_account_is_made_with_its_parent_region_and_id(account):
    wanted = str(uuid.uuid4())
    args = ("Filial Lisboa", "--parent", account.pk, "--region", "PT", "--id", wanted)
    assert run("create_business_account", *args) == {"id": wanted}
    made = BusinessAccount.objects.get(pk=wanted)
    assert (made.name, made.parent, made.default_region) == ("Filial Lisboa", account, "PT")


def test_a_business_account_needs_no_more_than_a_name():
    made = BusinessAccount.objects.get(pk=run("create_business_account", " Acme ")["id"])
    assert (made.name, made.parent, made.default_region) == ("Acme", None, "US")


def test_everything_wrong_with_a_business_account_is_said_at_once():
    stranger = uuid.uuid4()
    said = refuse("create_business_account", "\0", "--parent", stranger, "--region", "XX")
    assert "name:" in said
    assert f"parent: There is no business account {stranger}." in said
    assert "region:" in said
    assert BusinessAccount.objects.count() == 0


@pytest.mark.parametrize("region", ["us", "USA", "", "EU"])
def test_a_region_is_an_iso_country_of_two_letters(region):
    assert "region" in refuse("create_business_account", "Acme", "--region", region)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "a\nb"])
def test_a_name_has_up_to_120_visible_characters(name):
    assert "name" in refuse("create_business_account", name)


def test_an_id_is_given_once(account):
    said = refuse("create_business_account", "Acme", "--id", account.pk)
    assert str(account.pk) in said


def test_an_id_is_a_uuid():
    assert "UUID" in refuse("create_business_account", "Acme", "--id", "42")


# --- create_api_key -------------------------------------------------------------------------------


def test_an_api_key_works_and_may_all_but_see_sensitive_values(account):
    made = run("create_api_key", "--business-account", account.pk)
    assert set(made) == {"clientId", "key", "secret"}
    actor = actor_of(exchange_key(key=made["key"], secret=made["secret"]))
    assert actor.business_account_id == account.pk
    assert actor.scopes == set(DEFAULT_SCOPES)
    assert Scope.CUSTOMERS_SENSITIVE not in actor.scopes
    client = OAuthClient.objects.get(pk=made["clientId"])
    assert client.client_id == made["key"]
    assert made["secret"] not in client.client_secret


def test_an_api_key_gets_the_scopes_that_are_named(account):
    args = ("--business-account", account.pk, "--scope", "customers.read")
    made = run("create_api_key", *args, "--scope", "customers.sensitive", "--name", "Reporting")
    program = ServiceAccount.objects.get()
    assert program.name == "Reporting"
    assert program.scopes == ["customers.read", "customers.sensitive"]
    actor = actor_of(exchange_key(key=made["key"], secret=made["secret"]))
    assert actor.scopes == {"customers.read", "customers.sensitive"}


def test_an_api_key_needs_a_business_account_and_scopes_that_exist(account):
    assert "no business account" in refuse("create_api_key", "--business-account", uuid.uuid4())
    said = refuse("create_api_key", "--business-account", account.pk, "--scope", "made.up")
    assert "made.up" in said
    assert "customers.read" in said
    assert "required" in refuse("create_api_key")
    assert not ServiceAccount.objects.exists()


# --- create_employee ------------------------------------------------------------------------------


def create_employee(account, *args: object, email: str = "clerk@example.com") -> User:
    made = run("create_employee", email, "--business-account", account.pk, *args)
    return User.objects.get(pk=made["id"])


@pytest.mark.parametrize("role", ROLES)
def test_an_employee_has_the_role(account, role):
    employee = create_employee(account, "--role", role)
    assert [group.name for group in employee.groups.all()] == [role]
    assert employee.business_account == account
    assert employee.is_staff
    assert not employee.is_superuser
    assert not employee.has_usable_password()


def test_an_employee_with_a_password_gets_into_the_back_office(account, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD + "\n"))
    employee = create_employee(account, "--role", "Owner", "--password-stdin", "--superuser")
    assert employee.is_superuser
    form = {"username": "CLERK@example.com", "password": PASSWORD}
    assert Browser().post("/admin/login/", form).status_code == 302


@pytest.mark.parametrize("password", ["short", "password1234", "clerk@example.com", ""])
def test_a_weak_password_is_refused(account, monkeypatch, password):
    monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))
    args = ("clerk@example.com", "--business-account", account.pk, "--role", "Clerk")
    assert "password:" in refuse("create_employee", *args, "--password-stdin")
    assert not User.objects.exists()


def test_an_e_mail_address_signs_in_one_person_whatever_its_case(account):
    create_employee(account, "--role", "Clerk")
    args = ("--business-account", account.pk, "--role", "Owner")
    assert "already" in refuse("create_employee", "Clerk@Example.com", *args)
    assert User.objects.count() == 1


def test_an_employee_needs_an_address_a_role_and_an_account(account):
    said = refuse("create_employee", "nobody", "--business-account", account.pk, "--role", "Boss")
    assert "email:" in said
    assert "role:" in said
    assert "View Only" in said
    args = ("a@example.com", "--business-account", uuid.uuid4(), "--role", "Clerk")
    assert "no business account" in refuse("create_employee", *args)


def test_the_framework_s_own_superuser_command_works(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, email="root@example.com", verbosity=0)
    root = User.objects.get(email="root@example.com")
    assert root.is_superuser
    assert root.is_staff
    assert root.check_password(PASSWORD)
    call_command("createsuperuser", interactive=False, email="root2@example.com", verbosity=0)


# --- create_demo ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_demonstration_is_made_once_and_its_access_anew():
    first = run("create_demo")
    assert set(first) == {"login", "password", "key", "secret", "businessAccountId"}
    parent = BusinessAccount.objects.get(pk=first["businessAccountId"])
    assert parent.name == "Northwind Financial"
    assert parent.children.count() == 2
    actor = actor_of(exchange_key(key=first["key"], secret=first["secret"]))
    assert len(actor.tree) == 3
    customers = Customer.objects.visible_to(actor).count()
    assert customers == 400
    form = {"username": first["login"], "password": first["password"]}
    assert Browser().post("/admin/login/", form).status_code == 302

    again = run("create_demo")
    assert again["businessAccountId"] == first["businessAccountId"]
    assert Customer.objects.count() == customers
    assert User.objects.count() == ServiceAccount.objects.count() == 1
    assert exchange_key(key=first["key"], secret=first["secret"]) is None
    assert exchange_key(key=again["key"], secret=again["secret"])
    assert User.objects.get().check_password(again["password"])


@pytest.mark.django_db(transaction=True)
def test_a_demonstration_that_is_there_keeps_its_access():
    first = run("create_demo")
    again = run("create_demo", "--once")
    assert again == {"login": first["login"], "businessAccountId": first["businessAccountId"]}
    assert exchange_key(key=first["key"], secret=first["secret"])
    assert User.objects.get().check_password(first["password"])


def test_a_registry_that_has_accounts_such_as_a_restored_one_gets_no_demonstration(account):
    """Its Owner is a superuser, whose password is shown."""
    assert run("create_demo", "--once") == {}
    assert not User.objects.exists()


# --- setup ----------------------------------------------------------------------------------------


def test_setup_leads_to_an_account_an_owner_and_a_key(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    args = ("--name", "Own Bank", "--region", "pt", "--email", "me@own.example", "--password-stdin")
    made = run("setup", *args)
    account = BusinessAccount.objects.get(pk=made["businessAccountId"])
    assert (account.name, account.default_region) == ("Own Bank", "PT")
    assert exchange_key(key=made["key"], secret=made["secret"])
    form = {"username": made["login"], "password": PASSWORD}
    assert Browser().post("/admin/login/", form).status_code == 302


class Terminal(io.StringIO):
    """A terminal, which shows colours."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_setup_writes_in_the_colour_of_errors_what_is_one(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    args = ("--name", "Own Bank", "--region", "US", "--email", "me@own.example", "--password-stdin")
    told = Terminal()
    command = setup.Command(stdout=io.StringIO(), stderr=told, force_color=True)
    call_command(command, *args)
    assert "The back office is at" in told.getvalue()
    assert "\x1b[" not in told.getvalue()


def test_setup_makes_all_of_it_or_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    args = ("--name", "Own Bank", "--region", "US", "--email", "me@own.example", "--password-stdin")
    assert "password:" in refuse("setup", *args)
    assert BusinessAccount.objects.count() == 0


def test_setup_without_a_terminal_names_what_is_missing(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert "--name is needed" in refuse("setup")


# --- Naming business accounts ---------------------------------------------------------------------


def test_a_business_account_may_be_named_where_only_one_has_the_name(account):
    made = run("create_api_key", "--business-account", account.name.upper())
    client = OAuthClient.objects.get(client_id=made["key"])
    assert client.service_account.business_account == account
    child = run("create_business_account", "Branch", "--parent", account.name)
    assert BusinessAccount.objects.get(pk=child["id"]).parent == account


def test_a_name_that_several_accounts_have_is_refused_with_their_ids(account):
    twin = BusinessAccount.objects.create(name=account.name, default_region="US")
    said = refuse("create_api_key", "--business-account", account.name)
    assert str(account.pk) in said
    assert str(twin.pk) in said


# --- help -----------------------------------------------------------------------------------------


def test_help_shows_the_commands_of_kith_first_and_the_others_when_asked():
    ours = CommandLine(["manage.py", "help"]).main_help_text()
    assert "create_api_key" in ours
    assert "setup" in ours
    assert "dbshell" not in ours
    assert "help --all" in ours
    assert "dbshell" in CommandLine(["manage.py", "help", "--all"]).main_help_text()


# --- Roles ----------------------------------------------------------------------------------------


def permissions(role: str) -> set[str]:
    group = Group.objects.get(name=role)
    return {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()}


def test_every_role_is_a_group():
    assert set(ROLES) <= set(Group.objects.values_list("name", flat=True))


def test_view_only_changes_nothing():
    seen = permissions("View Only")
    assert "customers.view_customer" in seen
    changing = {each for each in seen if not each.partition(".")[2].startswith("view_")}
    # A search reads, as a look does.
    assert changing == {"search.run_customersearch"}


@pytest.mark.parametrize("role", ROLES)
def test_who_searches_at_core_has_the_same_permission_in_the_back_office(role):
    held = "customers.view_agent_console" in permissions(role)
    assert held is ROLES[role].has_console


@pytest.mark.parametrize("role", ["Manager", "Clerk", "Finance"])
def test_those_who_work_change_customers_and_not_who_may_act(role):
    held = permissions(role)
    assert {"customers.change_customer", "customers.suspend_customer"} <= held
    assert not held & {"customers.add_user", "customers.change_businessaccount"}
    assert ("customers.reveal_sensitive" in held) == (
        Scope.CUSTOMERS_SENSITIVE in ROLES[role].scopes
    )


@pytest.mark.parametrize("role", ["Owner", "Admin"])
def test_owner_and_admin_decide_who_may_act(role):
    assert permissions(role) >= permissions("Manager") | {
        "customers.add_user",
        "customers.change_serviceaccount",
        "customers.change_businessaccount",
    }


def test_a_role_that_was_changed_by_hand_is_set_right_by_the_next_migrate():
    viewers = Group.objects.get(name="View Only")
    before = permissions("View Only")
    owners = Group.objects.get(name="Owner").permissions
    viewers.permissions.set(owners.filter(codename="delete_customer"))
    call_command("migrate", verbosity=0, skip_checks=True)
    assert permissions("View Only") == before

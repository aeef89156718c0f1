"""API keys and OAuth clients in the back office: made, edited, rotated, and revoked."""

import base64
import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from config.api.actors import Scope
from customers.authentication import actor_of
from customers.models import AccessToken, OAuthClient, ServiceAccount
from customers.roles import ROLES
from customers.services.people import create_api_key
from tests import factories
from tests.factories import Client
from tests.oauth_steps import answer, authorize_url, redeem, signed_in, submit, token_pair

pytestmark = pytest.mark.django_db
NEW_KEY, NEW_CLIENT = "/admin/customers/serviceaccount/add/", "/admin/customers/oauthclient/add/"


@pytest.fixture
def browser(account) -> Browser:
    return signed_in(factories.make_employee(account, role="Owner", is_staff=True))


def shown(response) -> str:
    """The secret on a page."""
    assert response.status_code == 200
    return re.search(r'id="secret-value"[^>]* value="(\w{43})"', response.content.decode()).group(1)


def exchange(key, secret):
    basic = base64.b64encode(f"{key}:{secret}".encode()).decode()
    return Client().post("/v1/api-keys/exchange", HTTP_AUTHORIZATION=f"Basic {basic}")


def ask_token(key, secret):
    form = {"grant_type": "client_credentials", "client_id": key, "client_secret": secret}
    return Browser().post("/oauth2/token", form)


def make(browser, account, **fields):
    form = {"name": "Shop", "scopes": [Scope.CUSTOMERS_READ], "business_account": account.pk}
    response = browser.post(NEW_KEY, form | fields)
    return ServiceAccount.objects.get(name="Shop").keys.get(), shown(response), response


def edit(browser, program, **fields):
    form = {"name": program.name, "scopes": program.scopes} | fields
    return browser.post(f"/admin/customers/serviceaccount/{program.pk}/edit/", form)


def act(browser, verb, client, **form):
    owner = client.service_account
    args = [owner.pk, client.pk] if owner else [client.pk]
    name = "serviceaccount" if owner else "oauthclient"
    return browser.post(reverse(f"admin:customers_{name}_{verb}", args=args), form)


def test_a_new_key_works_and_its_secret_is_shown_once(browser, account):
    client, secret, response = make(browser, account)
    assert "no-store" in response["Cache-Control"]
    token = exchange(client.client_id, secret).json()["access_token"]
    assert actor_of(token).scopes == {Scope.CUSTOMERS_READ}
    page = browser.get(f"/admin/customers/serviceaccount/{client.service_account_id}/change/")
    assert client.client_id in page.content.decode()
    assert secret not in page.content.decode()
    assert secret not in client.client_secret


def test_what_is_wrong_with_a_new_key_stands_beside_its_field(browser, account, outsider):
    for wrong in (
        {"name": " "},
        {"scopes": ["made.up"]},
        {"scopes": []},
        {"name": "4111 1111 1111 1111"},
        {"business_account": outsider.account.pk},
    ):
        form = {"name": "x", "scopes": [Scope.CORE_READ], "business_account": account.pk} | wrong
        response = browser.post(NEW_KEY, form)
        assert response.status_code == 200
        assert 'class="errorlist' in response.content.decode(), wrong
    assert not ServiceAccount.objects.filter(business_account=account).exists()


def test_an_operator_makes_keys_for_accounts_below_and_a_superuser_chooses(
    browser, account, child_account, outsider
):
    client, _, _ = make(browser, child_account)
    assert client.service_account.business_account == child_account
    above = signed_in(
        factories.make_employee(account, role="Owner", is_staff=True, is_superuser=True)
    )
    client.service_account.delete()
    made, _, _ = make(above, outsider.account)
    assert made.service_account.business_account == outsider.account


def test_an_edited_key_has_its_new_name_and_scopes_and_its_tokens_lose_what_was_taken(
    browser, account
):
    client, secret, _ = make(browser, account, scopes=[Scope.CUSTOMERS_READ, Scope.SEARCH_RUN])
    token = exchange(client.client_id, secret).json()["access_token"]
    form = {"name": "Till", "scopes": [Scope.CORE_READ, Scope.CUSTOMERS_READ]}
    page = edit(browser, client.service_account, **form)
    assert page.status_code == 302
    client = OAuthClient.objects.select_related("service_account").get(pk=client.pk)
    program = client.service_account
    assert (program.name, client.name) == ("Till", "Till")
    assert set(program.scopes) == {Scope.CORE_READ, Scope.CUSTOMERS_READ}
    assert actor_of(token).scopes == {Scope.CUSTOMERS_READ}
    token = exchange(client.client_id, secret).json()["access_token"]
    assert actor_of(token).scopes == {Scope.CORE_READ, Scope.CUSTOMERS_READ}
    done = LogEntry.objects.latest("pk").get_change_message()
    before, now = f"customers.read, {Scope.SEARCH_RUN}", f"customers.read, {Scope.CORE_READ}"
    assert done == f"Name: Shop → Till. Scopes: {before} → {now}"


def test_an_edit_that_changes_nothing_is_not_in_the_history(browser, account):
    client, _, _ = make(browser, account)
    edit(browser, client.service_account, name=" Shop ", scopes=[Scope.CUSTOMERS_READ])
    assert LogEntry.objects.count() == 1


def test_a_key_that_was_told_another_name_keeps_it(browser, account):
    client, _, _ = make(browser, account)
    second, _ = create_api_key(service_account=client.service_account, name="Night job")
    edit(browser, client.service_account, name="Till", scopes=[Scope.CORE_READ])
    second.refresh_from_db()
    assert second.name == "Night job"


@pytest.mark.parametrize(
    "wrong",
    [{"name": " "}, {"scopes": ["made.up"]}, {"scopes": []}, {"name": "4111 1111 1111 1111"}],
)
def test_what_is_wrong_with_an_edit_stands_beside_its_field(browser, account, wrong):
    client, _, _ = make(browser, account)
    response = edit(browser, client.service_account, **wrong)
    assert response.status_code == 200
    assert 'class="errorlist' in response.content.decode()
    program = ServiceAccount.objects.get(pk=client.service_account_id)
    assert (program.name, program.scopes) == ("Shop", [Scope.CUSTOMERS_READ])


def test_after_a_rotation_both_secrets_are_good_until_the_overlap_ends(browser, account):
    client, old, _ = make(browser, account)
    new = shown(act(browser, "rotate", client, hours="2"))
    for secret in (old, new):
        assert exchange(client.client_id, secret).status_code == 200
        assert ask_token(client.client_id, secret).status_code == 200
    page = browser.get(f"/admin/customers/serviceaccount/{client.service_account_id}/change/")
    assert "the old one until" in page.content.decode()
    OAuthClient.objects.update(previous_secret_until=timezone.now() - timedelta(seconds=1))
    assert exchange(client.client_id, old).status_code == 401
    assert ask_token(client.client_id, old).status_code == 401
    assert exchange(client.client_id, new).status_code == 200
    assert ask_token(client.client_id, new).status_code == 200


def test_without_an_overlap_the_old_secret_and_its_tokens_end_at_once(browser, account):
    client, old, _ = make(browser, account)
    token = exchange(client.client_id, old).json()["access_token"]
    new = shown(act(browser, "rotate", client, hours="0"))
    assert actor_of(token) is None
    assert exchange(client.client_id, old).status_code == 401
    assert exchange(client.client_id, new).status_code == 200


def test_of_two_rotations_the_first_secret_ends(browser, account):
    client, first, _ = make(browser, account)
    second = shown(act(browser, "rotate", client, hours="1"))
    third = shown(act(browser, "rotate", client, hours="1"))
    answers = [exchange(client.client_id, each).status_code for each in (first, second, third)]
    assert answers == [401, 200, 200]


@pytest.mark.parametrize("hours", ["-1", "721", "x", ""])
def test_an_overlap_that_cannot_be_changes_nothing(browser, account, hours):
    client, old, _ = make(browser, account)
    response = act(browser, "rotate", client, hours=hours)
    assert response.status_code == 302
    assert exchange(client.client_id, old).status_code == 200
    client.refresh_from_db()
    assert client.previous_secret == ""


def test_a_revoked_key_ends_at_once_with_its_tokens_and_cannot_be_rotated(browser, account):
    client, secret, _ = make(browser, account)
    token = exchange(client.client_id, secret).json()["access_token"]
    act(browser, "rotate", client, hours="24")
    assert act(browser, "revoke", client).status_code == 302
    assert actor_of(token) is None
    assert exchange(client.client_id, secret).status_code == 401
    assert ask_token(client.client_id, secret).status_code == 401
    assert act(browser, "rotate", client, hours="1").status_code == 302
    assert act(browser, "revoke", client).status_code == 302
    listed = browser.get("/admin/customers/serviceaccount/")
    assert "Revoked" in listed.content.decode()


def test_what_was_done_to_a_key_is_in_its_history(browser, account):
    client, _, _ = make(browser, account)
    act(browser, "rotate", client, hours="24")
    act(browser, "revoke", client)
    page = browser.get(f"/admin/customers/serviceaccount/{client.service_account_id}/history/")
    text = page.content.decode()
    assert [word in text for word in ("Created", "Rotated the secret", "Revoked")] == [True] * 3
    assert LogEntry.objects.count() == 3


@pytest.mark.parametrize("is_public", [True, False])
def test_a_new_oauth_client_signs_people_in_and_ends_when_it_is_revoked(
    browser, account, is_public
):
    form = {
        "name": "Desk",
        "grant": "authorization-code",
        "redirect_uris": factories.REDIRECT_URI + "\n",
        "business_account": account.pk,
        "scopes": [Scope.CUSTOMERS_READ],
    }
    response = browser.post(NEW_CLIENT, form | ({"is_public": "on"} if is_public else {}))
    secret = {} if is_public else {"client_secret": shown(response)}
    client = OAuthClient.objects.get(name="Desk")
    person = factories.make_employee(account)
    code = answer(submit(signed_in(person), authorize_url(client, scope="customers.read")))["code"]
    tokens = redeem(client, code, **secret).json()
    assert actor_of(tokens["access_token"])
    if not is_public:
        new = shown(act(browser, "rotate", client, hours="5"))
        assert new != secret["client_secret"]
    assert act(browser, "revoke", client).status_code == 302
    assert not AccessToken.objects.filter(application=client).exists()
    assert actor_of(tokens["access_token"]) is None


def test_a_public_client_has_no_secret_to_rotate(browser, account):
    client = factories.make_app(business_account=account)
    before = client.client_secret
    assert act(browser, "rotate", client, hours="1").status_code == 302
    client.refresh_from_db()
    assert client.client_secret == before


def test_what_is_wrong_with_a_new_client_stands_beside_its_field(browser, account):
    form = {"name": "Desk", "grant": "authorization-code", "business_account": account.pk}
    for wrong in ({}, {"redirect_uris": "http://elsewhere.example/"}):
        text = browser.post(NEW_CLIENT, form | wrong).content.decode()
        assert re.search(r'name="redirect_uris".*?errorlist', text, re.DOTALL)
    text = browser.post(NEW_CLIENT, form | {"grant": "client-credentials", "is_public": "on"})
    assert "Only a client with the grant authorization-code has this." in text.content.decode()
    assert not OAuthClient.objects.filter(name="Desk").exists()


def test_a_program_by_client_credentials_stands_among_the_api_keys(browser, account):
    form = {"name": "Sync", "grant": "client-credentials", "business_account": account.pk}
    secret = shown(browser.post(NEW_CLIENT, form | {"scopes": [Scope.CORE_READ]}))
    client = OAuthClient.objects.get(name="Sync")
    assert ask_token(client.client_id, secret).json()["scope"] == Scope.CORE_READ
    assert "Sync" not in browser.get("/admin/customers/oauthclient/").content.decode()
    assert "Sync" in browser.get("/admin/customers/serviceaccount/").content.decode()


@pytest.mark.parametrize("role", ROLES)
def test_only_owners_and_admins_have_keys_and_clients(account, owner, role):
    browser = signed_in(factories.make_employee(account, role=role, is_staff=True))
    app = factories.make_app(business_account=account)
    status = 200 if role in {"Owner", "Admin"} else 403
    for model, row in (("serviceaccount", owner.key.client.service_account), ("oauthclient", app)):
        for path in ("", "add/", f"{row.pk}/change/"):
            assert browser.get(f"/admin/customers/{model}/{path}").status_code == status, path
    program = owner.key.client.service_account
    assert edit(browser, program, name="Mine").status_code == (302 if status == 200 else 403)
    program.refresh_from_db()
    assert (program.name == "Mine") is (status == 200)
    if status == 403:
        for client in (owner.key.client, app):
            for verb in ("rotate", "revoke"):
                assert act(browser, verb, client, hours="1").status_code == 403
        assert owner.actor


def test_a_foreign_key_is_not_there(browser, outsider, parent):
    foreign = factories.make_app(business_account=outsider.account)
    for client in (outsider.key.client, parent.key.client, foreign):
        for verb in ("rotate", "revoke"):
            assert act(browser, verb, client, hours="0").status_code == 404
        if program := client.service_account:
            assert edit(browser, program, name="Mine").status_code == 404
            program.refresh_from_db()
            assert program.name != "Mine"
        client.refresh_from_db()
        assert client.is_active
    assert outsider.actor


def test_a_key_is_not_had_by_way_of_another_program(browser, owner, outsider):
    own, foreign = owner.key.client, outsider.key.client
    url = reverse(
        "admin:customers_serviceaccount_revoke", args=[own.service_account_id, foreign.pk]
    )
    assert browser.post(url).status_code == 404
    assert outsider.actor


def test_an_address_that_is_only_opened_changes_nothing(browser, owner):
    client = owner.key.client
    for verb in ("rotate", "revoke"):
        args = [client.service_account_id, client.pk]
        assert browser.get(reverse(f"admin:customers_serviceaccount_{verb}", args=args)).status_code
    assert owner.actor


def test_the_list_takes_as_many_queries_for_many_keys_as_for_one(
    browser, account, django_assert_num_queries
):
    make(browser, account)
    browser.get("/admin/customers/serviceaccount/")
    with django_assert_num_queries(6):
        browser.get("/admin/customers/serviceaccount/")
    for _ in range(5):
        factories.make_api_key(account)
    with django_assert_num_queries(6):
        browser.get("/admin/customers/serviceaccount/")


def test_other_tokens_live_on_when_an_app_is_revoked(browser, account, clerk):
    mine = factories.make_app(business_account=account)
    other = factories.make_app(business_account=account)
    pair = token_pair(other, clerk)
    act(browser, "revoke", mine)
    assert actor_of(pair["access_token"])

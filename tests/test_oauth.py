"""OAuth 2: what gives a token, and what does not."""

import base64
import hashlib
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from config.api.actors import ActorType, Scope
from customers.authentication import actor_of
from customers.models import Grant, OAuthClient
from tests import factories
from tests.factories import PASSWORD, REDIRECT_URI
from tests.oauth_steps import (
    answer,
    assert_oauth_error,
    authorize_url,
    post_token,
    redeem,
    signed_in,
    submit,
    token_pair,
)

pytestmark = pytest.mark.django_db

LOGIN = "/oauth2/login"


# --- Client credentials ---------------------------------------------------------------------------


def by_basic(key, secret: str = "", **form: str):
    encoded = base64.b64encode(f"{key.id}:{secret or key.secret}".encode()).decode()
    return Browser().post(
        "/oauth2/token",
        {"grant_type": "client_credentials"} | form,
        HTTP_AUTHORIZATION=f"Basic {encoded}",
    )


def test_a_key_gets_a_token_like_that_of_the_exchange(account):
    key = factories.make_api_key(account)
    response = by_basic(key)
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert "refresh_token" not in body
    actor = actor_of(body["access_token"])
    assert actor.type == ActorType.SERVICE_ACCOUNT
    assert actor.business_account_id == account.pk
    assert actor.scopes == set(key.client.service_account.scopes)


def test_a_token_of_a_machine_whose_clock_is_behind_is_good(account, monkeypatch):
    key = factories.make_api_key(account)
    behind = timezone.now() - timedelta(hours=2)
    monkeypatch.setattr(timezone, "now", lambda: behind)
    assert actor_of(by_basic(key).json()["access_token"]) is not None


def test_key_and_secret_may_stand_in_the_form(account):
    key = factories.make_api_key(account)
    response = post_token(
        grant_type="client_credentials", client_id=key.id, client_secret=key.secret
    )
    assert response.status_code == 200


def test_a_key_may_ask_for_less_and_not_for_more(account):
    key = factories.make_api_key(account)
    body = by_basic(key, scope="customers.read").json()
    assert body["scope"] == "customers.read"
    assert actor_of(body["access_token"]).scopes == {Scope.CUSTOMERS_READ}
    assert_oauth_error(by_basic(key, scope="customers.sensitive"), "invalid_scope")
    assert_oauth_error(by_basic(key, scope="made.up"), "invalid_scope")


def test_a_wrong_secret_and_a_revoked_key_get_the_same_answer(account, revoked):
    key = factories.make_api_key(account)
    for response in (by_basic(key, "wrong"), by_basic(revoked.key)):
        assert_oauth_error(response, "invalid_client", 401)


def test_a_key_of_an_inactive_service_account_gets_nothing(account):
    key = factories.make_api_key(account)
    key.client.service_account.is_active = False
    key.client.service_account.save()
    assert_oauth_error(by_basic(key), "invalid_client", 401)


@pytest.mark.parametrize(
    "grant_type",
    ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", "", "nonsense"],
)
def test_no_other_grant_is_given(account, grant_type):
    key = factories.make_api_key(account)
    response = by_basic(key, grant_type=grant_type, username="a", password="b")
    assert response.status_code == 400
    assert response.json()["error"] in {"unsupported_grant_type", "unauthorized_client"}


def test_an_app_gets_no_token_without_a_person(app):
    secret = "s" * 43
    app.client_type, app.client_secret = OAuthClient.CLIENT_CONFIDENTIAL, secret
    app.authorization_grant_type = OAuthClient.GRANT_CLIENT_CREDENTIALS
    app.save()
    response = post_token(
        grant_type="client_credentials", client_id=app.client_id, client_secret=secret
    )
    assert_oauth_error(response, "unauthorized_client")


def test_an_address_that_guesses_is_stopped(account, settings):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 2
    key = factories.make_api_key(account)
    answers = [by_basic(key, "guess") for _ in range(8)]
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0


# --- Authorization code ---------------------------------------------------------------------------


def test_an_employee_lets_an_app_act(app, clerk, account):
    browser = signed_in(clerk)
    url = authorize_url(app)
    page = browser.get(url)
    assert app.name in page.text
    assert "Create, change and delete customers" in page.text
    back = answer(submit(browser, url))
    assert back["state"] == "state-1"
    assert back["iss"] == "http://127.0.0.1:8000"
    response = redeem(app, back["code"])
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["refresh_token"]
    assert set(body["scope"].split()) == {"customers.read", "customers.write"}
    actor = actor_of(body["access_token"])
    assert (actor.type, actor.id) == (ActorType.EMPLOYEE, str(clerk.pk))
    assert actor.business_account_id == account.pk
    assert actor.scopes == {Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE}


def test_a_stranger_signs_in_first_and_comes_back(app, clerk):
    browser = Browser()
    url = authorize_url(app)
    to_login = browser.get(url)
    assert urlsplit(to_login["Location"]).path == LOGIN
    form = {"username": clerk.email.upper(), "password": PASSWORD}
    signed = browser.post(to_login["Location"], form)
    assert signed["Location"] == url
    assert browser.get(url).status_code == 200


def test_a_wrong_password_is_said_and_many_are_stopped(clerk, settings):
    settings.FAILED_AUTHENTICATIONS_PER_MINUTE = 2
    form = {"username": clerk.email, "password": "wrong"}
    first, *_, last = [Browser().post(LOGIN, form) for _ in range(8)]
    assert first.status_code == 200
    assert 'role="alert"' in first.text
    assert last.status_code == 429
    assert "Too many failed attempts" in last.text


def test_the_page_shows_and_gives_only_what_the_person_may_give(app, account):
    viewer = factories.make_employee(account, role="View Only")
    browser, url = signed_in(viewer), authorize_url(app)
    assert "Create, change and delete customers" not in browser.get(url).text
    code = answer(submit(browser, url, scope="customers.read customers.write"))["code"]
    assert redeem(app, code).json()["scope"] == "customers.read"


def test_a_customer_lets_an_app_see_itself(app, customer):
    user = factories.make_customer_speaker(customer).user
    body = token_pair(app, user)
    assert body["scope"] == "customers.read"
    assert actor_of(body["access_token"]).customer_id == customer.pk


def test_who_may_give_none_of_the_scopes_is_sent_back_with_an_error(app, customer):
    user = factories.make_customer_speaker(customer).user
    response = signed_in(user).get(authorize_url(app, scope="bulk.write"))
    assert answer(response)["error"] == "invalid_scope"


def test_cancel_sends_back_access_denied(app, clerk):
    response = submit(signed_in(clerk), authorize_url(app), allow="")
    assert answer(response)["error"] == "access_denied"


def test_the_page_is_protected_against_forged_forms_and_frames(app, clerk):
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(clerk)
    page = browser.get(authorize_url(app))
    assert page["X-Frame-Options"] == "DENY"
    assert "no-store" in page["Cache-Control"]
    assert browser.post(authorize_url(app), {"allow": "true"}).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
    ],
)
def test_pkce_with_s256_is_required(app, clerk, changes):
    browser, url = signed_in(clerk), authorize_url(app, **changes)
    response = browser.get(url)
    if response.status_code == 200:
        response = submit(browser, url)
    assert answer(response)["error"] == "invalid_request"


@pytest.mark.parametrize("challenge", ["short", "x" * 129, "!" * 43, "\0" * 43])
def test_a_challenge_that_is_none_is_refused(app, clerk, challenge):
    browser, url = signed_in(clerk), authorize_url(app, code_challenge=challenge)
    response = browser.get(url)
    if response.status_code == 200:
        response = submit(browser, url, code_challenge=challenge)
    assert response.status_code in {200, 302}
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"response_type": "token"}, {"response_type": "code id_token"}]
)
def test_no_other_response_type_is_given(app, clerk, changes):
    response = signed_in(clerk).get(authorize_url(app, **changes))
    assert answer(response)["error"] in {"unauthorized_client", "unsupported_response_type"}


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"client_id": "\0"},
        {"client_id": None},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
def test_a_bad_client_or_address_is_never_redirected_to(app, clerk, changes):
    response = signed_in(clerk).get(authorize_url(app, **changes))
    assert response.status_code == 400
    assert "evil.example" not in response.text


TRICKS = (
    "https://app.example.com/callback/more",
    "https://app.example.com/callback/../elsewhere",
    "https://app.example.com/callback%2f..%2felsewhere",
    "https://app.example.com/CALLBACK",
    "https://app.example.com/callback/",
    "https://app.example.com/callback#fragment",
    "https://app.example.com:8443/callback",
    "https://app.example.com./callback",
    "https://sub.app.example.com/callback",
    "https://app.example.com.evil.example/callback",
    "https://app.example.com@evil.example/callback",
    "https://evil@app.example.com/callback",
    "https://evil.example\\@app.example.com/callback",
    "https://app.example.com\t.evil.example/callback",
    "http://app.example.com/callback",
    "//app.example.com/callback",
    "https:app.example.com/callback",
    "",
)


@pytest.mark.parametrize("address", TRICKS)
def test_an_address_that_only_looks_like_the_app_s_is_never_redirected_to(app, clerk, address):
    response = signed_in(clerk).get(authorize_url(app, redirect_uri=address))
    assert response.status_code == 400
    code = answer(submit(signed_in(clerk), authorize_url(app)))["code"]
    assert redeem(app, code, redirect_uri=address).status_code == 400


def test_of_two_addresses_none_is_redirected_to(app, clerk):
    url = authorize_url(app) + "&redirect_uri=https%3A%2F%2Fevil.example%2F"
    assert signed_in(clerk).get(url).status_code == 400


def test_a_refresh_gets_no_more_scopes_than_were_given(app, clerk):
    pair = redeem(
        app, answer(submit(signed_in(clerk), authorize_url(app, scope="customers.read")))["code"]
    ).json()
    form = {"grant_type": "refresh_token", "client_id": app.client_id}
    form |= {"refresh_token": pair["refresh_token"]}
    for more in ("customers.read customers.write", "customers.sensitive", "made.up"):
        assert_oauth_error(post_token(**form, scope=more), "invalid_scope")
    body = post_token(**form).json()
    assert body["scope"] == "customers.read"
    assert actor_of(body["access_token"]).scopes == {Scope.CUSTOMERS_READ}


def test_an_api_key_and_a_revoked_app_cannot_ask_a_person(owner, clerk):
    key = owner.oauth_client
    key.redirect_uris = REDIRECT_URI
    key.save()
    response = signed_in(clerk).get(authorize_url(key))
    assert answer(response)["error"] == "unauthorized_client"
    gone = factories.make_app(is_active=False)
    assert signed_in(clerk).get(authorize_url(gone)).status_code == 400


@pytest.mark.parametrize("path", ["/oauth2/authorize?client_id=%zz", "/oauth2/authorize?%00&a=%"])
def test_a_garbled_query_is_answered_with_a_page(clerk, path):
    assert signed_in(clerk).get(path).status_code == 400


@pytest.mark.parametrize(
    "form",
    [{}, {"client_id": "x"}, {"client_id": "\0", "scope": "a"}, {"allow": "1", "scope": "\0"}],
)
def test_a_garbled_form_is_no_500(app, clerk, form):
    full = {"redirect_uri": REDIRECT_URI, "scope": "x", "client_id": "no", "response_type": "code"}
    for body in (form, full | form):
        response = signed_in(clerk).post("/oauth2/authorize", body)
        assert response.status_code in {200, 400}


def test_a_code_works_once_for_its_app_and_verifier(app, clerk):
    code = answer(submit(signed_in(clerk), authorize_url(app)))["code"]
    assert_oauth_error(redeem(app, code, code_verifier="x" * 64), "invalid_grant")
    assert_oauth_error(redeem(factories.make_app(), code), "invalid_grant")
    assert_oauth_error(
        redeem(app, code, redirect_uri="https://app.example.com/"), "invalid_request"
    )
    assert redeem(app, code).status_code == 200
    assert_oauth_error(redeem(app, code), "invalid_grant")
    assert_oauth_error(redeem(app, "\0"), "invalid_grant")


def test_a_person_locked_out_meanwhile_gets_nothing_for_the_code(app, clerk):
    code = answer(submit(signed_in(clerk), authorize_url(app)))["code"]
    clerk.is_active = False
    clerk.save()
    assert_oauth_error(redeem(app, code), "invalid_grant")


def test_nothing_usable_is_stored(app, clerk):
    code = answer(submit(signed_in(clerk), authorize_url(app)))["code"]
    stored = Grant.objects.get()
    assert stored.code == hashlib.sha256(code.encode()).hexdigest()
    stored.save()
    pair = redeem(app, code).json()
    with connection.cursor() as cursor:
        for table in ("grant", "accesstoken", "refreshtoken", "oauthclient", "idtoken"):
            for value in (code, pair["access_token"], pair["refresh_token"]):
                cursor.execute(
                    f"SELECT count(*) FROM customers_{table} row WHERE row::text LIKE %s",
                    [f"%{value}%"],
                )
                assert cursor.fetchone() == (0,), table

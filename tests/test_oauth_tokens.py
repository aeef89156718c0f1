"""OAuth 2: what becomes of a token, who learns about it, and how clients find all this."""

import pytest
from django.test import Client as Browser

from config.api.actors import Scope
from customers.authentication import actor_of
from customers.models import AccessToken, RefreshToken
from customers.tasks import delete_expired_tokens
from tests import factories
from tests.factories import make_token
from tests.oauth_steps import assert_oauth_error, refresh, token_pair

pytestmark = pytest.mark.django_db


def test_a_refresh_token_is_replaced_and_its_access_token_ends(app, clerk):
    first = token_pair(app, clerk)
    second = refresh(app, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert actor_of(first["access_token"]) is None
    assert actor_of(second["access_token"]).id == str(clerk.pk)


def test_a_refresh_token_used_twice_ends_all_of_its_family(app, clerk):
    first = token_pair(app, clerk)
    second = refresh(app, first["refresh_token"]).json()
    assert_oauth_error(refresh(app, first["refresh_token"]), "invalid_grant")
    assert actor_of(second["access_token"]) is None
    assert_oauth_error(refresh(app, second["refresh_token"]), "invalid_grant")


def test_a_refresh_token_is_worth_nothing_to_others_or_after_a_lock_out(app, clerk):
    pair = token_pair(app, clerk)
    assert_oauth_error(refresh(factories.make_app(), pair["refresh_token"]), "invalid_grant")
    assert_oauth_error(refresh(app, "\0"), "invalid_grant")
    clerk.is_active = False
    clerk.save()
    assert_oauth_error(refresh(app, pair["refresh_token"]), "invalid_grant")
    assert not RefreshToken.objects.exists()


def test_a_revoked_app_refreshes_nothing(app, clerk):
    pair = token_pair(app, clerk)
    app.is_active = False
    app.save()
    assert_oauth_error(refresh(app, pair["refresh_token"]), "invalid_client", 401)
    assert actor_of(pair["access_token"]) is None


def revoke(speaker, token: str):
    form = {"token": token, "client_id": speaker.key.id, "client_secret": speaker.key.secret}
    return Browser().post("/oauth2/revoke_token", form)


def test_a_client_revokes_its_own_tokens_and_no_other_s(owner, colleague):
    assert revoke(colleague, owner.token).status_code == 200
    assert actor_of(owner.token)
    assert revoke(owner, owner.token).status_code == 200
    assert actor_of(owner.token) is None
    assert revoke(owner, "never was").status_code == 200


def test_revocation_needs_the_client(owner):
    for form in ({"token": owner.token}, {}, {"token": owner.token, "client_id": owner.key.id}):
        assert Browser().post("/oauth2/revoke_token", form).status_code in {400, 401}
    assert AccessToken.objects.count() == 1


def introspect(speaker, token: str):
    form = {"token": token, "client_id": speaker.key.id, "client_secret": speaker.key.secret}
    return Browser().post("/oauth2/introspect", form)


def test_a_client_learns_about_the_tokens_of_its_tree_only(
    owner, colleague, child, parent, sibling
):
    body = introspect(owner, colleague.token).json()
    assert body["active"] is True
    assert body["client_id"] == colleague.key.id
    assert body["sub"] == str(colleague.oauth_client.service_account_id)
    assert set(body["scope"].split()) == colleague.actor.scopes
    assert body["exp"] > 0
    assert introspect(owner, child.token).json()["active"] is True
    nothing = {"active": False}
    assert introspect(owner, parent.token).json() == nothing
    assert introspect(owner, sibling.token).json() == nothing
    assert introspect(owner, "never was").json() == nothing


def test_introspection_takes_a_bearer_token_too(owner, employee):
    header = {"HTTP_AUTHORIZATION": f"Bearer {owner.token}"}
    response = Browser().post("/oauth2/introspect", {"token": employee.token}, **header)
    assert response.json()["sub"] == str(employee.user.pk)


def test_a_token_that_is_good_for_nothing_is_not_active(owner, colleague, revoked):
    assert introspect(owner, revoked.token).json() == {"active": False}
    assert introspect(owner, make_token(colleague.oauth_client, seconds=-1)).json() == {
        "active": False
    }


def test_introspection_is_closed_to_strangers_and_apps(owner, revoked, app):
    app.client_secret = ""
    app.save()
    for form in (
        {},
        {"client_id": app.client_id},
        {"client_id": app.client_id, "client_secret": ""},
        {"client_id": owner.key.id, "client_secret": "wrong"},
        {"client_id": revoked.key.id, "client_secret": revoked.key.secret},
    ):
        response = Browser().post("/oauth2/introspect", {"token": owner.token} | form)
        assert_oauth_error(response, "invalid_client", 401)
        assert "Basic" in response["WWW-Authenticate"]
    assert introspect(owner, "").json() == {"active": False}
    form = {"client_id": owner.key.id, "client_secret": owner.key.secret}
    assert_oauth_error(Browser().post("/oauth2/introspect", form), "invalid_request")


@pytest.mark.parametrize("endpoint", ["token", "revoke_token", "introspect"])
def test_a_garbled_request_is_no_500(owner, endpoint):
    for path in (f"/oauth2/{endpoint}?%zz", f"/oauth2/{endpoint}/"):
        for body in (b"\xff\xfe=%zz&a", b"grant_type=%00", b"token=%00&client_id=%00"):
            response = Browser().post(path, body, content_type="application/x-www-form-urlencoded")
            assert response.status_code in {400, 401}
    assert Browser().get(f"/oauth2/{endpoint}").status_code == 405


def test_the_metadata_say_what_there_is():
    body = Browser().get("/.well-known/oauth-authorization-server").json()
    base = "http://127.0.0.1:8000"
    assert body["issuer"] == base
    assert body["authorization_endpoint"] == f"{base}/oauth2/authorize"
    assert body["token_endpoint"] == f"{base}/oauth2/token"
    assert body["revocation_endpoint"] == f"{base}/oauth2/revoke_token"
    assert body["introspection_endpoint"] == f"{base}/oauth2/introspect"
    assert body["response_types_supported"] == ["code"]
    assert body["code_challenge_methods_supported"] == ["S256"]
    assert set(body["grant_types_supported"]) == {
        "client_credentials",
        "authorization_code",
        "refresh_token",
    }
    assert set(body["scopes_supported"]) == {scope.value for scope in Scope}


@pytest.mark.parametrize(
    "path", ["applications/", "register/", "device/", "userinfo/", "authorized_tokens/"]
)
def test_the_toolkit_s_other_pages_are_not_there(path):
    assert Browser().get(f"/oauth2/{path}").status_code == 404


def test_tokens_that_are_good_for_nothing_are_forgotten(owner, app, clerk):
    pair = token_pair(app, clerk)
    make_token(owner.oauth_client, seconds=-1)
    assert AccessToken.objects.count() == 3
    delete_expired_tokens()
    assert AccessToken.objects.count() == 2
    assert actor_of(owner.token)
    assert refresh(app, pair["refresh_token"]).status_code == 200

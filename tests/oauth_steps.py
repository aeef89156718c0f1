"""The steps of OAuth 2 as an app and its user take them."""

import base64
import hashlib
import secrets
from urllib.parse import parse_qs, urlencode, urlsplit

from django.test import Client as Browser

from customers.models import OAuthClient
from tests.factories import REDIRECT_URI

VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)


def signed_in(user) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def authorize_url(app: OAuthClient, **changes: str | None) -> str:
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": REDIRECT_URI,
        "scope": "customers.read customers.write",
        "state": "state-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    return "/oauth2/authorize?" + urlencode({k: v for k, v in query.items() if v is not None})


def submit(browser: Browser, url: str, **changes: str):
    """Press Allow on the page behind `url`."""
    page = browser.get(url)
    assert page.status_code == 200, page.headers
    form = {field.name: field.value() or "" for field in page.context["form"].hidden_fields()}
    return browser.post(url, form | {"allow": "true"} | changes)


def answer(response) -> dict[str, str]:
    """The parameters with which the browser was sent back to the app."""
    assert response.status_code == 302
    assert response["Location"].startswith(REDIRECT_URI + "?")
    return {k: v for k, (v,) in parse_qs(urlsplit(response["Location"]).query).items()}


def post_token(**form: str):
    return Browser().post("/oauth2/token", form)


def redeem(app: OAuthClient, code: str, **changes: str):
    return post_token(
        **{
            "grant_type": "authorization_code",
            "client_id": app.client_id,
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        | changes
    )


def token_pair(app: OAuthClient, user) -> dict[str, str]:
    code = answer(submit(signed_in(user), authorize_url(app)))["code"]
    return redeem(app, code).json()


def refresh(app: OAuthClient, refresh_token: str):
    return post_token(
        grant_type="refresh_token", client_id=app.client_id, refresh_token=refresh_token
    )


def assert_oauth_error(response, error: str, status: int = 400) -> None:
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert not {"timestamp", "errorCode"} & set(response.json())

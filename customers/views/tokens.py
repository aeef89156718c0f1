"""`POST /v1/api-keys/exchange`, `POST /v2/session/startSession`: a token for a key's secret."""

import base64
import binascii
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.errors import NO_CREDENTIALS, WRONG_KEY, Invalid, NotAuthenticated, Problem
from config.api.views import ApiView
from customers import openapi
from customers.services.sign_in_log import fail_key
from customers.services.tokens import exchange_key


class ApiKeyExchange(ApiView):
    """`Authorization: Basic base64(key:secret)` → an access token. The body is not read.

    Of an address or a key that fails too often, further failures are 429; a good key works.
    """

    authentication_classes = []
    permission_classes = [AllowAny]
    # A secret is not kept to be sent again.
    idempotent = False

    @openapi.exchange_key
    def post(self, request: Request) -> Response:
        """Give a token, as OAuth 2 would."""
        challenge = {"WWW-Authenticate": 'Basic realm="Kith", charset="UTF-8"'}
        if not request.META.get("HTTP_AUTHORIZATION", "").strip():
            raise NotAuthenticated(NO_CREDENTIALS, headers=challenge)
        key, secret = basic_credentials(request)
        body = {
            "access_token": token_for(request, key, secret, challenge),
            "token_type": "Bearer",
            "expires_in": settings.ACCESS_TOKEN_SECONDS,
        }
        return Response(body, headers={"Cache-Control": "no-store"})


class SessionStart(ApiView):
    """A key and its secret in a JSON body → an access token, as publishers know it."""

    authentication_classes = []
    permission_classes = [AllowAny]
    # A secret is not kept to be sent again.
    idempotent = False

    @openapi.start_session
    def post(self, request: Request) -> Response:
        """Give a token; `scope`, `sourceCustomerId` and other members say nothing here."""
        data = request.data
        if not isinstance(data, Mapping):
            raise Invalid([Problem("", "This must be a JSON object.", "INVALID_TYPE")])
        problems = [
            Problem(name, "This is required.", "REQUIRED")
            if data.get(name) in (None, "")
            else Problem(name, "Not a string.", "INVALID_TYPE")
            for name in ("clientId", "secret")
            if not isinstance(data.get(name), str) or not data[name]
        ]
        if problems:
            raise Invalid(problems)
        body = {
            "sessionToken": token_for(request, data["clientId"], data["secret"], {}),
            "expiresIn": settings.ACCESS_TOKEN_SECONDS,
        }
        return Response(body, headers={"Cache-Control": "no-store"})


def token_for(request: Request, key: str, secret: str, challenge: dict[str, str]) -> str:
    """An access token. Raises `NotAuthenticated`, and `TooManyRequests` for who guesses."""
    token = exchange_key(key=key, secret=secret)
    if token is None:
        fail_key(request, key)
        raise NotAuthenticated(WRONG_KEY, code="INVALID_KEY", headers=challenge)
    return token


def basic_credentials(request: HttpRequest | Request) -> tuple[str, str]:
    """Key and secret of the `Authorization` header; empty when it is missing or unreadable."""
    scheme, _, encoded = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        key, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return key, secret

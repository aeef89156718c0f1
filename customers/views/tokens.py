"""`POST /v1/api-keys/exchange`: an access token for an API key and its secret."""

import base64
import binascii

from django.conf import settings
from django.http import HttpRequest
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from config import attempts
from config.api import ApiView
from config.errors import NotAuthenticated
from customers import openapi
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
        key, secret = basic_credentials(request)
        token = exchange_key(key=key, secret=secret)
        if token is None:
            attempts.note_failure(request, key)
            raise NotAuthenticated(
                "The key or its secret is wrong, or the key was revoked.",
                code="INVALID_KEY",
                headers={"WWW-Authenticate": 'Basic realm="Kith", charset="UTF-8"'},
            )
        body = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": settings.ACCESS_TOKEN_SECONDS,
        }
        return Response(body, headers={"Cache-Control": "no-store"})


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

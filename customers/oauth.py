"""How OAuth 2 works here: what django-oauth-toolkit asks us about clients, scopes and secrets.

Two kinds of clients: an API key, which has a service account and gets tokens by client credentials;
and an app in which people sign in, by authorization code with PKCE (S256). No other grants.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth.hashers import BasePasswordHasher
from django.db.models import Value
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import BaseScopes
from oauthlib import oauth2
from oauthlib.common import Request as OAuthRequest
from oauthlib.oauth2.rfc6749 import errors

from config.api.actors import SCOPES
from config.db import scope
from customers.actors import CUSTOMER_SCOPES
from customers.models import (
    AccessToken,
    BusinessAccount,
    Customer,
    Grant,
    OAuthClient,
    RefreshToken,
    User,
)
from customers.roles import scopes_of

if TYPE_CHECKING:  # the stubs' own; there is nothing like it at run time
    from django_stubs_ext import StrOrPromise

S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class MachineSecretHasher(BasePasswordHasher):
    """One round of salted SHA-256, for secrets that a machine made.

    Slow hashes make up for what people choose as passwords. Our secrets are 256 random bits: no
    number of rounds makes guessing them harder, and each round would cost every exchange.
    """

    algorithm = "machine_secret"

    def encode(self, password: str, salt: str) -> str:
        """``machine_secret$<salt>$<SHA-256 of salt and secret, hexadecimal>``."""
        digest = hashlib.sha256(f"{salt}${password}".encode(errors="replace")).hexdigest()
        return f"{self.algorithm}${salt}${digest}"

    def decode(self, encoded: str) -> dict[str, str]:
        """The parts of `encode`."""
        algorithm, salt, digest = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        """Whether `password` is the secret, in constant time."""
        return constant_time_compare(encoded, self.encode(password, self.decode(encoded)["salt"]))

    def safe_summary(self, encoded: str) -> "dict[StrOrPromise, object]":
        """What the back office may show of a hash."""
        return {"algorithm": self.decode(encoded)["algorithm"]}

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing: there are no rounds to catch up on."""


class ClientScopes(BaseScopes):
    """A client may ask for what its service account has; an app for everything.

    What a person who signs in to an app really gets is `person_scopes`.
    """

    def get_all_scopes(self) -> dict[str, str]:
        """Every scope with its meaning."""
        return SCOPES

    def get_available_scopes(
        self, application: OAuthClient | None = None, *_args: object, **_kwargs: object
    ) -> list[str]:
        """What `application` may ask for; everything there is, without one."""
        if application is None:
            return list(SCOPES)
        machine = application.service_account
        scopes = application.scopes or SCOPES if machine is None else machine.scopes
        return [scope for scope in SCOPES if scope in scopes]

    def get_default_scopes(
        self, application: OAuthClient | None = None, *args: object, **kwargs: object
    ) -> list[str]:
        """What it gets when it asks for nothing in particular."""
        return self.get_available_scopes(application, *args, **kwargs)


def has_overlap(client: OAuthClient) -> bool:
    """Whether the secret before the rotation of a client is still good."""
    return OAuthClient.objects.filter(pk=client.pk, previous_secret_until__gt=Now()).exists()


def may_sign_in(user: User, app: OAuthClient | None = None) -> bool:
    """Whether this person may act through an app: not locked out, and of the app's people.

    A customer only as long as it is active.
    """
    if user.business_account_id is None or not user.is_active:
        return False
    if app is not None and app.business_account_id is not None:
        tree = BusinessAccount.objects.tree_of(app.business_account_id)
        if not tree.filter(pk=user.business_account_id).exists():
            return False
    return user.customer_id is None or is_active_customer(user)


def is_active_customer(user: User) -> bool:
    """Whether the customer of a user is there, and neither suspended nor deleted."""
    if user.customer_id is None:
        return False
    with scope.confined_to([user.business_account_id] if user.business_account_id else []):
        own = Customer.objects.filter(pk=user.customer_id, status=Customer.Status.ACTIVE)
        return own.exists()


def person_scopes(user: User, asked: Iterable[str], app: OAuthClient | None = None) -> list[str]:
    """Those of the `asked` scopes that this person may give to an app."""
    if not may_sign_in(user, app):
        return []
    if user.customer_id is not None:
        allowed: frozenset[str] = CUSTOMER_SCOPES
    else:
        allowed = scopes_of(user.groups.values_list("name", flat=True))
    return [scope for scope in asked if scope in allowed]


GRANTS = {
    "client_credentials": OAuthClient.GRANT_CLIENT_CREDENTIALS,
    "authorization_code": OAuthClient.GRANT_AUTHORIZATION_CODE,
    "refresh_token": OAuthClient.GRANT_AUTHORIZATION_CODE,
}


class Server(oauth2.Server):
    """oauthlib's server without the grants that are not given here, such as by password."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._grant_types: dict[str, object] = {name: self.grant_types[name] for name in GRANTS}
        self._response_types: dict[str, object] = {"code": self.response_types["code"]}


class Validator(OAuth2Validator):
    """The toolkit's rules, made stricter.

    `request` is oauthlib's; the method names and their arguments are its `RequestValidator`'s.
    """

    def _load_application(self, client_id: str | None, request: OAuthRequest) -> OAuthClient | None:
        """The client, into `request.client`; what cannot be a client id is not looked up."""
        if client_id is None or not client_id.isprintable():
            return None
        client: OAuthClient | None = super()._load_application(client_id, request)
        return client

    def authenticate_client(self, request: OAuthRequest, *args: object, **kwargs: object) -> bool:
        """By the secret, or by the one before it as long as the overlap of a rotation lasts."""
        if super().authenticate_client(request, *args, **kwargs):
            return True
        client = request.client
        if not client or not client.previous_secret or not has_overlap(client):
            return False
        current, client.client_secret = client.client_secret, client.previous_secret
        is_known = bool(super().authenticate_client(request, *args, **kwargs))
        client.client_secret = current
        return is_known

    def _extract_basic_auth(self, request: OAuthRequest) -> str | None:
        """The credentials of a Basic header; the names of schemes have no case (RFC 9110)."""
        scheme, _, credentials = (request.headers.get("HTTP_AUTHORIZATION") or "").partition(" ")
        return credentials.strip() or None if scheme.lower() == "basic" else None

    def validate_grant_type(
        self,
        _client_id: str,
        grant_type: str,
        client: OAuthClient,
        *_args: object,
        **_kwargs: object,
    ) -> bool:
        """A service account signs in with its secret, a person through an app; nothing else."""
        is_machine = grant_type == "client_credentials"
        return client.authorization_grant_type == GRANTS[grant_type] and is_machine == (
            client.service_account_id is not None
        )

    def validate_response_type(
        self,
        client_id: str,
        response_type: str,
        client: OAuthClient,
        *_args: object,
        **_kwargs: object,
    ) -> bool:
        """A code, for an app: not also a token, as OpenID Connect would have it."""
        is_for_app = self.validate_grant_type(client_id, "authorization_code", client)
        return response_type == "code" and is_for_app

    def validate_code(
        self,
        client_id: str,
        code: str,
        client: OAuthClient,
        request: OAuthRequest,
        *args: object,
        **kwargs: object,
    ) -> bool:
        """A code of somebody who was locked out meanwhile is worth nothing, nor is a used one."""
        used = Grant.objects.filter(code=code, application=client, used_at__isnull=False).first()
        if used is not None:
            RefreshToken.revoke_family(used.token_family)
            return False
        return bool(
            super().validate_code(client_id, code, client, request, *args, **kwargs)
            and may_sign_in(request.user, client)
        )

    def invalidate_authorization_code(
        self, _client_id: str, code: str, request: OAuthRequest, *_args: object, **_kwargs: object
    ) -> None:
        """Mark a code as used, with the tokens that it gave. Of two uses at once neither counts."""
        grants = Grant.objects.filter(code=code, application=request.client)
        if not grants.filter(used_at=None).update(used_at=Now()):
            RefreshToken.revoke_family(grants.values_list("token_family", flat=True).first())
            raise errors.InvalidGrantError(request=request)

    def _create_refresh_token(
        self,
        request: OAuthRequest,
        refresh_token_code: str,
        access_token: AccessToken,
        previous: RefreshToken | None,
    ) -> RefreshToken:
        """The first token of a code begins the family that the code remembers."""
        token: RefreshToken = super()._create_refresh_token(
            request, refresh_token_code, access_token, previous
        )
        if request.grant_type == "authorization_code":
            grant = Grant.objects.get(code=request.code, application=request.client)
            token.token_family = grant.token_family
            token.save(update_fields=["token_family"])
        return token

    def validate_refresh_token(
        self,
        refresh_token: str,
        client: OAuthClient,
        request: OAuthRequest,
        *args: object,
        **kwargs: object,
    ) -> bool:
        """Nor is a refresh token."""
        return bool(
            super().validate_refresh_token(refresh_token, client, request, *args, **kwargs)
            and may_sign_in(request.user, client)
        )

    def save_authorization_code(
        self,
        client_id: str,
        code: dict[str, str],
        request: OAuthRequest,
        *args: object,
        **kwargs: object,
    ) -> None:
        """Keep a code, for no more than the person may give."""
        if not S256_CHALLENGE.fullmatch(request.code_challenge or ""):
            raise errors.InvalidRequestError(
                description="code_challenge must be 43 base64url characters.", request=request
            )
        request.scopes = person_scopes(request.user, request.scopes, request.client)
        if not request.scopes:
            raise errors.InvalidScopeError(
                description="You may not give any of these scopes.", request=request
            )
        # OpenID Connect is off, and tokens are good for this server only (RFC 8707).
        request.nonce = request.claims = None
        request.resource = []
        super().save_authorization_code(client_id, code, request, *args, **kwargs)

    def _create_access_token(
        self, expires: datetime, *args: object, **kwargs: object
    ) -> AccessToken:
        """A token ends by the database's clock, which judges it; this machine's may be wrong."""
        lasting = expires - timezone.now()
        token: AccessToken = super()._create_access_token(Now() + Value(lasting), *args, **kwargs)
        return token

    def _check_and_set_request_resource(self, request: OAuthRequest) -> None:
        request.resource = []

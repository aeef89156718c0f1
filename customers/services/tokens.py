"""A key and its secret for an access token."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import get_hasher, make_password
from django.db.models import Case, Value, When
from django.db.models.functions import Now
from oauth2_provider.models import set_token_value

from customers.models import AccessToken, OAuthClient

# Compared with when there is no such key, so that the time taken does not tell.
NO_SECRET = make_password(secrets.token_urlsafe(), hasher="machine_secret")

PREVIOUS_SECRET = Case(
    When(previous_secret_until__gt=Now(), then="previous_secret"), default=Value("")
)


def exchange_key(*, key: str, secret: str) -> str | None:
    """An access token for all scopes of the key's service account, good for an hour.

    None for an unknown key, a wrong secret, and a revoked key or service account alike. The secret
    before a rotation is good until its overlap ends. The token is the same as one by the client
    credentials grant.
    """
    row = None
    if key.isascii() and key.isprintable():
        row = (
            OAuthClient.objects.filter(
                client_id=key,
                is_active=True,
                authorization_grant_type=OAuthClient.GRANT_CLIENT_CREDENTIALS,
                service_account__is_active=True,
            )
            .values_list("pk", "client_secret", PREVIOUS_SECRET, "service_account__scopes")
            .first()
        )
    client, stored, previous, scopes = row or (None, NO_SECRET, "", [])
    hasher = get_hasher("machine_secret")
    # Both are compared, so that the time taken does not tell which one it was.
    is_known = [hasher.verify(secret, each) for each in (stored, previous or NO_SECRET)]
    if client is None or not any(is_known):
        return None
    token = secrets.token_urlsafe(32)
    access = AccessToken(
        application_id=client,
        scope=" ".join(scopes),
        expires=Now() + Value(timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)),
    )
    set_token_value(access, token)
    access.save(force_insert=True)
    return token

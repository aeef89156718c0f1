"""A key and its secret for an access token."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import get_hasher, make_password
from django.db.models import Value
from django.db.models.functions import Now
from oauth2_provider.models import set_token_value

from customers.models import AccessToken, OAuthClient

# Compared with when there is no such key, so that the time taken does not tell.
NO_SECRET = make_password(secrets.token_urlsafe(), hasher="machine_secret")


def exchange_key(*, key: str, secret: str) -> str | None:
    """An access token for all scopes of the key's service account, good for an hour.

    None for an unknown key, a wrong secret, and a revoked key or service account alike. The token
    is the same as one by the client credentials grant.
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
            .values_list("pk", "client_secret", "service_account__scopes")
            .first()
        )
    client, stored, scopes = row or (None, NO_SECRET, [])
    if not get_hasher("machine_secret").verify(secret, stored) or client is None:
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

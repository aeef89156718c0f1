"""What becomes of API keys and OAuth clients: edited, rotated with an overlap, and ended.

During the overlap both secrets are good, so that programs can be given the new one in peace.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Now
from django.utils.crypto import get_random_string

from config.api.actors import SCOPES
from config.api.errors import Conflict, Invalid, Problem
from customers.models import AccessToken, Grant, OAuthClient, RefreshToken, ServiceAccount
from customers.services.people import SECRET_CHARACTERS, checked_account_name, scope_problems

# A month: whoever needs longer has forgotten it.
MOST_OVERLAP_HOURS = 720


def change_service_account(
    *, service_account: ServiceAccount, name: str, scopes: Sequence[str]
) -> str:
    """Give a program another name or other scopes; what has changed, in words.

    Its tokens lose at once what is taken away; what is added comes with the next one. Raises
    `Invalid`.
    """
    problems: list[Problem] = []
    name = checked_account_name(name, problems)
    problems += scope_problems(scopes)
    if problems:
        raise Invalid(problems)
    wanted = [scope for scope in SCOPES if scope in scopes]
    with transaction.atomic():
        row = ServiceAccount.objects.select_for_update().get(pk=service_account.pk)
        changes = []
        if row.name != name:
            changes.append(f"Name: {row.name} → {name}")
            # Its keys are named like it, unless they were told another name.
            row.keys.filter(name=row.name).update(name=name)
        if row.scopes != wanted:
            before, now = (", ".join(each) or "none" for each in (row.scopes, wanted))
            changes.append(f"Scopes: {before} → {now}")
        row.name, row.scopes = name, wanted
        row.save(update_fields=["name", "scopes"])
    service_account.refresh_from_db()
    return ". ".join(changes)


def rotate_secret(*, client: OAuthClient, overlap_hours: int) -> str:
    """A new secret, known only now; the old one stays good for so many hours.

    Without an overlap the old secret is taken to be stolen: the tokens that it gave end, too.
    Raises `Invalid`, and `Conflict` for a client that is revoked or has no secret.
    """
    if not 0 <= overlap_hours <= MOST_OVERLAP_HOURS:
        message = f"This must be a whole number from 0 to {MOST_OVERLAP_HOURS}."
        raise Invalid([Problem("hours", message, "INVALID")])
    with transaction.atomic():
        row = OAuthClient.objects.select_for_update(of=("self",)).get(pk=client.pk)
        if not row.is_active:
            raise Conflict("This is revoked; make a new one instead.", code="REVOKED")
        if row.client_type != OAuthClient.CLIENT_CONFIDENTIAL:
            raise Conflict("A public client has no secret.", code="NO_SECRET")
        secret = get_random_string(SECRET_CHARACTERS)
        OAuthClient.objects.filter(pk=row.pk).update(
            previous_secret=row.client_secret if overlap_hours else "",
            previous_secret_until=(
                Now() + Value(timedelta(hours=overlap_hours)) if overlap_hours else None
            ),
            client_secret=make_password(secret, hasher="machine_secret"),
        )
        if not overlap_hours:
            end_tokens(row)
    client.refresh_from_db()
    return secret


def revoke_client(*, client: OAuthClient) -> None:
    """End a key or an app for good: its secrets, codes and tokens stop working at once.

    Raises `Conflict` for one that is revoked already.
    """
    with transaction.atomic():
        revoked = OAuthClient.objects.filter(pk=client.pk, is_active=True).update(
            is_active=False, previous_secret="", previous_secret_until=None
        )
        if not revoked:
            raise Conflict("This is revoked already.", code="REVOKED")
        end_tokens(client)
    client.refresh_from_db()


def end_tokens(client: OAuthClient) -> None:
    """Delete all codes and tokens that a client was given."""
    for model in (Grant, RefreshToken, AccessToken):
        model.objects.filter(application=client).delete()

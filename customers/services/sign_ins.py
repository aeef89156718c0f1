"""Who signs in where: customers with a login of their own, and the apps in which people sign in."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string

from config.api.actors import Actor, Scope
from config.api.errors import Conflict, Invalid, Problem
from customers.change_log import recorded
from customers.models import BusinessAccount, OAuthClient, User
from customers.normalize import parse_email
from customers.profile import Profile
from customers.services.customers import locked
from customers.services.people import (
    SECRET_CHARACTERS,
    checked_account_name,
    create_api_key,
    create_service_account,
    scope_problems,
    set_password,
)

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
GRANTS = ("authorization-code", "client-credentials")


class NewClient(NamedTuple):
    """An OAuth client just made; `secret` is known only now, and None for a public client."""

    client: OAuthClient
    secret: str | None


def create_customer_login(
    *, actor: Actor, customer_id: UUID, email: str, via: str, password: str | None = None
) -> User:
    """A sign-in for a customer, who then sees its own record and nothing else.

    Without a password nobody can sign in with it. The primary contact gets it as its login id.
    Raises `NotFound` for a customer that is not there or deleted, `Invalid`, and `Conflict` when
    the customer has a sign-in or the e-mail address is somebody's.
    """
    problems: list[Problem] = []
    try:
        email = parse_email(email)
    except ValueError as error:
        problems.append(Problem("email", str(error), "INVALID_EMAIL"))
    try:
        with recorded(actor, via=via) as begun:
            customer, at = locked(actor, customer_id, begun)
            if User.objects.filter(customer_id=customer.pk).exists():
                raise Conflict("This customer has a sign-in already.", code="HAS_SIGN_IN")
            user = User(
                email=email,
                name=customer.name[:120],
                business_account=customer.business_account,
                customer_id=customer.pk,
            )
            problems += set_password(user, password)
            if problems:
                raise Invalid(problems)
            user.save()
            profile = Profile.load(customer)
            person = next((each for each in profile.contacts if each.is_primary), None)
            (person or profile.first_contact()).login_id = email[:255]
            profile.save(actor=actor, at=at)
    except IntegrityError as error:
        raise Conflict(f"Somebody signs in as {email} already.", code="EMAIL_TAKEN") from error
    return user


def create_oauth_client(
    *,
    business_account: BusinessAccount,
    name: str,
    grant: str,
    redirect_uris: Sequence[str] = (),
    is_public: bool = False,
    scopes: Sequence[str] = (),
) -> NewClient:
    """A program that gets tokens: for itself, or for people of the account who sign in to it.

    `grant` is one of `GRANTS`. With ``authorization-code`` (PKCE always) employees and customers of
    the business account and of those below it can sign in; a public client, such as an app on a
    phone, has no secret. `scopes` limits what it may ask for. Raises `Invalid`.
    """
    problems = grant_problems(grant, redirect_uris, is_public=is_public)
    problems += scope_problems(scopes)
    name = checked_account_name(name, problems)
    if problems:
        raise Invalid(problems)
    if grant == "client-credentials":
        with transaction.atomic():
            given = {"scopes": scopes} if scopes else {}
            service_account = create_service_account(
                business_account=business_account, name=name, **given
            )
            return NewClient(*create_api_key(service_account=service_account))
    secret = None if is_public else get_random_string(SECRET_CHARACTERS)
    client = OAuthClient.objects.create(
        name=name,
        business_account=business_account,
        client_type=OAuthClient.CLIENT_PUBLIC if is_public else OAuthClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=OAuthClient.GRANT_AUTHORIZATION_CODE,
        redirect_uris=" ".join(redirect_uris),
        scopes=[scope for scope in Scope if scope in scopes],
        client_secret=make_password(secret, hasher="machine_secret") if secret else "",
    )
    return NewClient(client, secret)


def grant_problems(grant: str, redirect_uris: Sequence[str], *, is_public: bool) -> list[Problem]:
    """What is wrong with a grant and what belongs to it."""
    if grant not in GRANTS:
        return [Problem("grant", f"This must be one of {', '.join(GRANTS)}.", "UNKNOWN_VALUE")]
    if grant == "client-credentials":
        message = "Only a client with the grant authorization-code has this."
        given = {"redirectUri": redirect_uris, "public": is_public}
        return [Problem(name, message, "NOT_ALLOWED") for name, value in given.items() if value]
    problems = [
        Problem("redirectUri", f"{uri} must be https, or http on this machine.", "INVALID_URI")
        for uri in redirect_uris
        if not is_safe(uri)
    ]
    if not redirect_uris:
        message = "At least one is needed with the grant authorization-code."
        problems.append(Problem("redirectUri", message, "REQUIRED"))
    return problems


def is_safe(uri: str) -> bool:
    """Whether a code may be sent there (RFC 9700): https, or http on loopback; no fragment."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname
    except ValueError:
        return False
    is_local = parts.scheme == "http" and host in LOOPBACK
    is_whole = bool(host) and not parts.fragment and "#" not in uri and uri.isprintable()
    return is_whole and " " not in uri and (parts.scheme == "https" or is_local)

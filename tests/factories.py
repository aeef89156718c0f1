"""Makes what tests need: `make_*` with defaults for all that a test does not care about."""

import itertools
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import set_token_value
from rest_framework.test import APIClient

from config.api.actors import DEFAULT_SCOPES, SCOPES, Actor
from customers import normalize, phones
from customers.authentication import actor_of
from customers.models import (
    AccessToken,
    Address,
    BusinessAccount,
    Contact,
    ContactPoint,
    Customer,
    Department,
    OAuthClient,
    ServiceAccount,
    User,
)
from customers.profile import renew_address_keys
from tests import documented

ALL_SCOPES = tuple(SCOPES)
PASSWORD = "correct horse battery staple"
REDIRECT_URI = "https://app.example.com/callback"
_numbers = itertools.count(1)


class Client(APIClient):
    """An API client that speaks JSON, and with a token if it was given one.

    Whatever a test is answered has to be in the API documentation.
    """

    default_format = "json"

    def __init__(self, token: str = "", **defaults: Any) -> None:
        if token:
            defaults.setdefault("HTTP_AUTHORIZATION", f"Bearer {token}")
        super().__init__(**defaults)
        self.token = token

    def request(self, **environ: Any) -> Any:
        response = super().request(**environ)
        documented.check(response)
        return response


@dataclass(frozen=True)
class Key:
    """An API key with its secret in clear."""

    client: OAuthClient
    secret: str

    @property
    def id(self) -> str:
        return self.client.client_id

    @property
    def account(self) -> BusinessAccount:
        return self.client.service_account.business_account


@dataclass(frozen=True)
class Speaker:
    """One of the cast: somebody with a token, its business account, and an API client."""

    account: BusinessAccount
    oauth_client: OAuthClient
    token: str
    api: Client
    key: Key | None = None
    user: User | None = None

    @property
    def actor(self) -> Actor:
        """The actor that the token speaks for, as a request has it."""
        actor = actor_of(self.token)
        assert actor is not None
        return actor


def make_business_account(
    name: str = "", *, parent: BusinessAccount | None = None, **fields: Any
) -> BusinessAccount:
    return BusinessAccount.objects.create(
        name=name or f"Account {next(_numbers)}", parent=parent, **fields
    )


def make_department(account: BusinessAccount, name: str = "") -> Department:
    return Department.objects.create(
        business_account=account, name=name or f"Department {next(_numbers)}"
    )


def make_service_account(
    account: BusinessAccount, *, scopes: tuple[str, ...] = DEFAULT_SCOPES, name: str = ""
) -> ServiceAccount:
    return ServiceAccount.objects.create(
        business_account=account, name=name or f"Program {next(_numbers)}", scopes=list(scopes)
    )


def make_api_key(account: BusinessAccount, *, scopes: tuple[str, ...] = DEFAULT_SCOPES) -> Key:
    """A key of a service account of its own."""
    secret = secrets.token_urlsafe(32)
    service_account = make_service_account(account, scopes=scopes)
    client = OAuthClient.objects.create(
        name=service_account.name,
        service_account=service_account,
        client_type=OAuthClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=OAuthClient.GRANT_CLIENT_CREDENTIALS,
        client_secret=secret,
        last_used_at=timezone.now(),
    )
    return Key(client, secret)


def make_app(**fields: Any) -> OAuthClient:
    """An app in which people sign in: a public client with the authorization code grant."""
    return OAuthClient.objects.create(
        **{
            "name": f"App {next(_numbers)}",
            "client_type": OAuthClient.CLIENT_PUBLIC,
            "authorization_grant_type": OAuthClient.GRANT_AUTHORIZATION_CODE,
            "redirect_uris": REDIRECT_URI,
            "last_used_at": timezone.now(),
        }
        | fields
    )


def make_token(
    client: OAuthClient,
    *,
    user: User | None = None,
    scopes: tuple[str, ...] | None = None,
    seconds: int = 3600,
) -> str:
    """An access token in clear: a service account's (all its scopes unless told), or a user's."""
    if scopes is None:
        scopes = tuple(client.service_account.scopes) if user is None else ALL_SCOPES
    token = secrets.token_urlsafe(32)
    row = AccessToken(
        application=client,
        user=user,
        scope=" ".join(scopes),
        expires=timezone.now() + timedelta(seconds=seconds),
    )
    set_token_value(row, token)
    row.save()
    return token


def make_speaker(account: BusinessAccount, *, scopes: tuple[str, ...] = DEFAULT_SCOPES) -> Speaker:
    """A service account of `account` that speaks with a token."""
    key = make_api_key(account, scopes=scopes)
    token = make_token(key.client)
    return Speaker(account, key.client, token, Client(token), key=key)


@cache
def hashed(password: str) -> str:
    """The hash of a password; making one takes longer than most tests."""
    return make_password(password)


def make_employee(
    account: BusinessAccount, *, role: str = "Clerk", email: str = "", **fields: Any
) -> User:
    """An employee with `PASSWORD`."""
    user = User(
        email=email or f"employee{next(_numbers)}@example.com", business_account=account, **fields
    )
    user.password = hashed(PASSWORD)
    user.save()
    user.groups.add(Group.objects.get(name=role))
    return user


def browser_of(account: BusinessAccount, role: str = "Owner", **fields: Any) -> Browser:
    """The browser of a new employee, signed in to the back office; it is shown what fails."""
    browser = Browser(raise_request_exception=False)
    browser.force_login(make_employee(account, role=role, is_staff=True, **fields))
    return browser


def make_employee_speaker(
    account: BusinessAccount, *, role: str = "Clerk", scopes: tuple[str, ...] = ALL_SCOPES
) -> Speaker:
    """An employee who has signed in to an app."""
    user, app = make_employee(account, role=role), make_app()
    token = make_token(app, user=user, scopes=scopes)
    return Speaker(account, app, token, Client(token), user=user)


def permission(app: str, codename: str) -> Permission:
    """A permission by its name, such as to see a list."""
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def make_customer_speaker(customer: Customer) -> Speaker:
    """A customer who has signed in to an app."""
    user = User(
        email=f"customer{next(_numbers)}@example.com",
        business_account=customer.business_account,
        customer_id=customer.pk,
    )
    user.password = hashed(PASSWORD)
    user.save()
    app = make_app()
    token = make_token(app, user=user)
    return Speaker(customer.business_account, app, token, Client(token), user=user)


def make_contact(customer: Customer, *, is_primary: bool = True, **fields: Any) -> Contact:
    values = {"first_name": "Ada", "last_name": "Lovelace"} | fields
    for field in ("first_name", "middle_name", "last_name"):
        values[f"{field}_folded"] = normalize.fold(values.get(field, ""))
    now = timezone.now()
    return Contact.objects.create(
        customer=customer, is_primary=is_primary, created_at=now, updated_at=now, **values
    )


def make_contact_point(
    contact: Contact, kind: str, value: str, *, is_primary: bool = True, **fields: Any
) -> ContactPoint:
    keys = {"PHONE": phones.digits_of, "EMAIL": normalize.email_key}
    now = timezone.now()
    return ContactPoint.objects.create(
        customer_id=contact.customer_id,
        contact_id=contact.id,
        kind=kind,
        value=value,
        value_key=keys.get(kind, str)(value),
        is_primary=is_primary,
        created_at=now,
        updated_at=now,
        **fields,
    )


def make_address(
    customer: Customer,
    type: str = "MAILING",  # noqa: A002 -- the column's name
    *,
    is_primary: bool = True,
    **fields: Any,
) -> Address:
    """1 Main Street, San Francisco, unless told otherwise."""
    values = {
        "street_line_1": "1 Main Street",
        "city": "San Francisco",
        "state": "CA",
        "country": "USA",
        "zip_code": "94105",
    } | fields
    for field in ("street_line_1", "street_line_2", "street_line_3", "city"):
        values[f"{field}_folded"] = normalize.fold(values.get(field, ""))
    now = timezone.now()
    address = Address.objects.create(
        customer=customer,
        type=type,
        is_primary=is_primary,
        created_at=now,
        updated_at=now,
        **values,
    )
    renew_address_keys([str(customer.pk)])
    return address


def make_customer(
    account: BusinessAccount,
    *,
    email: str = "ada@example.com",
    phone: str = "+14155550123",
    external_id: str = "",
    id: UUID | None = None,  # noqa: A002 -- the column's name
    **fields: Any,
) -> Customer:
    """An individual; with `business_name` a business whose one contact is the person.

    Columns of `Customer` and of its contact can be given by their names.
    """
    contact_columns = {field.name for field in Contact._meta.local_fields}
    customer_columns = {field.name for field in Customer._meta.local_fields}
    own_columns = contact_columns - customer_columns
    person = {name: fields.pop(name) for name in list(fields) if name in own_columns}
    assert set(fields) <= customer_columns, fields
    person = {"first_name": "Ada", "last_name": "Lovelace"} | person
    business_name = fields.get("business_name", "")
    name = business_name or f"{person['first_name']} {person['last_name']}"
    new_id = normalize.customer_id(account.pk, external_id) if external_id else normalize.uuid7()
    now = timezone.now()
    customer = Customer.objects.create(
        **{
            "id": id or new_id,
            "business_account": account,
            "type": Customer.Type.BUSINESS if business_name else Customer.Type.INDIVIDUAL,
            "external_id": external_id,
            "business_name_folded": normalize.fold(business_name),
            "name": name,
            "name_folded": normalize.fold(name),
            "name_key": normalize.fold(name)[:600],
            "sort_first_name": normalize.fold(person["first_name"])[:120],
            "sort_last_name": normalize.fold(person["last_name"])[:120],
            "is_named": bool(person["first_name"] or person["last_name"]),
            "search_text": normalize.search_text(
                [str(id or new_id), name, email, phone, external_id]
            ),
            "created_at": now,
            "updated_at": now,
        }
        | fields
    )
    contact = make_contact(customer, **person)
    if phone:
        make_contact_point(contact, "PHONE", phone, phone_type="MOBILE")
    if email:
        make_contact_point(contact, "EMAIL", email)
    return customer

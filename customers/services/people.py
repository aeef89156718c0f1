"""Who may act: business accounts, their programs with keys, and their employees."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string

from config.api.actors import DEFAULT_SCOPES, SCOPES
from config.api.card_numbers import CARD_NUMBER, holds_card_number
from config.api.errors import Conflict, Invalid, Problem
from customers.models import BusinessAccount, OAuthClient, ServiceAccount, User
from customers.normalize import alpha3_from_alpha2, clean, parse_email, uuid7
from customers.roles import ROLES
from customers.services.business import departments_by_name

# 43 of 62 characters are 256 bits.
SECRET_CHARACTERS = 43
# Of one business account; a worker has far fewer processes.
MOST_RUNNING_JOBS = 100


class NewKey(NamedTuple):
    """An API key just made: the only moment at which its secret is known."""

    client: OAuthClient
    secret: str


def create_business_account(
    *, name: str, parent_id: UUID | None = None, region: str = "US", account_id: UUID | None = None
) -> BusinessAccount:
    """A business account: a tree of its own, or below a parent.

    `region` is the ISO 3166-1 alpha-2 country by which its phone numbers are read.
    Raises `Invalid`, and `Conflict` when `account_id` is taken.
    """
    account = BusinessAccount(
        id=account_id or uuid7(), name=clean(name), parent_id=parent_id, default_region=region
    )
    if problems := account_problems(account):
        raise Invalid(problems)
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(f"There is a business account {account_id} already.") from error
    return account


def account_problems(account: BusinessAccount) -> list[Problem]:
    """What is wrong with the name, region, parent and limits of a business account."""
    problems: list[Problem] = []
    checked_account_name(account.name, problems)
    try:
        alpha3_from_alpha2(account.default_region)
    except ValueError as error:
        problems.append(Problem("region", str(error), "INVALID_COUNTRY"))
    parent_id = account.parent_id
    if parent_id is not None and not BusinessAccount.objects.filter(pk=parent_id).exists():
        problems.append(Problem("parent", f"There is no business account {parent_id}.", "UNKNOWN"))
    elif parent_id in BusinessAccount.objects.tree_of(account.pk).values_list("pk", flat=True):
        message = "An account below this one, or the account itself, cannot be its parent."
        problems.append(Problem("parent", message, "CIRCLE"))
    if not 1 <= account.max_running_jobs <= MOST_RUNNING_JOBS:
        message = f"This must be a whole number from 1 to {MOST_RUNNING_JOBS}."
        problems.append(Problem("maxRunningJobs", message, "INVALID"))
    return problems


def create_service_account(
    *, business_account: BusinessAccount, name: str, scopes: Sequence[str] = DEFAULT_SCOPES
) -> ServiceAccount:
    """A program that acts for a business account, with these scopes. Raises `Invalid`."""
    problems: list[Problem] = []
    name = checked_account_name(name, problems)
    problems += scope_problems(scopes)
    if problems:
        raise Invalid(problems)
    return ServiceAccount.objects.create(
        business_account=business_account,
        name=name,
        scopes=[scope for scope in SCOPES if scope in scopes],
    )


def create_api_key(*, service_account: ServiceAccount, name: str = "") -> NewKey:
    """One more key for a service account, named like it unless told. Raises `Invalid`."""
    problems: list[Problem] = []
    name = checked_account_name(name or service_account.name, problems)
    if problems:
        raise Invalid(problems)
    secret = get_random_string(SECRET_CHARACTERS)
    client = OAuthClient.objects.create(
        name=name,
        service_account=service_account,
        client_type=OAuthClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=OAuthClient.GRANT_CLIENT_CREDENTIALS,
        client_secret=make_password(secret, hasher="machine_secret"),
    )
    return NewKey(client, secret)


def create_employee(
    *,
    email: str,
    business_account: BusinessAccount,
    role: str,
    name: str = "",
    password: str | None = None,
    is_superuser: bool = False,
    department: str = "",
    foreign_departments: Sequence[str] = (),
) -> User:
    """A person who works for a business account, in a role of `customers.roles.ROLES`.

    The back office is open to employees, each as far as the role goes; nobody can sign in as one
    without a password. `department` is the home department, and `foreign_departments` are others
    whose customers the employee may see: by their names, in the account or below it.

    Raises `Invalid`, and `Conflict` when the e-mail address is somebody's already.
    """
    problems: list[Problem] = []
    try:
        email = parse_email(email)
    except ValueError as error:
        problems.append(Problem("email", str(error), "INVALID_EMAIL"))
    if role not in ROLES:
        problems.append(
            Problem("role", f"There is no role {role!r}: {', '.join(ROLES)}.", "UNKNOWN")
        )
    user = User(
        email=email,
        name=clean(name),
        business_account=business_account,
        is_staff=True,
        is_superuser=is_superuser,
    )
    if holds_card_number(name):
        problems.append(Problem("name", *CARD_NUMBER))
    problems += set_password(user, password)
    home, wrong = departments_by_name(business_account, [department] if department else [])
    foreign, also_wrong = departments_by_name(business_account, foreign_departments)
    problems += [*wrong, *also_wrong]
    if problems:
        raise Invalid(problems)
    user.department = home[0] if home else None
    try:
        with transaction.atomic():
            user.save()
            user.foreign_departments.set(foreign)
            user.groups.set([Group.objects.get(name=role)])
    except IntegrityError as error:
        raise Conflict(f"Somebody signs in as {email} already.", code="EMAIL_TAKEN") from error
    return user


def set_password(user: User, password: str | None) -> list[Problem]:
    """Give `user`, unsaved, a password, or none; the problems of one that is too weak."""
    if password is not None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            return [Problem("password", message, "WEAK_PASSWORD") for message in error.messages]
    user.set_password(password)
    return []


def scope_problems(scopes: Sequence[str]) -> list[Problem]:
    """What is wrong with the names of scopes."""
    return [
        Problem("scopes", f"There is no scope {scope!r}: {', '.join(SCOPES)}.", "UNKNOWN")
        for scope in scopes
        if scope not in SCOPES
    ]


def checked_account_name(name: str, problems: list[Problem]) -> str:
    """The name of an account or a program, trimmed; what is wrong with it goes to `problems`."""
    name = clean(name)
    if not 1 <= len(name) <= 120 or not name.isprintable():
        problems.append(
            Problem("name", "A name has 1 to 120 characters, none of them invisible.", "INVALID")
        )
    elif holds_card_number(name):
        problems.append(Problem("name", *CARD_NUMBER))
    return name

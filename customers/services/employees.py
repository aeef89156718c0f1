"""What is done to employees: invited, given a role and departments, sent away and called back.

Owners and Admins do it, within the tree of their business account and each up to the own role: an
Admin neither makes an Owner nor touches one, and nobody but a superuser touches a superuser. A
business account keeps an Owner who can sign in.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F

from config.api.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from config.db.locks import held, hold_business_account
from customers.models import BusinessAccount, Department, User
from customers.normalize import clean
from customers.roles import ROLES
from customers.services.people import create_employee

# From the highest on; the first two decide who has access.
ORDER = tuple(ROLES)
DECIDING = ORDER[:2]


def role_of(person: User) -> str:
    """The role of an employee, the highest if there are several; empty without one."""
    held = {group.name for group in person.groups.all()}
    return next((role for role in ORDER if role in held), "")


def roles_to_give(by: User) -> tuple[str, ...]:
    """The roles that `by` may give: those up to the own one."""
    if by.is_superuser:
        return ORDER
    role = role_of(by)
    return ORDER[ORDER.index(role) :] if role in DECIDING else ()


def may_manage(by: User, person: User) -> bool:
    """Whether the role of `by` is high enough to change the access of `person`."""
    if by.is_superuser:
        return True
    given = roles_to_give(by)
    return bool(given) and not person.is_superuser and role_of(person) in {*given, ""}


def require_in_tree(by: User, account_id: UUID | None) -> None:
    """Raise `NotFound` unless a business account is in the tree of `by`; a superuser has all."""
    if by.is_superuser:
        return
    if by.business_account_id is not None and account_id is not None:
        tree = BusinessAccount.objects.tree_of(by.business_account_id)
        if tree.filter(pk=account_id).exists():
            return
    raise NotFound


def invite(
    *,
    by: User,
    email: str,
    name: str,
    business_account: BusinessAccount,
    role: str,
    department: Department | None = None,
    foreign_departments: Sequence[Department] = (),
) -> User:
    """An employee who has no password yet.

    Raises `NotFound` for a business account of another tree, `Forbidden`, `Invalid` and `Conflict`.
    """
    require_in_tree(by, business_account.pk)
    if role not in roles_to_give(by):
        raise Forbidden("You may give no role above your own.", code="ROLE_TOO_HIGH")
    with transaction.atomic():
        person = create_employee(
            email=email, name=name, business_account=business_account, role=role
        )
        place(person, department, foreign_departments)
    return person


def change_person(
    *,
    by: User,
    person: User,
    name: str,
    role: str,
    department: Department | None,
    foreign_departments: Sequence[Department],
) -> str:
    """Give a person another name, role or other departments; what has changed, in words.

    Raises as `managed` does, `Invalid`, and `Conflict` for the last Owner of an account.
    """
    with managed(by, person) as row:
        before = role_of(row)
        if role != before:
            if role not in roles_to_give(by):
                raise Forbidden("You may give no role above your own.", code="ROLE_TOO_HIGH")
            if before == "Owner":
                keep_an_owner(row)
            row.groups.remove(*Group.objects.filter(name__in=ORDER))
            row.groups.add(Group.objects.get(name=role))
        changes = [f"Role: {before or 'none'} → {role}"] if role != before else []
        if (name := clean(name)) != row.name:
            changes.append(f"Name: {row.name or 'none'} → {name or 'none'}")
            User.objects.filter(pk=row.pk).update(name=name)
        places = place_names(row)
        place(row, department, foreign_departments)
        if places != (now := place_names(row)):
            changes.append(f"Departments: {places} → {now}")
    return ". ".join(changes)


def deactivate(*, by: User, person: User) -> None:
    """Send a person away: sessions, tokens, codes and links for passwords end at once.

    Raises as `managed` does, and `Conflict` for oneself and for the last Owner of an account.
    """
    with managed(by, person) as row:
        if row.pk == by.pk:
            raise Conflict("You cannot deactivate yourself.", code="ONESELF")
        if not row.is_active:
            raise Conflict("This person is deactivated already.", code="DEACTIVATED")
        if role_of(row) == "Owner":
            keep_an_owner(row)
        User.objects.filter(pk=row.pk).update(
            is_active=False, access_version=F("access_version") + 1
        )


def reactivate(*, by: User, person: User) -> None:
    """Let a person sign in again; nothing that ended comes back. Raises as `managed` does."""
    with managed(by, person) as row:
        User.objects.filter(pk=row.pk).update(is_active=True)


@contextmanager
def managed(by: User, person: User) -> Iterator[User]:
    """A transaction in which `by` changes a person: gives the row.

    Raises `NotFound` for a person of another tree, and `Forbidden` for one of a higher role.
    The business account is held, too, so that of two changes the second sees the first.
    """
    with transaction.atomic():
        if person.business_account_id:
            hold_business_account(person.business_account_id)
        row = held(User.objects.all(), person.pk).get()
        require_in_tree(by, row.business_account_id)
        if not may_manage(by, row):
            raise Forbidden("This person's role is above yours.", code="ROLE_TOO_HIGH")
        yield row


def keep_an_owner(person: User) -> None:
    """Raise `Conflict` if nobody else is an Owner of the account who can sign in."""
    others = (
        User.objects.filter(
            business_account_id=person.business_account_id, groups__name="Owner", is_active=True
        )
        .exclude(pk=person.pk)
        .exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    )
    if not others.exists():
        message = f"{person} is the only Owner who can sign in. Make another Owner first."
        raise Conflict(message, code="LAST_OWNER")


def place(person: User, home: Department | None, foreign: Sequence[Department]) -> None:
    """Give a person its departments. Raises `Invalid` for one that is not of its account's tree."""
    tree: set[UUID] = set()
    if person.business_account_id:
        accounts = BusinessAccount.objects.tree_of(person.business_account_id)
        tree = set(accounts.values_list("pk", flat=True))
    problems = [
        Problem(path, f"{each} is no department of this business account.", "UNKNOWN")
        for path, each in [
            *([("department", home)] if home else []),
            *(("foreignDepartments", each) for each in foreign),
        ]
        if each.business_account_id not in tree
    ]
    if problems:
        raise Invalid(problems)
    User.objects.filter(pk=person.pk).update(department=home)
    person.department = home
    person.foreign_departments.set(foreign)


def place_names(person: User) -> str:
    """The departments of a person, the home first, in words."""
    home = person.department.name if person.department else "none"
    foreign = [each.name for each in person.foreign_departments.all()]
    return ", ".join([home, *sorted(foreign)])

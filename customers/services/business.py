"""What a business account decides for itself: departments, departmentalization, attributes."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.db.models import PROTECT, Model, QuerySet

from config.api.card_numbers import CARD_NUMBER, holds_card_number
from config.api.errors import Conflict, Invalid, Problem
from config.db.locks import held, hold_business_account
from customers.models import Account, AttributeDefinition, BusinessAccount, Department
from customers.normalize import clean

MAX_DEPARTMENT = 120
MAX_ATTRIBUTE = 60
# A call that deletes what more rows have would be cut off by its time limit, and nothing deleted.
MOST_AT_ONCE = 50_000


def create_department(*, business_account: BusinessAccount, name: str) -> Department:
    """A department. Raises `Invalid`, and `Conflict` when the account has one of this name."""
    name = checked_name(name, MAX_DEPARTMENT)
    try:
        with transaction.atomic():
            return Department.objects.create(business_account=business_account, name=name)
    except IntegrityError as error:
        raise Conflict(f"This business account has a department {name!r} already.") from error


def create_attribute(
    *, business_account: BusinessAccount, name: str, target: str, is_encrypted: bool = False
) -> AttributeDefinition:
    """A custom attribute of customers or of contacts; `target` is one of its `Target`.

    Raises `Invalid`, and `Conflict` when the account has one of this name and target.
    """
    name = checked_name(name, MAX_ATTRIBUTE)
    if target not in AttributeDefinition.Target.values:
        allowed = ", ".join(AttributeDefinition.Target.values)
        raise Invalid([Problem("target", f"This must be one of {allowed}.", "UNKNOWN_VALUE")])
    try:
        with transaction.atomic():
            return AttributeDefinition.objects.create(
                business_account=business_account,
                name=name,
                target=target,
                is_encrypted=is_encrypted,
            )
    except IntegrityError as error:
        raise Conflict(f"This business account has an attribute {name!r} already.") from error


def set_departmentalization(*, business_account: BusinessAccount, is_on: bool) -> None:
    """Confine employees to the customers of their departments, or no longer."""
    BusinessAccount.objects.filter(pk=business_account.pk).update(departmentalization=is_on)


def check_deletable(part: Department | AttributeDefinition) -> None:
    """Raise `Conflict` for a department or an attribute that too many customers have."""
    if isinstance(part, Department):
        rows: QuerySet[Model] = part.customers.all()
        advice = "give them another one"
    else:
        rows, advice = part.values.all(), "clear it there"
    if rows.order_by().values("pk")[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE:
        raise Conflict(
            f"More than {MOST_AT_ONCE:,} customers have {part.name}: {advice} by loading a file, "
            "then delete it."
        )


def kept_by(business_account: BusinessAccount) -> list[type[Model]]:
    """The kinds of what keeps an account from being deleted: customers, people, searches and such.

    Each is asked for one row, which an index leads to. An account of a customer never stands alone.
    """
    return [
        relation.related_model
        for relation in BusinessAccount._meta.related_objects
        if relation.on_delete is PROTECT
        and relation.related_model is not Account
        and relation.related_model._default_manager.filter(
            **{relation.field.name: business_account}
        ).exists()
    ]


def delete_business_account(*, business_account: BusinessAccount) -> None:
    """Delete an account with its departments, attributes and keys. Raises `Conflict`."""
    with transaction.atomic():
        hold_business_account(business_account.pk)
        # Whoever adds something to it waits, and then finds that it is not there.
        held(BusinessAccount.objects.all(), business_account.pk).get()
        if found := kept_by(business_account):
            words = ", ".join(str(each._meta.verbose_name_plural) for each in found)
            raise Conflict(f"{business_account} cannot be deleted: it has {words}.")
        business_account.delete()


def departments_by_name(
    business_account: BusinessAccount, names: Iterable[str]
) -> tuple[list[Department], list[Problem]]:
    """The departments of these names in an account or below it, and what is wrong with names."""
    tree = BusinessAccount.objects.tree_of(business_account.pk)
    found: list[Department] = []
    problems = []
    for name in names:
        same = list(Department.objects.filter(business_account__in=tree, name=name)[:2])
        if len(same) == 1:
            found += same
        elif same:
            message = f"Several business accounts have a department {name!r}."
            problems.append(Problem("department", message, "AMBIGUOUS"))
        else:
            message = f"There is no department {name!r} in this business account or below."
            problems.append(Problem("department", message, "UNKNOWN"))
    return found, problems


def checked_name(name: str, longest: int) -> str:
    """A name, trimmed. Raises `Invalid`."""
    name = clean(name)
    if not 1 <= len(name) <= longest or not name.isprintable():
        message = f"A name has 1 to {longest} characters, none of them invisible."
        raise Invalid([Problem("name", message, "INVALID")])
    if holds_card_number(name):
        raise Invalid([Problem("name", *CARD_NUMBER)])
    return name

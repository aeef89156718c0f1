"""The family of business accounts that the check is about, and who calls in their names.

::

    parent ── child ── grandchild
           └─ sibling
    outsider

Beside the holding of `child` there is a `neighbour` in the same account, whom a signed-in customer
of that account must not see.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from uuid import UUID, uuid5

from django.db import transaction
from django.utils.module_loading import autodiscover_modules

from config.api.actors import ActorType
from customers.isolation.holdings import Handle, Holding, Reach, make_holding, make_token
from customers.models import BusinessAccount, OAuthClient, User
from customers.services.people import create_business_account

# Ids of its own, so that a check that was killed leaves nothing that the next one does not find.
NAMESPACE = UUID("6f3a1d7e-5b0c-5e7f-9a53-7f1f7d0b9c21")
PARENTS = {"parent": None, "child": "parent", "sibling": "parent", "grandchild": "child"}
PARENTS |= {"outsider": None}
# Holdings by name, and the account that each is in.
HOLDINGS = {name: name for name in PARENTS} | {"neighbour": "child"}
OPERATORS = ("parent", "child", "outsider")


class Way(StrEnum):
    """How somebody comes in."""

    PROGRAM = "program"
    CUSTOMER = "customer"
    OPERATOR = "operator"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Caller:
    """Somebody who makes calls; `tree` holds the accounts that it may see things of.

    `above` holds the own account and those above it.

    `actor_type` is what its token makes it; None for a browser, and for a token that is worth
    nothing.
    """

    name: str
    way: Way
    holding: Holding | None = None
    tree: frozenset[UUID] = frozenset()
    above: frozenset[UUID] = frozenset()
    token: str = ""
    user: User | None = None
    actor_type: ActorType | None = None

    def reaches(self, holding: Holding, handle: Handle) -> bool:
        """Whether this caller may reach what a handle of a holding leads to."""
        own = self.holding
        if handle.reach == Reach.ANYBODY:
            return True
        if own is not None and handle.value in {each.value for each in own.handles.values()}:
            return True
        if self.way == Way.CUSTOMER or handle.reach == Reach.HOLDER:
            return False
        is_above = handle.reach == Reach.ABOVE and holding.account.pk in self.above
        return is_above or holding.account.pk in self.tree

    def knows(self, holding: Holding) -> bool:
        """Whether this caller may read the texts of a holding."""
        is_own = self.user is not None and holding.mark in self.user.email
        return (
            is_own
            or holding is self.holding
            or (self.way != Way.CUSTOMER and holding.account.pk in self.tree)
        )


@dataclass(frozen=True)
class Family:
    """The accounts, what they have, and who calls."""

    accounts: Mapping[str, BusinessAccount]
    holdings: Mapping[str, Holding]
    callers: tuple[Caller, ...]


@contextmanager
def accounts() -> Iterator[dict[str, BusinessAccount]]:
    """The business accounts, without anything in them; deleted at the end.

    They are committed: whoever adds an account below another waits for those that others add, and
    must not wait for the whole check. Everything else is made within a transaction.
    """
    made: dict[str, BusinessAccount] = {}
    try:
        for name, parent in PARENTS.items():
            key = uuid5(NAMESPACE, name)
            made[name] = BusinessAccount.objects.filter(pk=key).first() or create_business_account(
                name=f"Isolation check: {mark_of(name)}",
                parent_id=made[parent].pk if parent else None,
                account_id=key,
            )
        yield made
    finally:
        with transaction.atomic():
            for name in reversed(made):
                made[name].delete()


@contextmanager
def family() -> Iterator[Family]:
    """The family, with its holdings, which are rolled back at the end."""
    import_module("customers.isolation.customers")
    autodiscover_modules("isolation")
    with accounts() as made, transaction.atomic():
        holdings = {
            name: make_holding(made[account], mark_of(name)) for name, account in HOLDINGS.items()
        }
        yield Family(made, holdings, tuple(callers(made, holdings)))
        transaction.set_rollback(True)


def mark_of(name: str) -> str:
    """A word that nobody uses for anything else."""
    return f"zq{name}qz"


def callers(
    made: Mapping[str, BusinessAccount], holdings: Mapping[str, Holding]
) -> Iterator[Caller]:
    """Who calls: the program of each account, a revoked one, nobody, a customer, and operators."""
    for name in PARENTS:
        holding = holdings[name]
        yield Caller(
            name,
            Way.PROGRAM,
            holding,
            tree=tree_of(name, made),
            above=above(name, made),
            token=holding.token,
            actor_type=ActorType.SERVICE_ACCOUNT,
        )
    yield Caller("suspended client", Way.NOBODY, token=suspended(holdings["child"]))
    yield Caller("nobody", Way.NOBODY)
    signed_in = customer(holdings["child"])
    yield signed_in
    yield Caller("customer in a browser", Way.NOBODY, user=signed_in.user)
    for name in OPERATORS:
        owner = holdings[name].owner
        yield Caller(
            f"Owner of {name}",
            Way.OPERATOR,
            holdings[name],
            tree=tree_of(name, made),
            user=owner,
        )


def tree_of(name: str, made: Mapping[str, BusinessAccount]) -> frozenset[UUID]:
    """The ids of an account and of all below it, by the picture above."""
    below = [tree_of(child, made) for child, parent in PARENTS.items() if parent == name]
    return frozenset({made[name].pk}).union(*below)


def above(name: str | None, made: Mapping[str, BusinessAccount]) -> frozenset[UUID]:
    """The ids of an account and of all above it."""
    if name is None:
        return frozenset()
    return frozenset({made[name].pk}) | above(PARENTS[name], made)


def suspended(holding: Holding) -> str:
    """The token of a client of the holding's program that was revoked since."""
    program = holding.client.service_account
    client = OAuthClient.objects.create(
        name=f"{holding.mark} revoked",
        service_account=program,
        client_type=OAuthClient.CLIENT_CONFIDENTIAL,
        authorization_grant_type=OAuthClient.GRANT_CLIENT_CREDENTIALS,
        is_active=False,
    )
    return make_token(client)


def customer(holding: Holding) -> Caller:
    """The individual of a holding, signed in to an app."""
    user = User.objects.get(customer_id=holding.handles["customer_id"].value)
    app = OAuthClient.objects.create(
        name=f"{holding.mark} phone",
        client_type=OAuthClient.CLIENT_PUBLIC,
        authorization_grant_type=OAuthClient.GRANT_AUTHORIZATION_CODE,
    )
    return Caller(
        "customer of child",
        Way.CUSTOMER,
        holding,
        tree=frozenset({holding.account.pk}),
        token=make_token(app, user),
        user=user,
        actor_type=ActorType.CUSTOMER,
    )

"""The customers that benchmarks measure on: made once in the benchmark database, then reused."""

import sys
from typing import NamedTuple
from uuid import NAMESPACE_DNS, uuid5

from django.utils import timezone
from tqdm import tqdm

from customers.actors import internal_actor
from customers.generate import Plan
from customers.management.commands.generate_customers import load, settle
from customers.models import BusinessAccount, Customer
from tests.benchmarks.report import note

CUSTOMERS = 1_000_000
TREE = 500_000
CHILDREN = 4
TENANT = 500
NAMESPACE = uuid5(NAMESPACE_DNS, "benchmarks.kith.example")


class Dataset(NamedTuple):
    """One million individuals, each with one contact and two addresses, in three trees.

    `tree` and its `children` have 500,000 of them, `tenant` has 500, `others` have the rest.
    """

    tree: BusinessAccount
    children: tuple[BusinessAccount, ...]
    tenant: BusinessAccount
    others: BusinessAccount


def dataset() -> Dataset:
    """The data set; whatever of it is missing is made now, in a few minutes."""
    tree = named("Tree")
    children = tuple(named(f"Branch {number}", tree) for number in range(1, CHILDREN + 1))
    found = Dataset(tree, children, tenant=named("Tenant"), others=named("Others"))
    fill((tree, *children), TREE, seed=1)
    fill((found.tenant,), TENANT, seed=2)
    fill((found.others,), CUSTOMERS - TREE - TENANT, seed=3)
    return found


def named(name: str, parent: BusinessAccount | None = None) -> BusinessAccount:
    """The data set's business account of this name."""
    return BusinessAccount.objects.get_or_create(
        pk=uuid5(NAMESPACE, name), defaults={"name": name, "parent": parent}
    )[0]


def fill(accounts: tuple[BusinessAccount, ...], count: int, *, seed: int) -> None:
    """Make the customers that the accounts lack of `count`."""
    missing = count - Customer.objects.filter(business_account__in=accounts).count()
    if missing <= 0:
        return
    note(f"making {missing:,} customers for the benchmarks")
    plan = Plan(
        seed=seed,
        count=missing,
        accounts=tuple(account.pk for account in accounts),
        now=timezone.now(),
        businesses=0,
    )
    with tqdm(total=missing, unit=" customers", unit_scale=True, file=sys.stderr) as bar:
        for written in load(plan, internal_actor(accounts[0])):
            bar.update(written)
    settle()

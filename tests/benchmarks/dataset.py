"""The customers that benchmarks measure on: made once in the benchmark database, then reused."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import NAMESPACE_DNS, uuid5

from django.core.management import call_command
from django.db import connection
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


@contextmanager
def registry(count: int) -> Iterator[tuple[BusinessAccount, ...]]:
    """While it is entered, this process and those that it starts use a registry of `count`.

    It is a database of its own beside the others. Yields the account whose tree has all of the
    customers, then its children.
    """
    with database(f"{count}"):
        call_command("migrate", verbosity=0)
        tree = named("Tree")
        children = tuple(named(f"Branch {number}", tree) for number in range(1, CHILDREN + 1))
        fill((tree, *children), count, seed=4)
        yield tree, *children


@contextmanager
def database(name: str) -> Iterator[str]:
    """While it is entered, a database of this name beside the benchmarks' own; yields its URL."""
    whole, url = connection.settings_dict["NAME"], os.environ["DATABASE_URL"]
    other = f"{whole}_{name}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [other])
        if cursor.fetchone() is None:
            cursor.execute(f'CREATE DATABASE "{other}"')
    use(other, urlsplit(url)._replace(path=f"/{other}").geturl())
    try:
        yield os.environ["DATABASE_URL"]
    finally:
        use(whole, url)


def use(name: str, url: str) -> None:
    """Go over to another database of the same server."""
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = url

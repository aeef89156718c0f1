"""`generate_customers N [--business-account ID] [--children K] [--businesses 0.1] [--seed S]`

→ `{"customers", "seconds", "businessAccountId", "children"}`

Batches are made and written by one process per core, each batch in a transaction of its own: what
was written before an interruption stays, as whole customers.
"""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.db import connection, connections
from django.utils import timezone
from tqdm import tqdm

from config.api.actors import Actor
from customers.actors import internal_actor
from customers.change_log import Via, recorded
from customers.generate import Attribute, Plan, make_batch
from customers.management.output import JSONCommand, account_named
from customers.models import AttributeDefinition, Department
from customers.services.people import create_business_account
from customers.tables import copy

# A crash of the server may cost the last batches, never half of one. Trigram indexes take new rows
# in larger portions, which is a tenth less work; `settle` leaves none of them waiting.
BULK = """
    SET LOCAL synchronous_commit = off;
    SET LOCAL gin_pending_list_limit = '64MB';
    SET LOCAL work_mem = '64MB'"""
CHANGE_STATUS = """
    UPDATE customers_customer SET status = changed.status, updated_at = changed.at, version = 2
    FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[]) AS changed (id, status, at)
    WHERE customers_customer.id = changed.id"""
TABLES = (
    "customers_customer",
    "customers_address",
    "customers_contactpoint",
    "customers_contact",
    "customers_attributevalue",
)


class Command(JSONCommand):
    """Fills a business account with customers that look like real ones."""

    help = (
        "Make N customers with contacts, contact points, addresses and history. "
        "The same seed makes the same people, under new ids."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("count", type=positive, metavar="N")
        parser.add_argument(
            "--business-account", metavar="ID", help="whose, by id or name (default: a new one)"
        )
        parser.add_argument(
            "--children",
            type=natural,
            default=0,
            metavar="K",
            help="spread them over this account and K new ones below it (default: 0)",
        )
        parser.add_argument(
            "--businesses", type=share, default=0.1, help="share of businesses (default: 0.1)"
        )
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="default: 1")

    def run(
        self,
        *,
        count: int,
        business_account: str | UUID | None,
        children: int,
        businesses: float,
        seed: int,
        **_options: object,
    ) -> dict[str, object]:
        """Make them."""
        started = time.monotonic()
        if business_account:
            account = account_named(business_account)
        else:
            account = create_business_account(name="Generated")
        below = [
            create_business_account(
                name=f"{account.name[:110]} {number}",
                parent_id=account.pk,
                region=account.default_region,
            )
            for number in range(1, children + 1)
        ]
        accounts = (account.pk, *(child.pk for child in below))
        plan = Plan(
            seed=seed,
            count=count,
            accounts=accounts,
            now=timezone.now(),
            businesses=businesses,
            departments=departments_of(accounts),
            attributes=attributes_of(accounts),
        )
        with tqdm(total=plan.count, unit=" customers", unit_scale=True, file=self.stderr) as bar:
            for written in load(plan, internal_actor(account)):
                bar.update(written)
        settle()
        return {
            "customers": plan.count,
            "seconds": round(time.monotonic() - started, 1),
            "businessAccountId": account.pk,
            "children": [child.pk for child in below],
        }


def departments_of(accounts: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """The departments of accounts, by account."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    rows = Department.objects.filter(business_account__in=accounts).order_by("name")
    for account_id, department_id in rows.values_list("business_account_id", "pk"):
        found[account_id].append(department_id)
    return dict(found)


def attributes_of(accounts: Sequence[UUID]) -> dict[UUID, list[Attribute]]:
    """The custom attributes of accounts, by account."""
    found: dict[UUID, list[Attribute]] = defaultdict(list)
    rows = AttributeDefinition.objects.filter(business_account__in=accounts).order_by("name", "pk")
    for row in rows:
        is_of_contacts = row.target == AttributeDefinition.Target.CONTACT
        found[row.business_account_id].append(Attribute(row.pk, is_of_contacts, row.seals))
    return dict(found)


def load(plan: Plan, actor: Actor) -> Iterator[int]:
    """Write all batches of a plan; yields the number of customers of each as it is committed.

    A plan of one batch is written here, by this connection, so within the current transaction.
    """
    count = len(plan.batches())
    processes = min(count, os.cpu_count() or 1)
    if processes < 2:
        yield from (write_batch(plan, actor, number) for number in range(count))
        return
    connections.close_all()
    context = get_context("fork")
    workers = {}
    for first in range(processes):
        receiver, sender = context.Pipe(duplex=False)
        numbers = range(first, count, processes)
        worker = context.Process(target=write_batches, args=(plan, actor, numbers, sender))
        worker.start()
        sender.close()
        workers[receiver] = worker
    try:
        yield from written_by(workers)
    finally:
        for worker in workers.values():
            worker.terminate()
            worker.join()


def written_by(workers: dict[Connection, ForkProcess]) -> Iterator[int]:
    """The numbers that processes report, until all have ended; `CommandError` when one failed."""
    working = set(workers)
    while working:
        for receiver in working.intersection(wait(working)):
            try:
                yield receiver.recv()
            except EOFError:
                working.remove(receiver)
                workers[receiver].join()
                if workers[receiver].exitcode:
                    raise CommandError("A process failed; batches written so far stay.") from None


def write_batches(plan: Plan, actor: Actor, numbers: range, sender: Connection) -> None:
    """What one process does: its share of the batches, unless its parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    for number in numbers:
        sender.send(write_batch(plan, actor, number))
        if os.getppid() != parent:
            return


def write_batch(plan: Plan, actor: Actor, number: int) -> int:
    """Make one batch and write it with its record in one transaction; the number of customers."""
    batch = make_batch(plan, number)
    with (
        recorded(actor, via=Via.COMMAND, reason="generate_customers"),
        connection.cursor() as cursor,
    ):
        cursor.execute(BULK)
        for table, rows in batch.rows.items():
            copy(cursor, table, iter(rows))
        if batch.changes:
            ids, statuses, moments = zip(*batch.changes, strict=True)
            cursor.execute(CHANGE_STATUS, [list(ids), list(statuses), list(moments)])
    return batch.customers


def settle() -> None:
    """Make the tables fast to search: statistics, visibility, and the indexes' pending entries."""
    if not connection.in_atomic_block:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(vacuum, TABLES))


def vacuum(table: str) -> None:
    """Vacuum and analyze one table by a connection of its own."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM (ANALYZE) {table}")
    finally:
        connection.close()


def positive(text: str) -> int:
    """A whole number from 1."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def natural(text: str) -> int:
    """A whole number from 0."""
    number = int(text)
    if number < 0:
        raise ValueError
    return number


def share(text: str) -> float:
    """A number from 0 to 1."""
    number = float(text)
    if not 0 <= number <= 1:
        raise ValueError
    return number

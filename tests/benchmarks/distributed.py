"""What `KITH_DISTRIBUTED` costs on one PostgreSQL server: all is done in both ways, by turns.

A rate with it is divided by the rate without; above 1 it is quicker. Last stands each thing that
is done in two ways by itself: what the way of an engine would cost one server.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from statistics import median

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.test import override_settings

from config.api.pagination import PageRequest
from config.api.sorts import Sort
from config.db.locks import held
from config.db.statements import prepared_rows
from customers.actors import internal_actor
from customers.authentication import speaker_of
from customers.change_log import Via, recorded
from customers.models import BusinessAccount, Customer
from customers.prepared_lists import by_time, counting, total_of
from customers.services.customers import locked
from customers.sorting import first_ids
from customers.views.customers import ANSWER
from search.ranges import counted, cut
from search.runner import estimate
from tests.benchmarks.analyst import Analyst
from tests.benchmarks.bulk import drain, person
from tests.benchmarks.customers import token_for
from tests.benchmarks.dataset import fill, named, registry
from tests.benchmarks.report import columns, note, race
from tests.benchmarks.server import Caller, web, worker

CUSTOMERS = 50_000
SWITCH = "KITH_DISTRIBUTED"
WAYS = ("0", "1")
CALLS = 200
TURNS = 15
DRAINS = 5
DRAINED = 3000
FILES = 15
PARTS = 31
FEW = 50
SESSIONS = 2


@contextmanager
def switched(value: str) -> Iterator[None]:
    """Programs that are started within it have the switch like this."""
    before = os.environ.get(SWITCH, "0")
    os.environ[SWITCH] = value
    try:
        yield
    finally:
        os.environ[SWITCH] = before


def calls(account: BusinessAccount) -> Iterator[list[str]]:
    """One client that reads customers, changes them and lists them."""
    token = token_for(account)
    own = Customer.objects.present().filter(business_account=account)
    some = list(own.values_list("pk", flat=True))
    random.shuffle(some)
    numbers = count()
    with ExitStack() as stack:
        callers = {}
        for way in WAYS:
            with switched(way):
                port = stack.enter_context(web())
            callers[way] = Caller(port, token)

        def get(caller: Caller) -> None:
            for customer_id in some[:CALLS]:
                caller.get(f"/v1/customers/{customer_id}")

        def put(caller: Caller) -> None:
            for customer_id in some[: CALLS // 4]:
                body = {"metadata": {"number": str(next(numbers))}}
                caller.put(f"/v1/customers/{customer_id}", body)

        def first_page(caller: Caller) -> None:
            for _ in range(CALLS // 10):
                caller.get("/v1/customers")

        works: dict[str, tuple[Callable[[Caller], None], str]] = {
            "GET of a customer": (get, "0.90"),
            "change of one member": (put, ""),
            "first page of a list, with children": (first_page, ""),
        }
        for name, (work, target) in works.items():
            note(name)
            taken = race({way: partial(work, callers[way]) for way in WAYS}, times=TURNS)
            without, with_it = (each.median for each in taken)
            yield [name, f"{without / with_it:.2f}", target]


def drains(account: BusinessAccount) -> list[str]:
    """One worker process with requests of fifty that wait for it."""
    note("drain")
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(DRAINS):
        for way in WAYS:
            with switched(way):
                rates[way].append(drain(account, (person() for _ in range(DRAINED))).rate)
    return ["drain", ratio(rates), "0.85"]


def files(account: BusinessAccount, result_format: str) -> list[str]:
    """A queued search of all customers."""
    note(result_format)
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    with web() as port:
        analyst = Analyst(port, account)
        for _ in range(FILES):
            for way in WAYS:
                with switched(way), worker(processes=1):
                    done = analyst.search(resultFormat=result_format)
                rates[way].append(done.rows / done.seconds)
    return [f"file of all as {result_format}", ratio(rates), "0.95"]


def parts(account: BusinessAccount) -> list[list[str]]:
    """What is done in two ways, within this process."""
    note("parts")
    actor, token, few = internal_actor(account), token_for(account), named("Few")
    fill((few,), FEW, seed=5)
    customer = Customer.objects.present().filter(business_account=account)[0].pk
    newest = PageRequest((Sort("createdAt", "created_at", is_descending=True),), 20, 0)
    by_name = PageRequest((Sort("lastName", "sort_last_name", is_descending=False),), 20, 0)

    def tell() -> None:
        with recorded(actor, via=Via.COMMAND):
            pass

    def hold() -> None:
        with recorded(actor, via=Via.COMMAND) as at:
            locked(actor, customer, at)

    def hold_row() -> None:
        with transaction.atomic():
            held(BusinessAccount.objects.all(), account.pk).get()

    def exact() -> int:
        ((found,),) = prepared_rows(*counting(actor.tree))
        return int(found)

    def cut_file() -> None:
        customers = Customer.objects.filter(business_account__in=actor.tree)
        guess = estimate(customers, connection)
        rows = counted(customers, connection) if guess is None else guess
        cut(customers, actor.tree, rows, SESSIONS, connection)

    works: dict[str, Callable[[], object]] = {
        "a transaction told who acts": tell,
        "the same that holds a customer": hold,
        "the row of a business account held": hold_row,
        "token and customer": lambda: speaker_of(token, ANSWER.ahead(customer)),
        "first page of five accounts, newer ones of others": lambda: by_time(
            newest, actor.tree, using=DEFAULT_DB_ALIAS
        ),
        "the same by last name": lambda: first_ids(
            Customer.objects.present(), actor.tree, by_name, by_name.size + 1
        ),
        "five accounts counted, up to 10,000": exact,
        "the same with an estimate beyond": lambda: total_of(
            actor.tree, exact(), using=DEFAULT_DB_ALIAS
        ),
        f"ranges of a file for {SESSIONS} sessions": cut_file,
        f"first page of an account of {FEW}": lambda: by_time(
            newest, [few.pk], using=DEFAULT_DB_ALIAS
        ),
    }

    def often(work: Callable[[], object], way: str) -> None:
        with override_settings(DISTRIBUTED=way == "1"):
            for _ in range(CALLS // 10):
                work()

    lines = []
    for name, work in works.items():
        taken = race({way: partial(often, work, way) for way in WAYS}, times=PARTS)
        without, with_it = (each.median for each in taken)
        lines.append([name, f"{without / with_it:.2f}", ""])
    return lines


def ratio(rates: dict[str, list[float]]) -> str:
    """The rate with the switch, divided by that without."""
    without, with_it = (median(rates[way]) for way in WAYS)
    return f"{with_it / without:.2f}"


def run() -> None:
    """Measure in a registry of its own."""
    with registry(CUSTOMERS) as (tree, *_):
        lines = [
            *calls(tree),
            drains(named("Bulk")),
            *(files(tree, each) for each in ("CSV", "JSON")),
            *parts(tree),
        ]
    columns([[f"with {SWITCH}=1, {CUSTOMERS:,} customers", "rate", "target"], *lines])

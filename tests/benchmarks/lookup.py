"""Immediate search at a million customers: the contract's table of speeds.

The yardsticks are an authenticated endpoint that answers a constant, the same search in a registry
of 16,000 customers (a database of its own beside the other), and plain SQL that finds the same ids.
"""

import random
from functools import partial
from urllib.parse import urlencode

from django.db import connection

from customers.models import BusinessAccount, ContactPoint, Customer
from tests.benchmarks.customers import CLIENTS, ROUNDS, throughput, token_for
from tests.benchmarks.dataset import dataset, registry
from tests.benchmarks.report import note, race, table, timing
from tests.benchmarks.server import Caller, web

SEARCH = "/core/customermgr/v3/customer"
SMALL = 16_000
LOOKUPS = 400
REQUESTS = 1200
THREE = ["ann", "son", "smi", "jam", "mül", "lee", "oha", "zyk", "schmidt", "maria garcia"]
TWO = ["an", "xu", "qz", "ey", "øs", "zz", "kw"]
PLAIN = """
    SELECT c.id FROM customers_contactpoint p JOIN customers_customer c ON c.id = p.customer_id
    WHERE p.kind = 'EMAIL' AND p.value_key = %s AND c.business_account_id = ANY(%s)"""


def values(kind: str, accounts: list[BusinessAccount]) -> list[str]:
    """What some customers of these accounts are reached by."""
    customers = Customer.objects.present().filter(business_account__in=accounts)
    some = list(customers.order_by("id").values_list("pk", flat=True)[: LOOKUPS * 20])
    chosen = random.Random(7).sample(some, LOOKUPS)
    points = ContactPoint.objects.filter(customer__in=chosen, kind=kind, is_primary=True)
    return list(points.values_list("value_key", flat=True))


def asking(caller: Caller, parameter: str, keys: list[str]) -> partial[bytes]:
    """One look-up by one of these values, another one each time."""
    turns = iter(keys * 10)
    return partial(lambda: caller.get(f"{SEARCH}?{urlencode({parameter: next(turns)})}"))


def exact() -> None:
    """One client: look-ups in both registries by turns, beside plain SQL."""
    found = dataset()
    accounts = [found.tree, *found.children]
    whole = {kind: values(kind, accounts) for kind in ("EMAIL", "PHONE")}
    token = token_for(found.tree)
    with web(workers=1) as port:
        note("the small registry")
        with registry(SMALL) as (small_account, *_):
            small = {kind: values(kind, [small_account]) for kind in ("EMAIL", "PHONE")}
            small_token = token_for(small_account)
            with web(workers=1) as small_port:
                callers = Caller(small_port, small_token), Caller(port, token)
                for parameter, kind in (("email", "EMAIL"), ("phone", "PHONE")):
                    works = {
                        f"{parameter}, {SMALL:,} customers": asking(
                            callers[0], parameter, small[kind]
                        ),
                        f"{parameter}, 1,000,000 customers": asking(
                            callers[1], parameter, whole[kind]
                        ),
                    }
                    table("one client (target: ratio <= 1.35)", *race(works, times=LOOKUPS))
        emails = iter(whole["EMAIL"])
        ids = [account.pk for account in accounts]

        def plain() -> None:
            with connection.cursor() as cursor:
                cursor.execute(PLAIN, [next(emails), ids])
                cursor.fetchall()

        works = {
            "plain SQL that finds the ids": plain,
            "the whole HTTP answer": asking(Caller(port, token), "email", whole["EMAIL"]),
        }
        table("one client, beside SQL", *race(works, times=LOOKUPS - 10))
        taken: dict[str, list[float]] = {"constant": [], "email": []}
        urls = [f"{SEARCH}?{urlencode({'email': each})}" for each in whole["EMAIL"]]
        for _ in range(ROUNDS):
            taken["constant"].append(throughput(port, token, ["/v1/constant"] * REQUESTS))
            taken["email"].append(throughput(port, token, urls * (REQUESTS // LOOKUPS)))
        table(
            f"{CLIENTS} clients at once, time for each request (target: ratio <= 2)",
            timing("an authenticated constant", taken["constant"]),
            timing("email, 1,000,000 customers", taken["email"]),
        )


def names() -> None:
    """Parts of names, the first page with its count; and pages far behind."""
    with web(workers=1) as port:
        compare_names(Caller(port, token_for(dataset().tree)))


def compare_names(caller: Caller) -> None:
    """The same, by one client."""

    def page(**query: object) -> partial[None]:
        return partial(ask, caller, query)

    for title, words in (
        ("three letters or more (target: p95 <= 150 ms)", THREE),
        ("two letters (target: p95 <= 400 ms)", TWO),
    ):
        works = {f"customerName={word}": page(customerName=word) for word in words}
        table(title, *race(works, times=20))
    since = {"created": "[2000-01-01T00:00:00Z,]"}
    for sort in ("id", "customerName", "type"):
        order = {"$sort": sort}
        works = {
            f"page {number} by {sort}": page(**since, **order, **{"$pagenum": number})
            for number in (1, 400)
        }
        table("of 500,000 (target: ratio <= 2)", *race(works, times=20))


def ask(caller: Caller, query: dict[str, object]) -> None:
    """Search; nothing found is fine."""
    try:
        caller.get(f"{SEARCH}?{urlencode(query)}")
    except RuntimeError as error:
        if ": 204" not in str(error):
            raise


def run() -> None:
    """Measure."""
    exact()
    names()

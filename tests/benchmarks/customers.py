"""`/v1/customers` at a million customers: one customer against a constant, pages of the list."""

import json
import random
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from time import perf_counter
from urllib.parse import urlencode

from customers.models import BusinessAccount, Customer
from customers.services.people import create_api_key, create_service_account
from customers.services.tokens import exchange_key
from tests.benchmarks.dataset import dataset
from tests.benchmarks.report import note, race, table, timing
from tests.benchmarks.server import Caller, web

CLIENTS = 4
REQUESTS = 1500
ROUNDS = 4
NAMES = ["smith", "garcia", "anna müller", "james", "yamamoto", "de souza"]


def token_for(account: BusinessAccount) -> str:
    """A token that sees an account and all below it."""
    service_account = create_service_account(business_account=account, name="benchmark")
    key = create_api_key(service_account=service_account)
    return str(exchange_key(key=key.client.client_id, secret=key.secret))


def burst(port: int, token: str, urls: list[str]) -> None:
    """Ask for all URLs, one after the other, on one connection."""
    caller = Caller(port, token)
    for url in urls:
        caller.get(url)


def throughput(port: int, token: str, urls: list[str]) -> float:
    """Seconds a request takes when `CLIENTS` ask at once."""
    shares = [urls[client::CLIENTS] for client in range(CLIENTS)]
    with ProcessPoolExecutor(CLIENTS) as pool:
        list(pool.map(burst, *zip(*[(port, token, share[:20]) for share in shares], strict=True)))
        started = perf_counter()
        list(pool.map(burst, *zip(*[(port, token, share) for share in shares], strict=True)))
        return (perf_counter() - started) / len(urls)


def one_customer(port: int, token: str, ids: list[str]) -> None:
    """GET of one customer against the constant: throughput, in turn."""
    taken: dict[str, list[float]] = {"constant": [], "customer": []}
    for _ in range(ROUNDS):
        taken["constant"].append(throughput(port, token, ["/v1/constant"] * REQUESTS))
        urls = [f"/v1/customers/{customer_id}" for customer_id in ids]
        taken["customer"].append(throughput(port, token, urls))
    table(
        f"{CLIENTS} clients at once, time for each request (target: ratio <= 3)",
        timing("an authenticated constant", taken["constant"]),
        timing("GET /v1/customers/{id}", taken["customer"]),
    )


def pages(port: int, token: str) -> None:
    """Pages of the list of 500,000 among 1,000,000, one client (target: p95 < 100 ms)."""
    caller = Caller(port, token)

    def page(**query: str) -> dict[str, str]:
        body = caller.get("/v1/customers?" + urlencode({"includeChildren": "true"} | query))
        answer: dict[str, str] = json.loads(body)
        return answer

    cursor = ""
    note("walking to page 400")
    for _ in range(399):
        cursor = page(cursor=cursor)["nextCursor"] if cursor else page()["nextCursor"]
    works = {
        "first page": page,
        "page 400 by cursor": lambda: page(cursor=cursor),
        "page 400 by number": lambda: page(page="399"),
        **{f"search={name}": partial(page, search=name) for name in NAMES},
    }
    table("a page of 25 of 500,000 among 1,000,000", *race(works, times=40))


def run() -> None:
    """Measure."""
    found = dataset()
    token = token_for(found.tree)
    customers = Customer.objects.present().filter(business_account=found.tree)
    ids = [str(pk) for pk in customers.values_list("pk", flat=True)[: REQUESTS * 10]]
    random.Random(7).shuffle(ids)
    with web(workers=1) as port:
        one_customer(port, token, ids[:REQUESTS])
        pages(port, token)

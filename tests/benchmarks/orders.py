"""Lists of customers in every order with every filter, at a million customers.

The API's for a token that sees half of them, and the back office's for an Owner of that half: the
95th percentile of the first two pages, in both directions where there are two.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from time import perf_counter
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Count, Max, Min

from customers.admin.customer_list import ORDERS
from customers.change_log import unrecorded
from customers.models import (
    Address,
    AttributeDefinition,
    AttributeValue,
    BusinessAccount,
    Customer,
    Department,
)
from customers.sorting import SORTS
from tests.benchmarks.calls import LIST, OFFICE, session
from tests.benchmarks.clients import Connection, Headers, request
from tests.benchmarks.customers import token_for
from tests.benchmarks.dataset import dataset
from tests.benchmarks.people import people
from tests.benchmarks.report import columns, note, timing
from tests.benchmarks.server import web

MUST = 0.060
TIMES = 20
# So many have the department and the custom attribute that are searched for.
MARKED = 20_000
MARK = "Benchmark"
# A frequent name, and one that few have.
NAMES = {"frequent": "smith", "rare": "anna müller"}
Queries = Mapping[str, Sequence[Mapping[str, str]]]  # by what they ask for


def run() -> None:
    """Measure."""
    found = dataset()
    accounts = [found.tree, *found.children]
    mark(found.tree)
    with web(workers=1) as port:
        token = {"Authorization": f"Bearer {token_for(found.tree)}"}
        orders = {name: [f"{name},ASC", f"{name},DESC"] for name in SORTS}
        listed = {
            name: [{"includeChildren": "true"} | query for query in queries]
            for name, queries in filters(accounts).items()
        }
        report("GET /v1/customers", pages(port, token, LIST, "sort", orders, listed), orders)
        operator = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session(found.tree)}"}
        office = {name or "newest": [name] for name in ORDERS}
        shown = office_filters(accounts)
        report("back office", pages(port, operator, OFFICE, "order", office, shown), office)


def mark(account: BusinessAccount) -> None:
    """Give some of an account's customers a department and a custom attribute, once."""
    department, is_new = Department.objects.get_or_create(business_account=account, name=MARK)
    if not is_new:
        return
    note("departments and custom attributes")
    definition = AttributeDefinition.objects.create(business_account=account, name=MARK)
    some = Customer.objects.present().filter(business_account=account).order_by("id")[:MARKED]
    rows = list(some.values_list("pk", "created_at"))
    with unrecorded():
        Customer.objects.filter(pk__in=[pk for pk, _ in rows]).update(department=department)
        AttributeValue.objects.bulk_create(
            AttributeValue(
                customer_id=pk, definition=definition, value="gold", created_at=at, updated_at=at
            )
            for pk, at in rows
        )


def filters(accounts: Sequence[BusinessAccount]) -> Queries:
    """Every documented filter of the API, one that leaves many customers and one that leaves few.

    Some requests of each.
    """
    some = people(accounts)[:TIMES]
    cities, countries = (extremes(accounts, column) for column in ("city", "country"))
    zip_codes = Address.objects.filter(customer__in=[each.id for each in some])
    ends = Customer.objects.aggregate(Min("created_at"), Max("created_at")).values()
    first, last = (end.date() for end in ends)
    middle = first + (last - first) / 2
    return {
        "none": [{}],
        **{f"name, {how}": [{"name": name}] for how, name in NAMES.items()},
        **{f"search, {how}": [{"search": name}] for how, name in NAMES.items()},
        "primaryEmail": [{"primaryEmail": each.email} for each in some],
        "primaryPhoneNumber": [{"primaryPhoneNumber": each.phone} for each in some],
        "contactPoint": [{"contactPoint": f"EMAIL:{each.email}"} for each in some],
        "externalId": [{"externalId": each.external_id} for each in some],
        "type": [{"type": "INDIVIDUAL"}],
        "type that nobody has": [{"type": "GROUP"}],
        **{f"status {word}": [{"status": word}] for word in ("ACTIVE", "SUSPENDED")},
        **{f"cityName, {how}": [{"cityName": city}] for how, city in cities.items()},
        **{f"countryCode, {how}": [{"countryCode": code}] for how, code in countries.items()},
        "zipCode": [{"zipCode": each.zip_code} for each in zip_codes if each.zip_code],
        **{
            f"{name}, {how}": [{name: str(day)}]
            for name, days in {
                "createdAtFrom": {"frequent": middle, "rare": last},
                "createdAtTo": {"frequent": middle, "rare": first},
            }.items()
            for how, day in days.items()
        },
        "customAttribute": [{"customAttribute": f"{MARK}:gold"}],
        "department": [{"department": MARK}],
        "businessAccountId": [{"businessAccountId": str(each.pk)} for each in accounts[1:]],
    }


def office_filters(accounts: Sequence[BusinessAccount]) -> Queries:
    """Every filter of the back office's list likewise."""
    days = {"created_from": "createdAtFrom", "created_to": "createdAtTo"}
    listed = filters(accounts)
    return {
        "none": [{}],
        **{f"search, {how}": [{"q": name}] for how, name in NAMES.items()},
        "type": [{"type__exact": "INDIVIDUAL"}],
        "type that nobody has": [{"type__exact": "GROUP"}],
        **{f"status {word}": [{"status__exact": word}] for word in Customer.Status.values},
        "account": [{"account": each.name} for each in accounts[1:]],
        "department": [{"department": MARK}],
        **{
            f"{name}, {how}": [{name: listed[f"{member}, {how}"][0][member]}]
            for name, member in days.items()
            for how in NAMES
        },
    }


def extremes(accounts: Sequence[BusinessAccount], column: str) -> dict[str, str]:
    """The values of an address's column that most customers and that the fewest have."""
    own = Address.objects.filter(customer__business_account__in=accounts).exclude(**{column: ""})
    counted = own.values_list(column).annotate(times=Count("*")).order_by("times", column)
    values = [str(value) for value, _ in counted]
    return {"frequent": values[-1], "rare": values[0]}


def pages(
    port: int,
    headers: Headers,
    path: str,
    parameter: str,
    orders: Mapping[str, Sequence[str]],
    queries: Queries,
) -> dict[str, list[float]]:
    """By what is asked for: the 95th percentile for each order, in seconds."""
    found = {}
    connection = Connection(port)
    for name, some in queries.items():
        note(f"{path}: {name}")
        found[name] = [
            timing(name, asked(connection, headers, path, parameter, values, some)).p95
            for values in orders.values()
        ]
    return found


def asked(
    connection: Connection,
    headers: Headers,
    path: str,
    parameter: str,
    orders: Sequence[str],
    queries: Sequence[Mapping[str, str]],
) -> list[float]:
    """The seconds that each first page takes, and each second one to which a cursor leads."""
    taken: list[float] = []
    for order in orders:
        urls = [f"{path}?{urlencode({parameter: order} | query)}" for query in queries]
        connection.ask(request("GET", urls[0], headers))
        for url in islice(cycle(urls), TIMES // 2):
            body = timed(connection, headers, url, taken)
            if path == LIST and (cursor := json.loads(body)["nextCursor"]):
                timed(connection, headers, f"{url}&{urlencode({'cursor': cursor})}", taken)
    return taken


def timed(connection: Connection, headers: Headers, url: str, taken: list[float]) -> bytes:
    """What is answered; how long that took is noted."""
    started = perf_counter()
    answer = connection.ask(request("GET", url, headers))
    taken.append(perf_counter() - started)
    return answer.body


def report(
    title: str, measured: Mapping[str, Sequence[float]], orders: Mapping[str, Sequence[str]]
) -> None:
    """Print what was measured."""
    lines = [(f"{title}, p95 ms", *orders)]
    lines += [
        (name, *(f"{each * 1e3:.0f}" for each in seconds)) for name, seconds in measured.items()
    ]
    columns(lines)
    every = [each for seconds in measured.values() for each in seconds]
    above = sum(each > MUST for each in every)
    sys.stdout.write(f"{above} of {len(every)} take more than {MUST * 1e3:.0f} ms\n\n")
    sys.stdout.flush()

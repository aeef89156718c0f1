"""Every call of the product, beside what its users could write themselves.

Four servers by turns, each one process with four threads: a bare WSGI function with one prepared
statement (the floor), a customer list as the textbooks build it with an empty view (the yardstick),
and the product. A call's cost is the rate of the empty view divided by that of the call, both of
the same half second: the processor of a virtual machine is twice as quick in one as in another.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count, cycle
from statistics import median
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client

from customers.models import BusinessAccount, User
from tests import factories
from tests.benchmarks.clients import Connection, Headers, load, request
from tests.benchmarks.customers import NAMES, token_for
from tests.benchmarks.dataset import database, dataset, registry
from tests.benchmarks.people import SAMPLE, Person, people
from tests.benchmarks.report import columns, note, timing
from tests.benchmarks.server import web, wsgi
from tests.benchmarks.statements import HEADER

ROUNDS = 3
CONNECTIONS = 8
SECONDS = 1.0
# Turns of the empty view and a call, one right after the other, in each round, and their length.
PAIRS = 3
SHORT = 0.25
PAGES = 400
LIST = "/v1/customers"
LOOKUP = "/core/customermgr/v3/customer"
OFFICE = "/admin/customers/customer/"
TEXTBOOK = "tests.benchmarks.textbook.settings"
EMPTY = "empty DRF view"
CONSTANT = "authenticated constant"


@dataclass
class Call:
    """One kind of request to one server, and what was measured of it."""

    name: str
    port: int
    requests: Iterator[bytes]
    most: str = ""
    alone: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    statements: str = ""

    def measure(self, seconds: float) -> None:
        """One turn by one client."""
        self.alone += load(self.port, self.requests, 1, seconds)

    def compare(self, yardstick: "Call") -> None:
        """Some turns by several clients at once, each right after one of the yardstick."""
        for _ in range(PAIRS):
            usual, rate = yardstick.rate(), self.rate()
            self.rates.append(rate)
            self.costs.append(usual / rate)

    def rate(self) -> float:
        """Answers per second to several clients at once."""
        taken = load(self.port, self.requests, CONNECTIONS, SHORT)
        # Each connection is waiting for an answer at any time.
        return CONNECTIONS * len(taken) / sum(taken)

    def warm_up(self) -> None:
        """Ask until nothing is asked for the first time, and count the statements."""
        load(self.port, self.requests, CONNECTIONS, 0.5)
        data = next(self.requests).replace(b"\r\n", f"\r\n{HEADER}: 1\r\n".encode(), 1)
        self.statements = Connection(self.port).ask(data).headers.get(HEADER.lower(), "")


def gets(headers: Headers, paths: Sequence[str]) -> Iterator[bytes]:
    """GETs of these paths, again and again."""
    return cycle([request("GET", path, headers) for path in paths])


def found_by(path: str, parameter: str, values: Sequence[str], **more: str) -> list[str]:
    """The paths of searches by these values."""
    return [f"{path}?{urlencode({parameter: value} | more)}" for value in values]


def page_400(port: int, headers: Headers, path: str, members: tuple[str, str]) -> str:
    """The path of page 400, reached page by page; `members` lead from one to the next."""
    connection = Connection(port)
    cursor, parameter = members
    where = path
    for _ in range(PAGES - 1):
        following = json.loads(connection.ask(request("GET", where, headers)).body)[cursor]
        where = f"{path}&{urlencode({parameter: following})}" if parameter else path_of(following)
    return where


def path_of(url: str) -> str:
    """A URL without its host."""
    return "/" + url.split("/", 3)[3]


def product(port: int, tree: BusinessAccount, accounts: Sequence[BusinessAccount]) -> list[Call]:
    """The product's calls, as a program that sees the whole tree and as an operator."""
    token = {"Authorization": f"Bearer {token_for(tree)}"}
    some = people(accounts)
    children = {"includeChildren": "true"}
    every = f"{LIST}?{urlencode(children)}"
    deep = page_400(port, token, every, ("nextCursor", "cursor"))

    def listed(name: str, values: Sequence[str]) -> Iterator[bytes]:
        return gets(token, found_by(LIST, name, values, **children))

    def looked_up(name: str, values: Sequence[str]) -> Iterator[bytes]:
        return gets(token, found_by(LOOKUP, name, values))

    emails, phones = [each.email for each in some], [each.phone for each in some]
    calls = [
        Call(CONSTANT, port, gets(token, ["/v1/constant"])),
        Call("GET by id", port, gets(token, [f"{LIST}/{each.id}" for each in some]), "2.8"),
        Call("list by e-mail", port, listed("primaryEmail", emails), "4"),
        Call("list by phone", port, listed("primaryPhoneNumber", phones), "4"),
        Call("list by externalId", port, listed("externalId", [e.external_id for e in some]), "4"),
        Call("/core by e-mail", port, looked_up("email", emails), "4"),
        Call("/core by phone", port, looked_up("phone", [each[1:] for each in phones]), "4"),
        Call("list by name=", port, listed("name", NAMES), "p95 60 ms"),
        Call("list by search=", port, listed("search", NAMES), "p95 60 ms"),
        Call("/core by name", port, looked_up("customerName", NAMES)),
        Call("first page of 25", port, gets(token, [every]), "6 ms"),
        Call("page 400 by cursor", port, gets(token, [deep]), "6 ms"),
        Call("PUT of one member", port, updates(token, some), "7"),
        Call("PUT of a whole object", port, whole_updates(token, people(accounts, skip=SAMPLE))),
        Call("POST of a customer", port, creations(token), "8"),
        Call("history", port, gets(token, [f"{LIST}/{each.id}/history" for each in some])),
        Call(
            "business accounts",
            port,
            gets(token, ["/v1/business-accounts/self/children"]),
        ),
    ]
    operator = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session(tree)}"}
    pages = {
        "office: list": [OFFICE],
        "office: search": found_by(OFFICE, "q", NAMES),
        "office: customer": [f"{OFFICE}{each.id}/change/" for each in some],
        "office: dashboard": ["/admin/"],
    }
    return [*calls, *(Call(name, port, gets(operator, paths)) for name, paths in pages.items())]


def updates(headers: Headers, some: Sequence[Person]) -> Iterator[bytes]:
    """PUTs of another extension of the telephone each time."""
    for number, person in zip(count(1), cycle(some), strict=False):
        body = {"primaryPhoneNumber": {"extension": str(number)}}
        yield request("PUT", f"{LIST}/{person.id}", headers, body)


def whole_updates(headers: Headers, some: Sequence[Person]) -> Iterator[bytes]:
    """PUTs of all of a person, who has an address more each time: nobody to be asked for else."""
    for number, person in zip(count(1), cycle(some), strict=False):
        yield request("PUT", f"{LIST}/{person.id}", headers, made_up(number))


def creations(headers: Headers) -> Iterator[bytes]:
    """POSTs of new customers."""
    for number in count(1):
        yield request("POST", LIST, headers, {"type": "INDIVIDUAL"} | made_up(number))


def made_up(number: int) -> dict[str, object]:
    """A person that a number makes."""
    address = {
        "type": "MAILING",
        "streetLine1": f"{number} Main Street",
        "cityName": "Springfield",
        "stateCode": "IL",
        "countryCode": "USA",
        "zipCode": "62701",
    }
    return {
        "firstName": f"Ada {number}",
        "lastName": "Benchmark",
        "dateOfBirth": "1980-05-01",
        "primaryPhoneNumber": {"number": f"+1415{5_550_000 + number % 10_000}", "type": "MOBILE"},
        "primaryEmail": {"value": f"ada{number}@benchmark.example"},
        "addresses": [address],
    }


def session(account: BusinessAccount) -> str:
    """The session of an Owner who has signed in to the back office."""
    email = "owner@benchmark.example"
    person = User.objects.filter(email=email).first() or factories.make_employee(
        account, role="Owner", email=email, is_staff=True
    )
    browser = Client()
    browser.force_login(person)
    return browser.cookies[settings.SESSION_COOKIE_NAME].value


def textbook(port: int, token: str, some: Sequence[Person]) -> list[Call]:
    """The same of the textbook project."""
    headers = {"Authorization": f"Token {token}"}
    path = "/customers/"
    deep = page_400(port, headers, path, ("next", ""))
    emails, phones = [each.email for each in some], [each.phone for each in some]
    ids = [each.external_id for each in some]
    phone_ids = [
        json.loads(Connection(port).ask(request("GET", f"{path}{each.id}/", headers)).body)[
            "phones"
        ][0]["id"]
        for each in some
    ]

    def patches() -> Iterator[bytes]:
        for number, phone_id in zip(count(1), cycle(phone_ids), strict=False):
            yield request("PATCH", f"/phones/{phone_id}/", headers, {"extension": str(number)})

    return [
        Call(EMPTY, port, gets({}, ["/empty"])),
        Call("textbook: GET by id", port, gets(headers, [f"{path}{each.id}/" for each in some])),
        Call("textbook: e-mail", port, gets(headers, found_by(path, "email", emails))),
        Call("textbook: phone", port, gets(headers, found_by(path, "phone", phones))),
        Call(
            "textbook: external id",
            port,
            gets(headers, found_by(path, "external_id", ids)),
        ),
        Call("textbook: name", port, gets(headers, found_by(path, "name", NAMES))),
        Call("textbook: first page", port, gets(headers, [path])),
        Call("textbook: page 400", port, gets(headers, [deep])),
        Call("textbook: PATCH of a row", port, patches()),
    ]


def fill_textbook(accounts: Sequence[BusinessAccount], source: str, target: str) -> str:
    """Give the textbook project the same customers; the token of a user who sees them."""
    note("the textbook project's customers")
    command = [sys.executable, "-m", "django", "fill", source]
    command += [str(account.pk) for account in accounts]
    made = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"DATABASE_URL": target, "DJANGO_SETTINGS_MODULE": TEXTBOOK},
    )
    return made.stdout.strip()


def report(calls: Sequence[Call]) -> None:
    """Print what was measured."""
    lines = [("call", "1: p50 ms", "p95 ms", "8: per s", "cost", "statements", "must")]
    for call in calls:
        alone = timing(call.name, call.alone)
        figures = (f"{alone.median * 1e3:.2f}", f"{alone.p95 * 1e3:.2f}")
        figures += (f"{median(call.rates):,.0f}", f"{median(call.costs):.1f}")
        lines.append((call.name, *figures, call.statements, call.most))
    columns(lines)
    rates = sorted(call_named(EMPTY, calls).rates)
    sys.stdout.write(
        f"cost: the rate of the {EMPTY} by {CONNECTIONS} connections / the call's, turn by turn\n"
        f"the {EMPTY} alone: {rates[0]:,.0f} to {rates[-1]:,.0f} per s\n\n"
    )
    sys.stdout.flush()


def call_named(name: str, calls: Sequence[Call]) -> Call:
    """One of these calls."""
    return next(call for call in calls if call.name == name)


def run(customers: int | None = None) -> None:
    """Measure."""
    with ExitStack() as servers:
        if customers:
            accounts = [*servers.enter_context(registry(customers))]
        else:
            found = dataset()
            accounts = [found.tree, *found.children]
        some = people(accounts)
        source = os.environ["DATABASE_URL"]
        with database("textbook") as target:
            token = fill_textbook(accounts, source, target)
            other = servers.enter_context(
                wsgi(
                    "tests.benchmarks.textbook.wsgi:application",
                    DJANGO_SETTINGS_MODULE=TEXTBOOK,
                )
            )
        bare = servers.enter_context(wsgi("tests.benchmarks.floor:application"))
        port = servers.enter_context(web(workers=1))
        note("walking to page 400")
        calls = [
            Call("bare WSGI, one statement", bare, gets({}, [f"/{each.id}" for each in some])),
            *textbook(other, token, some),
            *product(port, accounts[0], accounts),
        ]
        take_turns(calls, SECONDS, yardstick=call_named(EMPTY, calls))
    report(calls)


def take_turns(calls: Sequence[Call], seconds: float, *, yardstick: Call | None = None) -> None:
    """Measure all calls, one after the other, several times; beside a yardstick if there is one."""
    for call in calls:
        call.warm_up()
    for number in range(ROUNDS):
        note(f"round {number + 1} of {ROUNDS}")
        for call in calls:
            call.measure(seconds)
            if yardstick is not None:
                call.compare(yardstick)

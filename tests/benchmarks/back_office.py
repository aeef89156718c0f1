"""Pages of the back office at a million customers, for an Owner of half of them and a superuser.

The first dashboard is the first page that a new web process makes.
"""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection
from time import perf_counter
from urllib.parse import urlencode

from django.contrib.auth.models import Group
from django.test import Client

from customers.models import BusinessAccount, Customer, User
from tests.benchmarks.dataset import Dataset, dataset
from tests.benchmarks.report import Timing, columns, race, timing
from tests.benchmarks.server import web, worker

TARGET = "300 ms"
TIMES = 15
FIRST = 5
CUSTOMERS = "/admin/customers/customer/"
# A frequent last name, a rare full name, and a part of a word.
WORDS = ("smith", "anna müller", "yamam")


class Browser:
    """A person who has signed in, on one connection."""

    def __init__(self, port: int, cookie: str) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Cookie": f"sessionid={cookie}"}

    def get(self, url: str) -> None:
        """Read a page that is there."""
        self.connection.request("GET", url, headers=self.headers)
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{url}: {response.status} {body[:200]!r}")


def cookie_of(account: BusinessAccount | None) -> str:
    """The session of an Owner of an account; without one, of a superuser."""
    email = f"bench-{account.pk if account else 'all'}@example.com"
    with suppress(User.DoesNotExist):
        User.objects.get(email=email).delete()
    person = User.objects.create(
        email=email, business_account=account, is_staff=True, is_superuser=account is None
    )
    if account:
        person.groups.add(Group.objects.get(name="Owner"))
    client = Client()
    client.force_login(person)
    return client.cookies["sessionid"].value


def first_dashboard(cookie: str) -> Timing:
    """The first page of new web processes."""
    taken = []
    for _ in range(FIRST):
        with web(workers=1) as port:
            browser = Browser(port, cookie)
            started = perf_counter()
            browser.get("/admin/")
            taken.append(perf_counter() - started)
    return timing("dashboard, first of a process", taken)


def urls_of(found: Dataset) -> dict[str, Callable[[], str]]:
    """What is measured, and the address of its next turn."""
    present = Customer.objects.present().filter(business_account=found.children[0])
    ids = list(present.values_list("pk", flat=True)[:2000])
    child, tenant = found.children[0].name, found.tenant.name

    def listed(**query: str) -> str:
        return f"{CUSTOMERS}?{urlencode(query)}"

    def of_customer(name: str) -> str:
        return f"{CUSTOMERS}{random.choice(ids)}/{name}/"

    queries: dict[str, Mapping[str, str]] = {
        "customers": {},
        "customers, last name first": {"order": "name"},
        "deleted customers": {"status__exact": "DELETED"},
        "deleted customers, last changed first": {"status__exact": "DELETED", "order": "changed"},
        "suspended businesses": {"status__exact": "SUSPENDED", "type__exact": "BUSINESS"},
        "one account": {"account": child},
        "one account, last name first": {"account": child, "order": "name"},
        "one account, deleted": {"account": child, "status__exact": "DELETED"},
        "a small account": {"account": tenant},
        **{f"search for {words}": {"q": words} for words in WORDS},
        **{f"search for {words}, by last name": {"q": words, "order": "name"} for words in WORDS},
    }
    return {
        "dashboard": lambda: "/admin/",
        **{name: partial(listed, **query) for name, query in queries.items()},
        "a customer": lambda: of_customer("change"),
        "its history": lambda: of_customer("history"),
        "its form": lambda: of_customer("edit"),
        "searches": lambda: "/admin/search/customersearch/",
        "loads": lambda: "/admin/ingest/bulkrequest/",
    }


def pages(found: Dataset, cookie: str, *, is_superuser: bool) -> list[Timing]:
    """All pages in turn."""
    urls = urls_of(found)
    if not is_superuser:
        # It is of another tree.
        del urls["a small account"]
    with web(workers=1) as port, worker():
        browser = Browser(port, cookie)
        return race(
            {name: lambda url=url: browser.get(url()) for name, url in urls.items()}, times=TIMES
        )


def run() -> None:
    """Measure."""
    found = dataset()
    for title, account in (("an Owner of 500,000", found.tree), ("a superuser", None)):
        cookie = cookie_of(account)
        measured = [
            first_dashboard(cookie),
            *pages(found, cookie, is_superuser=account is None),
        ]
        lines = [[f"pages for {title}", "median ms", "p95 ms", "target"]]
        lines += [
            [each.name, f"{each.median * 1e3:.0f}", f"{each.p95 * 1e3:.0f}", TARGET]
            for each in measured
        ]
        columns(lines)

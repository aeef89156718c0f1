"""How PostgreSQL finds the customers of a search: each filter alone, and a rare with a common one.

For a tenant of 500 and a tree of 500,000 among 1,000,000 it prints the rows found, the time of the
file's SELECT as a search runs it, the time by a generic plan, and what the plan starts from. A
search never runs by a generic plan, for its values are in the statement; the immediate search may.
"""

import re
from collections.abc import Iterator
from itertools import product
from statistics import median
from time import perf_counter
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count

from config.jobs.lease import Lease
from customers.criteria import Criteria, Match
from customers.models import Address, BusinessAccount, Contact, ContactPoint, Customer
from search.copy import LAYOUTS, statement
from search.runner import tree_of
from search.sessions import snapshot
from tests.benchmarks.dataset import dataset
from tests.benchmarks.report import columns

ROUNDS = 3
Filters = dict[str, Any]
Session = Any


def rare_filters(account: BusinessAccount) -> dict[str, Filters]:
    """Filters that few of the account's customers pass."""
    found = Customer.objects.filter(business_account=account, type="INDIVIDUAL", status="ACTIVE")
    customer = found.order_by("id")[100]
    points = ContactPoint.objects.filter(customer=customer, is_primary=True)
    person = Contact.objects.get(customer=customer, is_primary=True)
    home = Address.objects.get(customer=customer, type="MAILING", is_primary=True)
    rarest = rarest_name("last_name_folded")
    day = customer.created_at.date()
    return {
        "email": {"email": points.get(kind="EMAIL").value_key},
        "phoneNumber": {"phone_number": points.get(kind="PHONE").value},
        "lastName, firstName": {
            "last_name": person.last_name_folded,
            "first_name": person.first_name_folded,
        },
        "lastName (rarest)": {"last_name": rarest},
        "lastName PREFIX": {"last_name": rarest[:6], "match": Match.PREFIX},
        "lastName CONTAINS": {"last_name": rarest[1:6], "match": Match.CONTAINS},
        "lastName FUZZY": {"last_name": rarest, "match": Match.FUZZY},
        "addressLine1": {"address_line_1": home.street_line_1_folded},
        "addressLine1 CONTAINS": {
            "address_line_1": home.street_line_1_folded[:14],
            "match": Match.CONTAINS,
        },
        "postalCode": {"postal_code": home.zip_code, "country": home.country},
        "created on a day": {"from_created_at": day, "to_created_at": day},
    }


COMMON: dict[str, Filters] = {
    "status ACTIVE": {"customer_account_status": ("ACTIVE",)},
    "sex": {"sex": "FEMALE"},
    "gender": {"gender": "unknown"},
    "prefix": {"prefix": "dr."},
    "country": {"country": "USA"},
    "state": {"state": "CA"},
    "city": {"city": "new york"},
    "firstName (common)": {"first_name": "maria"},
    "lastName (common)": {"last_name": "smith"},
    "middleName CONTAINS": {"middle_name": "ann", "match": Match.CONTAINS},
}


def rarest_name(column: str) -> str:
    """The name that the fewest contacts have; one of letters, and long enough to take parts of."""
    names = Contact.objects.filter(**{f"{column}__regex": "^[a-z]{7,}$"}).values_list(column)
    return str(names.annotate(times=Count("*")).order_by("times", column)[0][0])


def questions(account: BusinessAccount) -> Iterator[tuple[str, Filters]]:
    """Each filter alone, and each rare one with each common one that it does not contradict."""
    rare = rare_filters(account)
    yield "nothing", {}
    yield from rare.items()
    yield from COMMON.items()
    for (name, few), (other, many) in product(rare.items(), COMMON.items()):
        if not few.keys() & many.keys():
            yield f"{name} + {other}", {**few, **many}


class Asker:
    """Asks as a search of an account does, in one snapshot."""

    def __init__(self, session: Session, account: BusinessAccount) -> None:
        self.session = session
        self.accounts: list[UUID] = sorted(tree_of([account.pk], session))

    def select(self, filters: Filters) -> tuple[str, tuple[Any, ...]]:
        """The SELECT of the CSV file."""
        criteria = Criteria(customer_account_type="INDIVIDUAL", **filters)
        found = Customer.objects.filter(business_account__in=self.accounts).matching(criteria)
        copy, parameters = statement(found, LAYOUTS["CSV"], self.session)
        return copy[len("COPY (") : copy.rindex(") TO STDOUT")], parameters

    def line(self, name: str, filters: Filters) -> list[str]:
        """A line of the table."""
        query, parameters = self.select(filters)
        rows, seconds = self.timed(query, parameters)
        _, generic = self.timed(*self.as_generic(query, parameters))
        return [
            name,
            f"{rows:,}",
            f"{seconds * 1e3:.1f}",
            f"{generic * 1e3:.1f}",
            self.start_of(query, parameters),
        ]

    def timed(self, query: str, parameters: tuple[Any, ...]) -> tuple[int, float]:
        """Rows and seconds, of which the median."""
        taken = []
        with self.session.cursor() as cursor:
            for _ in range(ROUNDS):
                started = perf_counter()
                cursor.execute(
                    f"EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, FORMAT JSON) {query}", parameters
                )
                ((plan,),) = cursor.fetchall()
                taken.append(perf_counter() - started)
        return int(plan[0]["Plan"]["Actual Rows"]), median(taken)

    def as_generic(self, query: str, parameters: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
        """An EXECUTE of the query prepared, planned without a look at the values."""
        numbers = iter(range(1, len(parameters) + 1))
        text = re.sub("%s", lambda _: f"${next(numbers)}", query)
        with self.session.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")
            cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            cursor.execute(f"PREPARE generic AS {text.replace('%%', '%')}")
        return f"EXECUTE generic ({', '.join(['%s'] * len(parameters))})", parameters

    def start_of(self, query: str, parameters: tuple[Any, ...]) -> str:
        """The index, or the table, from which everything else is looked up."""
        with self.session.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {query}", parameters)
            ((plan,),) = cursor.fetchall()
        return first_scan(plan[0]["Plan"])


def first_scan(plan: dict[str, Any]) -> str:
    """The first leaf of a plan: what its loops and hashes are driven by."""
    if below := plan.get("Plans"):
        inner = [part for part in below if part.get("Parent Relationship") == "Inner"]
        # The hashed side is read first, but the other one is walked through.
        outer = [part for part in below if part not in inner]
        return first_scan(outer[0])
    return str(plan.get("Index Name") or f"{plan['Node Type']} {plan.get('Relation Name', '')}")


def run() -> None:
    """Ask everything of both accounts."""
    found = dataset()
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    for title, account in (("a tenant of 500", found.tenant), ("a tree of 500,000", found.tree)):
        with snapshot(Lease(lambda **_: True, lambda *_: True)) as sessions:
            asker = Asker(sessions.first, account)
            lines = [[title, "rows", "ms", "generic ms", "driven by"]]
            lines += [asker.line(name, filters) for name, filters in questions(account)]
        columns(lines)

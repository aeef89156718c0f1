"""Queued searches at a million customers: the contract's table of speeds, each beside its target.

The yardstick of large files is psql, which writes the same SELECT to the same disk by `\\copy`.
"""

import os
import random
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import connection

from config.jobs.lease import Lease
from config.launcher.servers import postgres_binaries
from customers.criteria import Criteria
from customers.models import BusinessAccount, Contact, ContactPoint, Customer
from search.copy import LAYOUTS, statement
from search.models import CustomerSearch
from search.runner import covered_accounts
from search.sessions import TUNING, snapshot
from tests.benchmarks.analyst import Analyst, Outcome, done
from tests.benchmarks.dataset import TREE, dataset
from tests.benchmarks.report import columns
from tests.benchmarks.search_memory import memory
from tests.benchmarks.server import web, worker

ROUNDS = 3
# The time of psql, at most; rows a second, at least.
TARGETS = {"CSV": (1.05, 110_000), "JSON": (0.65, 20_000)}
WRITTEN_TARGETS = {"PARQUET": 60_000, "XLSX": 5_000}
LOOKUPS = 40
POSTS = 400
SMALL = 40


def psql(account: BusinessAccount, result_format: str) -> Callable[[], float]:
    """A function that has psql write the file's SELECT, and gives the seconds that it took."""
    search = CustomerSearch(
        business_account=account, criteria=Criteria(customer_account_type="INDIVIDUAL").as_json()
    )
    with snapshot(Lease(lambda **_: True, lambda *_: True)) as sessions:
        session = sessions.first
        accounts = covered_accounts(search, session)
        found = Customer.objects.filter(business_account__in=accounts).matching(search.wanted)
        layout = LAYOUTS[result_format]
        query, parameters = statement(found, layout, session)
        with session.cursor() as cursor:
            text = cursor.mogrify(query, parameters)
    target = Path(settings.DATA_DIR) / "results" / "psql"
    target.parent.mkdir(parents=True, exist_ok=True)
    copy = "\\" + " ".join(text.replace("COPY", "copy", 1).split()).replace("STDOUT", f"'{target}'")
    command = [str(postgres_binaries() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    command += [os.environ["DATABASE_URL"]]
    script = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n{TUNING};\n{copy}\nCOMMIT;\n"

    def run() -> float:
        started = perf_counter()
        subprocess.run(command, input=script, text=True, check=True, stdout=subprocess.DEVNULL)
        taken = perf_counter() - started
        target.unlink()
        return taken

    return run


# --- Large files ----------------------------------------------------------------------------------


def large_file(analyst: Analyst, account: BusinessAccount, result_format: str) -> list[list[str]]:
    """A file of the whole tree against psql, by turns."""
    yardstick = psql(account, result_format)
    ours: list[float] = []
    theirs: list[float] = []
    rows = 0
    for _ in range(ROUNDS):
        theirs.append(yardstick())
        outcome = analyst.search(resultFormat=result_format)
        ours.append(outcome.seconds)
        rows = outcome.rows
    ratio = median(ours) / median(theirs)
    what = f"{result_format} of {rows:,} rows, {settings.SEARCH_SESSIONS} sessions"
    most, least = TARGETS[result_format]
    return [
        [what, f"{median(ours):.2f} s", f"psql {median(theirs):.2f} s", f"{ratio:.2f}", f"{most}"],
        rate(what, rows / median(ours), least),
    ]


def rate(what: str, rows_per_second: float, target: int) -> list[str]:
    """Rows a second; the target is the least."""
    return [
        what,
        f"{rows_per_second:,.0f}/s",
        "",
        f"{rows_per_second / target:.2f}",
        f"{target:,}/s",
    ]


def written_file(analyst: Analyst, result_format: str) -> list[list[str]]:
    """A file of the whole tree, for which psql has no like."""
    outcomes = [analyst.search(resultFormat=result_format) for _ in range(ROUNDS)]
    rows = outcomes[0].rows
    seconds = median(outcome.seconds for outcome in outcomes)
    return [
        rate(f"{result_format} of {rows:,} rows", rows / seconds, WRITTEN_TARGETS[result_format])
    ]


# --- Small answers --------------------------------------------------------------------------------


def lookups(analyst: Analyst, account: BusinessAccount) -> list[list[str]]:
    """Exact values and parts of names of customers picked at random among all.

    Each is asked twice: the second time the database has read what it needs before.
    """
    chance = random.Random(11)
    # Ids are in the order of their making, so that one in so many is a fair choice.
    ids = list(Customer.objects.filter(business_account=account).values_list("pk", flat=True))
    picked = chance.sample(ids, LOOKUPS)
    points = ContactPoint.objects.filter(customer__in=picked, is_primary=True)
    people = list(
        Contact.objects.filter(customer__in=picked).values_list("first_name", "last_name")
    )
    parts = [name[:4] for name, _ in people if name.isascii() and len(name) >= 4]
    questions: dict[str, tuple[list[dict[str, str]], int]] = {
        "exact e-mail": ([{"email": value} for value in values(points, "EMAIL")], 100),
        "exact phone": ([{"phoneNumber": value} for value in values(points, "PHONE")], 100),
        "exact last and first name": (
            [{"firstName": first, "lastName": last} for first, last in people if first],
            100,
        ),
        "CONTAINS on a first name": (
            [{"firstName": part, "match": "CONTAINS"} for part in parts],
            300,
        ),
        "CONTAINS on a last name": (
            [{"lastName": last[-4:], "match": "CONTAINS"} for _, last in people if len(last) > 3],
            300,
        ),
    }
    lines = []
    for name, (bodies, target) in questions.items():
        first, again = ([analyst.search(**body) for body in bodies] for _ in range(2))
        lines.append(small_line(name, first, again, target))
    return lines


def values(points: Any, kind: str) -> list[str]:
    """The values of contact points of a kind."""
    return list(points.filter(kind=kind).values_list("value", flat=True))


def small_line(name: str, first: list[Outcome], again: list[Outcome], target: int) -> list[str]:
    """The median of the second time, beside it of the first; rows in the middle and at most."""
    rows = sorted(outcome.rows for outcome in again)
    seconds = median(outcome.seconds for outcome in again)
    return [
        f"{name} ({rows[len(rows) // 2]:,} rows, at most {rows[-1]:,})",
        f"{seconds * 1e3:.0f} ms",
        f"first time {median(outcome.seconds for outcome in first) * 1e3:.0f} ms",
        f"{seconds * 1e3 / target:.2f}",
        f"{target} ms",
    ]


def posts_meanwhile(analyst: Analyst, other: Analyst) -> list[str]:
    """How long a POST takes while a search of the whole tree runs."""
    taken: list[float] = []
    submitted: list[str] = []
    running = analyst.submit(resultFormat="JSON")
    other.caller.connection.close()
    pause = threading.Event()
    while CustomerSearch.objects.get(pk=running).rows == 0:
        pause.wait(0.02)
    while len(taken) < POSTS and CustomerSearch.objects.get(pk=running).status == "STARTED":
        started = perf_counter()
        submitted.append(other.submit(email="nobody@example.com"))
        taken.append(perf_counter() - started)
    CustomerSearch.objects.filter(pk__in=submitted, status="SUBMITTED").delete()
    done(running)
    taken.sort()
    p99 = taken[-(-99 * len(taken) // 100) - 1]
    name = f"POST to queryId, {len(taken)} meanwhile"
    figures = [f"p99 {p99 * 1e3:.1f} ms", f"median {median(taken) * 1e3:.1f} ms"]
    return [name, *figures, f"{p99 * 1e3 / 50:.2f}", "50 ms"]


def small_meanwhile(analyst: Analyst, other: Analyst) -> list[str]:
    """What a small search of somebody else takes alone, and while one of the whole tree is read."""
    body = {"email": "nobody@example.com"}
    alone = median(other.search(**body).seconds for _ in range(SMALL))
    running = analyst.submit(resultFormat="JSON")
    pause = threading.Event()
    while CustomerSearch.objects.get(pk=running).rows == 0:
        pause.wait(0.02)
    taken: list[float] = []
    while CustomerSearch.objects.get(pk=running).status == "STARTED" and len(taken) < SMALL:
        taken.append(other.search(**body).seconds)
    done(running)
    beside = median(taken)
    figures = [f"{beside * 1e3:.0f} ms", f"alone {alone * 1e3:.0f} ms"]
    return [f"a small search, {len(taken)} meanwhile", *figures, f"{beside / alone:.2f}", "2"]


def run() -> None:
    """Measure."""
    found = dataset()
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    with web(workers=1) as port:
        analyst, other = Analyst(port, found.tree), Analyst(port, found.tenant)
        with worker():
            show("memory of a worker", memory(analyst))
        with worker():
            show("exact values and parts of names", lookups(analyst, found.tree))
            for result_format in ("CSV", "JSON"):
                lines = large_file(analyst, found.tree, result_format)
                show(f"{result_format} of {TREE:,} customers", lines)
            for result_format in WRITTEN_TARGETS:
                lines = written_file(analyst, result_format)
                show(f"{result_format} of {TREE:,} customers", lines)
            show("while a search of them all runs", [posts_meanwhile(analyst, other)])
        with worker(processes=2):
            show("beside a search of them all", [small_meanwhile(analyst, other)])


def show(title: str, lines: list[list[str]]) -> None:
    """Print lines of figures; the ratio is to what the line names, or to the target."""
    columns([[title, "", "", "ratio", "target"], *lines, [""] * 5])

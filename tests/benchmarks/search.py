"""Queued searches at a million customers: the contract's table of speeds, each beside its target.

The yardstick of large files is psql, which writes the same SELECT to the same disk by `\\copy`.
"""

import json
import os
import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from config.jobs.lease import Lease
from config.launcher.servers import postgres_binaries
from customers.criteria import Criteria
from customers.models import BusinessAccount, Contact, ContactPoint, Customer
from search import services
from search.copy import LAYOUTS, statement
from search.models import CustomerSearch
from search.runner import covered_accounts
from search.sessions import TUNING, snapshot
from tests.benchmarks.customers import token_for
from tests.benchmarks.dataset import TREE, dataset
from tests.benchmarks.report import columns
from tests.benchmarks.server import Caller, web, worker

URL = "/v1/search/customer-accounts"
EVERYBODY = {"customerAccountType": "INDIVIDUAL"}
ROUNDS = 3
LOOKUPS = 40
POSTS = 400
MEGABYTE = 1024 * 1024


class Outcome(NamedTuple):
    """A finished search: seconds from STARTED to FINISHED, rows and bytes."""

    seconds: float
    rows: int
    bytes: int


class Analyst:
    """Somebody who asks for searches, waits for them, and throws the files away."""

    def __init__(self, port: int, account: BusinessAccount) -> None:
        self.caller = Caller(port, token_for(account))

    def submit(self, **body: object) -> str:
        """The id of a new search."""
        answer = self.caller.post(URL, EVERYBODY | body)
        return str(json.loads(answer)["queryId"])

    def search(self, **body: object) -> Outcome:
        """A new search, done."""
        # The server closes a connection on which nothing came for a while.
        self.caller.connection.close()
        return done(self.submit(**body))


def done(query_id: str) -> Outcome:
    """A search when it has ended; its file is deleted."""
    pause = threading.Event()
    while (search := CustomerSearch.objects.get(pk=query_id)).status in CustomerSearch.OPEN:
        pause.wait(0.02)
    if search.status != CustomerSearch.Status.FINISHED:
        raise RuntimeError(f"search {query_id}: {search.error_code} {search.error_message}")
    services.cancel_search(search=search)
    seconds = (search.finished_at - search.started_at).total_seconds()
    return Outcome(seconds, search.rows, search.bytes)


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
    what = f"{result_format} of {rows:,} rows"
    lines = [
        [what, f"{median(ours):.2f} s", f"psql {median(theirs):.2f} s", f"{ratio:.2f}", "1.25"]
    ]
    if result_format == "JSON":
        lines.append([what, f"{rows / median(ours):,.0f}/s", "", "", "20,000/s"])
    return lines


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


# --- Memory ---------------------------------------------------------------------------------------


class Memory:
    """The memory of the process that works on searches, in bytes, and the most of it seen."""

    def __init__(self) -> None:
        worked = CustomerSearch.objects.exclude(worker="").order_by("-finished_at").first()
        if worked is None:
            raise RuntimeError("no search was ever done")
        self.pid = int(worked.worker.rpartition(":")[2])

    def now(self) -> int:
        """Resident now."""
        text = Path(f"/proc/{self.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @contextmanager
    def watched(self) -> Iterator[list[int]]:
        """What it is meanwhile, looked at every 20 ms."""
        seen: list[int] = [self.now()]
        end = threading.Event()

        def look() -> None:
            while not end.wait(0.02):
                seen.append(self.now())

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield seen
        finally:
            end.set()
            thread.join()


def memory(analyst: Analyst) -> list[list[str]]:
    """By how much a new worker grows over idle, at thousands of rows and at all of them."""
    analyst.search(email="nobody@example.com")
    process = Memory()
    idle = process.now()
    lines = []
    for body in ({"firstName": "João"}, {}, {"resultFormat": "JSON"}):
        with process.watched() as seen:
            outcome = analyst.search(**body)
        grown = max(seen) - idle
        lines.append(
            [
                f"worker memory over idle, {body.get('resultFormat', 'CSV')} of {outcome.rows:,}",
                f"{grown / MEGABYTE:.1f} MB",
                f"idle {idle / MEGABYTE:.0f} MB",
                f"{grown / MEGABYTE / 64:.2f}",
                "64 MB",
            ]
        )
    return lines


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
            show("while a search of them all runs", [posts_meanwhile(analyst, other)])


def show(title: str, lines: list[list[str]]) -> None:
    """Print lines of figures; the ratio is to what the line names, or to the target."""
    columns([[title, "", "", "ratio", "target"], *lines, [""] * 5])

"""Bulk loads into a million customers: the contract's table of speeds, each beside its target.

Loads of whole customers, with a profile each, are measured beside loads without, in the same run.

The yardstick of the drain and of files is PostgreSQL's own COPY of the same rows into the same
tables, with their indexes and with the change log. What is loaded is deleted in the end.
"""

import json
import os
import random
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import ProgrammingError, connection, transaction
from django.db.models import Max, Min, Sum

from customers.authentication import actor_of
from customers.models import BusinessAccount
from ingest import payload, services
from ingest.models import BulkRequest
from ingest.services import Target
from ingest.undo.services import undo_request
from tests import bulk
from tests.benchmarks.clients import load, request
from tests.benchmarks.customers import token_for
from tests.benchmarks.dataset import dataset, named
from tests.benchmarks.report import columns, note
from tests.benchmarks.server import web, worker

# As many as the web process has threads.
CLIENTS = 4
WARM_UP_SECONDS = 1.0
ALONE_SECONDS = 2.0
TOGETHER_SECONDS = 5.0
# More than can be accepted in that time.
POSTS = 4000
DRAINED = 20_000
# Of each load with profiles, and of each without, of which the median of some turns is told.
WHOLE = 10_000
TURNS = 5
COPIED = 40_000
# Parents before children; all but the first are keyed by the customer.
TABLES = ("customer", "contact", "contactpoint", "address", "enrollment", "account", "card")


class Load(NamedTuple):
    """How many customers were loaded in how many seconds."""

    customers: int
    seconds: float

    @property
    def rate(self) -> float:
        """Customers a second."""
        return self.customers / self.seconds


class Line(NamedTuple):
    """What was measured; `rate` is compared to that of COPY, unless `ratio` tells another one."""

    name: str
    measured: str
    target: str
    ratio: str = ""
    rate: float = 0.0


def person() -> bulk.Body:
    """A customer with one account and one card, under ids as feeds have them."""
    name, account = str(uuid4()), str(uuid4())
    card = bulk.card(name, account, f"{random.randrange(10_000):04}")
    postal_code = str(random.randrange(10_000, 100_000))
    accounts = [bulk.account(name, account, cards=[card])]
    return bulk.customer(name, postalCode=postal_code, accounts=accounts)


def fifty() -> bulk.Body:
    """A body of fifty."""
    return {"customers": [person() for _ in range(50)]}


# --- Accepting ------------------------------------------------------------------------------------


def accepting(account: BusinessAccount) -> list[Line]:
    """One client for the time of a POST, several for the rate; a worker drains meanwhile."""
    note("accepting")
    headers = {"Authorization": f"Bearer {token_for(account)}"}
    asked = iter([request("POST", bulk.CUSTOMERS, headers, fifty()) for _ in range(POSTS)])
    with web(workers=1) as port, worker(processes=1):
        load(port, asked, 1, WARM_UP_SECONDS)
        one = load(port, asked, 1, ALONE_SECONDS)
        started = perf_counter()
        taken = load(port, asked, CLIENTS, TOGETHER_SECONDS)
        rate = len(taken) / (perf_counter() - started)
    with worker(processes=1):
        note("draining what was accepted")
        ended(account)
    return [
        Line("POST of 50, p50 of one client", f"{median(one) * 1e3:.1f} ms", "10 ms"),
        Line(f"POST of 50, accepted from {CLIENTS} clients", f"{rate:,.0f}/s", "300/s"),
    ]


# --- Draining -------------------------------------------------------------------------------------


def draining(account: BusinessAccount) -> list[Line]:
    """New customers without profiles."""
    note("draining")
    rate = drain(account, (person() for _ in range(DRAINED))).rate
    return [Line("drain of one worker", f"{rate:,.0f}/s", "2,500/s, 0.25", rate=rate)]


def drain(account: BusinessAccount, people: Iterable[bulk.Body]) -> Load:
    """What one worker process does with requests of fifty that wait for it."""
    actor = actor_of(token_for(account))
    if actor is None:
        raise RuntimeError("the token is no good")
    target = Target(BulkRequest.Action.CREATE_CUSTOMERS)
    rest = iter(people)
    count = 0
    with transaction.atomic():
        while some := list(islice(rest, 50)):
            body = json.dumps({"customers": some}).encode()
            sent = payload.read_body(body, target.action)
            services.submit_request(
                actor=actor, target=target, sent=sent, fingerprint=payload.fingerprint(body)
            )
            count += 1
    with worker(processes=1):
        ended(account)
    found = BulkRequest.objects.filter(business_account=account).order_by("-number")
    last = BulkRequest.objects.filter(pk__in=found.values("pk")[:count])
    done = last.aggregate(
        Min("started_at"), Max("finished_at"), Sum("created"), Sum("updated"), Sum("failed")
    )
    started, finished, created, updated, failed = done.values()
    if failed:
        raise RuntimeError(f"{failed} customers were refused")
    return Load(created + updated, (finished - started).total_seconds())


def whole(plain: bulk.Body, number: int) -> bulk.Body:
    """The same customer with a profile."""
    name = plain["sourceCustomerId"]
    return plain | {
        "type": "INDIVIDUAL",
        "firstName": "Ada",
        "lastName": f"Lovelace {name[:8]}",
        "emails": [{"value": f"{name}@example.com"}],
        "phones": [{"number": f"+1415{2_000_000 + number:07}", "type": "MOBILE"}],
        "addresses": [
            {
                "type": "MAILING",
                "streetLine1": f"{number} Main Street",
                "cityName": "Austin",
                "stateCode": "TX",
                "countryCode": "USA",
                "zipCode": plain["postalCode"],
            }
        ],
        "metadata": {"crm": name[:8]},
    }


class Pair(NamedTuple):
    """The same load without profiles and with them."""

    without: Load
    with_them: Load


def profiles(account: BusinessAccount) -> list[Line]:
    """Loads with profiles beside loads without: of new customers, and of changed ones.

    By turns, for what else the disk has to do changes from one second to the next.
    """
    turns = [profiles_once(account, WHOLE * turn) for turn in range(TURNS)]
    lines = []
    for word, pairs in zip(("new", "changed"), zip(*turns, strict=True), strict=True):
        without = median(pair.without.rate for pair in pairs)
        rate = median(pair.with_them.rate for pair in pairs)
        ratio = f"{rate / without:.2f} of without"
        lines.append(Line(f"{word}, with profiles", f"{rate:,.0f}/s", "0.50", ratio))
    return lines


def profiles_once(account: BusinessAccount, start: int) -> tuple[Pair, Pair]:
    """One turn: new customers, numbered from `start`, and the same ones changed."""
    note("loads with profiles")
    first = [person() for _ in range(WHOLE)]
    second = [whole(person(), start + number) for number in range(WHOLE)]
    created = Pair(drain(account, first), drain(account, second))
    # What feeds change most: a part of the enrollment, and of a profile a name and an address.
    enrolled = {"organizationId": "50005"}
    moved = [each["addresses"][0] | {"streetLine2": "Flat 7"} for each in second]
    changed = [
        each | enrolled | {"firstName": "Eva", "addresses": [address]}
        for each, address in zip(second, moved, strict=True)
    ]
    return created, Pair(drain(account, [e | enrolled for e in first]), drain(account, changed))


def ended(account: BusinessAccount) -> None:
    """Wait until every request of an account has ended."""
    pause = threading.Event()
    waiting = BulkRequest.objects.filter(business_account=account, status__in=BulkRequest.OPEN)
    while waiting.exists():
        pause.wait(0.1)


# --- Files ----------------------------------------------------------------------------------------


def file(account: BusinessAccount, lines: int) -> list[Line]:
    """A file through the web server, its undo, and the most memory that the worker ever had.

    Load and undo are timed from their start to their end.
    """
    note(f"a file of {lines:,} lines")
    token = token_for(account)
    with web(workers=1) as port, worker(processes=1):
        ended(account)
        started = perf_counter()
        public_id = upload(port, token, file_lines(lines))
        uploaded = perf_counter() - started
        ended(account)
        request = BulkRequest.objects.get(business_account=account, public_id=public_id)
        loaded = timed(request, request.created, lines).rate
        note("undoing it")
        actor = actor_of(token)
        if actor is None:
            raise RuntimeError("the token is no good")
        public_id = undo_request(actor=actor, request=request)
        ended(account)
        undo = BulkRequest.objects.get(business_account=account, public_id=public_id)
        undone = timed(undo, undo.removed, lines).rate
        memory = max(map(peak_megabytes, worker_processes()))
    return [
        Line("file", f"{loaded:,.0f}/s", "8,000/s", rate=loaded),
        Line("its undo", f"{undone:,.0f}/s", "0.50", f"{undone / loaded:.2f} of the load"),
        Line("its upload", f"{lines / uploaded:,.0f} lines/s", ""),
        Line("the worker's memory", f"{memory:.0f} MB", "flat"),
    ]


def timed(request: BulkRequest, done: int, lines: int) -> Load:
    """How fast all lines of the file were done."""
    if done != lines or request.started_at is None or request.finished_at is None:
        raise RuntimeError(f"{done} lines are done: {request.error_message}")
    return Load(lines, (request.finished_at - request.started_at).total_seconds())


def upload(port: int, token: str, lines: Iterable[bytes], query: str = "") -> UUID:
    """Send a file as it is made; gives the id of the request."""
    client = HTTPConnection("127.0.0.1", port, timeout=600)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    client.request("POST", f"/v2/data/files{query}", lines, headers, encode_chunked=True)
    answer = json.loads(client.getresponse().read())
    return UUID(answer["requestId"])


def file_lines(lines: int) -> Iterator[bytes]:
    """The file, a thousand lines at a time."""
    template = json.dumps(person())
    ids = json.loads(template)
    name, account = ids["sourceCustomerId"], ids["accounts"][0]["sourceAccountId"]
    for _ in range(lines // 1000):
        yield b"".join(
            (template.replace(name, str(uuid4())).replace(account, str(uuid4())) + "\n").encode()
            for _ in range(1000)
        )


def worker_processes() -> list[Path]:
    """The folders of all running worker processes of this machine that this process started."""
    own = str(os.getpid())
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        # Any may end meanwhile.
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().split(b"\0")
            if b"config.jobs" in command and own in ancestors(folder):
                found.append(folder)
    return found


def ancestors(folder: Path) -> Iterator[str]:
    """The ids of a process's parents."""
    while (pid := stat(folder, "PPid")) not in {"0", ""}:
        yield pid
        folder = Path("/proc") / pid


def peak_megabytes(folder: Path) -> float:
    """The most memory that a process ever had."""
    return int(stat(folder, "VmHWM").split()[0]) / 1024


def stat(folder: Path, name: str) -> str:
    """A value of a process's status; empty when it is gone."""
    try:
        text = (folder / "status").read_text()
    except OSError:
        return ""
    values = dict(line.split(":", 1) for line in text.splitlines())
    return values.get(name, "").strip()


# --- The yardstick --------------------------------------------------------------------------------


def copied(account: BusinessAccount) -> Load:
    """COPY of rows that were loaded before, after they were deleted."""
    note("COPY of the same rows")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS chosen AS SELECT id AS customer_id"
            " FROM customers_customer WHERE business_account_id = %s LIMIT %s",
            [account.pk, COPIED],
        )
        cursor.execute("SELECT count(*) FROM chosen")
        (count,) = cursor.fetchone()
        names = {table: names_of(cursor, table) for table in TABLES}
        rows = {table: b"".join(rows_of(cursor, table, names[table])) for table in TABLES}
        with transaction.atomic():
            delete(cursor, "SELECT customer_id FROM chosen")
        started = perf_counter()
        with transaction.atomic():
            for table, data in rows.items():
                with cursor.copy(f"COPY customers_{table} ({names[table]}) FROM STDIN") as copy:
                    copy.write(data)
        taken = perf_counter() - started
        cursor.execute("DROP TABLE chosen")
    return Load(count, taken)


def names_of(cursor: Any, table: str) -> str:
    """The columns of a table that are written, with commas; PostgreSQL makes the others."""
    cursor.execute(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        [f"customers_{table}"],
    )
    (names,) = cursor.fetchone()
    return str(names)


def rows_of(cursor: object, table: str, names: str) -> Iterator[bytes]:
    """The chosen rows of a table, as COPY writes them."""
    key = "id" if table == "customer" else "customer_id"
    chosen = f"{key} IN (SELECT customer_id FROM chosen)"
    query = f"SELECT {names} FROM customers_{table} WHERE {chosen}"
    with cursor.copy(f"COPY ({query}) TO STDOUT") as copy:  # type: ignore[attr-defined]
        for row in copy:
            yield bytes(row)


def delete(cursor: object, customers: str) -> None:
    """Delete customers and all that hangs on them, record included."""
    execute = cursor.execute  # type: ignore[attr-defined]
    execute("SET LOCAL kith.recording = 'off'")
    execute("SET CONSTRAINTS ALL DEFERRED")
    for table in reversed(TABLES[1:]):
        execute(f"DELETE FROM customers_{table} WHERE customer_id IN ({customers})")
    execute(f"DELETE FROM customers_change WHERE customer_id IN ({customers})")
    execute(f"DELETE FROM customers_customer WHERE id IN ({customers})")


def tidy(account: BusinessAccount) -> None:
    """Delete all that was loaded."""
    note("deleting what was loaded")
    BulkRequest.objects.filter(business_account=account).delete()
    with transaction.atomic(), connection.cursor() as cursor:
        delete(
            cursor,
            f"SELECT id FROM customers_customer WHERE business_account_id = '{account.pk}'",
        )
    # Else all this is done in the background, beside what is measured.
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        # Not everybody may on a given server.
        with suppress(ProgrammingError):
            cursor.execute("CHECKPOINT")


def run(only: Collection[str] = (), thousands: int = 1000) -> None:
    """Measure, `only` some of the parts or all of them, with a file of so many thousand lines."""
    parts: dict[str, Callable[[], list[Line]]] = {
        "accepting": lambda: accepting(account),
        "drain": lambda: draining(account),
        "profiles": lambda: profiles(account),
        "file": lambda: file(account, 1000 * thousands),
    }
    if unknown := set(only) - parts.keys():
        raise SystemExit(f"no such part: {', '.join(sorted(unknown))} (of {', '.join(parts)})")
    dataset()
    account = named("Bulk")
    tidy(account)
    found = [line for name in only or parts for line in parts[name]()]
    rows = [["into 1,000,000 customers", "measured", "to COPY", "target"]]
    yardstick = 0.0
    # COPY needs rows that were loaded before.
    if any(line.rate for line in found):
        yardstick = copied(account).rate
        rows.append(["COPY", f"{yardstick:,.0f}/s", "1.00", ""])
    for name, measured, target, ratio, rate in found:
        compared = f"{rate / yardstick:.2f}" if rate else ratio
        rows.append([name, measured, compared, target])
    columns(rows)
    tidy(account)

"""Look-ups read from a streaming replica: what that takes off the primary, and what it costs.

Two web servers by turns, one of which has `READ_DATABASE_URL`. All are on one machine: a ratio of
rates tells the price of the way, not what a second machine brings. That is told by the processor
time that the primary takes for each call, by which it is known how many calls one primary bears.
The replica is a copy of the whole server, with all of the benchmarks' databases.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from statistics import median

from django.db import connection

from customers.models import BusinessAccount
from tests.benchmarks.calls import LIST, LOOKUP, found_by, gets, updates
from tests.benchmarks.clients import load
from tests.benchmarks.customers import NAMES, token_for
from tests.benchmarks.dataset import registry
from tests.benchmarks.people import people
from tests.benchmarks.report import columns, note
from tests.benchmarks.server import web
from tests.servers import PORT, Replica
from tests.workers import until

CUSTOMERS = 50_000
CONNECTIONS = 8
SECONDS = 1.0
TURNS = 9
WAYS = ("primary", "replica")
TICKS = os.sysconf("SC_CLK_TCK")


def seconds_of(postmaster: int) -> float:
    """The processor time that a database server has had, with all its processes."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    found = 0
    for number in (postmaster, *children):
        # One may end meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            times = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[11:13]
            found += sum(map(int, times))
    return found / TICKS


def is_read(replica: Replica) -> bool:
    """Whether somebody has asked the replica for customers."""
    scans = "SELECT coalesce(sum(idx_scan), 0) FROM pg_stat_user_tables WHERE relname LIKE '{}'"
    return bool(replica.ask(scans.format("customers\\_%")))


class Calls:
    """One kind of request to both servers, and what was measured: rates, and the primary's time."""

    def __init__(self, name: str, requests: Iterator[bytes]) -> None:
        self.name = name
        self.requests = requests
        self.rates: dict[str, list[float]] = {way: [] for way in WAYS}
        self.seconds: dict[str, list[float]] = {way: [] for way in WAYS}

    def measure(self, way: str, port: int, postmaster: int) -> None:
        """One turn of one way."""
        before = seconds_of(postmaster)
        count = len(load(port, self.requests, CONNECTIONS, SECONDS))
        self.seconds[way].append((seconds_of(postmaster) - before) / count)
        self.rates[way].append(count / SECONDS)

    def line(self) -> list[str]:
        """What is told of it."""
        alone, beside = (median(self.rates[way]) for way in WAYS)
        before, after = (median(self.seconds[way]) * 1e3 for way in WAYS)
        ratios = [f"{beside / alone:.2f}", f"{after / before:.2f}"]
        return [self.name, f"{alone:,.0f}/s", f"{beside:,.0f}/s", f"{before:.2f} ms", *ratios]


def calls_of(tree: BusinessAccount, writer: BusinessAccount) -> list[Calls]:
    """What is asked by one client; and what another one writes, which reads its own writes."""
    token = {"Authorization": f"Bearer {token_for(tree)}"}
    other = {"Authorization": f"Bearer {token_for(writer)}"}
    some, own = people([tree]), people([writer])
    emails = [each.email for each in some]
    return [
        Calls("list by e-mail", gets(token, found_by(LIST, "primaryEmail", emails))),
        Calls("list by name=", gets(token, found_by(LIST, "name", NAMES))),
        Calls("first page of 25", gets(token, [LIST])),
        Calls("/core by e-mail", gets(token, found_by(LOOKUP, "email", emails))),
        Calls("/core by name", gets(token, found_by(LOOKUP, "customerName", NAMES))),
        Calls("GET by id, from the primary", gets(token, [f"{LIST}/{each.id}" for each in some])),
        Calls("PUT of one member", updates(other, own)),
    ]


def run() -> None:
    """Measure."""
    with registry(CUSTOMERS) as (tree, *children), ExitStack() as servers:
        note("copying the server")
        replica = servers.enter_context(Replica(shared_buffers="512MB").running())
        settings = connection.settings_dict
        url = f"postgresql:///{settings['NAME']}?host={replica.folder}&port={PORT}&user=kith"
        ports = {
            way: servers.enter_context(web(READ_DATABASE_URL=where))
            for way, where in zip(WAYS, ("", url), strict=True)
        }
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('data_directory')")
            (folder,) = cursor.fetchone()
        postmaster = int(Path(folder, "postmaster.pid").read_text().split()[0])
        found = calls_of(tree, children[0])
        for each in found:
            for port in ports.values():
                load(port, each.requests, CONNECTIONS, SECONDS)
        until(partial(is_read, replica), 60)
        for turn in range(TURNS):
            note(f"turn {turn + 1} of {TURNS}")
            for each in found:
                for way in WAYS:
                    each.measure(way, ports[way], postmaster)
    head = ["8 clients", "primary alone", "with a replica", "the primary's time", "rate", "time"]
    columns([head, *(each.line() for each in found)])

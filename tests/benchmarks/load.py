"""A mix of calls by 1 to 128 clients of Locust, then more than the registry can do, and after it.

Locust has an environment of its own in the data folder: importing it changes how Python waits.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import perf_counter
from typing import NamedTuple

from tests.benchmarks.customers import token_for
from tests.benchmarks.dataset import dataset
from tests.benchmarks.people import people
from tests.benchmarks.report import columns, note
from tests.benchmarks.server import web, worker

LOCUST = "locust==2.47.0"
FILE = Path(__file__).with_name("locustfile.py")
CLIENTS = (1, 8, 32, 128)
SECONDS = 30
# Clients that each ask once a second, whatever they are answered: several times what can be done.
CROWD = 2000
OVERLOAD_SECONDS = 30
# How long it is watched before and after, and how often it is asked.
BEFORE, AFTER, EVERY = 5, 15, 0.05
WARM = 5


class Asked(NamedTuple):
    """A request: `milliseconds` to its answer; `told` unless it was refused without Retry-After."""

    name: str
    status: int
    milliseconds: float
    told: bool


class Probe(NamedTuple):
    """A request of somebody who asks now and then: when it was sent, and how it went."""

    at: float
    status: int
    milliseconds: float


def locust() -> str:
    """The program, installed at its first use."""
    folder = Path(os.environ["KITH_DATA"]) / "load-generator"
    stamp = folder / "installed"
    if not stamp.exists() or stamp.read_text() != LOCUST:
        note(f"installing {LOCUST} in {folder}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        command = [folder / "bin/python", "-m", "pip", "--quiet", "install"]
        command += ["--only-binary", ":all:", "--disable-pip-version-check", LOCUST]
        subprocess.run(command, check=True, stdout=sys.stderr)
        stamp.write_text(LOCUST)
    return str(folder / "bin/locust")


def asked(
    program: str, port: int, clients: int, seconds: float, order: dict[str, object], rate: float = 0
) -> list[Asked]:
    """What so many clients were answered."""
    with tempfile.TemporaryDirectory() as name:
        outcome, wanted = Path(name, "outcome"), Path(name, "order")
        wanted.write_text(json.dumps(order | {"rate": rate, "outcome": str(outcome)}))
        command = [program, "--headless", "--only-summary", "--locustfile", str(FILE)]
        command += ["--host", f"http://127.0.0.1:{port}", "--users", str(clients)]
        command += ["--spawn-rate", str(max(50, clients)), "--run-time", f"{seconds}s"]
        subprocess.run(
            [*command, "--stop-timeout", "30", "--exit-code-on-error", "0"],
            check=True,
            env=os.environ | {"LOAD_ORDER": str(wanted)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return [Asked(*row) for row in json.loads(outcome.read_text())]


def at(values: Sequence[float], share: float) -> float:
    """The value that so large a share of the ordered values does not exceed."""
    return values[min(len(values) - 1, int(len(values) * share))]


def row(name: str, found: Sequence[Asked], seconds: float) -> list[str]:
    """A line of the table: good answers a second, how long they took, and the others."""
    good = sorted(each.milliseconds for each in found if 200 <= each.status < 300)
    refused = sum(each.status in {429, 503} for each in found)
    others = len(found) - len(good) - refused
    times = [f"{at(good, share):,.0f} ms" for share in (0.5, 0.95, 0.99)] if good else ["", "", ""]
    return [name, f"{len(good) / seconds:,.0f}/s", *times, f"{refused:,}", f"{others:,}"]


@contextmanager
def probing(port: int, path: str, token: str) -> Iterator[list[Probe]]:
    """While it is entered, somebody asks for one customer again and again."""
    probes: list[Probe] = []
    stop = Event()

    def ask() -> None:
        started = perf_counter()
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            response.read()
            status = response.status
        except OSError:
            status = 0
        finally:
            connection.close()
        probes.append(Probe(started, status, (perf_counter() - started) * 1e3))

    def run() -> None:
        while not stop.wait(EVERY):
            ask()

    thread = Thread(target=run)
    thread.start()
    try:
        yield probes
    finally:
        stop.set()
        thread.join()


def recovery(probes: Sequence[Probe], end: float) -> int | None:
    """Seconds from the end of the overload until all is as before; None: not within the watch.

    As before: in each later second somebody was answered, well, and as a rule in at most three
    times what it took before.
    """
    usual = median(each.milliseconds for each in probes if each.at < probes[0].at + BEFORE)
    recovered: int | None = None
    for second in reversed(range(AFTER - 1)):
        answers = [each for each in probes if second <= each.at - end < second + 1]
        is_good = answers and all(each.status == 200 for each in answers)
        if not is_good or median(each.milliseconds for each in answers) > 3 * usual:
            break
        recovered = second
    return recovered


def run() -> None:
    """Measure."""
    found = dataset()
    accounts = [found.tree, *found.children]
    some = [
        {"id": str(each.id), "email": each.email, "phone": each.phone} for each in people(accounts)
    ]
    order = {"token": token_for(found.tree), "people": some}
    program = locust()
    path = f"/v1/customers/{some[0]['id']}"
    pause = Event()
    lines = [["clients", "good answers", "p50", "p95", "p99", "refused", "errors"]]
    with web(workers=2) as port, worker(processes=3):
        asked(program, port, 8, WARM, order)
        for clients in CLIENTS:
            note(f"{clients} clients")
            lines.append(row(str(clients), asked(program, port, clients, SECONDS, order), SECONDS))
        with probing(port, path, str(order["token"])) as probes:
            pause.wait(BEFORE)
            note(f"{CROWD} clients, each once a second")
            crowd = asked(program, port, CROWD, OVERLOAD_SECONDS, order, rate=1)
            end = perf_counter()
            pause.wait(AFTER)
    lines.append(row(f"{CROWD}, each once a second", crowd, OVERLOAD_SECONDS))
    columns(lines)
    report_overload(crowd, probes, end)


def report_overload(crowd: Sequence[Asked], probes: Sequence[Probe], end: float) -> None:
    """Print how what was too much was answered, and how long it was felt."""
    statuses = Counter(each.status for each in crowd)
    silent = sum(not each.told for each in crowd)
    recovered = recovery(probes, end)
    longest = max(each.milliseconds for each in crowd) / 1e3
    # Locust has more to do than it can, too: another client tells how long an answer takes.
    beside = [each for each in probes if end - OVERLOAD_SECONDS < each.at < end]
    taken = sorted(each.milliseconds for each in beside)
    told = Counter(each.status for each in beside)
    lines = [
        ["beyond capacity", "measured", "target"],
        ["asked for", f"{len(crowd) / OVERLOAD_SECONDS:,.0f}/s", ""],
        ["statuses", ", ".join(f"{key} {value:,}" for key, value in sorted(statuses.items())), ""],
        ["refused without Retry-After", f"{silent:,}", "0"],
        ["statuses for another client", ", ".join(f"{k} {v:,}" for k, v in told.items()), ""],
        ["its median and longest wait", f"{at(taken, 0.5):,.0f}, {taken[-1]:,.0f} ms", ""],
        ["longest wait for any answer", f"{longest:.1f} s", ""],
        ["median of all answers", f"{median(e.milliseconds for e in crowd):,.0f} ms", ""],
        [
            "as before after",
            "not within the watch" if recovered is None else f"{recovered} s",
            "10 s",
        ],
    ]
    columns(lines)

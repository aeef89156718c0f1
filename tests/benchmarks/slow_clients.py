"""What slow clients cost the others: 200 that send slowly and 200 that read slowly, all at once.

And what it costs the others that slow ones are waited for: the same application is asked with and
without the layer that does so.
"""

import asyncio
import io
import multiprocessing
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from itertools import count, cycle
from threading import Event, Thread
from time import perf_counter

from customers.models import BusinessAccount
from search import results, services
from search.bi.views import url_of
from tests import factories
from tests.benchmarks.clients import load, request
from tests.benchmarks.report import columns, note, table, timing
from tests.benchmarks.server import Caller, web, wsgi
from tests.inventory import make_finished_search

NAME = "Slow clients"
SENDERS = 200
READERS = 200
ROUNDS = 3
TURNS = 8
REQUESTS = 150
FILE_BYTES = 20_000_000
# A little faster than the least rate, so that nobody is cut off.
STEP_BYTES = 1000
WINDOW_BYTES = 16_384
ARRIVAL_SECONDS = 10
STEPS_OF_CHECKS = 4
STEP_SECONDS = 0.5
PROBE_SECONDS = 0.02


def run() -> None:
    """Print the time of a request of others without and with slow clients, and of `/healthz`."""
    account = BusinessAccount.objects.filter(name=NAME).first()
    account = account or factories.make_business_account(NAME)
    while account.customers.count() < 100:
        factories.make_customer(account)
    ids = [str(pk) for pk in account.customers.values_list("pk", flat=True)[:100]]
    speaker = factories.make_speaker(account)
    token = speaker.token
    made = make_finished_search(speaker)
    search = services.get_search(actor=speaker.actor, search_id=made.pk)
    results.remove_attempt(search.storage_name)
    results.store(search.storage_name, io.BytesIO(b"a line of it\n" * (FILE_BYTES // 13)))
    path = "/" + url_of(search, search.file_name).split("/", 3)[3]
    beside(token, ids, path)
    cost(token, ids, path)
    results.remove(search)


def beside(token: str, ids: list[str], path: str) -> None:
    """Requests without and with slow clients, by turns."""
    taken: dict[str, list[float]] = {"alone": [], "beside": []}
    probes: dict[str, list[float]] = {"alone": [], "beside": []}
    with web(workers=1) as port:
        warm_up = Caller(port, token)
        for customer_id in ids:
            warm_up.get(f"/v1/customers/{customer_id}")
        for number in range(ROUNDS):
            note(f"round {number + 1} of {ROUNDS}")
            measure(port, token, ids, taken["alone"], probes["alone"])
            with slow_clients(port, token, path):
                measure(port, token, ids, taken["beside"], probes["beside"])
    table(
        f"GET /v1/customers/{{id}}, {SENDERS} slow senders and {READERS} slow readers",
        timing("alone", taken["alone"]),
        timing("beside them", taken["beside"]),
    )
    alone, beside = timing("", taken["alone"]), timing("", taken["beside"])
    columns(
        [
            ("what", "measured", "target"),
            ("p95 beside them, to p95 alone", f"{beside.p95 / alone.p95:.2f}", "2"),
            ("/healthz alone, longest of all", f"{max(probes['alone']) * 1e3:.1f} ms", ""),
            ("/healthz beside them, longest", f"{max(probes['beside']) * 1e3:.1f} ms", "100 ms"),
        ]
    )


def cost(token: str, ids: list[str], path: str) -> None:
    """Customers and files, by quick clients only, without and with the layer, by turns."""
    headers = {"Authorization": f"Bearer {token}"}
    wanted = {
        "GET /v1/customers/{id}, 8 clients": [f"/v1/customers/{each}" for each in ids],
        f"a file of {FILE_BYTES / 1e6:.0f} MB, one client": [path],
    }
    plain = wsgi(
        "tests.benchmarks.plain:application", DJANGO_SETTINGS_MODULE="tests.benchmarks.settings"
    )
    with plain as bare, web(workers=1) as whole:
        for name, paths in wanted.items():
            clients = 8 if len(paths) > 1 else 1
            asked = cycle([request("GET", each, headers) for each in paths])
            taken: dict[int, list[float]] = {bare: [], whole: []}
            for _ in range(TURNS + 1):
                for port, seconds in taken.items():
                    answers = load(port, asked, clients, 1.0)
                    seconds.append(sum(answers) / len(answers) / clients)
            # The first turn warms up.
            without, with_it = (timing("", taken[port][1:]) for port in (bare, whole))
            table(
                f"{name}, time of each (target: ratio <= 1.05)",
                without._replace(name="without the layer"),
                with_it._replace(name="with it"),
            )


def measure(port: int, token: str, ids: list[str], taken: list[float], probes: list[float]) -> None:
    """Time requests one after the other, and `/healthz` every `PROBE_SECONDS` meanwhile."""
    done = Event()
    prober = Thread(target=probe, args=(port, done, probes))
    prober.start()
    caller = Caller(port, token)
    for _ in range(REQUESTS):
        url = f"/v1/customers/{random.choice(ids)}"
        started = perf_counter()
        caller.get(url)
        taken.append(perf_counter() - started)
    done.set()
    prober.join()


def probe(port: int, done: Event, probes: list[float]) -> None:
    """Ask for `/healthz` again and again, each time on a new connection."""
    while not done.wait(PROBE_SECONDS):
        started = perf_counter()
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        connection.close()
        probes.append(perf_counter() - started)


@contextmanager
def slow_clients(port: int, token: str, path: str) -> Iterator[None]:
    """While it is entered, `SENDERS` and `READERS` are connected, in a process of their own."""
    context = multiprocessing.get_context("fork")
    connected = context.Event()
    process = context.Process(target=be_slow, args=(port, token, path, connected), daemon=True)
    process.start()
    try:
        if not connected.wait(180):
            raise TimeoutError("the slow clients did not all get an answer")
        yield
    finally:
        process.kill()
        process.join()


def be_slow(
    port: int, token: str, path: str, connected: "multiprocessing.synchronize.Event"
) -> None:
    """Be `SENDERS` and `READERS` until killed."""
    random.seed()
    asyncio.run(_all_slow(port, token, path, connected))


async def _all_slow(
    port: int, token: str, path: str, connected: "multiprocessing.synchronize.Event"
) -> None:
    waiting = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(_send(port, token, waiting)) for _ in range(SENDERS)]
    tasks += [asyncio.create_task(_read(port, token, path, waiting)) for _ in range(READERS)]
    for _ in tasks:
        await waiting.acquire()
    connected.set()
    await asyncio.gather(*tasks)


async def _send(port: int, token: str, waiting: asyncio.Semaphore) -> None:
    """Send a body of 4 MB, slowly; again when the server has had enough."""
    head = (
        "POST /v1/customers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: 4000000\r\n\r\n"
    )
    while True:
        # They come one after the other, as clients do that know nothing of each other.
        await asyncio.sleep(random.random() * ARRIVAL_SECONDS)
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head.encode())
            for step in count():
                writer.write(b" " * STEP_BYTES)
                await writer.drain()
                await asyncio.sleep(STEP_SECONDS)
                # By then its request has passed the checks.
                if step == STEPS_OF_CHECKS:
                    waiting.release()


async def _read(port: int, token: str, path: str, waiting: asyncio.Semaphore) -> None:
    """Read the answer slowly; again when the server has had enough."""
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    while True:
        await asyncio.sleep(random.random() * ARRIVAL_SECONDS)
        with suppress(OSError, asyncio.IncompleteReadError):
            # A slow network has no room for megabytes, as the loopback of one machine has.
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW_BYTES)
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", port))
            reader, writer = await asyncio.open_connection(sock=client, limit=STEP_BYTES)
            writer.write(head.encode())
            beginning = await reader.readexactly(STEP_BYTES)
            if not beginning.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(beginning)
            waiting.release()
            while True:
                await reader.readexactly(STEP_BYTES)
                await asyncio.sleep(STEP_SECONDS)

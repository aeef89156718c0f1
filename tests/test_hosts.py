"""Two web servers and three workers, each on a host of its own.

They share the database, the broker and the bucket, and nothing else: no folder, no memory, no
process numbers, and only the network between them.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.db import connection

from config.launcher.guard import CHECKOUT
from config.launcher.stack import Address
from tests import buckets, bulk
from tests.chaos import proxy
from tests.factories import make_customer
from tests.hosts import GATEWAY, Host, hosts
from tests.served import wait_until, web
from tests.uploads import FILES, NDJSON, lines
from tests.workers import locked, until, worker

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.no_cover,
    pytest.mark.long,
    pytest.mark.hosts,
]
SEARCHES = "/v1/search/customer-accounts"
WEB, WORKERS = ("web-1", "web-2"), ("worker-1", "worker-2", "worker-3")
PORTS = {"database": 5432, "redis": 6379, "bucket": 9000}


@contextmanager
def shared(folder: Path, bucket_url: str) -> Iterator[dict[str, str]]:
    """What leads a program on another host to what all of them share."""
    database, redis = connection.settings_dict, urlsplit(settings.REDIS_URL)
    at, port = database["HOST"], database["PORT"] or "5432"
    targets = {
        "database": f"{at}/.s.PGSQL.{port}" if at.startswith("/") else port,
        "redis": redis.path if redis.scheme == "unix" else str(redis.port),
        "bucket": str(urlsplit(bucket_url).port),
    }
    routes = [f"{name}={GATEWAY}:{PORTS[name]}={target}" for name, target in targets.items()]
    control = folder / "control"
    with subprocess.Popen(
        [sys.executable, "-m", proxy.__name__, str(control), *routes], cwd=CHECKOUT
    ) as process:
        try:
            wait_until(control.exists)
            number = redis.query.partition("db=")[2] if redis.scheme == "unix" else redis.path[1:]
            user = f"{database['USER']}@" if database["USER"] else ""
            yield {
                "DATABASE_URL": f"postgresql://{user}{GATEWAY}:{PORTS['database']}/{database['NAME']}",
                "REDIS_URL": f"redis://{GATEWAY}:{PORTS['redis']}/{number or 0}",
                "KITH_ALLOWED_HOSTS": "*",
                **buckets.variables(f"http://{GATEWAY}:{PORTS['bucket']}"),
            }
        finally:
            process.terminate()


@dataclass
class Registry:
    """The hosts by name, and a client of each web server."""

    hosts: dict[str, Host]
    clients: dict[str, httpx.Client]


@pytest.fixture
def registry(owner, own_queue, bucket, way, tmp_path) -> Iterator[Registry]:
    with ExitStack() as running:
        found = {each.name: each for each in running.enter_context(hosts(*WEB, *WORKERS))}
        variables = running.enter_context(shared(tmp_path, way.url))
        clients = {}
        for name, host in found.items():
            folder = tmp_path / name
            folder.mkdir()
            named = {"DATABASE_URL": f"{variables['DATABASE_URL']}?application_name={name}"}
            own = variables | named
            if name in WEB:
                place = Address(host.address, 8000)
                serving = web(own_queue, folder, address=place, prefix=host.prefix, **own)
                headers = {"Authorization": f"Bearer {owner.token}"}
                url = running.enter_context(serving).url
                clients[name] = httpx.Client(base_url=url, headers=headers, timeout=60)
                continue
            # The last one also sends what is done regularly, such as to take up what is left.
            schedule = folder / "schedule" if name == WORKERS[-1] else None
            running.enter_context(
                worker(own_queue, folder, prefix=host.prefix, schedule=schedule, **own)
            )
        yield Registry(found, clients)


def ok(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, (answer.status_code, answer.text)
    return answer


def ended(client: httpx.Client, url: str, **options: Any) -> dict[str, Any]:
    """What a job's status says once it has ended."""

    def look() -> dict[str, Any]:
        return dict(ok(client.get(url, **options)).json())

    until(lambda: look()["status"] in {"FINISHED", "FAILED", "ABORTED"})
    return look()


def load(client: httpx.Client, name: str) -> str:
    """The address of the ledger of a request for one customer."""
    body = {"customers": [bulk.customer(name)]}
    return f"{bulk.REQUESTS}/{ok(client.post(bulk.CUSTOMERS, json=body)).json()['requestId']}"


def search(client: httpx.Client, **options: Any) -> str:
    """The address of a search for all individuals."""
    body = {"customerAccountType": "INDIVIDUAL", "resultFormat": "NDJSON"}
    return f"{SEARCHES}/{ok(client.post(SEARCHES, json=body, **options)).json()['queryId']}"


def rows_of(client: httpx.Client, done: dict[str, Any], **options: Any) -> int:
    """How many rows the file of a search has that is downloaded from this web server."""
    path = urlsplit(done["downloadUrl"])
    file = ok(client.get(f"{path.path}?{path.query}", follow_redirects=True, **options))
    return len(file.text.splitlines())


def at_work() -> list[str]:
    """The hosts whose workers are writing a result, and wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
            " AND query LIKE 'COPY (%' AND wait_event_type = 'Lock'"
        )
        return sorted(name for (name,) in cursor.fetchall())


def test_what_one_web_server_took_any_worker_does_and_the_other_one_tells(registry):
    first, second = registry.clients.values()
    numbers = range(6)
    takers = [(first, second)[number % 2] for number in numbers]
    ledgers = [load(takers[number], f"customer-{number}") for number in numbers]
    for url, teller in zip(ledgers, takers[::-1], strict=True):
        assert ended(teller, url)["status"] == "FINISHED"
    content = lines(*[bulk.customer(f"line-{number}") for number in range(20)])
    sent = ok(first.post(FILES, content=content, headers={"Content-Type": NDJSON})).json()
    url = f"{bulk.REQUESTS}/{sent['requestId']}"
    assert ended(second, url)["counts"]["created"] == 20
    assert len(ok(second.get(f"{url}/results", follow_redirects=True)).text.splitlines()) == 20
    for taker, teller in ((first, second), (second, first)):
        found = ended(teller, search(taker))
        assert (found["status"], rows_of(teller, found)) == ("FINISHED", 26)


def test_hosts_that_die_lose_nothing(registry, owner, outsider):
    first, second = registry.clients.values()
    for speaker in (owner, outsider):
        make_customer(speaker.account)
    other = {"Authorization": f"Bearer {outsider.token}"}
    with locked("customers_address"):
        searches = [search(first), search(second)]
        of_outsider = search(first, headers=other)
        # One at each worker.
        until(lambda: at_work() == list(WORKERS))
        ledgers = [load(second, f"customer-{number}") for number in range(5)]
        for name in ("worker-1", "worker-2", "web-2"):
            registry.hosts[name].die()
    for url, headers in [*((url, {}) for url in searches), (of_outsider, other)]:
        done = ended(first, url, headers=headers)
        # One that was begun anew may show what was loaded meanwhile.
        assert done["status"] == "FINISHED"
        assert rows_of(first, done, headers=headers) == done["rowCount"] > 0
    assert [ended(first, url)["status"] for url in ledgers] == ["FINISHED"] * 5
    assert ok(first.get("/v1/customers")).json()["totalElements"] == 6

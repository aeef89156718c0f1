"""The primary dies under load, its synchronous standby is promoted, and `DATABASE_URL` names both.

Whatever was acknowledged is there, every job ends, and changes of one customer keep their order.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from threading import Event, Thread
from uuid import uuid4

import httpx
import psycopg
import pytest
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connection, connections

from tests import bulk
from tests.customers import ADA
from tests.customers import create as create_customer
from tests.replicas import instead
from tests.served import web
from tests.servers import PORT, Replica
from tests.uploads import FILES, NDJSON, lines
from tests.workers import until, worker

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.no_cover,
    pytest.mark.long,
    pytest.mark.replica,
]
FILE_LINES = 3000
# Of each client, so that the machine has time for what they send.
PAUSE_SECONDS = 0.2
ENDED = {"FINISHED", "FAILED", "ABORTED"}
IS_SYNCHRONOUS = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"

# The postal codes that the moving customer had, one after the other.
CODES = """
    SELECT after ->> 'postal_code' FROM customers_change
    WHERE entity = 'enrollment' AND after ? 'postal_code' AND customer_id = (
        SELECT id FROM customers_customer WHERE external_id = 'mover')
    ORDER BY at, id"""


@pytest.fixture
def pair(owner) -> Iterator[tuple[Replica, Replica]]:
    """A primary with all that the test has made, and a standby without which it commits nothing."""
    synchronous = {"synchronous_standby_names": "standby", "synchronous_commit": "on"}
    with Replica(name="primary", **synchronous).running() as primary:
        primary.ask("SELECT pg_promote()")
        standby = Replica(source=primary, name="standby", synchronous_commit="on")
        with standby.running():
            until(lambda: primary.ask(IS_SYNCHRONOUS))
            yield primary, standby


def url_of(*servers: Replica) -> str:
    """The database of the tests, in whichever of these servers takes writes."""
    name = connection.settings_dict["NAME"]
    hosts = ",".join(str(server.folder) for server in servers)
    ports = ",".join(str(PORT) for _ in servers)
    wanted = "user=kith&target_session_attrs=read-write"
    return f"postgresql:///{name}?host={hosts}&port={ports}&{wanted}"


class Loader:
    """A client that sends one thing after the other, each until it is acknowledged."""

    def __init__(self, address: str, token: str, send: Callable[[httpx.Client, int], str]) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=address, headers=headers, timeout=60)
        self._send = send
        self._stop = Event()
        # What was acknowledged, in this order.
        self.done: list[str] = []
        self.failures: list[object] = []
        self._thread = Thread(target=self._run)

    def _run(self) -> None:
        for number in count():
            while len(self.done) == number:
                try:
                    self.done.append(self._send(self._client, number))
                except httpx.TransportError as error:
                    self.failures.append(error)
                Event().wait(PAUSE_SECONDS)
            if self._stop.is_set():
                return

    @contextmanager
    def sending(self) -> Iterator["Loader"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()


def accepted(answer: httpx.Response, *statuses: int) -> httpx.Response:
    """An answer with one of these statuses; one that says to come again is as good as none."""
    if answer.status_code == 503:
        assert int(answer.headers["Retry-After"]) > 0
        raise httpx.ReadError("come again")
    assert answer.status_code in statuses, (answer.status_code, answer.text)
    return answer


def load(client: httpx.Client, number: int) -> str:
    """Three new customers in bulk, by one id however often they are sent."""
    customers = [bulk.customer(f"load-{number}-{each}") for each in range(3)]
    return sent_in_bulk(client, f"load {number}", customers)


def move(client: httpx.Client, number: int) -> str:
    """One and the same customer has this postal code now."""
    customer = bulk.customer("mover", postalCode=f"{number:05}")
    return sent_in_bulk(client, f"move {number}", [customer])


NAMES: dict[str, str] = {}


def sent_in_bulk(client: httpx.Client, name: str, customers: list[bulk.Body]) -> str:
    headers = {"X-CDLX-Request-Id": NAMES.setdefault(name, str(uuid4()))}
    answer = client.post(bulk.CUSTOMERS, json={"customers": customers}, headers=headers)
    return str(accepted(answer, 200).json()["requestId"])


def create(client: httpx.Client, number: int) -> str:
    """A customer by `/v1`; when it is known already, it came by the call that got no answer."""
    name = f"single-{number}"
    body = {
        "type": "INDIVIDUAL",
        "firstName": "Ada",
        "lastName": name,
        "externalId": name,
        "primaryPhoneNumber": {"number": "+14155550142", "type": "MOBILE"},
        "primaryEmail": {"value": f"{name}@example.com"},
    }
    accepted(client.post("/v1/customers", json=body), 201, 409)
    return name


def test_nothing_acknowledged_is_lost_and_jobs_go_on(pair, owner, own_queue, data):
    primary, standby = pair
    NAMES.clear()
    variables = {"DATABASE_URL": url_of(primary, standby), "KITH_LOADER_PROCESSES": "2"}
    with (
        web(own_queue, data, **variables) as address,
        worker(own_queue, data, processes=2, schedule=data / "schedule", **variables),
    ):
        loaders = [Loader(address.url, owner.token, send) for send in (load, move, create)]
        headers = {"Authorization": f"Bearer {owner.token}"}
        client = httpx.Client(base_url=address.url, headers=headers, timeout=60)
        with ExitStack() as clients:
            for each in loaders:
                clients.enter_context(each.sending())
            until(lambda: all(len(each.done) > 3 for each in loaders))
            file = sent_as_file(client)
            until(lambda: ledger_of(client, file)["status"] not in {"", "SUBMITTED"})
            primary.die()
            until(lambda: all(each.failures for each in loaders))
            before = [len(each.done) for each in loaders]
            standby.ask("SELECT pg_promote()")
            until(
                lambda: all(len(each.done) > n + 3 for each, n in zip(loaders, before, strict=True))
            )
        loads, moves, creations = (each.done for each in loaders)
        ledgers = [ended(client, request_id) for request_id in (file, *loads, *moves)]
    assert {each["status"] for each in ledgers} == {"FINISHED"}
    assert ledgers[0]["counts"]["created"] == FILE_LINES
    wanted = {f"load-{number}-{each}" for number in range(len(loads)) for each in range(3)}
    wanted |= {f"file-{number}" for number in range(FILE_LINES)}
    with connected(standby) as session:
        known = {name for (name,) in session.execute("SELECT external_id FROM customers_customer")}
        codes = [code for (code,) in session.execute(CODES)]
    assert wanted | set(creations) <= known
    # Those of requests that were done together show as one.
    assert (codes, codes[-1]) == (sorted(codes), f"{len(moves) - 1:05}")


def test_a_session_with_a_standby_is_given_up_and_answered_by_503(owner, client, storage):
    """Of an address that leads there before it is promoted, such as a pooler's."""
    with Replica().running() as standby, instead(standby):
        assert owner.api.get("/v1/customers").status_code == 200
        for _ in range(2):
            refused = owner.api.post("/v1/customers", ADA)
            assert (refused.status_code, refused.json()["errorCode"]) == (503, "UNAVAILABLE")
            # Django's test client says no more when a request ends.
            close_old_connections()
            assert connections[DEFAULT_DB_ALIAS].connection is None
        standby.ask("SELECT pg_promote()")
        create_customer(owner)


def sent_as_file(client: httpx.Client) -> str:
    body = lines(*[bulk.customer(f"file-{number}") for number in range(FILE_LINES)])
    answer = client.post(FILES, content=body, headers={"Content-Type": NDJSON})
    return str(accepted(answer, 200).json()["requestId"])


def ledger_of(client: httpx.Client, request_id: str) -> dict:
    """What it tells now; nothing while the database is away."""
    answer = client.get(f"{bulk.REQUESTS}/{request_id}")
    return {"status": ""} if answer.status_code == 503 else answer.json()


def ended(client: httpx.Client, request_id: str) -> dict:
    until(lambda: ledger_of(client, request_id)["status"] in ENDED)
    return ledger_of(client, request_id)


def connected(server: Replica) -> psycopg.Connection:
    name = connection.settings_dict["NAME"]
    return psycopg.connect(host=str(server.folder), port=PORT, user="kith", dbname=name)

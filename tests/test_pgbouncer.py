"""Behind PgBouncer in transaction mode: each transaction may get another session of PostgreSQL."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

import httpx
import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from config.backup.archive import BackupError
from config.backup.services import make_backup, restore_backup
from config.launcher.guard import CHECKOUT
from customers.models import Customer
from ingest import failed_lines
from ingest.files.outcome import results_of
from ingest.models import BulkFailedLines, BulkPart
from tests import bulk, factories
from tests.factories import PASSWORD, Speaker
from tests.served import wait_until, web
from tests.servers import POOLED, Pooler
from tests.uploads import FILES, NDJSON, lines
from tests.workers import worker

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.no_cover,
    pytest.mark.long,
    pytest.mark.pgbouncer,
]
SEARCHES = "/v1/search/customer-accounts"
# What PgBouncer itself sets before it gives a session to a client, and what each transaction has.
ALLOWED = ["DateStyle", "TimeZone", "application_name", "client_encoding"]
ALLOWED += ["standard_conforming_strings"]
ALLOWED += ["transaction_deferrable", "transaction_isolation", "transaction_read_only"]
OURS = re.compile(r"set_config\('(kith\.\w+)'")
LEFT = """
    SELECT 'setting ' || name || ' = ' || setting FROM pg_settings
    WHERE source = 'session' AND name <> ALL(%s)
    UNION ALL
    SELECT 'setting ' || name FROM unnest(%s::text[]) AS name
    WHERE coalesce(current_setting(name, true), '') <> ''
    UNION ALL SELECT 'statement ' || statement FROM pg_prepared_statements
    UNION ALL SELECT 'cursor ' || statement FROM pg_cursors WHERE is_holdable
    UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
    UNION ALL
    SELECT 'lock' FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'"""


@pytest.fixture(scope="module")
def registry(pooler, own_queue, tmp_path_factory) -> Iterator[str]:
    """The address of a web server whose database, and whose worker's, is behind the pooler."""
    data, variables = tmp_path_factory.mktemp("pooled"), pooler.variables()
    with web(own_queue, data, **variables) as address, worker(own_queue, data, **variables):
        yield address.url


@pytest.fixture(autouse=True)
def nothing_left(pooler) -> Iterator[None]:
    """At the end no session has anything that a transaction set, made or locked."""
    yield
    assert left_behind(pooler) == []


def left_behind(pooler: Pooler) -> list[str]:
    """What is left in the sessions of the pool, each of which is looked at."""
    ours = {
        name
        for app in ("config", "customers", "search", "ingest")
        for path in (CHECKOUT / app).rglob("*.py")
        for name in OURS.findall(path.read_text())
    }
    assert {"kith.actor", "kith.requests", "kith.recording"} <= ours
    clients = [pooler.connect() for _ in range(POOLED)]
    try:
        found, pids = [], set()
        for client in clients:
            # In a transaction from here on: the next client gets another session.
            found += [row[0] for row in client.execute(LEFT, [ALLOWED, sorted(ours)])]
            pids.add(client.info.backend_pid)
        return found
    finally:
        for client in clients:
            client.close()


@contextmanager
def through(pooler: Pooler) -> Iterator[None]:
    """While it is entered, the code of this process speaks to the database by the pooler."""
    usual = connections[DEFAULT_DB_ALIAS]
    settings = usual.settings_dict | {"HOST": str(pooler.folder)}
    settings["OPTIONS"] = settings["OPTIONS"] | {"prepare_threshold": None}
    connections[DEFAULT_DB_ALIAS] = type(usual)(settings, DEFAULT_DB_ALIAS)
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections[DEFAULT_DB_ALIAS] = usual


def caller(registry: str, speaker: Speaker) -> httpx.Client:
    headers = {"Authorization": f"Bearer {speaker.token}"}
    return httpx.Client(base_url=registry, headers=headers, timeout=60)


def ok(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, (answer.status_code, answer.text)
    return answer


def ended(client: httpx.Client, url: str) -> dict:
    """What a job's status says once it has ended."""

    def look() -> dict | None:
        body = ok(client.get(url)).json()
        return body if body["status"] in {"FINISHED", "FAILED", "ABORTED"} else None

    found = wait_until(look, 90)
    assert found["status"] == "FINISHED", found
    return found


def whole_life(registry: str, speaker: Speaker, name: str) -> None:
    """A customer is created, changed, found and deleted; all of it was done by this speaker."""
    with caller(registry, speaker) as client:
        email = f"{name}@example.com".lower()
        person = {
            "type": "INDIVIDUAL",
            "firstName": name,
            "lastName": "Pooled",
            "primaryPhoneNumber": {"number": "+14155550142", "type": "MOBILE"},
        }
        made = ok(client.post("/v1/customers", json=person | {"primaryEmail": {"value": email}}))
        url = made.headers["Location"]
        ok(client.put(url, json={"firstName": f"{name}!"}))
        assert ok(client.get(url)).json()["firstName"] == f"{name}!"
        (found,) = ok(client.get("/v1/customers", params={"primaryEmail": email})).json()["content"]
        assert found["firstName"] == f"{name}!"
        history = ok(client.get(f"{url}/history")).json()["content"]
        service = str(speaker.oauth_client.service_account_id)
        assert {row["actor"]["id"] for row in history} == {service}
        ok(client.delete(url))


def test_calls_of_many_clients_share_few_sessions(registry, pooler, owner, colleague):
    with ThreadPoolExecutor(12) as pool:
        lives = [
            pool.submit(whole_life, registry, (owner, colleague)[number % 2], f"Name{number}")
            for number in range(24)
        ]
        for life in lives:
            life.result()


def test_bulk_requests_files_and_dry_runs(registry, owner):
    good, bad = bulk.customer("c1"), bulk.customer("c2", postalCode="")
    with caller(registry, owner) as client:
        sent = ok(client.post(bulk.CUSTOMERS, json={"customers": [good, bad]})).json()
        ledger = ended(client, f"{bulk.REQUESTS}/{sent['requestId']}")
        assert bulk.outcomes(ledger) == ["CREATED", "FAILED"]
        for query, number in (("?dryRun=true", 3), ("", 3)):
            body = lines(*[bulk.customer(f"f{each}") for each in range(number)], bad)
            headers = {"Content-Type": NDJSON}
            sent = ok(client.post(f"{FILES}{query}", content=body, headers=headers)).json()
            done = ended(client, f"{bulk.REQUESTS}/{sent['requestId']}")
            assert (done["counts"]["created"], done["counts"]["failed"]) == (number, 1)
            failed = ok(client.get(f"{bulk.REQUESTS}/{sent['requestId']}/failed")).text
            assert '"c2"' in failed
    assert Customer.objects.count() == 4


def test_a_queued_search(registry, owner):
    for _ in range(3):
        factories.make_customer(owner.account)
    with caller(registry, owner) as client:
        body = {"customerAccountType": "INDIVIDUAL", "resultFormat": "NDJSON"}
        done = ended(client, f"{SEARCHES}/{ok(client.post(SEARCHES, json=body)).json()['queryId']}")
        file = ok(httpx.get(done["downloadUrl"].replace("http://127.0.0.1:8000", registry)))
        assert (done["rowCount"], len(file.text.splitlines())) == (3, 3)


def test_an_employee_signs_in_and_changes_a_customer(registry, account):
    person = factories.make_employee(account, role="Owner", is_staff=True)
    customer = factories.make_customer(account, last_name="Visible")
    with httpx.Client(base_url=registry, follow_redirects=True, timeout=60) as browser:
        page = ok(browser.get("/admin/login/")).text
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
        form = {"username": person.email, "password": PASSWORD, "csrfmiddlewaretoken": token}
        answer = ok(browser.post("/admin/login/?next=/admin/", data=form))
        assert answer.url.path == "/admin/"
        assert "Visible" in ok(browser.get("/admin/customers/customer/")).text
        assert "Visible" in ok(browser.get(f"/admin/customers/customer/{customer.pk}/change/")).text


def test_a_pooler_that_was_restarted_costs_no_request(registry, pooler, owner):
    with caller(registry, owner) as client:
        ok(client.get("/v1/customers"))
        pooler.restart()
        for _ in range(8):
            ok(client.get("/v1/customers"))


BLOCKS = 25


def parts(request) -> Iterator[bytes]:
    for number in range(BLOCKS):
        counts = dict.fromkeys(("lines", "created", "updated", "unchanged", "failed"), 0)
        BulkPart.objects.create(
            request=request, number=number, results=failed_lines.zlib.compress(b"x\n"), **counts
        )
    return results_of(request.pk)


def failed(request) -> Iterator[bytes]:
    for number in range(BLOCKS):
        row = BulkFailedLines(request=request, number=number)
        content = failed_lines.zlib.compress(b"x\n")
        row.lines_sealed = failed_lines.seal_bytes(content, failed_lines.where(row.pk))
        row.save()
    return failed_lines.of_file(request.pk)


@pytest.mark.parametrize("blocks_of", [parts, failed])
def test_what_is_read_bit_by_bit_does_not_need_one_session(pooler, owner, blocks_of):
    request = bulk.request_of(bulk.send(owner, bulk.customer(f"c-{uuid4()}")))
    with through(pooler), pooler.connect() as other:
        blocks = blocks_of(request)
        found = [next(blocks)]
        # Another client takes the session that was used last, and keeps it.
        other.execute("SELECT 1")
        found += blocks
    assert found == [b"x\n"] * BLOCKS


def test_a_backup_wants_the_server_itself(pooler, owner, tmp_path):
    """Its programs change settings of a session, which others would get next."""
    target = tmp_path / "backup"
    with through(pooler):
        for refused in (
            partial(make_backup, target, with_files=False, passphrase=None, say=print),
            partial(restore_backup, target, say=print),
        ):
            with pytest.raises(BackupError, match="pooler"):
                refused()
    assert not target.exists()

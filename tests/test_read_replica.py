"""Look-ups that read from a streaming replica: a moment old, but whoever wrote sees its write."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from uuid import uuid4

import httpx
import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction

from config import heartbeat
from config.api import reads, throttling
from config.db.scope import Reason, confined_to, unconfined
from customers.models import Customer
from ingest import runner
from tests import bulk, factories, row_roles
from tests.customer_pages import page_of
from tests.customers import ACME, HOME, create
from tests.factories import Browser, Speaker, make_customer
from tests.lookups import SEARCH
from tests.replicas import NAME, hang_up, instead, introduce, shows_everything
from tests.served import web
from tests.servers import PORT, Replica
from tests.workers import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.replica]


@pytest.fixture
def reading(replica, settings, monkeypatch) -> Iterator[Replica]:
    """Look-ups read from the replica, which shows all that the test has made so far."""
    yield from read_from(replica, settings, monkeypatch)


def read_from(replica, settings, monkeypatch, *, is_complete=True) -> Iterator[Replica]:
    introduce(replica, monkeypatch)
    settings.READ_DATABASE = NAME
    forget(monkeypatch)
    # What others have done a moment ago is in each sample.
    monkeypatch.setattr(reads, "SAMPLE_SECONDS", 0)
    if is_complete:
        shows_everything(replica)
    try:
        yield replica
    finally:
        hang_up()


def forget(monkeypatch) -> None:
    """Be a process that was started just now."""
    monkeypatch.setattr(reads, "_primary", reads._Primary())
    monkeypatch.setattr(reads, "_positions", reads._Positions())
    monkeypatch.setattr(reads, "_availability", reads._Availability())
    monkeypatch.setattr(throttling, "_availability", throttling._Availability())


def seen(speaker: Speaker) -> tuple[int, int]:
    """How many customers the list shows, and how many the immediate search."""
    listed = speaker.api.get("/v1/customers")
    found = speaker.api.get(SEARCH, {"customerName": "ada"})
    assert (listed.status_code, found.status_code) in {(200, 200), (200, 204)}, found.content
    rows = found.json()["customer"] if found.status_code == 200 else []
    return listed.json()["totalElements"], len(rows)


def settled(replica: Replica, *speakers: Speaker) -> None:
    """Wait until the replica may be read by these."""
    shows_everything(replica)
    for speaker in speakers:
        until(partial(is_read_by, speaker))


def is_read_by(speaker: Speaker) -> bool:
    return reads.database_for(speaker.actor) == NAME


def test_who_wrote_sees_it_at_once_and_others_see_what_the_replica_shows(reading, owner, colleague):
    first = create(owner)
    settled(reading, owner, colleague)
    with reading.behind():
        create(owner, primaryEmail={"value": "second@example.com"})
        assert (seen(owner), seen(colleague)) == ((2, 2), (1, 1))
        assert owner.api.put(f"/v1/customers/{first['id']}/suspend").status_code == 200
        for speaker, number in ((owner, 1), (colleague, 0)):
            found = speaker.api.get("/v1/customers", {"status": "SUSPENDED"})
            assert found.json()["totalElements"] == number
    settled(reading, owner, colleague)
    with reading.behind():
        create(colleague, primaryEmail={"value": "third@example.com"})
        # Its own writes are there: it does not stay at the primary.
        assert (seen(owner), seen(colleague)) == ((2, 2), (3, 3))


FILTERS = [
    {"primaryEmail": "ada@example.com"},
    {"externalId": "x-1"},
    {"name": "ada", "sort": "lastName,ASC"},
    {"status": "ACTIVE", "sort": "firstName,DESC"},
    {"includeChildren": "true"},
    {"cityName": "Greenville"},
    {"search": "lovelace"},
]


@pytest.mark.parametrize("query", FILTERS, ids=lambda query: next(iter(query)))
def test_all_that_a_list_shows_is_of_one_database(reading, confidant, colleague, query):
    customer = create(colleague, externalId="x-1", securityAnswer="before", addresses=[HOME])
    settled(reading, colleague, confidant)
    with reading.behind():
        change = {"securityAnswer": "after", "middleName": "King"}
        assert colleague.api.put(f"/v1/customers/{customer['id']}", change).status_code == 200
        create(colleague, primaryEmail={"value": "other@example.com"})
        (old,) = confidant.api.get("/v1/customers", query).json()["content"]
        assert (old["securityAnswer"], old["middleName"]) == ("before", "")


def test_long_lists_too_are_read_there(reading, owner, colleague, monkeypatch):
    monkeypatch.setattr("config.api.pagination.EXACT_TOTAL", 1)
    monkeypatch.setattr("search.immediate.lookup.EXACT_TOTAL", 1)
    for number in range(3):
        create(owner, primaryEmail={"value": f"a{number}@example.com"})
    settled(reading, owner, colleague)
    with reading.behind():
        create(owner, primaryEmail={"value": "late@example.com"})
        for query in ({}, {"sort": "lastName,ASC"}, {"type": "INDIVIDUAL"}):
            body = colleague.api.get("/v1/customers", query).json()
            assert (len(body["content"]), body["totalIsEstimate"]) == (3, True)
        found = colleague.api.get(SEARCH, {"customerName": "ada"}).json()
        assert (len(found["customer"]), found["paginationInfo"]["countIsEstimate"]) == (3, True)


def test_what_is_no_look_up_stays_at_the_primary(reading, owner, colleague):
    settled(reading, owner, colleague)
    with reading.behind():
        url = f"/v1/customers/{create(owner)['id']}"
        newcomer = factories.make_speaker(owner.account)
        for speaker in (colleague, newcomer):
            assert speaker.api.get(url).status_code == 200
            assert len(speaker.api.get(f"{url}/history").json()["content"]) > 0
            assert speaker.api.get(url.replace("/v1/customers", SEARCH)).status_code == 200
            assert seen(speaker) == (0, 0)


def test_an_operator_sees_what_was_written_in_the_back_office(reading, account, colleague):
    operator = factories.make_employee_speaker(account, role="Owner")
    operator.user.is_staff = True
    operator.user.save()
    browser = Browser()
    browser.force_login(operator.user)
    customer = create(colleague)
    settled(reading, operator, colleague)
    with reading.behind():
        done = browser.post(page_of(customer, "suspend"), {"reason": "As asked"})
        assert done.status_code == 302
        query = {"status": "SUSPENDED"}
        shown = [each.api.get("/v1/customers", query).json() for each in (operator, colleague)]
        assert [each["totalElements"] for each in shown] == [1, 0]


def test_a_client_sees_its_load_once_the_ledger_tells_of_it(reading, owner, colleague, settings):
    settled(reading, owner, colleague)
    with reading.behind():
        request = bulk.request_of(bulk.send(owner, bulk.customer("c1")))
        settled_owner = owner.api.get("/v1/customers").json()["totalElements"]
        # A worker that was killed before it could tell Redis.
        settings.READ_DATABASE = DEFAULT_DB_ALIAS
        runner.run(request.pk)
        settings.READ_DATABASE = NAME
        ledger = owner.api.get(f"{bulk.REQUESTS}/{request.public_id}").json()
        assert ledger["status"] == "FINISHED"
        counts = [each.api.get("/v1/customers").json() for each in (owner, colleague)]
        assert settled_owner == 0
        assert [each["totalElements"] for each in counts] == [1, 0]


def test_a_worker_tells_what_it_did_for_a_client(reading, owner, colleague):
    request = bulk.request_of(bulk.send(owner, bulk.customer("c1")))
    settled(reading, owner, colleague)
    with reading.behind():
        runner.run(request.pk)
        assert [is_read_by(each) for each in (owner, colleague)] == [False, True]


def test_pages_go_on_at_the_other_database(reading, owner, colleague):
    for number in range(4):
        create(owner, primaryEmail={"value": f"a{number}@example.com"})
    settled(reading, owner)
    first = owner.api.get("/v1/customers", {"size": 1}).json()
    with reading.behind():
        create(owner, primaryEmail={"value": "late@example.com"})
        second = owner.api.get("/v1/customers", {"size": 1, "cursor": first["nextCursor"]}).json()
    settled(reading, owner)
    third = owner.api.get("/v1/customers", {"size": 1, "cursor": second["nextCursor"]}).json()
    found = [page["content"][0]["primaryEmail"]["value"] for page in (first, second, third)]
    assert found == [f"a{number}@example.com" for number in (3, 2, 1)]


def test_a_replica_that_lags_is_not_read_and_readiness_says_so(
    reading, owner, colleague, client, storage, monkeypatch
):
    heartbeat.beat()
    settled(reading, owner, colleague)
    assert client.get("/readyz").json()["parts"]["readReplica"] == "ok"
    with reading.behind():
        create(owner)
        assert seen(colleague) == (0, 0)
        monkeypatch.setattr(reads, "LAG_SECONDS", 0)
        assert seen(colleague) == (1, 1)
        answer = client.get("/readyz")
        told = answer.json()
        assert (answer.status_code, told["parts"]["readReplica"]) == (200, "behind")
        (problem,) = told["problems"]
        assert problem == (
            "the replica of look-ups is more than 0 seconds behind; they read from the primary"
        )
    settled(reading, owner, colleague)


def test_a_replica_that_is_away_costs_one_attempt(
    reading, owner, client, storage, monkeypatch, caplog
):
    heartbeat.beat()
    create(owner)
    settled(reading, owner)
    reading.stop()
    try:
        for _ in range(5):
            assert seen(owner) == (1, 1)
        assert warnings(caplog) == ["look-ups go to the primary: their replica is away"]
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["parts"]["readReplica"]) == (200, "unavailable")
    finally:
        reading.start()
    assert not is_read_by(owner)
    monkeypatch.setattr(reads._availability, "_try_again", 0)
    settled(reading, owner)
    assert seen(owner) == (1, 1)


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept session", "new session"])
def test_a_frozen_replica_is_left_alone(reading, owner, monkeypatch, caplog, is_kept):
    monkeypatch.setattr(reads, "ANSWER_SECONDS", 0.3)
    create(owner)
    settled(reading, owner)
    session = connections[NAME].connection.info.backend_pid
    if not is_kept:
        hang_up()
    with reading.frozen():
        os.kill(session, signal.SIGSTOP)
        try:
            for _ in range(3):
                assert seen(owner) == (1, 1)
        finally:
            os.kill(session, signal.SIGCONT)
    assert warnings(caplog) == ["look-ups go to the primary: their replica is away"]


def warnings(caplog) -> list[str]:
    return [each.message for each in caplog.records if each.levelno == logging.WARNING]


def test_after_a_pause_one_look_up_tries_a_replica_again(reading, owner, monkeypatch):
    monkeypatch.setattr(reads, "FIRST_PAUSE", 30)
    reading.stop()
    try:
        assert not is_read_by(owner)
        trials = []
        for _ in range(3):
            monkeypatch.setattr(reads._availability, "_try_again", 0)
            trials.append([reads._availability.may_be_tried() for _ in range(3)])
            assert not is_read_by(owner)
        assert trials == [[True, False, False]] * 3
    finally:
        reading.start()


def test_a_look_up_that_loses_the_replica_is_asked_again(reading, owner):
    settled(reading, owner)
    asked = []

    def ask(using: str) -> int:
        asked.append(using)
        with connections[using].cursor() as cursor:
            if using == NAME:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            return Customer.objects.using(using).count()

    assert reads.look_up(owner.actor, ask) == 0
    assert reads.look_up(owner.actor, ask) == 0
    assert asked == [NAME, DEFAULT_DB_ALIAS, DEFAULT_DB_ALIAS]


def test_a_statement_that_takes_too_long_is_not_asked_again(reading, owner):
    settled(reading, owner)

    def ask(using: str) -> None:
        with connections[using].cursor() as cursor:
            cursor.execute("SET statement_timeout = '50ms'; SELECT pg_sleep(60)")

    with pytest.raises(OperationalError, match="statement timeout"):
        reads.look_up(owner.actor, ask)


def test_without_redis_everything_is_read_from_the_primary(
    reading, owner, colleague, settings, monkeypatch
):
    settled(reading, owner, colleague)
    redis = settings.REDIS_URL
    with reading.behind():
        settings.REDIS_URL = "unix:///nowhere/redis.sock"
        create(owner)
        assert (seen(owner), seen(colleague)) == ((1, 1), (1, 1))
        settings.REDIS_URL = redis
        monkeypatch.setattr(throttling, "_availability", throttling._Availability())
        # Nobody was told who wrote.
        assert (seen(owner), seen(colleague)) == ((1, 1), (1, 1))
    settled(reading, owner, colleague)


def test_what_redis_has_forgotten_is_seen_by_all(reading, owner, colleague, own_cache):
    settled(reading, owner, colleague)
    with reading.behind():
        create(owner)
        assert (seen(owner), seen(colleague)) == ((1, 1), (0, 0))
        own_cache()
        assert (seen(owner), seen(colleague)) == ((1, 1), (1, 1))


def test_a_later_position_is_not_replaced_by_an_earlier_one(reading, owner):
    settled(reading, owner)
    with reading.behind():
        before = reads._primary.now()
        create(owner)
        # Of a write at the same time, whose answer took longer.
        reads._positions.remember(owner.actor, before)
        assert not is_read_by(owner)


def test_a_transaction_reads_where_it_writes(reading, owner):
    settled(reading, owner)
    with transaction.atomic():
        assert not is_read_by(owner)
        make_customer(owner.account)
        assert owner.api.get("/v1/customers").json()["totalElements"] == 1


def test_a_promoted_replica_is_none(settings, monkeypatch, owner, client, storage):
    with Replica().running() as former:
        for _ in read_from(former, settings, monkeypatch):
            create(owner)
            settled(former, owner)
            former.ask("SELECT pg_promote()")
            create(owner, primaryEmail={"value": "second@example.com"})
            assert seen(owner) == (2, 2)
            heartbeat.beat()
            told = client.get("/readyz").json()
            assert (told["status"], told["parts"]["readReplica"]) == ("ok", "unavailable")
            assert told["problems"] == ["the replica was promoted, and gets no changes any more"]


def test_after_a_fail_over_a_replica_is_read_that_follows_the_new_primary(
    settings, monkeypatch, owner
):
    with Replica(name="former").running() as former, ExitStack() as others:
        former.ask("SELECT pg_promote()")
        standby = others.enter_context(Replica(former, "standby").running())
        source = f"host={standby.folder} port={PORT} user=kith"
        follower = others.enter_context(
            Replica(former, "follower", primary_conninfo=source).running()
        )
        stray = others.enter_context(Replica(former, "stray").running())
        standby.ask("SELECT pg_promote()")
        with instead(former):
            # A history that is not the one that goes on, and is ahead of it.
            for number in range(5):
                create(owner, primaryEmail={"value": f"lost{number}@example.com"})
            shows_everything(stray)
        for replica, is_read in ((follower, True), (stray, False)):
            with instead(standby), monkeypatch.context() as patch:
                for _ in read_from(replica, settings, patch, is_complete=is_read):
                    if is_read:
                        create(owner)
                        settled(replica, owner)
                    assert is_read_by(owner) == is_read
                    assert seen(owner) == (1, 1)


def test_the_replica_of_another_database_is_none(reading, owner):
    settled(reading, owner)
    connections[NAME].close()
    connections[NAME].settings_dict["NAME"] = "postgres"
    assert not is_read_by(owner)
    assert seen(owner) == (0, 0)


def test_row_level_security_holds_there(reading, owner, outsider):
    for each in (owner, outsider):
        make_customer(each.account)
    settled(reading, owner)
    hang_up()
    with row_roles.confined_product(), unconfined(Reason.COMMAND):
        shows_everything(reading)
        with confined_to([owner.account.pk]):
            assert reads.look_up(owner.actor, lambda using: (using, every(using))) == (NAME, 1)
        assert seen(owner)[0] == 1
        hang_up()


def every(using: str) -> int:
    return Customer.objects.using(using).count()


@pytest.mark.no_cover
def test_a_web_server_reads_from_the_replica_that_it_is_given(reading, owner, own_queue, data):
    name = connections[DEFAULT_DB_ALIAS].settings_dict["NAME"]
    url = f"postgresql:///{name}?host={reading.folder}&port=5432&user=kith"
    variables = {
        "READ_DATABASE_URL": f"{url}&application_name=look-ups",
        "KITH_QUEUE": f"test-{uuid4()}",
    }
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'look-ups'"
    headers = {"Authorization": f"Bearer {owner.token}"}
    with web(own_queue, data, **variables) as address:
        client = httpx.Client(base_url=address.url, headers=headers)
        for number in range(1, 20):
            assert client.post("/v1/customers", json=ACME).status_code == 201
            assert client.get("/v1/customers").json()["totalElements"] == number
        until(lambda: client.get("/v1/customers").is_success and reading.ask(sessions))

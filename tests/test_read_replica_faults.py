"""Look-ups whose replica is late, away or no replica any more, or that Redis tells nothing."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

import pytest
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections

from config import heartbeat
from config.api import reads, throttling
from customers.models import Customer
from tests.customers import create
from tests.replicas import (
    NAME,
    hang_up,
    instead,
    is_read_by,
    read_from,
    seen,
    settled,
    shows_everything,
)
from tests.servers import PORT, Replica

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.replica]


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


@contextmanager
def stopped_session() -> Iterator[None]:
    """While it is entered, the process of this thread's session stands still, too."""
    session = connections[NAME].connection.info.backend_pid
    os.kill(session, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(session, signal.SIGCONT)


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept session", "new session"])
def test_a_frozen_replica_is_left_alone(reading, owner, monkeypatch, caplog, is_kept):
    monkeypatch.setattr(reads, "ANSWER_SECONDS", 0.3)
    create(owner)
    settled(reading, owner)
    if not is_kept:
        hang_up()
    with reading.frozen(), stopped_session() if is_kept else nullcontext():
        for _ in range(3):
            assert seen(owner) == (1, 1)
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

"""A replica as this process knows it: its name among the databases, and how far it is."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.utils.connection import ConnectionDoesNotExist

from config.api import reads, throttling
from tests.factories import Speaker
from tests.lookups import SEARCH
from tests.servers import Replica
from tests.workers import until

CAUGHT_UP = "SELECT pg_last_wal_replay_lsn() >= '{}'::pg_lsn"
NAME = "replica"


def introduce(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a replica of the test's database be the one of this name."""
    # With that of another module.
    hang_up()

    class WithReplica(dict):
        """Settings of databases, with one that Django's test cases are not told of."""

        def __contains__(self, alias: object) -> bool:
            return alias == NAME or super().__contains__(alias)

        def __missing__(self, alias: str) -> dict[str, object]:
            default = self["default"]
            options = default["OPTIONS"] | {"connect_timeout": "2"}
            return default | {"HOST": str(replica.folder), "OPTIONS": options}

    monkeypatch.setattr(connections, "settings", WithReplica(connections.settings))


def hang_up() -> None:
    """End this thread's session with the replica, if it has one."""
    with suppress(AttributeError, ConnectionDoesNotExist):
        connections[NAME].close()
        del connections[NAME]


def shows_everything(replica: Replica) -> None:
    """Wait until the replica has what is committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn()::text")
        (written,) = cursor.fetchone()
    until(partial(replica.ask, CAUGHT_UP.format(written)))


@contextmanager
def instead(server: Replica) -> Iterator[None]:
    """While it is entered, this process has its database in another server."""
    usual = connections[DEFAULT_DB_ALIAS]
    settings = usual.settings_dict | {"HOST": str(server.folder)}
    connections[DEFAULT_DB_ALIAS] = type(usual)(settings, DEFAULT_DB_ALIAS)
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections[DEFAULT_DB_ALIAS] = usual


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

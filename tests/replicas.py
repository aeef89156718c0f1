"""A replica as this process knows it: its name among the databases, and how far it is."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.utils.connection import ConnectionDoesNotExist

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

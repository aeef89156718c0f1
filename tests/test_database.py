"""Kept database connections: looked at without a question, replaced when the server ended them."""

from collections.abc import Iterator

import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.workers import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept() -> Iterator[BaseDatabaseWrapper]:
    """A connection that has answered a request, and is kept for the next one."""
    own = connections.create_connection("default")
    assert session_of(own)
    own.close_if_unusable_or_obsolete()
    yield own
    own.close()


def session_of(own: BaseDatabaseWrapper) -> int:
    with own.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_connection_on_which_nothing_came_in_is_used_unasked(kept, monkeypatch):
    monkeypatch.setattr(kept, "is_usable", lambda: pytest.fail("it was asked"))
    before = kept.connection
    assert session_of(kept)
    assert kept.connection is before


def test_a_connection_that_the_server_ended_costs_no_request(kept):
    ended = kept.connection.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [ended])

    def is_gone() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [ended])
            return cursor.fetchone() is None

    until(is_gone)
    assert session_of(kept) != ended


def test_a_connection_that_was_closed_here_is_opened_again(kept):
    kept.connection.close()
    assert session_of(kept)

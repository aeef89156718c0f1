"""Database connections: kept and looked at without a question, with and without preparing."""

from collections.abc import Iterator

import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from config.db.statements import prepared_rows
from tests.customers import ADA, create
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


@pytest.fixture(params=[pytest.param(2, id="prepared"), pytest.param(None, id="unprepared")])
def threshold(request, monkeypatch) -> Iterator[int | None]:
    """After how often a statement is prepared, as `KITH_PREPARED_STATEMENTS` says."""
    connection.close()
    options = connection.settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "prepare_threshold", request.param)
    yield request.param
    connection.close()


def test_calls_answer_the_same_whether_statements_are_prepared_or_not(threshold, owner):
    made = create(owner, ADA)
    url = f"/v1/customers/{made['id']}"
    for number in range(4):
        changed = owner.api.put(url, {"firstName": f"Ada {number}"}).json()
        assert owner.api.get(url).json() == changed
        assert changed["firstName"] == f"Ada {number}"
        address = ADA["primaryEmail"]["value"]
        found = owner.api.get("/v1/customers", {"primaryEmail": address}).json()
        assert [each["id"] for each in found["content"]] == [made["id"]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        (prepared,) = cursor.fetchone()
    assert bool(prepared) == bool(threshold)


def test_placeholders_and_percent_signs_are_told_apart(db):
    sql = "SELECT %s::text, 'a%%s'::text, '%%', 7 %% 4, %s::int"
    assert prepared_rows(sql, ["%s", 2]) == [("%s", "a%s", "%", 3, 2)]

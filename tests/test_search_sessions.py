"""One file by several database sessions on one snapshot: the bytes that one session makes."""

import hashlib
import threading
from array import array
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.db.models.functions import Now
from psycopg import sql

from config.files import StorageFull
from customers.criteria import Criteria
from customers.models import Contact, Customer
from search import ranges, runner, services, stream
from search.copy import ALL, Range
from search.models import CustomerSearch
from search.stream import Batch
from search.waiting import Waiting
from tests.factories import Speaker, make_customer
from tests.nasty import EVERY_STATUS, make_everybody
from tests.searches import content, rows, search
from tests.storage import little_space
from tests.workers import locked, until, waiting_copies

pytestmark = pytest.mark.django_db(transaction=True)
TEXTS = ("CSV", "CSV_EXCEL", "JSON", "NDJSON")
FORMATS = [(name, packed) for name in TEXTS for packed in ("NONE", "GZIP", "ZSTD")]
FORMATS += [("XLSX", "NONE"), ("PARQUET", "NONE")]


@pytest.fixture
def cuts(monkeypatch) -> list[list[Range]]:
    """What every search was cut into: even the smallest into several ranges, frames and blocks."""
    seen = []
    cut, estimate = ranges.cut, runner.estimate

    def watched(*question) -> list[Range]:
        seen.append(cut(*question))
        return seen[-1]

    monkeypatch.setattr(runner, "cut", watched)
    # Of a table that was emptied just before, the planner may think that it still is.
    monkeypatch.setattr(
        runner, "estimate", lambda *q: None if (rows := estimate(*q)) is None else max(rows, 20)
    )
    monkeypatch.setattr(ranges, "RANGE_ROWS", 1)
    monkeypatch.setattr(ranges, "RANGES_OF_A_SESSION", 4)
    # All of them: what larger tests have deleted keeps its pages.
    monkeypatch.setattr(ranges, "PAGES", 1_000_000)
    monkeypatch.setattr(stream, "FRAME_ROWS", 7)
    monkeypatch.setattr(stream, "BLOCK_BYTES", 2000)
    return seen


def counted() -> None:
    """Have the planner know how many customers there are."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer, customers_contact, customers_address")


@pytest.fixture
def everybody(owner) -> Speaker:
    """The owner, with every kind of customer, many of one moment, and the planner knows of them."""
    make_everybody(owner)
    first, *others = Customer.objects.filter(type="INDIVIDUAL")
    Customer.objects.filter(pk__in=[each.pk for each in others[:20]]).update(
        created_at=first.created_at
    )
    counted()
    return owner


def by(sessions: int, settings, speaker: Speaker, storage, **options) -> bytes:
    """The file as so many sessions make it."""
    settings.SEARCH_SESSIONS = sessions
    done = search(speaker, **options)
    assert (done.status, done.error_code) == ("FINISHED", "")
    data = content(storage, done)
    assert (done.sha256, done.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    return data


# --- The same bytes -------------------------------------------------------------------------------


@pytest.mark.parametrize(("result_format", "compression"), FORMATS)
def test_any_number_of_sessions_makes_the_same_file(
    everybody, storage, settings, cuts, result_format, compression
):
    options = {
        "result_format": result_format,
        "compression": compression,
        "customer_account_status": EVERY_STATUS,
    }
    one, two, three = (by(n, settings, everybody, storage, **options) for n in (1, 2, 3))
    assert one == two == three
    assert [len(cut) for cut in cuts] == [1, 8, 12]


@pytest.mark.parametrize(
    "criteria",
    [
        {"customer_account_type": "BUSINESS"},
        {"customer_account_status": ("DELETED",)},
        {"first_name": "a", "match": "CONTAINS"},
        {"columns": ["dateOfBirth"]},
        {"last_name": "nobody"},
    ],
    ids=str,
)
def test_whatever_is_asked_for(everybody, storage, settings, cuts, criteria):
    one, three = (by(n, settings, everybody, storage, **criteria) for n in (1, 3))
    assert one == three


def test_customers_who_were_asked_for_by_their_ids(everybody, storage, settings, cuts):
    customers = Customer.objects.filter(type="INDIVIDUAL").order_by("created_at")[:40]
    for number, customer in enumerate(customers):
        Customer.objects.filter(pk=customer.pk).update(external_id=f"x-{number % 30}")
    counted()
    wanted = {"external_ids": [f"x-{number}" for number in range(35)]}
    for result_format in ("CSV", "NDJSON"):
        options = {"result_format": result_format, **wanted}
        one, three = (by(n, settings, everybody, storage, **options) for n in (1, 3))
        assert one == three


def test_ranges_hold_each_customer_once(owner, storage, settings, cuts):
    made = [make_customer(owner.account) for _ in range(30)]
    Customer.objects.update(created_at=Now())
    counted()
    settings.SEARCH_SESSIONS = 2
    found = [row["id"] for row in rows(storage, search(owner))]
    assert found == sorted(str(customer.pk) for customer in made)
    (cut,) = cuts
    assert [each.end for each in cut[:-1]] == [each.start for each in cut[1:]]
    assert (cut[0].start, cut[-1].end) == (None, None)


def test_a_small_result_takes_one_session(owner, storage, settings, monkeypatch):
    make_customer(owner.account)
    counted()
    settings.SEARCH_SESSIONS = 4
    seen = []
    monkeypatch.setattr(
        runner, "cut", lambda *question: seen.append(ranges.cut(*question)) or seen[-1]
    )
    assert search(owner).rows == 1
    assert seen == [[ALL]]


def test_a_bucket_is_given_the_same_file(everybody, bucket, settings, cuts):
    files = []
    for settings.SEARCH_SESSIONS in (1, 3):
        done = search(everybody, "JSON", compression="ZSTD")
        assert done.status == "FINISHED"
        files.append(bucket.Object(done.storage_name).get()["Body"].read())
    assert files[0] == files[1]
    assert [len(cut) for cut in cuts] == [1, 12]


def test_an_engine_that_estimates_nothing_is_asked_by_several_sessions(
    everybody, storage, settings, cuts
):
    settings.DISTRIBUTED = True
    one, three = (by(n, settings, everybody, storage, result_format="NDJSON") for n in (1, 3))
    assert one == three
    assert [len(cut) for cut in cuts] == [1, 12]


@pytest.fixture
def little_cache() -> Iterator[None]:
    """PostgreSQL expects hardly anything to be in memory."""
    change = sql.SQL("ALTER DATABASE {} {} effective_cache_size")
    name = sql.Identifier(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(change.format(name, sql.SQL("SET")) + sql.SQL(" = '8kB'"))
    yield
    with connection.cursor() as cursor:
        cursor.execute(change.format(name, sql.SQL("RESET")))


def test_tables_larger_than_memory_are_read_once(everybody, storage, settings, cuts, little_cache):
    table = by(2, settings, everybody, storage)
    by(2, settings, everybody, storage, result_format="NDJSON")
    assert [len(cut) for cut in cuts] == [1, 8]
    assert table == by(1, settings, everybody, storage)


def test_half_of_the_connections_that_are_left_are_left_to_others(owner, settings):
    settings.SEARCH_SESSIONS = 10_000
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        ((most,),) = cursor.fetchall()
    allowed = ranges.sessions_for(1_000_000, is_table=False, connection=connection)
    assert 1 < allowed <= int(most) // 2


# --- While they read ------------------------------------------------------------------------------


def submitted_by(speaker: Speaker) -> CustomerSearch:
    return services.submit_search(
        actor=speaker.actor,
        criteria=Criteria(customer_account_type="INDIVIDUAL"),
        result_format="CSV",
    )


@contextmanager
def two_waiting(speaker: Speaker, settings) -> Iterator[tuple[CustomerSearch, threading.Thread]]:
    """A search whose two sessions wait for a lock until the end, and the thread that runs it."""
    settings.SEARCH_SESSIONS = 2
    submitted = submitted_by(speaker)
    thread = threading.Thread(target=lambda: (runner.run(submitted.pk), connection.close()))
    try:
        with locked("customers_address"):
            thread.start()
            until(lambda: waiting_copies() == 2)
            yield submitted, thread
    finally:
        thread.join()


def files(storage) -> list[str]:
    return sorted(str(path.relative_to(storage)) for path in storage.rglob("*") if path.is_file())


def test_all_sessions_see_the_moment_of_the_first(everybody, storage, settings, cuts):
    before = by(1, settings, everybody, storage)
    first, second, *_ = Customer.objects.filter(type="INDIVIDUAL").order_by("-created_at")
    with two_waiting(everybody, settings) as (submitted, _):
        make_customer(everybody.account, created_at=first.created_at)
        Contact.objects.update(first_name="Changed")
        Customer.objects.filter(pk=first.pk).update(status="SUSPENDED", created_at=Now())
        Customer.objects.filter(pk=second.pk).update(status="DELETED")
    submitted.refresh_from_db()
    assert submitted.status == "FINISHED"
    assert content(storage, submitted) == before
    assert by(2, settings, everybody, storage) != before


def test_cancelling_stops_all_sessions_though_the_lock_is_held_on(
    everybody, storage, settings, cuts
):
    with two_waiting(everybody, settings) as (submitted, thread):
        services.cancel_search(search=submitted)
        thread.join(60)
        assert not thread.is_alive()
        assert waiting_copies() == 0
    submitted.refresh_from_db()
    assert (submitted.status, submitted.error_code) == ("ABORTED", "CANCELLED")
    assert files(storage) == []


def test_a_session_that_breaks_ends_the_attempt_at_once(everybody, storage, settings, cuts):
    whole = by(1, settings, everybody, storage)
    before = files(storage)
    with two_waiting(everybody, settings) as (submitted, thread):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'COPY (%'"
                " ORDER BY backend_start DESC LIMIT 1"
            )
        thread.join(60)
        assert not thread.is_alive()
        assert waiting_copies() == 0
    submitted.refresh_from_db()
    assert (submitted.status, submitted.attempts) == ("STARTED", 1)
    assert files(storage) == before
    CustomerSearch.objects.filter(pk=submitted.pk).update(lease_until=Now())
    runner.run(submitted.pk)
    submitted.refresh_from_db()
    assert (submitted.status, submitted.attempts) == ("FINISHED", 2)
    assert content(storage, submitted) == whole


def test_a_database_without_sessions_to_spare_makes_the_same_file(
    everybody, storage, settings, cuts, monkeypatch
):
    whole = by(1, settings, everybody, storage)
    allow = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
    name = sql.Identifier(connection.settings_dict["NAME"])
    cut = runner.cut

    def and_close(*question) -> list[Range]:
        """The first session is there by now."""
        with connection._nodb_cursor() as cursor:
            cursor.execute(allow.format(name, sql.SQL("false")))
        return cut(*question)

    monkeypatch.setattr(runner, "cut", and_close)
    try:
        assert by(3, settings, everybody, storage) == whole
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(allow.format(name, sql.SQL("true")))


def test_a_full_disk_is_told_in_words(everybody, storage, settings, cuts):
    settings.SEARCH_SESSIONS = 2
    with little_space(20_000):
        done = search(everybody)
    assert (done.status, done.error_code) == ("FAILED", "STORAGE_FULL")
    assert files(storage) == []


# --- On disk --------------------------------------------------------------------------------------


def test_rows_that_wait_come_back_as_they_were(storage):
    batches = [Batch(b"a\nbc\n", array("Q", [2, 5])), Batch(b"d\n", array("Q", [2]))]
    waiting = Waiting()
    assert list(waiting.batches()) == []
    for batch in batches:
        waiting.put(batch)
    assert files(storage) == []
    assert list(waiting.batches()) == batches
    assert list(waiting.batches()) == []
    waiting.close()


def test_rows_that_do_not_fit_on_the_disk_are_told(storage):
    waiting = Waiting()
    large = Batch(bytes(200_000), array("Q", [200_000]))
    with little_space(1000), pytest.raises(StorageFull):
        waiting.put(large)
    waiting.close()

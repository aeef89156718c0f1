"""The processes that load a file: what goes wrong in them arrives, and nothing holds them up."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, connections
from django.db.models.functions import Now

from config.logging import JSONFormatter
from customers.models import Customer
from ingest.files import blocks, loader, process, upload
from ingest.models import BulkPart, BulkRequest
from tests import bulk
from tests.bulk import customer
from tests.uploads import ended, lines, results, send
from tests.workers import ROOT, environment, locked, until

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover, pytest.mark.long]


def many(count: int) -> bytes:
    return lines(*(customer(f"c{number}") for number in range(count)))


class Stubborn(Exception):
    """It cannot be pickled, and quotes what it met."""

    def __init__(self, value: object, other: object) -> None:
        super().__init__(f"{value} {other}")
        self.lock = threading.Lock()


# --- What goes wrong ------------------------------------------------------------------------------


def test_an_exception_that_cannot_be_pickled_arrives_with_its_trace(
    owner, storage, monkeypatch, caplog
):
    monkeypatch.setattr(upload, "BLOCK_LINES", 5)
    public_id = send(owner, many(30), **{"X-Request-Id": "trace-31"})
    write = blocks.write_blocks

    def breaks(target, blocks, read, *, is_next):
        if blocks[-1][0] >= 4:
            raise Stubborn("Ada", "Lovelace")
        return write(target, blocks, read, is_next=is_next)

    monkeypatch.setattr(blocks, "write_blocks", breaks)
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(JSONFormatter().format(record))
    logging.getLogger("ingest").addHandler(handler)
    try:
        with pytest.raises(loader.LoaderFailed):
            bulk.run(public_id)
    finally:
        logging.getLogger("ingest").removeHandler(handler)
    (line,) = (json.loads(each) for each in logged if '"ERROR"' in each)
    assert line["requestId"] == "trace-31"
    assert line["exception"]["type"].endswith("Stubborn")
    assert any("breaks" in frame for frame in line["exception"]["trace"])
    assert "Lovelace" not in "".join(logged)
    found = bulk.ledger(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "INTERNAL_ERROR")
    assert found["counts"]["created"] == Customer.objects.count() == 20
    assert [each["line"] for each in results(owner, public_id)] == list(range(1, 21))


def test_a_process_that_is_killed_is_told_apart_from_a_database_that_is_away(
    owner, storage, monkeypatch
):
    public_id = send(owner, many(3))
    monkeypatch.setattr(
        blocks, "write_blocks", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
    )
    for attempt in (1, 2, 3):
        request = bulk.request_of(public_id)
        assert (request.status, request.attempts) == (
            "SUBMITTED" if attempt == 1 else "STARTED",
            attempt - 1,
        )
        BulkRequest.objects.update(lease_until=Now())
        bulk.run(public_id)
    found = bulk.ledger(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "WORKER_LOST")
    assert "was killed" in found["message"]
    assert "database" not in found["message"]


def test_a_database_that_is_away_from_a_process_is_tried_again(owner, storage, monkeypatch):
    public_id = send(owner, many(3))

    def hangs_up(*_, **__):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patch:
        patch.setattr(blocks, "write_blocks", hangs_up)
        bulk.run(public_id)
    assert bulk.ledger(owner, public_id)["status"] == "STARTED"
    BulkRequest.objects.update(lease_until=Now())
    assert bulk.done(owner, public_id)["counts"]["created"] == 3


def test_a_process_that_ends_says_how():
    def dies(_load, _ask):
        os.kill(os.getpid(), signal.SIGTERM)

    ours = process.LoaderProcess(dies, [])
    ours.send(process.Load(()))
    with pytest.raises(process.ProcessKilled, match="SIGTERM"):
        ours.receive()
    with pytest.raises(process.ProcessKilled, match="SIGTERM"):
        ours.send(process.Load(()))
    ours.kill()
    ours.close()


# --- Being interrupted ----------------------------------------------------------------------------


@contextmanager
def run_in_a_thread(public_id: str) -> Iterator[threading.Thread]:
    """The work on a request, which has ended at the end."""

    def work() -> None:
        try:
            bulk.run(public_id)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield thread
    thread.join()


def waiting() -> int:
    """How many sessions wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


@pytest.fixture(params=["file", "request"])
def public_id(request, owner, storage) -> str:
    """A file, and a request."""
    return send(owner, many(3)) if request.param == "file" else bulk.send(owner, customer("c1"))


def test_cancelling_ends_bulk_work_that_still_waits_for_a_lock(owner, public_id):
    with locked("customers_card"), run_in_a_thread(public_id) as thread:
        until(waiting)
        bulk.request_of(public_id).abort("CANCELLED", "It was cancelled.")
        # Whoever holds the lock goes on holding it.
        until(lambda: not thread.is_alive() and not waiting())
    found = bulk.ledger(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "CANCELLED")
    assert Customer.objects.count() == 0


def test_the_time_limit_ends_bulk_work_that_waits_for_a_lock(owner, public_id, settings):
    settings.JOB_SECONDS = 2
    with locked("customers_card"), run_in_a_thread(public_id):
        until(waiting)
        until(lambda: bulk.request_of(public_id).error_code)
        until(lambda: not waiting())
    found = bulk.ledger(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "TIME_LIMIT")
    assert "narrow" not in found["message"]
    assert "Send" in found["message"]


# --- Getting on -----------------------------------------------------------------------------------


@contextmanager
def slow_database(seconds_per_row: float) -> Iterator[None]:
    """A database that takes so long for each new customer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" PERFORM pg_sleep({seconds_per_row}); RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER be_slow BEFORE INSERT ON customers_enrollment"
            " FOR EACH ROW EXECUTE FUNCTION be_slow()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION be_slow CASCADE")


def test_progress_moves_while_lines_are_done(owner, storage, settings):
    settings.LOADER_PROCESSES = 2
    public_id = send(owner, many(6000))
    moved = {0}
    with slow_database(0.002), run_in_a_thread(public_id) as thread:
        while thread.is_alive():
            moved.add(bulk.ledger(owner, public_id)["progress"]["lines"])
            thread.join(0.1)
    done = bulk.ledger(owner, public_id)["progress"]["lines"]
    assert done == 6000
    assert len(moved | {done}) > 3


def test_quick_blocks_go_several_at_a_time_and_slow_ones_alone(owner, monkeypatch):
    request = BulkRequest()
    work = loader.Loader.__new__(loader.Loader)
    work.request, work.blocks = request, 1
    task = loader.Task(process=None, blocks=1)
    for expected in (2, 4, 8, 10, 10):
        work.adapt(task)
        assert work.blocks == expected
    work.adapt(loader.Task(process=None, blocks=5, started=time.monotonic() - 30))
    assert work.blocks == 1


def test_the_log_tells_of_a_load_at_its_start_now_and_then_and_at_its_end(
    owner, storage, monkeypatch, caplog
):
    monkeypatch.setattr(loader, "LOG_SECONDS", 0)
    monkeypatch.setattr(upload, "BLOCK_LINES", 5)
    with caplog.at_level(logging.INFO, "ingest.files.loader"):
        ended(owner, send(owner, many(20)))
    told = [each for each in caplog.records if each.name == "ingest.files.loader"]
    assert told[0].message == "a file begins to be loaded"
    assert {each.message for each in told[1:-1]} == {"a file is being loaded"}
    assert told[-1].message == "a file is loaded"
    assert told[-1].counts == {
        "lines": 20,
        "created": 20,
        "updated": 0,
        "unchanged": 0,
        "removed": 0,
        "failed": 0,
    }
    assert told[-1].totalLines == 20


@pytest.mark.parametrize(("given", "count"), [("", None), ("5", 5)])
def test_the_number_of_processes_is_a_setting_and_by_default_cores_and_one(
    own_queue, tmp_path, given, count
):
    code = "from django.conf import settings; print(settings.LOADER_PROCESSES)"
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(own_queue, tmp_path)
        | {"DJANGO_SETTINGS_MODULE": "config.settings", "KITH_LOADER_PROCESSES": given},
        capture_output=True,
        check=True,
    )
    cores = len(os.sched_getaffinity(0))
    assert int(found.stdout) == (count or min(cores, 8) + 1)


def test_no_more_processes_work_than_the_setting_says(owner, storage, settings, monkeypatch):
    settings.LOADER_PROCESSES = 1
    monkeypatch.setattr(upload, "BLOCK_LINES", 2)
    begun = []
    begin = loader.LoaderProcess

    def count(*arguments):
        begun.append(1)
        return begin(*arguments)

    monkeypatch.setattr(loader, "LoaderProcess", count)
    assert ended(owner, send(owner, many(20)))["counts"]["created"] == 20
    assert len(begun) == 1
    assert BulkPart.objects.count() == 10

"""Real Celery workers as child processes, on the test's own database, queue and folder."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection, connections
from psycopg import sql

from config.celery import app as celery

ROOT = Path(__file__).resolve().parent.parent
Process = subprocess.Popen[bytes]


@contextmanager
def worker(
    queue: str,
    data: Path,
    *,
    processes: int = 0,
    prefix: Sequence[str] = (),
    schedule: Path | None = None,
    **variables: str,
) -> Iterator[Process]:
    """A worker with a pool of `processes`, or none at all; killed at the end with all it started.

    `prefix` stands before its command, `variables` are more of its environment; with `schedule`, a
    file, it sends periodic tasks. Leases last two seconds. The log is shown when the test fails.
    """
    log = data / f"worker-{uuid4()}.log"
    pool = [f"--concurrency={processes}"] if processes else ["--pool=solo"]
    command = [sys.executable, "-m", "config.jobs", "worker", *pool]
    command += ["--schedule", str(schedule)] if schedule else []
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*prefix, *command],
            cwd=ROOT,
            env=environment(queue, data) | variables,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    except BaseException:
        sys.stderr.write(log.read_text())
        raise
    finally:
        kill(process)


def environment(queue: str, data: Path) -> dict[str, str]:
    """The variables that lead a program to this test's database, queue and folder."""
    database = connection.settings_dict
    given = ("NAME", "dbname"), ("HOST", "host"), ("PORT", "port"), ("USER", "user")
    parts = [f"{word}={database[name]}" for name, word in given if database[name]]
    return os.environ | {
        "DATABASE_URL": "postgresql:///?" + "&".join(parts),
        "PGPASSWORD": database["PASSWORD"],
        "KITH_QUEUE": queue,
        "KITH_DATA": str(data),
        "KITH_JOB_LEASE_SECONDS": "2",
        "KITH_JOB_STOP_SECONDS": "1",
        # A test waits for it, as others keep all processors busy meanwhile.
        "KITH_WORKER_NICENESS": "0",
    }


def kill(process: Process) -> None:
    """End a worker and its pool at once."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # As long as one of its pool is there, the broker gives it the next message, which is then lost.
    with suppress(ProcessLookupError):
        for _ in range(200):
            os.killpg(process.pid, 0)
            threading.Event().wait(0.01)


def until(condition: Callable[[], Any], seconds: float = 150) -> None:
    """Wait for a condition; the time is for a machine that has much else to do."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        pause.wait(0.05)


@contextmanager
def unaided(release: Callable[[], object], seconds: float = 150) -> Iterator[None]:
    """What waits for something has to end without it; after so long it is given, and that fails."""
    given = threading.Event()

    def give() -> None:
        given.set()
        release()

    timer = threading.Timer(seconds, give)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
    assert not given.is_set(), "it did not end by itself"


@contextmanager
def locked(table: str) -> Iterator[None]:
    """While it is entered, nobody else can read the table."""
    blocker = connections.create_connection(settings.SEARCH_DATABASE)
    blocker.set_autocommit(False)
    try:
        with blocker.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        # Also when the server ended the session, and the lock with it.
        blocker.close()


def lose_messages() -> None:
    """All messages in the queue are lost."""
    with celery.connection_for_write() as broker:
        broker.default_channel.queue_purge(celery.conf.task_default_queue)


def waiting_copies() -> int:
    """How many result files are being written in this database and wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND query LIKE 'COPY (%' AND wait_event_type = 'Lock'"
        )
        (count,) = cursor.fetchone()
    return int(count)


@contextmanager
def closed_database() -> Iterator[None]:
    """While it is entered, the database has no session but this one, and takes no new ones.

    That is how a restarted server looks; this one has databases of other tests.
    """
    database, own = connection.settings_dict["NAME"], connection.connection.info.backend_pid
    allow = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
    with connection._nodb_cursor() as cursor:
        cursor.execute(allow.format(sql.Identifier(database), sql.SQL("false")))
        try:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> %s",
                [database, own],
            )
            yield
        finally:
            cursor.execute(allow.format(sql.Identifier(database), sql.SQL("true")))


def sessions() -> int:
    """How many sessions the database has."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        (count,) = cursor.fetchone()
    return int(count)

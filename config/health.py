"""Whether this process is alive, and whether the whole can do its work; and the page at `/`."""

import io
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

import psycopg
from django.conf import settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView
from psycopg.rows import TupleRow

from config import files, heartbeat, installation
from config.api import reads
from config.celery import app as celery
from config.db import replica
from config.db.postgresql.sessions import Connection

logger = logging.getLogger(__name__)

# All checks together take no longer.
CHECK_SECONDS = 1.5
# As long as what a small search or file takes: a few bytes fit on a full disk.
TRIED_BYTES = 256 * 1024
# The least that libpq keeps to.
REPLICA_SECONDS = 2
# So long it may take to show what was just committed: under load there is always something new.
CATCH_UP_SECONDS = 0.8


class Unhealthy(Exception):
    """A part does not do its work; the message, if there is one, is for everybody."""

    state = "unavailable"


class Behind(Unhealthy):
    """A part does its work late."""

    state = "behind"


def check_database() -> None:
    """The database answers."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")


@contextmanager
def apart(database: str) -> Iterator[psycopg.Cursor[TupleRow]]:
    """A cursor of a session of its own: a server that froze would keep this thread for good."""
    parameters = connections[database].get_connection_params()
    plain = {"connect_timeout": REPLICA_SECONDS, "cursor_factory": psycopg.Cursor}
    with Connection.connect(**parameters | plain) as session:
        session.answer_seconds = REPLICA_SECONDS
        with session.cursor() as cursor:
            yield cursor


def check_replica() -> None:
    """The database that searches read, if they have one of their own, shows what was committed."""
    with (
        apart(settings.SEARCH_DATABASE) as cursor,
        connections[DEFAULT_DB_ALIAS].cursor() as primary,
    ):
        if not replica.is_replica(cursor):
            if replica.was_promoted(cursor, primary):
                raise Unhealthy(replica.PROMOTED)
            return
        written, deadline = replica.position(primary), time.monotonic() + CATCH_UP_SECONDS
        while lacking := replica.lacking(cursor, written):
            if time.monotonic() > deadline:
                raise Behind(f"the replica lacks {lacking} bytes of changes; searches wait for it")
            threading.Event().wait(0.05)


def check_read_replica() -> None:
    """The database that look-ups read, if they have one of their own, can be read."""
    with apart(settings.READ_DATABASE) as cursor, connections[DEFAULT_DB_ALIAS].cursor() as primary:
        if not replica.is_replica(cursor):
            if replica.was_promoted(cursor, primary):
                raise Unhealthy(replica.PROMOTED)
            return
        written = replica.Primary(*replica.row_of(primary, replica.PRIMARY))
        found = replica.Replica(*replica.row_of(cursor, replica.REPLICA))
        if not found.follows(written):
            raise Unhealthy("the replica of look-ups follows another database or history")
        if not found.is_fresh(written, reads.LAG_SECONDS):
            raise Behind(
                f"the replica of look-ups is more than {reads.LAG_SECONDS} seconds behind; they"
                " read from the primary"
            )


def check_cache() -> None:
    """The cache, which also counts requests, answers."""
    cache.get(heartbeat.KEY)


def check_broker() -> None:
    """The broker takes connections."""
    with celery.connection_for_write(connect_timeout=2) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)


class Seldom:
    """A check that costs something: once it went well, it is left out for `INTERVAL` seconds."""

    INTERVAL = 30

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._try_again = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._try_again:
            self._check()
            self._try_again = time.monotonic() + self.INTERVAL


def check_installation() -> None:
    """The database belongs to this release, and is opened by its keys."""
    if found := installation.problems():
        raise Unhealthy("; ".join(found))


def check_storage() -> None:
    """Files can be written and deleted."""
    name = f".ready/{uuid.uuid4()}"
    files.store(name, io.BytesIO(bytes(TRIED_BYTES)))
    files.remove(name)


def check_worker() -> None:
    """A worker told within the last minute that it lives."""
    if not heartbeat.is_seen():
        raise Unhealthy


CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "installation": Seldom(check_installation),
    "cache": check_cache,
    "broker": check_broker,
    "storage": Seldom(check_storage),
    "worker": check_worker,
}


def spare_checks() -> dict[str, Callable[[], None]]:
    """Without a replica searches wait and fail, look-ups go to the primary, and all is served."""
    replicas = {
        "replica": (settings.SEARCH_DATABASE, check_replica),
        "readReplica": (settings.READ_DATABASE, check_read_replica),
    }
    return {name: check for name, (alias, check) in replicas.items() if alias != DEFAULT_DB_ALIAS}


def state_of(check: Callable[[], None]) -> tuple[str, str]:
    """``ok``, ``unavailable`` or ``behind``, and what everybody may know about it.

    Why a part is unavailable is not told to strangers, but to the log.
    """
    try:
        check()
    except Unhealthy as error:
        return error.state, str(error)
    except Exception:
        logger.warning("a part is not available", exc_info=True)
        return "unavailable", ""
    return "ok", ""


def free_bytes() -> int | None:
    """The space for files; None where nobody can tell."""
    try:
        return files.free_bytes()
    except OSError:
        return None


class Inspection(threading.Thread):
    """One check in a thread of its own: a server that is frozen does not answer any check."""

    # The last one of each name: as long as it waits, no second one is sent after it.
    latest: ClassVar[dict[str, "Inspection"]] = {}

    def __init__(self, name: str, check: Callable[[], None]) -> None:
        super().__init__(name=f"check {name}", daemon=True)
        self.state, self.problem = "unavailable", ""
        self._check = check

    def run(self) -> None:
        """Check, and leave no connection behind."""
        try:
            self.state, self.problem = state_of(self._check)
        finally:
            connections.close_all()


def states_of(checks: Mapping[str, Callable[[], None]]) -> tuple[dict[str, str], list[str]]:
    """The state of each part after at most `CHECK_SECONDS`, and what is to be said about them.

    What has not answered is unavailable.
    """
    end = time.monotonic() + CHECK_SECONDS
    inspections = {}
    for name, check in checks.items():
        if (last := Inspection.latest.get(name)) is not None and last.is_alive():
            inspections[name] = last
            continue
        inspections[name] = Inspection.latest[name] = Inspection(name, check)
        inspections[name].start()
    for inspection in inspections.values():
        inspection.join(max(0.0, end - time.monotonic()))
    states = {
        name: "unavailable" if inspection.is_alive() else inspection.state
        for name, inspection in inspections.items()
    }
    return states, [each.problem for each in inspections.values() if each.problem]


@never_cache
@require_safe
def alive(_request: HttpRequest) -> JsonResponse:
    """`/healthz`: 200 as long as this process answers, whatever else is unavailable."""
    return JsonResponse({"status": "ok", "version": settings.VERSION})


@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """`/readyz`: 200 if every part is ``ok``, else 503; `parts` names the state of each.

    A replica is named, if there is one, and does not count: while it is ``behind``, searches wait
    and fail after a time, and look-ups read from the primary. `problems` says, if it is there, why
    this release or its keys and the database do not belong together, or what a replica lacks.
    `storageFreeBytes` is the space that is left for files, null where nobody can tell.
    """
    parts, problems = states_of(CHECKS | spare_checks())
    is_ready = all(parts[name] == "ok" for name in CHECKS)
    body: dict[str, object] = {"status": "ok" if is_ready else "unavailable", "parts": parts}
    if problems:
        body["problems"] = problems
    body["storageFreeBytes"] = free_bytes()
    return JsonResponse(body, status=200 if is_ready else 503)


index = require_safe(
    TemplateView.as_view(template_name="index.html", extra_context={"version": settings.VERSION})
)

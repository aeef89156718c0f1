"""`migrate` of one database by several machines at once: one does it, the others wait for it."""

import os
import subprocess
import sys
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder

from config.db.online import alone
from config.launcher.guard import CHECKOUT
from config.management.commands import migrate
from tests.upgrades import release
from tests.workers import until

pytestmark = pytest.mark.django_db(transaction=True)
LOCKED = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND datname = current_database()"""


def count_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(LOCKED)
        return cursor.fetchone()[0]


@pytest.mark.long
@pytest.mark.no_cover
def test_machines_that_migrate_at_once_do_not_meet():
    """Each would otherwise create the tables that the other one creates."""
    with release.database(f"{connection.settings_dict['NAME']}_twice") as url:
        command = [sys.executable, "manage.py", "migrate", "--no-input", "--skip-checks"]
        environment = os.environ | {"DATABASE_URL": url}
        both = [
            subprocess.Popen(
                command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        said = [process.communicate()[0] for process in both]
        assert [process.returncode for process in both] == [0, 0]
        names = MigrationRecorder.Migration.objects.values_list("app", "name")
        assert len(names) == len(set(names))
    first, second = sorted(said, key=len, reverse=True)
    assert "Applying customers.0001_initial" in first
    assert migrate.OTHER in second
    assert "No migrations to apply" in second


class Waiting(StringIO):
    """Where `migrate` talks to; what it waits for ends as soon as it says that it waits."""

    def __init__(self, end: threading.Event) -> None:
        super().__init__()
        self.end = end

    def write(self, text: str) -> int:
        if migrate.OTHER in text:
            self.end.set()
        return super().write(text)


@pytest.fixture
def other_one():
    """A `migrate` of somebody else, which lasts until the event is set."""
    began, ended = threading.Event(), threading.Event()

    def last() -> None:
        with alone(connection, lambda _: None):
            began.set()
            ended.wait()
        connections.close_all()

    thread = threading.Thread(target=last)
    thread.start()
    began.wait()
    yield ended
    ended.set()
    thread.join()


def test_a_second_one_says_that_it_waits_and_goes_on_after_the_first(other_one):
    said = Waiting(other_one)
    call_command("migrate", stdout=said, skip_checks=True)
    assert said.getvalue().index(migrate.OTHER) < said.getvalue().index("No migrations to apply")
    until(lambda: count_locks() == 0)


def test_a_second_one_does_not_wait_for_ever(other_one, monkeypatch):
    monkeypatch.setattr(migrate, "PATIENCE_SECONDS", 0)
    with pytest.raises(CommandError, match="another `migrate`"):
        call_command("migrate", stdout=StringIO(), skip_checks=True)


def test_to_look_at_what_it_would_do_nobody_waits(other_one):
    for look in ({"plan": True}, {"check_unapplied": True}):
        said = StringIO()
        call_command("migrate", stdout=said, skip_checks=True, **look)
        assert migrate.OTHER not in said.getvalue()


def test_whoever_waits_holds_up_no_index_that_the_first_one_builds(other_one):
    """PostgreSQL builds it in no time only if nobody reads what was there before."""
    ready = threading.Event()

    class Heard(StringIO):
        def write(self, text: str) -> int:
            ready.set()
            return super().write(text)

    def wait() -> None:
        call_command("migrate", stdout=Heard(), skip_checks=True)
        connections.close_all()

    thread = threading.Thread(target=wait)
    thread.start()
    ready.wait()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '20s'")
            cursor.execute(
                "CREATE INDEX CONCURRENTLY built_beside ON ingest_bulkupload (started_at)"
            )
            cursor.execute("DROP INDEX CONCURRENTLY built_beside")
            cursor.execute("RESET statement_timeout")
    finally:
        other_one.set()
        thread.join()
    until(lambda: count_locks() == 0)

"""What has to hold after a run: what clients were promised, compared with what is stored.

To be imported when the environment names the database.
"""

import io
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import django

django.setup()

from django.core.management import call_command  # noqa: E402 -- needs the apps
from django.db import connection  # noqa: E402

from config.jobs import retention  # noqa: E402
from config.jobs.models import kinds  # noqa: E402
from config.launcher.supervisor import Supervisor  # noqa: E402
from customers.models import BusinessAccount  # noqa: E402
from customers.services.people import create_api_key, create_service_account  # noqa: E402
from ingest import cleanup  # noqa: E402
from search import services as searches  # noqa: E402
from tests.chaos import check_files, check_history, check_jobs, check_people  # noqa: E402
from tests.chaos.journal import Access, Journal, say  # noqa: E402
from tests.migrated import migrate  # noqa: E402

ACCOUNTS = ("customers", "bulk", "files")
END_SECONDS = 120


def prepare(*, confined: str = "") -> list[Access]:
    """An empty registry with three business accounts of one family, and a key of each.

    The role `confined`, if there is one, is subject to row-level security.
    """
    migrate()
    if confined:
        call_command("row_security", apply=confined, stdout=io.StringIO())
    parent = BusinessAccount.objects.create(name="Chaos")
    found = []
    for name in ACCOUNTS:
        account = BusinessAccount.objects.create(name=name, parent=parent)
        service_account = create_service_account(business_account=account, name=name)
        client, secret = create_api_key(service_account=service_account)
        found.append(Access(name, str(account.pk), client.client_id, secret))
    connection.close()
    return found


def all_of(journal: Journal, supervisor: Supervisor, data: Path) -> Iterator[tuple[str, list[str]]]:
    """Each check by its name, with what it found."""
    yield "jobs that do not end", open_jobs(supervisor)
    cleanup.ABANDONED = retention.STRAGGLING = timedelta(0)
    supervisor.wait_until(have_no_workers, END_SECONDS)
    for work in (
        searches.delete_dead_files,
        cleanup.delete_old_content,
        cleanup.delete_abandoned_uploads,
    ):
        work()
    checks: dict[str, Callable[[], Iterator[str]]] = {
        "customers": lambda: check_people.findings(journal),
        "changes made by two clients at once": lambda: check_people.shared(journal),
        "history": lambda: check_history.findings(journal),
        "loads": lambda: check_jobs.loads(journal),
        "searches": lambda: check_jobs.searches(journal),
        "files": lambda: check_files.findings(data / "results"),
        "sessions and locks": sessions,
        "logs": lambda: check_files.logs(data / "log"),
    }
    for name, check in checks.items():
        yield name, list(check())


def open_jobs(supervisor: Supervisor) -> list[str]:
    """Jobs that have not ended some minutes after the last fault."""

    def left() -> list[str]:
        return [
            f"{kind.__name__} {job.pk} is {job.status} after {job.attempts} attempts"
            for kind in kinds()
            for job in kind.objects.filter(status__in=kind.OPEN)
        ]

    started = time.monotonic()
    supervisor.wait_until(lambda: not left(), END_SECONDS)
    found = left()
    if not found:
        say(f"all jobs ended {time.monotonic() - started:.1f} s after the last client")
    return found


def have_no_workers() -> bool:
    """Whether no worker writes files any more, not even one that lost its job."""
    return not any(kind.objects.exclude(retention.without_workers()).exists() for kind in kinds())


def sessions() -> Iterator[str]:
    """Sessions that nobody will end, and locks that nobody will release."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid, state, left(query, 100) FROM pg_stat_activity"
            " WHERE state LIKE 'idle in transaction%' AND state_change < now() - interval '10 s'"
        )
        for pid, state, query in cursor.fetchall():
            yield f"session {pid} is {state}: {query}"
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        )
        ((count,),) = cursor.fetchall()
        if count:
            yield f"{count} advisory locks are held"

"""Django's `migrate`, one at a time, which tries again where a table was in use."""

import time
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from psycopg import errors

from config.db.online import alone, forget_steps

# A statement that would wait longer for its table gives up and lets others pass.
REFUSALS = (errors.LockNotAvailable, errors.DeadlockDetected)
PAUSE_SECONDS = 1.0
# Longer than searches and loads last as a rule.
PATIENCE_SECONDS = 3600.0
OTHER = "Another `migrate` of this database is running."
BLOCKERS = """
    SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::int FROM pg_stat_activity
    WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), %s)
        AND xact_start < clock_timestamp() - interval '100 milliseconds'
    ORDER BY xact_start LIMIT 3"""


class Command(migrate.Command):
    """See `help`."""

    help = "Brings the database's schema up to date, while others read and write it."

    def handle(self, *args: str, **options: Any) -> None:  # noqa: ANN401 -- Django's
        """Migrate. Raises `CommandError` when a table, or the database, is in use all the time."""
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        ends_at = time.monotonic() + PATIENCE_SECONDS

        def wait(tries: int) -> None:
            if time.monotonic() > ends_at:
                raise CommandError("another `migrate` of this database does not come to its end")
            if tries == 1 and options["verbosity"] >= 1:
                self.stdout.write(f"  {OTHER} Waiting for its end.")
            time.sleep(PAUSE_SECONDS)

        with alone(connections[options["database"]], wait) as holder:
            self.migrate(ends_at, holder, args, options)

    def migrate(
        self, ends_at: float, holder: int, names: Sequence[str], options: dict[str, Any]
    ) -> None:
        """Migrate, beside the session that holds the lock, and try again until `ends_at`."""
        while True:
            try:
                super().handle(*names, **options)
                forget_steps(connections[options["database"]])
            except OperationalError as error:
                if not isinstance(error.__cause__, REFUSALS):
                    raise
                if time.monotonic() > ends_at:
                    raise CommandError(
                        "a table is in use all the time; what was done so far is kept, and the"
                        " next `migrate` goes on there"
                    ) from error
                self.tell_who_is_in_the_way(holder, options)
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def tell_who_is_in_the_way(self, holder: int, options: dict[str, Any]) -> None:
        """Say what is waited for."""
        with connections[options["database"]].cursor() as cursor:
            cursor.execute(BLOCKERS, [holder])
            found = [f"session {pid} for {seconds} s" for pid, seconds in cursor.fetchall()]
        sessions = f"; transactions are open: {', '.join(found)}" if found else ""
        if options["verbosity"] >= 1:
            self.stdout.write(f"\n  A table is in use{sessions}. Trying again.")

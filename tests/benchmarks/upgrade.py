"""The upgrade of a registry of 0.1.0 with 1,000,000 customers, while programs of 0.1.0 use it.

For each migration: how long it takes, and the longest time that one of their statements waited for
a lock meanwhile. Unlike the other benchmarks it fails, when one of them waited for over a second.
"""

import sys
import threading
import time
from collections import defaultdict
from io import StringIO

from django.core.management import call_command
from django.db import connection

from tests.benchmarks.report import columns, note
from tests.upgrades import data, release
from tests.upgrades.load import Load, sampling

CUSTOMERS = 1_000_000
# What a user may wait, in seconds.
MOST = 1.0


class Progress(StringIO):
    """Where `migrate` talks to: which migration runs, and how long each one took."""

    def __init__(self) -> None:
        super().__init__()
        self.running = "before"
        self.seconds: dict[str, float] = defaultdict(float)
        self.since = time.monotonic()

    def write(self, text: str) -> int:
        """Take it down."""
        if "Applying " in text:
            self.change(text.split()[1].rstrip("."))
        return super().write(text)

    def change(self, name: str) -> None:
        """From now on this one runs."""
        now = time.monotonic()
        self.seconds[self.running] += now - self.since
        self.running, self.since = name, now


def run(*, customers: int = CUSTOMERS) -> None:
    """Measure. Raises `SystemExit` when somebody waited for too long."""
    with release.database(f"{connection.settings_dict['NAME']}_upgrade") as url:
        note(f"making {customers:,} customers of 0.1.0")
        release.make_schema()
        data.fill(customers, is_large=True)
        progress, ended = Progress(), threading.Event()
        waits: dict[str, list[float]] = defaultdict(lambda: [0.0])
        load = Load(url, customers)

        def keep(seconds: float) -> None:
            waits[progress.running].append(seconds)

        sampler = threading.Thread(target=sampling, args=(url, keep, ended))
        with load.running():
            sampler.start()
            note("migrating")
            started = time.monotonic()
            call_command("migrate", interactive=False, stdout=progress)
            finished = time.monotonic()
            progress.change("after")
            ended.set()
            sampler.join()
    tries = progress.getvalue().count("A table is in use")
    lines = [("migration", "s", "longest wait ms")]
    for name, seconds in progress.seconds.items():
        lines.append((name, f"{seconds:.1f}", f"{max(waits[name]) * 1e3:.0f}"))
    columns(lines)
    shut_out = finished - (load.refused_at or finished)
    sys.stdout.write(
        f"{finished - started:.0f} s in all, {load.sent:,} statements, {tries} times tried again,"
        f" programs of 0.1.0 shut out for the last {shut_out:.1f} s\n"
    )
    longest = max(map(max, waits.values()), default=0.0)
    if load.broken or longest > MOST:
        raise SystemExit(f"longest wait {longest:.2f} s; {'; '.join(load.broken)}")

"""What this process counts for monitoring; nothing at all unless `KITH_METRICS_TOKEN` is given.

Each process of a machine counts in files of its own in a folder that they share, from which
`config.metrics.view` adds up. The web server and the worker call `start`; commands do not, and
pay nothing.
"""

import os
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from config.metrics.counters import Counters

_counters: "Counters | None" = None


def start() -> None:
    """Count from now on, if that is wanted."""
    global _counters  # noqa: PLW0603 -- one for the process, made at its start
    if settings.METRICS_TOKEN:
        place()
        # The library decides where to count when it is imported, by that variable.
        from config.metrics.counters import Counters  # noqa: PLC0415 -- see above

        _counters = Counters()


def place() -> str:
    """The folder that processes of this machine share, made where it is missing."""
    folder = settings.DATA_DIR / "metrics"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    return str(folder)


def note_request(method: str, route: str, status: int, seconds: float) -> None:
    """A request was answered; `route` is its pattern, empty for a path that none has.

    `method` is one of few words, for each is kept for good.
    """
    if _counters is not None:
        _counters.note_request(method, route, status, seconds)


def note_failure(kind: str) -> None:
    """Somebody failed to say who it is: with a token, or at a sign-in."""
    if _counters is not None:
        _counters.failures.labels(kind).inc()


def note_job(kind: str, status: str, rows: int = 0) -> None:
    """A job has ended, and has written so many rows: to a file, or to the registry."""
    if _counters is not None:
        _counters.ended.labels(kind, status).inc()
        if rows:
            _counters.rows.labels(kind).inc(rows)

"""What has to hold when the calls have ended: all jobs, too, and none by a fault of ours.

To be imported when the environment names the database.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from config.jobs.models import kinds
from config.launcher.supervisor import Supervisor
from tests.chaos import check_files
from tests.chaos.checks import open_jobs, sessions
from tests.chaos.journal import say

OURS = frozenset({"INTERNAL_ERROR", "UNAVAILABLE", "WORKER_LOST", "CONTENT_LOST", "STORAGE_FULL"})


def checks(
    supervisor: Supervisor, data: Path
) -> Mapping[str, Callable[[], Iterator[str] | list[str]]]:
    """Each check by its name."""
    return {
        "jobs that do not end": lambda: open_jobs(supervisor),
        "jobs that failed by our fault": failed_jobs,
        "sessions and locks": sessions,
        "logs": lambda: check_files.logs(data / "log"),
    }


def failed_jobs() -> Iterator[str]:
    """Jobs that failed for another reason than what they were asked to do."""
    for kind in kinds():
        counts = Counter(kind.objects.values_list("status", "error_code"))
        for (status, code), count in sorted(counts.items()):
            say(f"  {count:7,}  {kind.__name__} {status} {code}".rstrip())
            if code in OURS:
                yield f"{count} of {kind.__name__} ended with {code}"

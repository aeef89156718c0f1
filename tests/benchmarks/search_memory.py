"""The memory that searches take: of the worker's process, and of the program that writes a file."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from search.models import CustomerSearch
from tests.benchmarks.analyst import Analyst

MEGABYTE = 1024 * 1024
FORMATS = ("CSV", "JSON", "PARQUET", "XLSX")
Peaks = dict[str, int]


class Memory:
    """The memory, in bytes, of the process that works on searches and of the program it runs."""

    def __init__(self) -> None:
        worked = CustomerSearch.objects.exclude(worker="").order_by("-finished_at").first()
        if worked is None:
            raise RuntimeError("no search was ever done")
        self.pid = int(worked.worker.rpartition(":")[2])

    def now(self) -> Peaks:
        """Resident now."""
        pids = {"worker": self.pid}
        with suppress(OSError, ValueError):
            children = Path(f"/proc/{self.pid}/task").glob("*/children")
            (pids["writer"],) = map(int, "".join(path.read_text() for path in children).split())
        sizes = {}
        for name, pid in pids.items():
            with suppress(OSError, IndexError):
                pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
                sizes[name] = int(pages) * os.sysconf("SC_PAGE_SIZE")
        return sizes

    @contextmanager
    def watched(self) -> Iterator[Peaks]:
        """The most of it that is seen meanwhile, looked at every 20 ms."""
        peaks = self.now()
        end = threading.Event()

        def look() -> None:
            while not end.wait(0.02):
                for name, size in self.now().items():
                    peaks[name] = max(peaks.get(name, 0), size)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield peaks
        finally:
            end.set()
            thread.join()


def memory(analyst: Analyst) -> list[list[str]]:
    """By how much processes grow over idle, at thousands of rows and at all of them.

    A program that writes files is idle while it writes one without rows.
    """
    analyst.search(email="nobody@example.com")
    process = Memory()
    idle = process.now()["worker"]
    lines = []
    for result_format in FORMATS:
        with process.watched() as empty:
            analyst.search(resultFormat=result_format, email="nobody@example.com")
        few = [{"firstName": "João"}] if result_format == "CSV" else []
        for body in (*few, {}):
            with process.watched() as peaks:
                rows = analyst.search(resultFormat=result_format, **body).rows
            for name in peaks:
                least = idle if name == "worker" else empty.get(name, 0)
                what = f"{name}'s memory over idle, {result_format} of {rows:,}"
                lines.append(line(what, peaks[name] - least, least))
    return lines


def line(what: str, grown: int, idle: int) -> list[str]:
    """One of the table, against its target."""
    figures = [f"{grown / MEGABYTE:.1f} MB", f"idle {idle / MEGABYTE:.0f} MB"]
    return [what, *figures, f"{grown / MEGABYTE / 64:.2f}", "64 MB"]

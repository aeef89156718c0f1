"""A small process that outlives a killed supervisor just long enough to end what it had started.

The kernel's parent-death signal reaches direct children only, and only on Linux; the web server's
and the worker's own children need a hand. The guard reads its standard input: `+PGID SIGNAL
SECONDS` names a process group to look after, `-PGID` takes it back. At the end of that input,
whatever is still named gets its signal, and after its seconds SIGKILL. Until then the guard keeps
the file descriptors that it was given, so that the data's lock is free only when the data is.

Standard library only; run as `python -m config.launcher.guard`.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")
CHECKOUT = Path(__file__).resolve().parents[2]


def is_running(pid: int) -> bool:
    """Whether process `pid` runs; one that has ended and waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    fields = _state_and_group(pid)
    return fields is None or fields[0] != "Z"


def group_is_running(group: int) -> bool:
    """Whether any process of process group `group` runs."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    if not (PROCESSES / "self/stat").exists():
        return True
    states = (_state_and_group(int(path.name)) for path in PROCESSES.glob("[0-9]*"))
    return any(state != "Z" and its == group for state, its in filter(None, states))


def occupants(directory: Path) -> list[int]:
    """The processes that have `directory` as their working directory (none without a /proc).

    PostgreSQL's processes all work in their data directory, also those of a dead postmaster.
    """
    wanted = str(directory.resolve())
    found = []
    for path in PROCESSES.glob("[0-9]*/cwd"):
        with suppress(OSError):
            if str(path.readlink()) == wanted:
                found.append(int(path.parent.name))
    return found


def _state_and_group(pid: int) -> tuple[str, int] | None:
    try:
        stat = (PROCESSES / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The program's name stands in brackets and may itself hold spaces and brackets.
    fields = stat.rpartition(")")[2].split()
    return fields[0], int(fields[2])


class Guard:
    """The supervisor's end of a guard process."""

    def __init__(self, keep_open: Sequence[int] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "config.launcher.guard"],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def add(self, group: int, stop_signal: signal.Signals, seconds: float) -> None:
        """Look after process group `group`."""
        self._write(f"+{group} {int(stop_signal)} {seconds}\n")

    def remove(self, group: int) -> None:
        """Forget process group `group`; it has ended."""
        self._write(f"-{group}\n")

    def close(self) -> None:
        """End the guard and, with it, every group that it still looks after."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()

    def _write(self, line: str) -> None:
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()


def _end(groups: dict[int, tuple[int, float]]) -> None:
    started = time.monotonic()
    for group, (stop_signal, _seconds) in groups.items():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, stop_signal)
    never = threading.Event()
    while groups:
        for group, (_signal, seconds) in list(groups.items()):
            if not group_is_running(group):
                del groups[group]
            elif time.monotonic() - started > seconds:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
        never.wait(0.1)


def main() -> None:
    """Look after the groups named on standard input until its end, then end them."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: dict[int, tuple[int, float]] = {}
    for line in sys.stdin:
        if line.startswith("+"):
            group, stop_signal, seconds = line[1:].split()
            groups[int(group)] = (int(stop_signal), float(seconds))
        else:
            groups.pop(int(line[1:]), None)
    _end(groups)


if __name__ == "__main__":
    main()

"""What a supervised program is: how it is started, logged, and given another chance.

Standard library only.
"""

import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

LOG_LIMIT = 10 * 1024 * 1024
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

# Loaded here because the time between fork and exec is no time to load a library.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def prctl(option: int, value: int) -> None:
    """Set something about this process, where the system is Linux."""
    if _libc is not None:
        _libc.prctl(option, value, 0, 0, 0)


def _at_once() -> bool:
    return True


@dataclass(frozen=True)
class Program:
    """A program to keep running.

    `stop_signal` asks it to end, SIGKILL follows after `stop_seconds`, or after `orphan_seconds`
    when the supervisor was killed. `may_start` is asked before a restart, as often as it takes,
    until what the dead one left behind is gone. With `fork_server`, the place of one, it is forked
    there if that can be done; its command is `python -m MODULE ...` then.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    orphan_seconds: float = 3.0
    may_start: Callable[[], bool] = _at_once
    fork_server: Path | None = None


class Restarts:
    """When a program that died may start again: after 0.5 s, 1 s, 2 s, 4 s; then never.

    Deaths count for `window` seconds; the one that makes `limit` of them is the last.
    """

    def __init__(self, *, limit: int = 5, window: float = 60.0, first_delay: float = 0.5) -> None:
        self.limit = limit
        self.window = window
        self.first_delay = first_delay
        self._deaths: deque[float] = deque()

    def died(self, now: float) -> float | None:
        """Seconds to wait before the next start, or None when there shall be none."""
        self._deaths.append(now)
        while now - self._deaths[0] >= self.window:
            self._deaths.popleft()
        if len(self._deaths) >= self.limit:
            return None
        delay: float = self.first_delay * 2 ** (len(self._deaths) - 1)
        return delay


def die_with_parent(stop_signal: signal.Signals, parent: int | None = None) -> Callable[[], None]:
    """What a child runs between fork and exec to get `stop_signal` when its parent is killed.

    The parent is this process unless said otherwise.
    """
    expected = parent or os.getpid()

    def in_child() -> None:
        prctl(PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != expected:
            os._exit(1)

    return in_child


def explain(code: int) -> str:
    """How a process ended, in words, from `Popen.returncode`."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def open_log(path: Path) -> BinaryIO:
    """Open the log at `path` to append to; one past LOG_LIMIT bytes becomes `NAME.1` first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab")

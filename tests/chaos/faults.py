"""How each fault of a plan is done, and undone."""

import os
import random
import resource
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from config.launcher.supervisor import Supervisor
from tests.chaos.plan import Fault
from tests.chaos.proxy import tell
from tests.chaos.registry import Registry

PROGRAMS = {"database": "postgres", "broker": "valkey"}
# How large a file may become while the disk is full: a quota that works for everybody. Some of the
# smallest fit on a full disk, too.
FULL_BYTES = 4096
PARENT_FIELD = 1


def children_of(pid: int) -> list[int]:
    """All processes below a process, whatever group they are in."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[PARENT_FIELD]), []).append(int(path.parent.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def send(signum: signal.Signals, pids: Iterable[int]) -> None:
    """Send a signal to processes that may have ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signum)


def limit_files(size: int, pids: Callable[[], Iterable[int]]) -> None:
    """Let no file of these processes, and of those that they begin, grow beyond `size` bytes.

    Asked again, because one of them may begin another just now.
    """
    for _ in range(2):
        for pid in pids():
            with suppress(ProcessLookupError):
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


class Faults:
    """Does faults to a registry, and undoes those that last."""

    def __init__(self, registry: Registry, supervisor: Supervisor, seed: int) -> None:
        self.registry = registry
        self.supervisor = supervisor
        self.chance = random.Random(f"processes {seed}")
        self._undo: dict[Fault, Callable[[], None]] = {}

    def begin(self, fault: Fault) -> None:
        """Do a fault."""
        if fault.what.startswith("line to the "):
            self._lose(fault)
        elif fault.what == "disk":
            limit_files(FULL_BYTES, self._writers)
            self._undo[fault] = lambda: limit_files(resource.RLIM_INFINITY, self._writers)
        else:
            self._signal(fault)

    def end(self, fault: Fault) -> None:
        """Undo a fault, if it lasts."""
        if undo := self._undo.pop(fault, None):
            undo()

    def end_all(self) -> None:
        """Undo all of them."""
        for fault in list(self._undo):
            self.end(fault)

    def _lose(self, fault: Fault) -> None:
        words = {"the web server": "web", "the database": "database", "the broker": "broker"}
        name = words[fault.what.removeprefix("line to ")]
        tell(self.registry.control, name, fault.how)
        self._undo[fault] = lambda: tell(self.registry.control, name, "pass")

    def _writers(self) -> list[int]:
        """Processes that write files."""
        mains = [self.supervisor.running(name) for name in ("web", "worker 1", "worker 2")]
        return [pid for main in mains if main for pid in (main, *children_of(main))]

    def _signal(self, fault: Fault) -> None:
        pids = self._victims(fault.what)
        if fault.how == "freeze":
            send(signal.SIGSTOP, pids)
            self._undo[fault] = lambda: send(signal.SIGCONT, pids)
        elif fault.how == "end":
            send(signal.SIGTERM, pids[:1])
        else:
            send(signal.SIGKILL, pids)

    def _victims(self, what: str) -> list[int]:
        """The process ids that a fault is about, the main process first; none while it is down."""
        name = what.replace(" process", "").replace(" session", "")
        main = self.supervisor.running(PROGRAMS.get(name, name))
        if main is None:
            return []
        below = children_of(main)
        if name == what:
            return [main, *below]
        return [self.chance.choice(sorted(below))] if below else []

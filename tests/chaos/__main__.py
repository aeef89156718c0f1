"""Runs everything: `python -m tests.chaos [--minutes N] [--seed N]`, `./kith chaos`."""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, cast

from config.launcher.guard import CHECKOUT
from config.launcher.programs import die_with_parent
from config.launcher.servers import sockets_of
from config.launcher.supervisor import StopAsked, Supervisor
from tests.chaos import crowd
from tests.chaos.faults import Faults
from tests.chaos.journal import Access, Journal, list_findings, say
from tests.chaos.plan import Fault, faults
from tests.chaos.proxy import tell
from tests.chaos.registry import READY_SECONDS, Registry, own_environment, patient

# How long after the last fault answers, and ends of jobs, may take.
PATIENCE = 120.0
RECOVERY_SECONDS = 60.0


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="./kith chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long things fail (2)")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it")
    parser.add_argument(
        "--row-security", action="store_true", help="with row-level security in the database"
    )
    return parser.parse_args()


class Run:
    """One run from an empty registry to its findings."""

    def __init__(self, registry: Registry, supervisor: Supervisor, seed: int) -> None:
        self.registry = registry
        self.supervisor = supervisor
        self.seed = seed
        self.recovered: float | None = None
        # Parts that were not well when they were looked at last.
        self.missing: list[str] = []

    def play(self, planned: list[Fault], accounts: list[Access], seconds: float) -> Journal:
        """Let clients work while things fail; what they were promised."""
        path = self.registry.data / "journal.json"
        order = {
            "port": self.registry.front,
            "seed": self.seed,
            "seconds": seconds,
            "patience": PATIENCE,
            "accounts": [vars(each) for each in accounts],
            "journal": str(path),
        }
        with subprocess.Popen(
            [sys.executable, "-m", crowd.__name__],
            env=own_environment(),
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 -- this process has one thread
        ) as clients:
            try:
                cast("TextIO", clients.stdin).write(json.dumps(order))
                cast("TextIO", clients.stdin).close()
                self.fail(planned)
                self.recover()
                ended = time.monotonic()
                self.supervisor.wait_until(lambda: clients.poll() is not None, float("inf"))
                say(f"the last client has what it asked for {time.monotonic() - ended:.1f} s later")
            except BaseException:
                clients.kill()
                raise
        return Journal.read(path)

    def fail(self, planned: list[Fault]) -> None:
        """Do the faults of a plan, each when its time has come."""
        doing = Faults(self.registry, self.supervisor, self.seed)
        moments: list[tuple[float, Callable[[Fault], None], Fault]] = []
        for fault in planned:
            moments += [(fault.at, doing.begin, fault), (fault.end, doing.end, fault)]
        started = time.monotonic()
        try:
            for moment, act, fault in sorted(moments, key=lambda each: each[0]):
                while (left := started + moment - time.monotonic()) > 0:
                    self.supervisor.wait_until(lambda: False, left)
                if act == doing.begin:
                    say(f"{moment:7.1f} s  {fault}")
                act(fault)
        finally:
            doing.end_all()

    def recover(self) -> None:
        """Wait until every part is well again; how long that took is `recovered`."""
        started = time.monotonic()
        for name in ("database", "broker", "web"):
            tell(self.registry.control, name, "pass")
        if self.supervisor.wait_until(self.is_well, RECOVERY_SECONDS):
            self.recovered = time.monotonic() - started
            say(f"every part is well again {self.recovered:.1f} s after the last fault")

    def is_well(self) -> bool:
        """Whether every part is well."""
        self.missing = self.registry.missing_parts()
        return not self.missing


def report(journal: Journal, said: list[str]) -> None:
    """What happened, in figures."""
    say()
    say("calls")
    for name, count in sorted(journal.calls.items()):
        say(f"  {count:7,}  {name}")
    say("programs that ended")
    for line, count in sorted(Counter(map(ending, said)).items()):
        if line:
            say(f"  {count:7,}  {line}")


def ending(line: str) -> str:
    """Of what the supervisor said, the end of a program."""
    return line.partition("),")[0] + ")" if " died (" in line else ""


def main() -> int:
    """Run it; 1 when something was found."""
    wanted = options()
    if sys.platform != "linux":
        say("this needs Linux, whose /proc tells which processes there are")
        return 2
    # What a user has set is for another registry.
    for name in set(os.environ) - set(own_environment()):
        del os.environ[name]
    seed = random.randrange(10_000) if wanted.seed is None else wanted.seed
    seconds = wanted.minutes * 60
    planned = faults(seed, seconds)
    again = f"./kith chaos --minutes {wanted.minutes:g} --seed {seed}"
    again += " --row-security" if wanted.row_security else ""
    say(f"{len(planned)} faults in {wanted.minutes:g} minutes; the same again: {again}")
    data = Path(tempfile.mkdtemp(prefix="kith-chaos-")).resolve()
    started = time.monotonic()
    said: list[str] = []
    findings: list[str] = []
    with sockets_of(data) as sockets, Supervisor(said.append, restarts=patient) as supervisor:
        registry = Registry(data, sockets, supervisor, is_confined=wanted.row_security)
        registry.start(said.append)
        os.environ.update(registry.direct)
        from tests.chaos import checks  # noqa: PLC0415 -- needs the registry

        accounts = checks.prepare(confined=registry.role if wanted.row_security else "")
        for program in registry.programs():
            supervisor.start(program)
        if not supervisor.wait_until(registry.is_ready, READY_SECONDS):
            say(f"the registry does not start; see {data / 'log'}")
            return 2
        say(f"ready after {time.monotonic() - started:.1f} s")
        run = Run(registry, supervisor, seed)
        journal = run.play(planned, accounts, seconds)
        findings += journal.findings
        report(journal, said)
        if run.recovered is None:
            missing = ", ".join(run.missing)
            findings.append(f"not well {RECOVERY_SECONDS:g} s after the last fault: {missing}")
        try:
            for name, found in checks.all_of(journal, supervisor, data):
                say(f"{name}: {len(found) or 'nothing'} found")
                findings += found
        except Exception:  # noqa: BLE001 -- such as of a database that did not come back
            findings.append(f"the checks came to no end: {traceback.format_exc()}")
    return conclude(findings, registry, again)


def conclude(findings: list[str], registry: Registry, again: str) -> int:
    """Tell what was found; the files of a run that found something are kept."""
    if not findings:
        say("nothing was lost, doubled, or told wrongly")
        registry.remove()
        return 0
    list_findings(findings, f"logs and data: {registry.data}; the same again: {again}")
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StopAsked as stop:
        sys.exit(128 + stop.signum)

"""Runs everything: `python -m tests.fuzz [--minutes N] [--seed N]`, `./kith fuzz`."""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from config.launcher import stack
from config.launcher.guard import CHECKOUT
from config.launcher.instance import new_secrets
from config.launcher.servers import sockets_of
from config.launcher.stack import LOCAL_ADDRESS, Address
from config.launcher.supervisor import StopAsked, Supervisor
from tests.chaos.journal import list_findings, say
from tests.chaos.registry import READY_SECONDS, free_ports, own_environment

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
# One process of each: a run by hand leaves a processor to whoever started it.
SETTINGS = {"KITH_WEB_WORKERS": "1", "KITH_WORKER_CONCURRENCY": "1", "KITH_LOADER_PROCESSES": "1"}
# Each has its share of the time. Together, chains of calls would have hardly any of it.
PHASES = (("examples", "coverage", "fuzzing"), ("stateful",))
# That tokens outlive the last call.
SPARE_SECONDS = 3600


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="./kith fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long calls are made (5)")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it")
    return parser.parse_args()


def main() -> int:
    """Run it; 1 when something was found."""
    wanted = options()
    for name in set(os.environ) - set(own_environment()):
        del os.environ[name]
    seed = random.randrange(10_000) if wanted.seed is None else wanted.seed
    seconds = round(wanted.minutes * 60)
    say(f"the same again: ./kith fuzz --minutes {wanted.minutes:g} --seed {seed}")
    data = Path(tempfile.mkdtemp(prefix="kith-fuzz-")).resolve()
    said: list[str] = []
    with sockets_of(data) as sockets, Supervisor(said.append) as supervisor:
        address = Address(LOCAL_ADDRESS, *free_ports(1))
        made = stack.contract(data, new_secrets(), address.url) | stack.urls(data, sockets)
        stack.start_servers(supervisor, data, sockets, said.append)
        # Only now: servers that the environment names are not started.
        os.environ.update(made | SETTINGS)
        fill(data, seed, seconds)
        environment = dict(os.environ)
        for program in (
            stack.web(address, data, environment),
            stack.worker(data, environment),
            stack.beat(data, environment),
        ):
            supervisor.start(program)
        if not supervisor.wait_until(lambda: not address.missing_parts(), READY_SECONDS):
            say(f"the registry does not start; see {data / 'log'}")
            return 2
        findings: list[str] = []
        for phases in PHASES:
            say(f"\n{', '.join(phases)}")
            share = max(seconds // len(PHASES), 1)
            code = run_schemathesis(supervisor, data, address, share, seed, phases)
            findings += [f"Schemathesis ended with {code}"] if code else []
        report(data)
        findings += [f"the supervisor said: {line}" for line in said if " died (" in line]
        findings += look(supervisor, data)
    return conclude(findings, data)


def fill(data: Path, seed: int, seconds: int) -> None:
    """Make people and things, and tell Schemathesis of them."""
    from tests.fuzz import people  # noqa: PLC0415 -- needs the database

    started = time.monotonic()
    known = people.prepare(seconds + SPARE_SECONDS)
    known |= {"seed": seed, "answers": str(data / "answers.json")}
    (data / "known.json").write_text(json.dumps(known))
    (data / "answers.json").write_text("[]")
    say(f"filled after {time.monotonic() - started:.1f} s")


def run_schemathesis(
    supervisor: Supervisor,
    data: Path,
    address: Address,
    seconds: int,
    seed: int,
    phases: tuple[str, ...],
) -> int:
    """Have it make calls for so long; its exit code."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)),
        *("run", f"{address.url}/schema", "--phases", ",".join(phases)),
        *("--max-time", str(seconds), "--seed", str(seed)),
    ]
    known = {"KITH_FUZZ": str(data / "known.json"), "PYTHONPATH": str(CHECKOUT)}
    return supervisor.foreground(command, own_environment() | known, data)


def report(data: Path) -> None:
    """What was answered to whom."""
    for who, status, count in json.loads((data / "answers.json").read_text()):
        say(f"  {count:7,}  {status}  {who}")


def look(supervisor: Supervisor, data: Path) -> list[str]:
    """What the registry itself has to say of the run."""
    from tests.fuzz import aftermath  # noqa: PLC0415 -- needs the database

    found = []
    for name, check in aftermath.checks(supervisor, data).items():
        lines = list(check())
        say(f"{name}: {len(lines) or 'nothing'} found")
        found += lines
    return found


def conclude(findings: list[str], data: Path) -> int:
    """Tell what was found; the files of a run that found something are kept."""
    if not findings:
        say("every answer was a documented one, and nothing went wrong behind it")
        shutil.rmtree(data, ignore_errors=True)
        return 0
    list_findings(findings, f"logs and data: {data}")
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StopAsked as stop:
        sys.exit(128 + stop.signum)

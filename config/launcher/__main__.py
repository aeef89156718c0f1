"""The commands of `./kith`; what they run is described in `config.launcher.stack`.

Messages of `up` and `test` go to standard output, those of all others to standard error, because
what a management command prints is read by programs.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from config.launcher import stack
from config.launcher.caller import (
    CALLER_DIRECTORY,
    Say,
    become,
    caller_path,
    contract,
    data_directory,
    port_number,
    say_to,
)
from config.launcher.checks import PYTEST, PYTHON_MODULE, run_checks
from config.launcher.given import GivenError
from config.launcher.guard import CHECKOUT
from config.launcher.instance import (
    BusyError,
    Instance,
    InstanceError,
    Lock,
    is_given,
    new_secrets,
)
from config.launcher.programs import Program
from config.launcher.restore import options_of, put_keys
from config.launcher.servers import EmbeddedError, sockets_of
from config.launcher.stack import MANAGE, Address, StackError
from config.launcher.supervisor import GaveUp, StopAsked, Supervisor
from config.launcher.up import up

COMPILE = (
    *(*PYTHON_MODULE, "uv", "pip", "compile", "--quiet", "--universal"),
    *("--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header"),
)


def test(arguments: Sequence[str]) -> int:
    """Run all checks, or pytest with `arguments`, on throwaway servers; the first failing code."""
    say = partial(say_to, sys.stdout)
    data = Path(tempfile.mkdtemp(prefix="kith-test-")).resolve()
    # A developer's own settings of Kith would make the outcome depend on the machine.
    for name in [name for name in os.environ if name.startswith("KITH_")]:
        del os.environ[name]
    try:
        with sockets_of(data) as sockets, Supervisor(say) as supervisor:
            made = stack.contract(data, new_secrets(), Address(stack.LOCAL_ADDRESS, 8000).url)
            environment = stack.with_given(made | stack.urls(data, sockets))
            stack.start_servers(supervisor, data, sockets, say, durable=False)
            if arguments:
                return supervisor.foreground([*PYTEST, *arguments], environment, CHECKOUT)
            return run_checks(supervisor, environment, say)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def manage(arguments: Sequence[str]) -> int:
    """Run a management command in the caller's directory, on the running registry if there is one.

    Otherwise the servers run for as long as the command does; a new database is migrated first.
    """
    say = partial(say_to, sys.stderr)
    instance = Instance(data_directory())
    command = [*MANAGE, *arguments]
    if is_given("DATABASE_URL") and is_given("REDIS_URL"):
        return become(command, contract(instance))
    while True:
        try:
            with instance.lock("manage", say) as lock:
                return _manage_alone(instance, lock, command, say)
        except BusyError as busy:
            if busy.holder.purpose == "up":
                return become(command, _running_environment(instance, say))
            say("waiting for another management command to end")
            _wait_while(partial(_holds, instance, busy.holder.pid))


def run(arguments: Sequence[str]) -> int:
    """Become one program of a registry whose servers are given, for a supervisor of the user's."""
    parser = argparse.ArgumentParser(prog="./kith run")
    parser.add_argument("program", choices=["web", "worker", "beat"])
    parser.add_argument("--port", type=port_number, default=os.environ.get("KITH_PORT") or "8000")
    options = parser.parse_args(arguments)
    if not (is_given("DATABASE_URL") and is_given("REDIS_URL")):
        raise StackError("`run` starts no servers: set DATABASE_URL and REDIS_URL, or use `up`")
    address = Address(os.environ.get("KITH_HOST") or stack.LOCAL_ADDRESS, options.port)
    instance = Instance(data_directory())
    made = contract(instance, address)
    makers: dict[str, Callable[[Path, Mapping[str, str]], Program]] = {
        "web": partial(stack.web, address),
        "worker": stack.worker,
        "beat": stack.beat,
    }
    program = makers[options.program](instance.data, stack.with_given(made))
    return become(program.command, made, CHECKOUT)


def restore(arguments: Sequence[str]) -> int:
    """Put a backup into an empty registry, with the servers started for as long as it takes."""
    options = options_of(arguments)
    say = partial(say_to, sys.stderr)
    instance = Instance(data_directory())
    path = caller_path(str(options.file))
    with (
        instance.lock("restore", say) as lock,
        sockets_of(instance.data) as sockets,
        Supervisor(say, keep_open=[lock.descriptor]) as supervisor,
    ):
        put_keys(instance, path, options)
        made = contract(instance) | stack.urls(instance.data, sockets)
        stack.start_servers(supervisor, instance.data, sockets, say)
        command, environment = [*MANAGE, "restore", str(path)], stack.with_given(made)
        code = supervisor.foreground(command, environment, CALLER_DIRECTORY)
        if not code:
            stack.confine(supervisor, environment)
        return code


def bench(arguments: Sequence[str]) -> int:
    """Run benchmarks on servers of their own, as durable as `up`'s; their data is kept."""
    say = partial(say_to, sys.stderr)
    instance = Instance(data_directory() / "bench")
    with (
        instance.lock("bench", say) as lock,
        sockets_of(instance.data) as sockets,
        Supervisor(say, keep_open=[lock.descriptor]) as supervisor,
    ):
        made = contract(instance) | stack.urls(instance.data, sockets)
        environment = stack.with_given(made)
        stack.start_servers(supervisor, instance.data, sockets, say)
        command = [*PYTHON_MODULE, "tests.benchmarks", *arguments]
        return supervisor.foreground(command, environment, CHECKOUT)


def chaos(arguments: Sequence[str]) -> int:
    """Run a registry of its own whose parts fail at random, and check what it promised."""
    return become([*PYTHON_MODULE, "tests.chaos", *arguments], {}, CHECKOUT)


def fuzz(arguments: Sequence[str]) -> int:
    """Run a registry of its own under calls of every kind, and check what it answers and does."""
    return become([*PYTHON_MODULE, "tests.fuzz", *arguments], {}, CHECKOUT)


def supply(command: str, arguments: Sequence[str]) -> int:
    """Tell what the release is made of, by a command of `config.supply`."""
    made = {"KITH_DATA": str(data_directory())}
    return become([*PYTHON_MODULE, "config.supply", command, *arguments], made, CHECKOUT)


def renew_locks(arguments: Sequence[str]) -> int:
    """Resolve pyproject.toml anew into all lock files; `arguments` go to uv."""
    development = [
        *(*COMPILE, *arguments, "--group", "dev", "pyproject.toml"),
        *("-o", "requirements-dev.lock"),
    ]
    # Constrained by the largest one, so that the development lock holds every pin of the others.
    running = [
        *(*COMPILE, "--constraint", "requirements-dev.lock", "--no-annotate", "pyproject.toml"),
        *("-o", "requirements.lock"),
    ]
    tools = [
        *(*COMPILE, "--constraint", "requirements-dev.lock", "--no-annotate", "--group", "supply"),
        *("-o", "requirements-supply.lock"),
    ]
    for command in (development, running, tools):
        done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            return done.returncode
    return 0


def main(arguments: Sequence[str]) -> int:
    """Run the command named first in `arguments`; the exit code."""
    commands: dict[str, Callable[[Sequence[str]], int]] = {
        "up": up,
        "setup": lambda options: manage(["setup", *options]),
        "backup": lambda options: manage(["backup", *options]),
        "restore": restore,
        "run": run,
        "test": test,
        "manage": manage,
        "bench": bench,
        "chaos": chaos,
        "fuzz": fuzz,
        **{name: partial(supply, name) for name in ("licences", "sbom", "audit")},
        "lock": renew_locks,
    }
    complain = partial(say_to, sys.stderr)
    if not arguments or arguments[0] not in commands:
        complain(f"no such command: {' '.join(arguments[:1])}; `./kith help` lists them")
        return 2
    try:
        return commands[arguments[0]](arguments[1:])
    except StopAsked as stop:
        return 128 + stop.signum
    except (InstanceError, EmbeddedError, GivenError, StackError, GaveUp) as error:
        complain(str(error))
        return 1


def _manage_alone(instance: Instance, lock: Lock, command: Sequence[str], say: Say) -> int:
    with (
        sockets_of(instance.data) as sockets,
        Supervisor(say, keep_open=[lock.descriptor]) as supervisor,
    ):
        made = contract(instance) | stack.urls(instance.data, sockets)
        environment = stack.with_given(made)
        if stack.start_servers(supervisor, instance.data, sockets, say):
            stack.migrate(supervisor, environment, say)
        return supervisor.foreground(command, environment, CALLER_DIRECTORY)


def _running_environment(instance: Instance, say: Say) -> dict[str, str]:
    """What the running registry made for its programs, as soon as it has migrated.

    Raises StackError when it lacks something that only its own environment has.
    """
    holder = instance.holder()
    if holder is None or not holder.environment:
        say("waiting for the registry to start")
        _wait_while(lambda: not ((found := instance.holder()) is None or found.environment))
        holder = instance.holder()
    if holder is None or not holder.environment:
        raise StackError("the registry has stopped")
    missing = [name for name in holder.given if not is_given(name)]
    if missing:
        raise StackError(f"the registry runs with its own {', '.join(missing)}: set the same here")
    return dict(holder.environment)


def _wait_while(condition: Callable[[], bool]) -> None:
    while condition():
        threading.Event().wait(0.1)


def _holds(instance: Instance, pid: int) -> bool:
    holder = instance.holder()
    return holder is not None and holder.pid == pid


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The commands of `./kith`; what they run is described in `config.launcher.stack`.

Messages of `up` and `test` go to standard output, those of all others to standard error, because
what a management command prints is read by programs.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn, TextIO

from config.launcher import given, stack
from config.launcher.checks import PYTEST, PYTHON_MODULE, run_checks
from config.launcher.fork_server import IS_POSSIBLE, is_ready
from config.launcher.given import GivenError
from config.launcher.guard import CHECKOUT
from config.launcher.instance import (
    SECRET_NAMES,
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

READY_SECONDS = 120.0
COMPILE = (
    *(*PYTHON_MODULE, "uv", "pip", "compile", "--quiet", "--universal"),
    *("--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header"),
)

# Where the user stands: `./kith` itself works in the checkout.
CALLER_DIRECTORY = Path(os.environ.get("KITH_CALLER_DIRECTORY", ".")).absolute()

Say = Callable[[str], None]


def _say(stream: TextIO, line: str) -> None:
    # A closed terminal or pipe is no reason to leave children behind.
    with suppress(OSError):
        stream.write(f"kith: {line}\n")
        stream.flush()


def up(arguments: Sequence[str]) -> int:
    """Run the registry until a signal; 0 after a clean stop. Raises what `main` reports."""
    parser = argparse.ArgumentParser(prog="./kith up")
    parser.add_argument("--port", type=_port, default=os.environ.get("KITH_PORT") or "8000")
    parser.add_argument("--data", type=_caller_path, default=_data_directory())
    parser.add_argument("--no-demo", dest="demo", action="store_false")
    options = parser.parse_args(arguments)
    address = Address(os.environ.get("KITH_HOST") or stack.LOCAL_ADDRESS, options.port)
    say = partial(_say, sys.stdout)
    instance = Instance(options.data)
    with (
        instance.lock("up", say) as lock,
        sockets_of(instance.data) as sockets,
        Supervisor(say, keep_open=[lock.descriptor]) as supervisor,
    ):
        try:
            _wait_for_port(supervisor, address, patient=lock.after_crash)
            demo = options.demo and _wants_demo()
            _bring_up(supervisor, instance, lock, sockets, address, demo=demo, say=say)
            supervisor.run()
        except StopAsked as stop:
            say(f"{stop}: stopping")
    say("stopped")
    return 0


def test(arguments: Sequence[str]) -> int:
    """Run all checks, or pytest with `arguments`, on throwaway servers; the first failing code."""
    say = partial(_say, sys.stdout)
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
    say = partial(_say, sys.stderr)
    instance = Instance(_data_directory())
    command = [*MANAGE, *arguments]
    if is_given("DATABASE_URL") and is_given("REDIS_URL"):
        return _become(command, _contract(instance))
    while True:
        try:
            with instance.lock("manage", say) as lock:
                return _manage_alone(instance, lock, command, say)
        except BusyError as busy:
            if busy.holder.purpose == "up":
                return _become(command, _running_environment(instance, say))
            say("waiting for another management command to end")
            _wait_while(partial(_holds, instance, busy.holder.pid))


def run(arguments: Sequence[str]) -> int:
    """Become one program of a registry whose servers are given, for a supervisor of the user's."""
    parser = argparse.ArgumentParser(prog="./kith run")
    parser.add_argument("program", choices=["web", "worker", "beat"])
    parser.add_argument("--port", type=_port, default=os.environ.get("KITH_PORT") or "8000")
    options = parser.parse_args(arguments)
    if not (is_given("DATABASE_URL") and is_given("REDIS_URL")):
        raise StackError("`run` starts no servers: set DATABASE_URL and REDIS_URL, or use `up`")
    address = Address(os.environ.get("KITH_HOST") or stack.LOCAL_ADDRESS, options.port)
    instance = Instance(_data_directory())
    made = _contract(instance, address)
    makers: dict[str, Callable[[Path, Mapping[str, str]], Program]] = {
        "web": partial(stack.web, address),
        "worker": stack.worker,
        "beat": stack.beat,
    }
    program = makers[options.program](instance.data, stack.with_given(made))
    return _become(program.command, made, CHECKOUT)


def restore(arguments: Sequence[str]) -> int:
    """Put a backup into an empty registry, with the servers started for as long as it takes."""
    options = options_of(arguments)
    say = partial(_say, sys.stderr)
    instance = Instance(_data_directory())
    path = _caller_path(str(options.file))
    with (
        instance.lock("restore", say) as lock,
        sockets_of(instance.data) as sockets,
        Supervisor(say, keep_open=[lock.descriptor]) as supervisor,
    ):
        put_keys(instance, path, options)
        made = _contract(instance) | stack.urls(instance.data, sockets)
        stack.start_servers(supervisor, instance.data, sockets, say)
        command, environment = [*MANAGE, "restore", str(path)], stack.with_given(made)
        code = supervisor.foreground(command, environment, CALLER_DIRECTORY)
        if not code:
            stack.confine(supervisor, environment)
        return code


def bench(arguments: Sequence[str]) -> int:
    """Run benchmarks on servers of their own, as durable as `up`'s; their data is kept."""
    say = partial(_say, sys.stderr)
    instance = Instance(_data_directory() / "bench")
    with (
        instance.lock("bench", say) as lock,
        sockets_of(instance.data) as sockets,
        Supervisor(say, keep_open=[lock.descriptor]) as supervisor,
    ):
        made = _contract(instance) | stack.urls(instance.data, sockets)
        environment = stack.with_given(made)
        stack.start_servers(supervisor, instance.data, sockets, say)
        command = [*PYTHON_MODULE, "tests.benchmarks", *arguments]
        return supervisor.foreground(command, environment, CHECKOUT)


def chaos(arguments: Sequence[str]) -> int:
    """Run a registry of its own whose parts fail at random, and check what it promised."""
    return _become([*PYTHON_MODULE, "tests.chaos", *arguments], {}, CHECKOUT)


def fuzz(arguments: Sequence[str]) -> int:
    """Run a registry of its own under calls of every kind, and check what it answers and does."""
    return _become([*PYTHON_MODULE, "tests.fuzz", *arguments], {}, CHECKOUT)


def supply(command: str, arguments: Sequence[str]) -> int:
    """Tell what the release is made of, by a command of `config.supply`."""
    made = {"KITH_DATA": str(_data_directory())}
    return _become([*PYTHON_MODULE, "config.supply", command, *arguments], made, CHECKOUT)


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
    complain = partial(_say, sys.stderr)
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


def _bring_up(
    supervisor: Supervisor,
    instance: Instance,
    lock: Lock,
    sockets: Path,
    address: Address,
    *,
    demo: bool,
    say: Say,
) -> None:
    """Everything from an empty or stopped data directory to a registry that answers."""
    data = instance.data
    made = _contract(instance, address) | stack.urls(data, sockets)
    environment = stack.with_given(made)
    serving = stack.without_owner(environment)
    place = sockets / "fork.sock"
    programs = [
        stack.web(address, data, serving),
        stack.worker(data, serving, has_schedule=True),
    ]
    stack.check_settings(supervisor, environment)
    stack.start_servers(supervisor, data, sockets, say)
    stack.migrate(supervisor, environment, say)
    lock.publish(made)
    credentials = stack.create_demo(supervisor, data, environment, say) if demo else None
    stack.forget_counts(data)
    say("starting web and worker")
    if IS_POSSIBLE:
        supervisor.start(stack.fork_server(place, data, serving))
        supervisor.wait_until(lambda: is_ready(place), READY_SECONDS)
    for program in programs:
        supervisor.start(replace(program, fork_server=place))
    if not supervisor.wait_until(lambda: not address.missing_parts(), READY_SECONDS):
        parts = ", ".join(address.missing_parts()) or "ready too late"
        raise StackError(f"not ready after {READY_SECONDS:g} s: {parts}; logs: {data / 'log'}")
    lines = [f"ready: {address.url}", f"  back office  {address.url}/admin/"]
    lines += _ways_in(data, credentials, stack.demo_login(data, say))
    with suppress(OSError):
        sys.stdout.write("\n".join([*lines, "  stop with Ctrl-C", ""]))
        sys.stdout.flush()


def _ways_in(data: Path, credentials: Mapping[str, str] | None, login: str | None) -> list[str]:
    """What a person has to know to sign in, in lines of the message `ready`."""
    is_elsewhere = data != _data_directory().resolve()
    command = f"KITH_DATA={shlex.quote(str(data))} ./kith" if is_elsewhere else "./kith"
    if credentials is not None:
        labels = {"login": "login", "password": "password", "key": "API key", "secret": "secret"}
        shown = [f"  {label:<11}  {credentials[name]}" for name, label in labels.items()]
        return [*shown, "  password and secret are shown this once; keep them"]
    if login is not None:
        return [f"  login        {login}", f"  new password and key: {command} manage create_demo"]
    return [f"  your own business account, login and key: {command} setup"]


def _manage_alone(instance: Instance, lock: Lock, command: Sequence[str], say: Say) -> int:
    with (
        sockets_of(instance.data) as sockets,
        Supervisor(say, keep_open=[lock.descriptor]) as supervisor,
    ):
        made = _contract(instance) | stack.urls(instance.data, sockets)
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


def _become(
    command: Sequence[str], made: dict[str, str], directory: Path = CALLER_DIRECTORY
) -> NoReturn:
    os.chdir(directory)
    os.execve(command[0], list(command), stack.with_given(made))  # noqa: S606 -- no shell is wanted


def _contract(instance: Instance, address: Address | None = None) -> dict[str, str]:
    address = address or Address(stack.LOCAL_ADDRESS, 8000)
    has_data = given.check_servers()
    has_keys = all(is_given(name) for name in SECRET_NAMES)
    secrets = {} if has_keys else instance.secrets(has_data_elsewhere=has_data)
    return stack.contract(instance.data, secrets, address.url)


def _wants_demo() -> bool:
    """Whether the first start makes demo data: into the embedded database, or when asked to."""
    wanted = os.environ.get("KITH_DEMO") or ("0" if is_given("DATABASE_URL") else "1")
    if wanted not in {"0", "1"}:
        raise StackError(f"KITH_DEMO must be 1 or 0, not {wanted!r}")
    return wanted == "1"


def _wait_for_port(supervisor: Supervisor, address: Address, *, patient: bool) -> None:
    """Raises StackError unless the address is free, or soon so after a killed run (`patient`)."""
    if not patient or not supervisor.wait_until(address.is_free, 10.0):
        address.check_free()


def _wait_while(condition: Callable[[], bool]) -> None:
    while condition():
        threading.Event().wait(0.1)


def _holds(instance: Instance, pid: int) -> bool:
    holder = instance.holder()
    return holder is not None and holder.pid == pid


def _data_directory() -> Path:
    return _caller_path(os.environ.get("KITH_DATA") or str(CHECKOUT / "var"))


def _caller_path(text: str) -> Path:
    return CALLER_DIRECTORY / Path(text).expanduser()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`./kith up`: from an empty or stopped data directory to a registry that answers, and its end."""

import argparse
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from config.launcher import stack
from config.launcher.caller import Say, caller_path, contract, data_directory, port_number, say_to
from config.launcher.fork_server import IS_POSSIBLE, is_ready
from config.launcher.instance import Instance, Lock, is_given
from config.launcher.servers import sockets_of
from config.launcher.stack import Address, StackError
from config.launcher.supervisor import StopAsked, Supervisor

READY_SECONDS = 120.0


def up(arguments: Sequence[str]) -> int:
    """Run the registry until a signal; 0 after a clean stop. Raises what `main` reports."""
    parser = argparse.ArgumentParser(prog="./kith up")
    parser.add_argument("--port", type=port_number, default=os.environ.get("KITH_PORT") or "8000")
    parser.add_argument("--data", type=caller_path, default=data_directory())
    parser.add_argument("--no-demo", dest="demo", action="store_false")
    options = parser.parse_args(arguments)
    address = Address(os.environ.get("KITH_HOST") or stack.LOCAL_ADDRESS, options.port)
    say = partial(say_to, sys.stdout)
    instance = Instance(options.data)
    with (
        instance.lock("up", say) as lock,
        sockets_of(instance.data) as sockets,
        Supervisor(say, keep_open=[lock.descriptor]) as supervisor,
    ):
        try:
            wait_for_port(supervisor, address, patient=lock.after_crash)
            demo = options.demo and wants_demo()
            bring_up(supervisor, instance, lock, sockets, address, demo=demo, say=say)
            supervisor.run()
        except StopAsked as stop:
            say(f"{stop}: stopping")
    say("stopped")
    return 0


def bring_up(
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
    made = contract(instance, address) | stack.urls(data, sockets)
    environment = stack.with_given(made)
    serving = stack.without_owner(environment)
    place = sockets / "fork.sock"
    forking = stack.fork_server(place, data, serving)
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
        supervisor.start(forking)
        supervisor.wait_until(lambda: is_ready(place), READY_SECONDS)
    for program in programs:
        supervisor.start(replace(program, fork_server=place))
    if not supervisor.wait_until(lambda: not address.missing_parts(), READY_SECONDS):
        parts = ", ".join(address.missing_parts()) or "ready too late"
        raise StackError(f"not ready after {READY_SECONDS:g} s: {parts}; logs: {data / 'log'}")
    # What it shares with the others they have without it, too; by then 20 MB are its own.
    supervisor.stop(forking.name)
    lines = [f"ready: {address.url}", f"  back office  {address.url}/admin/"]
    lines += ways_in(data, credentials, stack.demo_login(data, say))
    with suppress(OSError):
        sys.stdout.write("\n".join([*lines, "  stop with Ctrl-C", ""]))
        sys.stdout.flush()


def ways_in(data: Path, credentials: Mapping[str, str] | None, login: str | None) -> list[str]:
    """What a person has to know to sign in, in lines of the message `ready`."""
    is_elsewhere = data != data_directory().resolve()
    command = f"KITH_DATA={shlex.quote(str(data))} ./kith" if is_elsewhere else "./kith"
    if credentials is not None:
        labels = {"login": "login", "password": "password", "key": "API key", "secret": "secret"}
        shown = [f"  {label:<11}  {credentials[name]}" for name, label in labels.items()]
        return [*shown, "  password and secret are shown this once; keep them"]
    if login is not None:
        return [f"  login        {login}", f"  new password and key: {command} manage create_demo"]
    return [f"  your own business account, login and key: {command} setup"]


def wants_demo() -> bool:
    """Whether the first start makes demo data: into the embedded database, or when asked to."""
    wanted = os.environ.get("KITH_DEMO") or ("0" if is_given("DATABASE_URL") else "1")
    if wanted not in {"0", "1"}:
        raise StackError(f"KITH_DEMO must be 1 or 0, not {wanted!r}")
    return wanted == "1"


def wait_for_port(supervisor: Supervisor, address: Address, *, patient: bool) -> None:
    """Raises StackError unless the address is free, or soon so after a killed run (`patient`)."""
    if not patient or not supervisor.wait_until(address.is_free, 10.0):
        address.check_free()

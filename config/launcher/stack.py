"""What a running registry consists of: its variables, servers, web, worker and scheduler.

`./kith` gives every program the same variables (`contract`); with `DATABASE_URL` or `REDIS_URL`
set by the user, that server is not started here. Does not import Django.
"""

import errno
import http.client
import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.launcher.guard import CHECKOUT
from config.launcher.instance import is_given, write_private
from config.launcher.programs import Program
from config.launcher.servers import APP, Postgres, Valkey, server_environment, start
from config.launcher.supervisor import Supervisor

# One process per processor, while the database's connections last on a large machine.
MOST_PROCESSES = 16
# Of one process of the web server.
MOST_CONNECTIONS = 8192
LOCAL_ADDRESS = "127.0.0.1"
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 -- recognised, not bound to
ROW_SECURITY = "KITH_ROW_SECURITY"
OWNER_URL = "KITH_OWNER_DATABASE_URL"
PYTHON_MODULE = (sys.executable, "-m")
MANAGE = (sys.executable, str(CHECKOUT / "manage.py"))


class StackError(Exception):
    """The registry cannot run as it was asked to; the message says why."""


@dataclass(frozen=True)
class Address:
    """Where the web server listens."""

    host: str
    port: int

    @property
    def local_host(self) -> str:
        """A host name under which this machine reaches the server."""
        return LOCAL_ADDRESS if self.host in EVERY_ADDRESS else self.host

    @property
    def url(self) -> str:
        """`http://HOST:PORT`, as this machine reaches it."""
        host = f"[{self.local_host}]" if ":" in self.local_host else self.local_host
        return f"http://{host}:{self.port}"

    def check_free(self) -> None:
        """Raises StackError, with the reason, when the server could not listen here."""
        try:
            for family, kind, protocol, _name, place in socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM
            ):
                with socket.socket(family, kind, protocol) as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(place)
        except OSError as error:
            is_of_port = error.errno in {errno.EADDRINUSE, errno.EACCES}
            way_out = (
                "choose another port with --port N"
                if is_of_port
                else "KITH_HOST must be an address of this machine"
            )
            raise StackError(
                f"cannot listen on {self.host} port {self.port}: {error.strerror}; {way_out}"
            ) from error

    def is_free(self) -> bool:
        """Whether the server could listen here."""
        try:
            self.check_free()
        except StackError:
            return False
        return True

    def missing_parts(self) -> list[str]:
        """The parts that `GET /readyz` does not call ``ok``; ``["web"]`` when nobody answers."""
        connection = http.client.HTTPConnection(self.local_host, self.port, timeout=15)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            parts = json.loads(answer.read())["parts"]
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return ["web"]
        finally:
            connection.close()
        return [] if answer.status == 200 else [name for name in parts if parts[name] != "ok"]


def contract(data: Path, secrets: Mapping[str, str], public_url: str) -> dict[str, str]:
    """The variables that the launcher makes for every program, before those of the servers."""
    return {
        **secrets,
        "KITH_DATA": str(data),
        "KITH_PUBLIC_URL": public_url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def with_given(made: Mapping[str, str], source: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`source` with the variables in `made` wherever the user gave none.

    The data directory and the settings module are always the launcher's.
    """
    settled = ("KITH_DATA", "DJANGO_SETTINGS_MODULE")
    chosen = {
        name: value for name, value in made.items() if name in settled or not is_given(name, source)
    }
    kept = dict(source) if is_given("DATABASE_URL", source) else server_environment(source)
    return {**kept, **chosen}


def urls(data: Path, sockets: Path) -> dict[str, str]:
    """The URLs of the servers that the user did not give, by variable name."""
    postgres = Postgres(data, sockets)
    made = {"DATABASE_URL": postgres.url, "REDIS_URL": Valkey(data, sockets).url}
    if has_row_security() and not is_given("DATABASE_URL"):
        made |= {"DATABASE_URL": postgres.url_of(APP), OWNER_URL: postgres.url}
    left = {name: url for name, url in made.items() if not is_given(name)}
    # Also for commands that come later, from another shell.
    return left | ({ROW_SECURITY: "1"} if has_row_security() else {})


def has_row_security() -> bool:
    """Whether web and worker are confined by the database."""
    return os.environ.get(ROW_SECURITY, "").lower() in {"1", "true", "yes", "on"}


def without_owner(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of web and worker, who do not learn how to connect as the owner."""
    return {name: value for name, value in environment.items() if not name.startswith(OWNER_URL)}


def start_servers(
    supervisor: Supervisor,
    data: Path,
    sockets: Path,
    say: Callable[[str], None],
    *,
    durable: bool = True,
) -> bool:
    """Start the servers that the user did not give, and wait until they answer.

    Whether the database's cluster was made just now. Raises EmbeddedError.
    """
    created = False
    if not is_given("DATABASE_URL"):
        postgres = Postgres(data, sockets, durable=durable)
        created = postgres.prepare()
        say("created the database's files" if created else "starting the database")
        start(supervisor, postgres)
        postgres.create_database()
        if has_row_security():
            postgres.create_role()
    if not is_given("REDIS_URL"):
        valkey = Valkey(data, sockets, durable=durable)
        valkey.prepare()
        start(supervisor, valkey)
    return created


def forget_counts(data: Path) -> None:
    """Begin to count for monitoring anew; files of processes that are gone would pile up."""
    shutil.rmtree(data / "metrics", ignore_errors=True)


def check_settings(supervisor: Supervisor, environment: Mapping[str, str]) -> None:
    """Have every setting read before anything starts. Raises StackError."""
    if supervisor.call([*MANAGE, "check"], environment).code:
        raise StackError("nothing was started; what has to be changed stands above")


def migrate(
    supervisor: Supervisor, environment: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """Bring the database's schema up to date. Raises StackError."""
    applied: list[str] = []

    def count(line: str) -> None:
        if line.startswith(("  A table is in use", "  Another `migrate`")):
            say(line.strip())
        elif line.startswith("  Applying") and line.rstrip().endswith("OK"):
            if not applied:
                say("bringing the database's schema up to date")
            applied.append(line)

    migrated = supervisor.call([*MANAGE, "migrate", "--no-input"], environment, count)
    if migrated.code:
        raise StackError("the database could not be prepared; the reason stands above")
    if applied:
        say(f"the schema is up to date ({len(applied)} migrations)")
    confine(supervisor, environment)


def confine(supervisor: Supervisor, environment: Mapping[str, str]) -> None:
    """Have the embedded database confine web and worker, if it has to. Raises StackError."""
    if has_row_security() and not is_given("DATABASE_URL"):
        confined = supervisor.call([*MANAGE, "row_security", "--apply", APP], environment)
        if confined.code:
            raise StackError("row-level security could not be put in place; see above")


def create_demo(
    supervisor: Supervisor,
    data: Path,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> dict[str, str] | None:
    """Make the demo data at the first start; its credentials, which are known this once.

    None at later starts, and where the database has business accounts, as after a restore. Raises
    StackError.
    """
    mark = data / "demo.json"
    if mark.exists():
        return None
    say("creating demo data, unless the registry has data already")
    created = supervisor.call([*MANAGE, "create_demo", "--once"], environment)
    if created.code:
        raise StackError("the demo data could not be created; the reason stands above")
    credentials: dict[str, str] = json.loads(created.output)
    kept = {name: credentials.get(name) for name in ("login", "businessAccountId")}
    write_private(mark, json.dumps(kept))
    return credentials if "password" in credentials else None


def demo_login(data: Path, say: Callable[[str], None]) -> str | None:
    """The login of demo data that was made earlier; None where there is none."""
    mark = data / "demo.json"
    try:
        login = json.loads(mark.read_text())["login"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        say(f"{mark} cannot be read and is ignored; `./kith manage create_demo` makes it anew")
        return None
    return None if login is None else str(login)


def fork_server(place: Path, data: Path, environment: Mapping[str, str]) -> Program:
    """What loads the product once, and makes of it the programs that are given its `place`."""
    command = [*PYTHON_MODULE, "config.launcher.fork_server", str(place), "config.loading:load"]
    return Program("fork server", command, environment, data / "log" / "fork-server.log")


def web(address: Address, data: Path, environment: Mapping[str, str]) -> Program:
    """The web server."""
    workers = number("KITH_WEB_WORKERS", _processors())
    command = web_command(address, workers)
    return Program("web", command, environment, data / "log" / "web.log")


def web_command(address: Address, workers: int) -> list[str]:
    """The command line of the web server.

    HTTP/1.1 only: what a client of HTTP/2 does not read is not seen in its connection. Slow clients
    keep their connections for as long as they are waited for, so there may be many.
    """
    return [
        *(*PYTHON_MODULE, "config.server", "config.asgi:application"),
        *("--interface", "asginl", "--loop", "uvloop", "--http", "1", "--no-ws"),
        *("--backlog", "1024", "--backpressure", str(MOST_CONNECTIONS)),
        *("--host", address.host, "--port", str(address.port)),
        *("--workers", str(workers), "--workers-kill-timeout", "5"),
        # Else the end of one would end all; one that cannot start at all ends the server even so.
        "--respawn-failed-workers",
    ]


def worker(data: Path, environment: Mapping[str, str], *, has_schedule: bool = False) -> Program:
    """The worker that runs what is queued, and with `has_schedule` queues what is done regularly.

    It has a process more than one business account may have jobs running unless told otherwise (2),
    so that two long ones do not keep all others waiting.
    """
    processes = max(_processors(), 2) + 1
    command = [
        *(*PYTHON_MODULE, "config.jobs", "worker"),
        *("--concurrency", str(number("KITH_WORKER_CONCURRENCY", processes))),
        *(("--schedule", _schedule(data)) if has_schedule else ()),
    ]
    # A warm stop lets tasks end; what is cut off is done again by its lease.
    return Program("worker", command, environment, data / "log" / "worker.log", stop_seconds=15.0)


def beat(data: Path, environment: Mapping[str, str]) -> Program:
    """The scheduler of what is done regularly, beside several workers."""
    command = [*PYTHON_MODULE, "config.jobs", "beat", "--schedule", _schedule(data)]
    return Program("beat", command, environment, data / "log" / "beat.log")


def _schedule(data: Path) -> str:
    return str(data / "celerybeat-schedule")


def number(name: str, default: int) -> int:
    """The positive whole number in variable `name`. Raises StackError."""
    text = os.environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise StackError(f"{name} must be a positive whole number, not {text!r}")
    return int(text)


def _processors() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    found = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return min(found, MOST_PROCESSES)

"""What a running registry consists of: its variables, servers, web, worker and scheduler.

`./kith` gives every program the same variables (`contract`); with `DATABASE_URL` or `REDIS_URL`
set by the user, that server is not started here. Does not import Django.
"""

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
from config.launcher.servers import Postgres, Valkey, server_environment, start
from config.launcher.supervisor import Supervisor

# One process per processor, while the database's connections last on a large machine.
MOST_PROCESSES = 16
# Of one process of the web server.
MOST_CONNECTIONS = 8192
LOCAL_ADDRESS = "127.0.0.1"
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound to
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
            raise StackError(
                f"cannot listen on {self.host} port {self.port}: {error.strerror};"
                " choose another port with --port N"
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
    made = {
        "DATABASE_URL": Postgres(data, sockets).url,
        "REDIS_URL": Valkey(data, sockets).url,
    }
    return {name: url for name, url in made.items() if not is_given(name)}


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
        if line.startswith("  Applying"):
            if not applied:
                say("bringing the database's schema up to date")
            applied.append(line)

    migrated = supervisor.call([*MANAGE, "migrate", "--no-input"], environment, count)
    if migrated.code:
        raise StackError("the database could not be prepared; the reason stands above")
    if applied:
        say(f"the schema is up to date ({len(applied)} migrations)")


def create_demo(
    supervisor: Supervisor,
    data: Path,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> dict[str, str] | None:
    """Make the demo data at the first start; its credentials, which are known this once.

    None at later starts, and where the database has a demo of an earlier one. Raises StackError.
    """
    mark = data / "demo.json"
    if mark.exists():
        return None
    say("creating demo data")
    created = supervisor.call([*MANAGE, "create_demo", "--once"], environment)
    if created.code:
        raise StackError("the demo data could not be created; the reason stands above")
    credentials: dict[str, str] = json.loads(created.output)
    kept = {name: credentials[name] for name in ("login", "businessAccountId")}
    write_private(mark, json.dumps(kept))
    return credentials if "password" in credentials else None


def demo_login(data: Path, say: Callable[[str], None]) -> str | None:
    """The login of demo data that was made earlier; None where there is none."""
    mark = data / "demo.json"
    try:
        return str(json.loads(mark.read_text())["login"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        say(f"{mark} cannot be read and is ignored; `./kith manage create_demo` makes it anew")
        return None


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
        *(sys.executable, "-m", "config.server", "config.asgi:application"),
        *("--interface", "asginl", "--loop", "uvloop", "--http", "1", "--no-ws"),
        *("--backlog", "1024", "--backpressure", str(MOST_CONNECTIONS)),
        *("--host", address.host, "--port", str(address.port)),
        *("--workers", str(workers), "--workers-kill-timeout", "5"),
    ]


def worker(data: Path, environment: Mapping[str, str]) -> Program:
    """The worker that runs what is queued.

    It has a process more than one business account may have jobs running unless told otherwise (2),
    so that two long ones do not keep all others waiting.
    """
    processes = max(_processors(), 2) + 1
    command = [
        *(sys.executable, "-m", "celery", "-A", "config", "worker"),
        *("--concurrency", str(number("KITH_WORKER_CONCURRENCY", processes))),
        *("--loglevel", "info", "--without-gossip", "--without-mingle"),
    ]
    # A warm stop lets tasks end; what is cut off is done again by its lease.
    return Program("worker", command, environment, data / "log" / "worker.log", stop_seconds=15.0)


def beat(data: Path, environment: Mapping[str, str]) -> Program:
    """The scheduler of what is done regularly."""
    command = [
        *(sys.executable, "-m", "celery", "-A", "config", "beat", "--loglevel", "info"),
        *("--schedule", str(data / "celerybeat-schedule")),
    ]
    return Program("beat", command, environment, data / "log" / "beat.log")


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

"""A registry of its own, as `./kith up` runs it, with two workers and a proxy before servers."""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from config.launcher import stack
from config.launcher.instance import new_secrets
from config.launcher.programs import Program, Restarts
from config.launcher.servers import APP, Postgres, Valkey
from config.launcher.stack import Address
from config.launcher.supervisor import Supervisor
from tests.chaos import proxy

READY_SECONDS = 120
# A worker that died has lost its jobs soon; with the default a run would mostly wait.
SETTINGS = {
    "KITH_JOB_LEASE_SECONDS": "3",
    "KITH_JOB_STOP_SECONDS": "1",
    "KITH_STATEMENT_SECONDS": "4",
    "KITH_WEB_WORKERS": "2",
    "KITH_WORKER_CONCURRENCY": "2",
    "KITH_LOADER_PROCESSES": "2",
    "KITH_SEARCH_SESSIONS": "2",
}
GIVEN = (
    "KITH_",
    "PG",
    "DATABASE_URL",
    "REDIS_URL",
    "SEARCH_DATABASE_URL",
    "READ_DATABASE_URL",
    "EMAIL_URL",
)


def patient() -> Restarts:
    """Here programs die very often, and are started again at once each time."""
    return Restarts(limit=sys.maxsize, window=0.1)


def own_environment() -> dict[str, str]:
    """The environment without what a user has set for a registry."""
    return {name: text for name, text in os.environ.items() if not name.startswith(GIVEN)}


def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens."""
    with ExitStack() as stack_of_sockets:
        found = [stack_of_sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in found:
            each.bind((proxy.ADDRESS, 0))
        return [each.getsockname()[1] for each in found]


class Registry:
    """PostgreSQL, Valkey, web, two workers and scheduler, on data of their own in `data`.

    `environment` is that of its programs, which reach the servers through the proxy; `direct` leads
    to the servers themselves, as the owner of the tables. With row-level security the programs are
    another role, which the database confines once `prepare` of `checks` has told it so.
    """

    def __init__(
        self, data: Path, sockets: Path, supervisor: Supervisor, *, is_confined: bool = False
    ) -> None:
        self.data = data
        self.is_confined = is_confined
        self.supervisor = supervisor
        self.control = sockets / "proxy"
        ports = free_ports(4)
        self.web, self.front, self.database, self.broker = ports
        self.postgres = Postgres(data, sockets)
        self.valkey = Valkey(data, sockets)
        made = stack.contract(data, new_secrets(), f"http://127.0.0.1:{self.front}")
        self.direct = own_environment() | made | stack.urls(data, sockets) | SETTINGS
        self.environment = self.direct | {
            "DATABASE_URL": f"postgresql://{self.role}@127.0.0.1:{self.database}/kith",
            "REDIS_URL": f"redis://127.0.0.1:{self.broker}/0",
        }
        if is_confined:
            self.environment[stack.ROW_SECURITY] = "1"

    @property
    def role(self) -> str:
        """As whom web and worker connect."""
        return APP if self.is_confined else "kith"

    def start(self, say: Callable[[str], None]) -> None:
        """Bring the servers and the proxy up, empty. Raises what `config.launcher` raises."""
        stack.start_servers(self.supervisor, self.data, self.control.parent, say)
        if self.is_confined:
            self.postgres.create_role()
        self.supervisor.start(self.proxy())

    def proxy(self) -> Program:
        """The proxy with its routes."""
        routes = (
            f"database={self.database}={self.control.parent}/.s.PGSQL.5432",
            f"broker={self.broker}={self.valkey.socket}",
            f"web={self.front}={self.web}",
        )
        command = [sys.executable, "-m", proxy.__name__, str(self.control), *routes]
        return Program("proxy", command, self.direct, self.data / "log" / "proxy.log")

    def programs(self) -> Iterator[Program]:
        """What `up` runs beside the servers, with a second worker."""
        web = stack.web(Address(proxy.ADDRESS, self.web), self.data, self.environment)
        # What `stack.web` makes is by the variables of this process.
        yield replace(web, command=stack.web_command(Address(proxy.ADDRESS, self.web), 2))
        for number in (1, 2):
            worker = stack.worker(self.data, self.environment)
            command = [*worker.command, "--hostname", f"{number}@%h"]
            command[command.index("--concurrency") + 1] = SETTINGS["KITH_WORKER_CONCURRENCY"]
            log = self.data / "log" / f"worker-{number}.log"
            yield replace(worker, name=f"worker {number}", command=command, log=log)
        yield replace(stack.beat(self.data, self.environment), name="scheduler")

    def missing_parts(self) -> list[str]:
        """The parts that are not well, as `/readyz` says."""
        return Address(proxy.ADDRESS, self.front).missing_parts()

    def is_ready(self) -> bool:
        """Whether every part is well."""
        return not self.missing_parts()

    def remove(self) -> None:
        """Delete all of its files."""
        shutil.rmtree(self.data, ignore_errors=True)

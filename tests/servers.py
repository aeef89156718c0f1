"""Servers as companies run them beside Kith: PgBouncer, RabbitMQ, and a replica of the database.

One of each for the tests of a module, made when the first one asks for it, and ended after the last
one: a replica would do again all that later tests write.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest
from django.db import connection
from kombu.connection import Connection as BrokerConnection

from config.launcher.checks import program_for
from config.launcher.privileges import unprivileged_prefix
from config.launcher.programs import die_with_parent
from config.launcher.servers import postgres_binaries, server_environment
from config.launcher.tuning import postgres_options
from tests.workers import until

PORT = 5432  # names the socket files; nothing of PostgreSQL listens on TCP
# So many sessions of PostgreSQL are shared by all who come through the pooler.
POOLED = 6


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Server:
    """A program that listens, with all its files in a folder of its own."""

    stop_signal = signal.SIGINT

    def __init__(self, name: str) -> None:
        # Not pytest's folder: the path of a socket may have 107 bytes.
        self.folder = Path(mkdtemp(prefix=f"kith-{name}-"))
        self.log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        return server_environment()

    def answers(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,  # where RabbitMQ leaves what it tells of a crash
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 -- of our own
            )
        try:
            until(self._answers_or_died, 60)
            assert self._process.poll() is None
        except AssertionError:
            sys.stderr.write(self.log.read_text(errors="replace"))
            raise

    def _answers_or_died(self) -> bool:
        return self._process.poll() is not None or self.answers()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        os.killpg(self._process.pid, number)

    def stop(self, number: signal.Signals | None = None) -> None:
        """End it, with SIGKILL if told so, and wait until it has ended."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number or self.stop_signal)
            self._process.wait(60)
            with suppress(ProcessLookupError):
                self.send(signal.SIGKILL)
            self._process = None

    def start_again(self) -> None:
        """Start it unless it runs, for the tests that follow."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def restart(self, number: signal.Signals | None = None) -> None:
        """End it likewise, and start it again."""
        self.stop(number)
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """While it is entered, the server accepts connections and says nothing."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)

    @contextmanager
    def running(self) -> Iterator["Server"]:
        try:
            self.start()
            yield self
        finally:
            self.stop()
            shutil.rmtree(self.folder, ignore_errors=True)


class Pooler(Server):
    """PgBouncer in transaction mode before the database of the tests."""

    def __init__(self) -> None:
        super().__init__("pooler")
        self.program = program_for("pgbouncer")
        self.settings = self.folder / "pgbouncer.ini"
        self.settings.write_text(
            f"""
            [databases]
            * = host={connection.settings_dict["HOST"]} port={PORT} user=kith
            [pgbouncer]
            listen_addr =
            listen_port = {PORT}
            unix_socket_dir = {self.folder}
            auth_type = any
            pool_mode = transaction
            default_pool_size = {POOLED}
            max_client_conn = 500
            """
        )

    def command(self) -> Sequence[str]:
        return [
            *unprivileged_prefix(Path(self.program), self.folder),
            self.program,
            str(self.settings),
        ]

    def connect(self) -> "psycopg.Connection[psycopg.rows.TupleRow]":
        """A session for each transaction, of the database of this test."""
        name = connection.settings_dict["NAME"]
        return psycopg.connect(
            host=str(self.folder), port=PORT, user="kith", dbname=name, prepare_threshold=None
        )

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError), self.connect():
            return True
        return False

    def variables(self) -> dict[str, str]:
        """What leads a program to the database of this test through the pooler."""
        name = connection.settings_dict["NAME"]
        return {
            "DATABASE_URL": f"postgresql:///{name}?host={self.folder}&port={PORT}&user=kith",
            "KITH_PREPARED_STATEMENTS": "0",
        }


class Rabbit(Server):
    """RabbitMQ as Debian packs it, with a port mapper of its own."""

    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        super().__init__("rabbit")
        self.port = free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        # RabbitMQ takes back what is not acknowledged in this time; its own limit is half an hour.
        (self.folder / "rabbitmq.conf").write_text("consumer_timeout = 4000\n")
        self._names = {
            "HOME": str(self.folder),
            # Its script then becomes the server, instead of one that waits for it.
            "RUNNING_UNDER_SYSTEMD": "1",
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"kith-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            # One scheduler that does not spin, on a machine that has other work; and the limit
            # above is looked at each second instead of each minute.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -rabbit channel_tick_interval 1000"
            ),
        }

    def command(self) -> Sequence[str]:
        return [program_for("rabbitmq")]

    def environment(self) -> Mapping[str, str]:
        return server_environment() | self._names

    def answers(self) -> bool:
        with suppress(OSError), BrokerConnection(self.url, connect_timeout=5) as broker:
            broker.connect()
            return True
        return False

    @contextmanager
    def running(self) -> Iterator["Rabbit"]:
        # Else the first node would start one that outlives it.
        mapper = subprocess.Popen(
            ["epmd"],
            env=self.environment(),
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 -- as above
        )
        try:
            with super().running():
                yield self
        finally:
            mapper.kill()
            mapper.wait()


class Replica(Server):
    """A streaming replica of the database of the tests, or of another server's, made of a backup.

    `options` are more settings of its own; a primary knows it by `name`.
    """

    def __init__(self, source: Server | None = None, name: str = "replica", **options: str) -> None:
        super().__init__(name)
        self.cluster = self.folder / "cluster"
        self._options = options
        host = connection.settings_dict["HOST"] if source is None else source.folder
        subprocess.run(
            [
                *(str(postgres_binaries() / "pg_basebackup"), "--pgdata", str(self.cluster)),
                *("--dbname", f"host={host} port={PORT} user=kith application_name={name}"),
                *("--checkpoint", "fast", "--write-recovery-conf", "--no-sync"),
            ],
            env=server_environment(),
            check=True,
        )

    def command(self) -> Sequence[str]:
        options = postgres_options(self.cluster, durable=False) | {
            "unix_socket_directories": str(self.folder),
            "hot_standby_feedback": "on",
            "shared_buffers": "32MB",
            **self._options,
        }
        postgres = postgres_binaries() / "postgres"
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [
            *unprivileged_prefix(postgres, self.cluster),
            *(str(postgres), "-D", str(self.cluster), "-p", str(PORT), *words),
        ]

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            self.ask("SELECT 1")
            return True
        return False

    def die(self) -> None:
        """Be gone at once, with all its processes, each of which is of a session of its own."""
        postmaster = self._process.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        self._process.kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        self._process.wait(60)

    def ask(self, query: str) -> object:
        """The one value of a query, by a session of its own."""
        name = connection.settings_dict["NAME"]
        with psycopg.connect(host=str(self.folder), port=PORT, user="kith", dbname=name) as session:
            return session.execute(query).fetchone()[0]

    @contextmanager
    def behind(self) -> Iterator[None]:
        """While it is entered, what is committed does not show in the replica."""
        self.ask("SELECT pg_wal_replay_pause()")
        until(partial(self.ask, "SELECT pg_get_wal_replay_pause_state() = 'paused'"))
        try:
            yield
        finally:
            self.ask("SELECT pg_wal_replay_resume()")


@pytest.fixture(scope="module")
def pooler(django_db_setup) -> Iterator[Pooler]:
    with Pooler().running() as server:
        yield server


@pytest.fixture(scope="module")
def rabbit() -> Iterator[Rabbit]:
    with Rabbit().running() as server:
        yield server


@pytest.fixture(scope="module")
def replica(django_db_setup) -> Iterator[Replica]:
    with Replica().running() as server:
        yield server

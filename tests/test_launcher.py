"""`./kith`: the servers that start by themselves, and the supervisor that keeps things running."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from config.launcher import __main__ as launcher
from config.launcher import given, privileges, stack
from config.launcher.guard import CHECKOUT
from config.launcher.instance import BusyError, Instance, InstanceError
from config.launcher.servers import (
    EmbeddedError,
    Postgres,
    Valkey,
    socket_directory,
    sockets_of,
    start,
)
from config.launcher.stack import Address, StackError
from config.launcher.supervisor import Supervisor
from config.launcher.tuning import wal_size

OWN_VARIABLES = (
    "KITH_",
    "PG",
    "DATABASE_URL",
    "REDIS_URL",
    "SEARCH_DATABASE_URL",
    "READ_DATABASE_URL",
)
LAUNCHER = (sys.executable, "-m", "config.launcher")

# Stands in for the whole product where only `./kith` itself is looked at.
TOY_MANAGE = """
import json, os, sys
if sys.argv[1] == "report":
    kept = ("DATABASE_URL", "REDIS_URL", "KITH_DATA", "KITH_SECRET_KEY")
    print(json.dumps({"directory": os.getcwd()} | {name: os.environ[name] for name in kept}))
    sys.exit(5)
"""


@pytest.fixture
def said() -> list[str]:
    """What was said to the user."""
    return []


@pytest.fixture
def supervisor(said):
    with Supervisor(said.append) as supervisor:
        yield supervisor


@pytest.fixture
def sockets(tmp_path):
    with sockets_of(tmp_path) as directory:
        yield directory


@pytest.fixture
def untouched(monkeypatch) -> None:
    """A user who has set nothing of ours."""
    for name in os.environ:
        if name.startswith(OWN_VARIABLES):
            monkeypatch.delenv(name)


# --- Servers --------------------------------------------------------------------------------------


def test_the_servers_keep_their_data_over_a_stop_and_a_start(tmp_path, sockets, said):
    postgres, valkey = Postgres(tmp_path, sockets), Valkey(tmp_path, sockets)
    assert postgres.prepare()
    valkey.prepare()
    with Supervisor(said.append) as supervisor:
        start(supervisor, postgres)
        start(supervisor, valkey)
        postgres.create_database()
        with psycopg.connect(postgres.url) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            (log_size,) = connection.execute(
                "SELECT pg_size_bytes(current_setting('max_wal_size'))"
            ).fetchone()
            assert GB <= log_size <= 16 * GB
            connection.execute("CREATE EXTENSION pg_trgm")
            connection.execute("CREATE TABLE kept AS SELECT 'Ångström' AS name")
        redis.Redis.from_url(valkey.url).set("kept", "yes")

    assert not postgres.prepare()
    with Supervisor(said.append) as supervisor:
        start(supervisor, postgres)
        start(supervisor, valkey)
        postgres.create_database()
        with psycopg.connect(postgres.url) as connection:
            assert connection.execute("SELECT lower(name) FROM kept").fetchone() == ("ångström",)
        assert redis.Redis.from_url(valkey.url).get("kept") == b"yes"
    assert said == []


GB = 1024**3


@pytest.mark.parametrize(
    ("free", "size"), [(0, GB), (10 * GB, 2 * GB), (40 * GB, 8 * GB), (1000 * GB, 16 * GB)]
)
def test_the_log_of_changes_takes_a_share_of_the_disk_and_never_more_than_16_gigabytes(free, size):
    assert wal_size(free) == size


def test_a_killed_database_comes_back_though_one_of_its_processes_does_not_end(
    tmp_path, sockets, supervisor, said
):
    """As one that waits for a lock of another that was killed as well."""
    postgres = Postgres(tmp_path, sockets)
    postgres.prepare()
    start(supervisor, postgres)
    postgres.create_database()
    with psycopg.connect(postgres.url) as connection:
        os.kill(connection.info.backend_pid, signal.SIGSTOP)
        os.kill(supervisor.running("postgres"), signal.SIGKILL)
        assert supervisor.wait_until(lambda: "postgres started again" in said, 30)
    assert supervisor.wait_until(postgres.is_ready, 30)


def test_a_killed_database_comes_back_with_all_data(tmp_path, sockets, supervisor, said):
    postgres = Postgres(tmp_path, sockets)
    postgres.prepare()
    # Left by a dead postmaster whose process id now belongs to another program.
    (postgres.cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.cluster}\n")
    start(supervisor, postgres)
    postgres.create_database()
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    os.kill(supervisor.running("postgres"), signal.SIGKILL)
    assert supervisor.wait_until(lambda: "postgres started again" in said, 30)
    assert supervisor.wait_until(postgres.is_ready, 30)
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_sockets_are_for_their_owner_alone(sockets):
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700


def test_a_socket_directory_that_somebody_else_laid_out_is_refused(tmp_path, sockets):
    sockets.rmdir()
    sockets.symlink_to(tmp_path)
    with pytest.raises(EmbeddedError, match="belongs to somebody else"):
        socket_directory(tmp_path)
    sockets.unlink()
    sockets.mkdir()


def test_a_cluster_of_another_major_version_is_refused(tmp_path, sockets):
    postgres = Postgres(tmp_path, sockets)
    postgres.cluster.mkdir()
    (postgres.cluster / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 12"):
        postgres.prepare()


def test_postgresql_never_runs_as_root(tmp_path):
    directory = tmp_path / "closed" / "data"
    for closed in (directory.parent, directory):
        closed.mkdir(mode=0o700)
    binary = Path(sys.executable)
    working = [way for way in privileges.ways() if way.works(binary, directory)]
    assert working
    for way in working:
        command = [*way.prefix, "sh", "-c", "id -u"]
        who = subprocess.run(command, capture_output=True, text=True, check=True)
        assert who.stdout.strip() != "0"


# --- A data directory -----------------------------------------------------------------------------


def test_a_second_holder_is_refused_by_the_name_of_the_first(tmp_path, said):
    with (
        Instance(tmp_path).lock("up", said.append),
        pytest.raises(BusyError, match=rf"`./kith up` \(process {os.getpid()}\)"),
        Instance(tmp_path).lock("up", said.append),
    ):
        pytest.fail("two holders")
    with Instance(tmp_path).lock("manage", said.append) as lock:
        assert not lock.after_crash


def test_the_holder_tells_others_how_to_reach_its_servers(tmp_path, said, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere")
    monkeypatch.delenv("REDIS_URL", raising=False)
    with Instance(tmp_path).lock("up", said.append) as lock:
        assert not Instance(tmp_path).holder().environment
        lock.publish({"REDIS_URL": "unix:///run/x"})
        holder = Instance(tmp_path).holder()
        assert holder.environment == {"REDIS_URL": "unix:///run/x"}
        assert "DATABASE_URL" in holder.given
        assert "REDIS_URL" not in holder.given
    assert Instance(tmp_path).holder() is None


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path):
    made = Instance(tmp_path).secrets()
    assert Instance(tmp_path).secrets() == made
    assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600
    assert set(made) == {"KITH_SECRET_KEY", "KITH_ENCRYPTION_KEYS", "KITH_BLIND_INDEX_KEY"}


def test_lost_secrets_of_a_database_are_not_replaced(tmp_path):
    (tmp_path / "postgres").mkdir()
    with pytest.raises(InstanceError, match=r"secrets\.env is missing"):
        Instance(tmp_path).secrets()
    assert not (tmp_path / "secrets.env").exists()


def test_keys_are_not_made_for_a_database_that_holds_data(tmp_path):
    """An empty data directory beside somebody's database must not bring keys of its own."""
    with pytest.raises(InstanceError, match=r"holds data, and .*secrets\.env.*KITH_DATA"):
        Instance(tmp_path).secrets(has_data_elsewhere=True)
    assert not (tmp_path / "secrets.env").exists()
    Instance(tmp_path).secrets()
    assert Instance(tmp_path).secrets(has_data_elsewhere=True)


# --- Servers that the user gave -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DATABASE_URL", "mysql://root:topsecret@db/kith", "must begin with postgresql://"),
        ("DATABASE_URL", "postgresql://kith:topsecret@[/kith", "is not a PostgreSQL URL"),
        ("DATABASE_URL", "postgresql://kith:topsecret@nowhere.invalid/kith", "cannot be used"),
        ("DATABASE_URL", "postgresql://kith@/kith?host=/nowhere", "cannot be used"),
        ("REDIS_URL", "http://user:topsecret@cache", "must begin with redis://"),
        ("REDIS_URL", "redis://user:topsecret@nowhere.invalid:6379/0", "cannot be used"),
        ("REDIS_URL", "unix:///nowhere.sock?db=0", "cannot be used"),
    ],
)
def test_a_given_server_that_cannot_be_used_is_told_in_one_line_without_its_password(
    variable, value, said, untouched, monkeypatch, tmp_path, capfd
):
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("KITH_DATA", str(tmp_path))
    assert launcher.main(["up", "--port", "1"]) == 1
    told = capfd.readouterr()
    (line,) = told.err.splitlines()
    assert variable in line
    assert said in line
    assert "topsecret" not in told.err + told.out
    assert not (tmp_path / "secrets.env").exists()


def test_a_missing_database_is_named(untouched, monkeypatch, tmp_path, sockets, supervisor, capfd):
    postgres = Postgres(tmp_path, sockets, durable=False)
    postgres.prepare()
    start(supervisor, postgres)
    monkeypatch.setenv("DATABASE_URL", postgres.url)
    with pytest.raises(given.GivenError, match='database "kith" does not exist'):
        given.check_servers()
    postgres.create_database()
    assert not given.check_servers()
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE django_migrations ()")
    assert given.check_servers()


# --- What is started ------------------------------------------------------------------------------


def test_what_the_user_gave_is_used_and_no_other_postgresql_variable():
    given = {"PGPORT": "6543", "REDIS_URL": "redis://mine", "KITH_SECRET_KEY_FILE": "/run/s"}
    made = {"DATABASE_URL": "made", "REDIS_URL": "made", "KITH_SECRET_KEY": "made"}
    assert stack.with_given(made, given) == {
        "DATABASE_URL": "made",
        "REDIS_URL": "redis://mine",
        "KITH_SECRET_KEY_FILE": "/run/s",
    }
    own_database = {"PGSSLMODE": "require", "DATABASE_URL": "postgresql://mine"}
    assert stack.with_given(made, own_database)["PGSSLMODE"] == "require"


def test_web_and_worker_do_not_learn_how_to_connect_as_the_owner(untouched, monkeypatch, tmp_path):
    owner = Postgres(tmp_path, tmp_path).url
    assert stack.urls(tmp_path, tmp_path)["DATABASE_URL"] == owner
    monkeypatch.setenv("KITH_ROW_SECURITY", "1")
    made = stack.urls(tmp_path, tmp_path)
    assert made["KITH_OWNER_DATABASE_URL"] == owner
    assert "kith_app@" in made["DATABASE_URL"]
    assert owner not in stack.without_owner(made).values()
    # Commands from another shell learn it from the running registry.
    assert made["KITH_ROW_SECURITY"] == "1"
    monkeypatch.setenv("DATABASE_URL", "postgresql:///theirs")
    assert stack.urls(tmp_path, tmp_path).keys() == {"REDIS_URL", "KITH_ROW_SECURITY"}


def test_a_taken_port_is_said_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(StackError, match=f"port {address.port}: Address already in use"):
            address.check_free()
    address.check_free()


@pytest.mark.parametrize("text", ["none", "0", "-1", "1.5", "٣"])
def test_a_bad_number_is_named(text, monkeypatch):
    monkeypatch.setenv("KITH_WEB_WORKERS", text)
    with pytest.raises(StackError, match="KITH_WEB_WORKERS must be a positive whole number"):
        stack.number("KITH_WEB_WORKERS", 2)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("KITH_PORT", "http", "'http' is not a port from 1 to 65535"),
        ("KITH_PORT", "65536", "'65536' is not a port from 1 to 65535"),
        ("KITH_HOST", "not.a.host.invalid", "KITH_HOST"),
        ("KITH_HOST", "192.0.2.1", "KITH_HOST"),
        ("KITH_DEMO", "maybe", "KITH_DEMO must be 1 or 0"),
        ("DATABASE_URL_FILE", "/nowhere", "DATABASE_URL_FILE names /nowhere"),
        ("REDIS_URL_FILE", "/dev/null", "REDIS_URL_FILE names /dev/null, which is empty"),
    ],
)
def test_up_with_a_bad_setting_of_its_own_starts_nothing(name, text, told, tmp_path):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(OWN_VARIABLES)}
    done = subprocess.run(
        [sys.executable, "-m", "config.launcher", "up", "--data", tmp_path / "data"],
        cwd=CHECKOUT,
        env=kept | {"KITH_PORT": "18999", name: text},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode, done.stdout
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "database" not in done.stdout


@pytest.mark.parametrize(("cores", "processes"), [(1, "3"), (2, "3"), (8, "9")])
def test_a_worker_has_a_process_more_than_an_account_may_have_jobs(
    cores, processes, tmp_path, monkeypatch
):
    monkeypatch.delenv("KITH_WORKER_CONCURRENCY", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(cores)), raising=False)
    command = stack.worker(tmp_path, {}).command
    assert command[command.index("--concurrency") + 1] == processes


def test_the_development_lock_holds_every_pin_of_the_other():
    pins = [
        set(re.findall(r"^[\w.-]+==\S+", (CHECKOUT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0] < pins[1]


# --- The commands ---------------------------------------------------------------------------------


def test_kith_runs_in_a_path_with_spaces_and_where_the_caller_stands(tmp_path, untouched):
    checkout = tmp_path / "my registry"
    (checkout / ".venv/bin").mkdir(parents=True)
    shutil.copytree(CHECKOUT / "config", checkout / "config")
    for name in ("kith", "requirements.lock"):
        shutil.copy(CHECKOUT / name, checkout / name)
    (checkout / "manage.py").write_text(TOY_MANAGE)
    interpreter = checkout / ".venv/bin/python"
    interpreter.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    interpreter.chmod(0o755)
    with (checkout / "requirements.lock").open("rb") as lock:
        stamp = subprocess.run(["cksum"], stdin=lock, capture_output=True, check=True).stdout
    (checkout / ".venv/requirements.stamp").write_bytes(stamp)
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()

    done = subprocess.run(
        [checkout / "kith", "manage", "report"],
        cwd=elsewhere,
        env=os.environ | {"KITH_DATA": "my data"},
        stdout=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 5
    report = json.loads(done.stdout)
    assert report["directory"] == str(elsewhere)
    assert report["KITH_DATA"] == str(elsewhere / "my data")
    assert report["KITH_SECRET_KEY"] in (elsewhere / "my data/secrets.env").read_text()


@pytest.mark.parametrize(
    "command",
    [
        *("up", "setup", "test", "manage", "run", "backup", "restore", "bench", "chaos", "fuzz"),
        *("licences", "sbom", "audit", "lock", "help"),
    ],
)
def test_help_tells_of_every_command(command):
    done = subprocess.run([CHECKOUT / "kith"], capture_output=True, text=True, check=True)
    assert re.search(rf"^  {command} ", done.stdout, re.MULTILINE)


def test_an_unknown_command_is_refused(capfd):
    assert launcher.main(["upp"]) == 2
    assert "no such command: upp" in capfd.readouterr().err

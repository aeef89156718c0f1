"""`./kith up` as a whole: what it says and when, what it survives, and how it stops."""

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

import psycopg
import pytest
from django.db import connection

from config.launcher import __main__ as launcher
from config.launcher.guard import CHECKOUT
from config.launcher.instance import SECRET_NAMES
from tests.servers import free_port
from tests.workers import until

OWN_VARIABLES = (
    "KITH_",
    "PG",
    "DATABASE_URL",
    "REDIS_URL",
    "SEARCH_DATABASE_URL",
    "READ_DATABASE_URL",
)
LAUNCHER = (sys.executable, "-m", "config.launcher")

FIND_KEPT_BANK = """
from customers.models import BusinessAccount
print(BusinessAccount.objects.get(name="Kept Bank").pk)
# Whom web and worker connect as, beside this program.
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute(
        "SELECT array_agg(DISTINCT usename::text) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    print(cursor.fetchone()[0])
"""


@pytest.fixture
def given() -> dict[str, str]:
    """The servers and keys that these tests have."""
    return {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL", *SECRET_NAMES)}


@pytest.fixture
def untouched(given, monkeypatch, tmp_path) -> None:
    """A user who has set nothing of ours but where the data is."""
    for name in os.environ:
        if name.startswith(OWN_VARIABLES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KITH_DATA", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("KITH_WEB_WORKERS", "x"), ("KITH_WORKER_CONCURRENCY", "0"), ("KITH_BODY_SECONDS", "soon")],
)
def test_a_bad_setting_ends_up_before_servers_and_migrations(
    variable, value, untouched, monkeypatch, tmp_path, capfd
):
    monkeypatch.setenv(variable, value)
    assert launcher.main(["up", "--port", str(free_port())]) == 1
    told = capfd.readouterr()
    # Which variable it is, and what it may be.
    assert re.search(rf"{variable}.* must be|{variable}.* needs", told.err + told.out)
    for server in ("postgres", "valkey", "redis"):
        assert not (tmp_path / "data" / server).exists()


@pytest.fixture
def own_database(db, given) -> Iterator[str]:
    """The URL of an empty database beside that of the tests."""
    name = "kith_up"
    with psycopg.connect(**connection.get_connection_params() | {"dbname": "postgres"}) as session:
        session.autocommit = True
        session.execute(
            f"CREATE DATABASE {name} TEMPLATE {os.environ.get('TEST_TEMPLATE', 'template0')}"
        )
        yield re.sub(r"(?<=/)\w+(?=\?|$)", name, given["DATABASE_URL"], count=1)
        session.execute(f"DROP DATABASE {name} WITH (FORCE)")


def ready(port: int) -> tuple[int, dict[str, str]]:
    """The answer of `/readyz`; 0 while nobody answers."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    try:
        asked.request("GET", "/readyz")
        answer = asked.getresponse()
        return answer.status, json.loads(answer.read())["parts"]
    except OSError:
        return 0, {}
    finally:
        asked.close()


@pytest.mark.long
def test_ready_is_said_once_every_part_is_and_a_given_database_gets_no_demo(
    own_database, given, untouched, tmp_path
):
    port = free_port()
    kept, broker = re.match(r"unix://([^?]+)", given["REDIS_URL"]).group(1), tmp_path / "broker"
    broker.symlink_to(kept)
    environ = os.environ | given
    environ |= {
        "DATABASE_URL": own_database,
        "REDIS_URL": f"unix://{broker}?db=9",
        "KITH_WEB_WORKERS": "1",
        "KITH_WORKER_CONCURRENCY": "1",
    }
    lines: list[str] = []
    command = [*LAUNCHER, "up", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environ, stdout=subprocess.PIPE, text=True
    ) as process:

        def read() -> None:
            for line in process.stdout:
                lines.append(line)
                # Before they are there: none of them has a connection yet.
                if "starting web" in line:
                    broker.unlink()

        reader = threading.Thread(target=read)
        reader.start()
        try:
            until(lambda: ready(port)[0] == 503)
            assert ready(port)[1]["broker"] != "ok"
            assert not any("ready:" in line for line in lines)
            broker.symlink_to(kept)
            until(lambda: any("stop with Ctrl-C" in line for line in lines))
            assert ready(port)[0] == 200
        finally:
            process.terminate()
            reader.join()
    said = "".join(lines)
    assert f"ready: http://127.0.0.1:{port}" in said
    assert "your own business account, login and key: " in said
    assert not re.search(r"^  (login|password|API key) ", said, re.MULTILINE)
    with psycopg.connect(own_database) as session:
        assert session.execute("SELECT count(*) FROM customers_businessaccount").fetchone() == (0,)
    assert not Path(tmp_path / "data/demo.json").exists()


def sign_in(port: int, login: str, password: str) -> str:
    """Where a browser stands that has sent the form of the back office."""
    cookies = HTTPCookieProcessor()
    browser = build_opener(ProxyHandler({}), cookies)
    address = f"http://127.0.0.1:{port}/admin/login/?next=/admin/"
    with browser.open(address, timeout=60):
        token = next(each.value for each in cookies.cookiejar if each.name == "csrftoken")
    form = {"username": login, "password": password, "csrfmiddlewaretoken": token}
    sent = Request(address, urlencode(form).encode(), {"Referer": address})
    with browser.open(sent, timeout=60) as answer:
        return str(answer.url)


def exchanged(port: int, key: str, secret: str) -> dict[str, str]:
    """What an API key is exchanged for."""
    basic = b64encode(f"{key}:{secret}".encode()).decode()
    sent = Request(
        f"http://127.0.0.1:{port}/v1/api-keys/exchange", b"", {"Authorization": f"Basic {basic}"}
    )
    with build_opener(ProxyHandler({})).open(sent, timeout=60) as answer:
        return json.load(answer)


@pytest.mark.long
def test_the_registry_comes_up_survives_being_killed_and_stops(tmp_path, untouched, monkeypatch):
    port = free_port()
    monkeypatch.setenv("KITH_WEB_WORKERS", "1")
    monkeypatch.setenv("KITH_WORKER_CONCURRENCY", "1")
    command = [*LAUNCHER, "up", "--port", str(port)]

    def up(*more: str, **given: dict[str, str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*command, *more], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, **given
        )

    def read_until_ready(process: "subprocess.Popen[str]") -> list[str]:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "stop with Ctrl-C" in line:
                break
        assert f"ready: http://127.0.0.1:{port}\n" in lines, lines
        return lines

    with up() as first:
        lines = read_until_ready(first)
        kept = (tmp_path / "data/demo.json").read_text()
        assert sum("Applying" in line for line in lines) == 0
        children = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
        names = b"\n".join(Path(f"/proc/{child}/cmdline").read_bytes() for child in children)
        assert b"kith web" in names
        assert b"fork_server" not in names
        shown = dict(
            re.findall(r"^  (login|password|API key|secret) +(\S+)$", "".join(lines), re.MULTILINE)
        )
        assert len(shown) == 4
        assert shown["secret"] not in kept
        assert shown["password"] not in kept
        assert sign_in(port, shown["login"], shown["password"]).endswith("/admin/")
        assert exchanged(port, shown["API key"], shown["secret"])["access_token"]
        second = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert f"`./kith up` (process {first.pid}) is already running" in second.stderr
        made = subprocess.run(
            [*LAUNCHER, "manage", "create_business_account", "Kept Bank"],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            check=True,
        )
        assert json.loads(made.stdout)["id"]
        setup = ["setup", "--name", "Own Bank", "--region", "PT", "--email", "me@own.example"]
        own = subprocess.run(
            [*LAUNCHER, *setup, "--password-stdin"],
            cwd=CHECKOUT,
            input="a long enough one\n",
            capture_output=True,
            text=True,
            check=True,
        )
        assert set(json.loads(own.stdout)) == {"businessAccountId", "login", "key", "secret"}
        assert "/admin/; sign in as me@own.example" in own.stderr
        first.kill()

    # Whatever a crash or an editor left there.
    (tmp_path / "data/demo.json").write_text("{")
    elsewhere = {name: value for name, value in os.environ.items() if name != "KITH_DATA"}
    # From now on web and worker are confined by the database, which has data by now.
    elsewhere["KITH_ROW_SECURITY"] = "1"
    with up("--data", str(tmp_path / "data"), env=elsewhere) as again:
        lines = read_until_ready(again)
        # Other commands have to be told where.
        assert any(f"KITH_DATA={tmp_path / 'data'} ./kith setup" in line for line in lines)
        assert any("demo.json cannot be read and is ignored" in line for line in lines)
        assert not any("password" in line and shown["password"] in line for line in lines)
        found = subprocess.run(
            [*LAUNCHER, "manage", "shell", "--no-imports", "-c", FIND_KEPT_BANK],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            check=True,
        )
        told = found.stdout.decode().split()
        assert told == [json.loads(made.stdout)["id"], "['kith_app']"]
        proof = [*LAUNCHER, "manage", "check_isolation", "--only", "v1/api-keys"]
        proved = subprocess.run(proof, cwd=CHECKOUT, capture_output=True, text=True, check=True)
        assert "every answer is as the account tree allows" in proved.stdout
        again.terminate()
        rest = again.stdout.read()
    assert again.returncode == 0
    assert rest.endswith("kith: stopped\n")

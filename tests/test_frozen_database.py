"""A database that freezes: requests are refused after a while, and others do not wait for them."""

import json
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest
from django.db import connection

from config.launcher.guard import CHECKOUT
from tests import factories
from tests.chaos import proxy
from tests.served import answer_on, get, head, is_open, opened, wait_until, web

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("served_database"),
    pytest.mark.no_cover,
    pytest.mark.long,
]
# As many as the web process has threads.
MANY = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("frozen")


@pytest.fixture(scope="module")
def route(folder, served_database):
    """The URL of the database through a proxy, and what has the proxy pass or hold all back."""
    given = connection.settings_dict
    target = f"{given['HOST']}/.s.PGSQL.{given['PORT'] or 5432}"
    with socket.socket() as free:
        free.bind((proxy.ADDRESS, 0))
        port = free.getsockname()[1]
    control = folder / "control"
    command = [sys.executable, "-m", proxy.__name__, control, f"database={port}={target}"]
    with subprocess.Popen(command, cwd=CHECKOUT) as process:
        try:
            wait_until(control.exists)
            user = f"{given['USER']}@" if given["USER"] else ""
            url = f"postgresql://{user}{proxy.ADDRESS}:{port}/{given['NAME']}"
            yield url, lambda mode: proxy.tell(control, "database", mode)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def server(own_queue, folder, route):
    limits = {"KITH_WEB_THREADS": str(MANY), "KITH_STATEMENT_SECONDS": "4"}
    with web(own_queue, folder, DATABASE_URL=route[0], **limits) as address:
        yield address


@pytest.fixture(scope="module")
def owner(served_database):
    return factories.make_speaker(factories.make_business_account("House Bank"))


@pytest.fixture(scope="module")
def customer(owner):
    return factories.make_customer(owner.account)


def test_a_frozen_database_is_503_after_a_while_and_readyz_says_so_at_once(
    server, route, owner, customer
):
    _, tell = route
    path = f"/v1/customers/{customer.pk}"
    assert get(server, path, owner.token)[0] == 200
    tell("silence")
    # First in sessions that are there, then in those that nobody opens.
    for _ in range(2):
        with ExitStack() as clients:
            waiting = [
                clients.enter_context(opened(server, head("GET", path, owner.token)))
                for _ in range(MANY)
            ]
            assert get(server, "/healthz")[0] == 200
            status, _, body = get(server, "/readyz")
            assert (status, json.loads(body)["parts"]["database"]) == (503, "unavailable")
            assert all(is_open(each) for each in waiting), "it did not wait for less than they do"
            for each in waiting:
                status, headers, _ = answer_on(each)
                assert (status, headers["Retry-After"]) == (503, "5")
    tell("pass")
    wait_until(lambda: get(server, path, owner.token)[0] == 200)
    wait_until(lambda: json.loads(get(server, "/readyz")[2])["parts"]["database"] == "ok")

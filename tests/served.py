"""A real web server for tests, as `./kith up` starts it, on the test database."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from urllib.request import urlopen

import pytest
from django.core.management import call_command

from config.launcher.guard import CHECKOUT
from config.launcher.stack import Address, web_command
from tests.workers import environment

WAIT = 30
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def served_database(django_db_setup, django_db_blocker):
    """The test database as a server sees it: what is in it is committed, and gone at the end."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", verbosity=0, interactive=False)


def free_address() -> Address:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Address("127.0.0.1", free.getsockname()[1])


@contextmanager
def web(
    queue: str,
    data: Path,
    processes: int = 1,
    *,
    address: Address | None = None,
    prefix: Sequence[str] = (),
    **variables: str,
) -> Iterator[Address]:
    """Processes of it, with these further variables; its log is shown when the test fails.

    `prefix` stands before its command.
    """
    address = address or free_address()
    log = data / "web.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*prefix, *web_command(address, processes)],
            cwd=CHECKOUT,
            env=environment(queue, data) | variables,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until(lambda: answers(address))
        yield address
    except BaseException:
        sys.stderr.write(log.read_text())
        raise
    finally:
        server.terminate()
        server.wait(timeout=30)


def answers(address: Address) -> bool:
    """Whether somebody listens, and is well."""
    try:
        with urlopen(f"{address.url}/healthz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait_until(condition, seconds: float = WAIT):
    """The first true value of `condition`, which is asked again and again."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        Event().wait(0.02)
    return value


def opened(address: Address, request: bytes, *, buffer: int = 0) -> socket.socket:
    """A connection on which a request, or part of one, was sent."""
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(WAIT)
    connection.connect((address.host, address.port))
    connection.sendall(request)
    return connection


def head(method, path, token="", **headers):
    """The head of a request."""
    if token:
        headers["Authorization"] = f"Bearer {token}"
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    return f"{method.upper()} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{''.join(lines)}\r\n".encode()


def stopping(method, path, token="", kind=JSON, sent=b"{", length=100_000):
    """A request whose body stops after its first bytes."""
    return head(method, path, token, Content_Type=kind, Content_Length=length) + sent


def answer_on(connection):
    """What the server answers: status, headers and body."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.headers, response.read()


def is_open(connection):
    """Whether the server has neither answered nor closed."""
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        connection.settimeout(30)


def get(server, path, token=""):
    """A request of somebody else."""
    connection = opened(server, head("GET", path, token))
    with connection:
        return answer_on(connection)


@contextmanager
def going_on(sending, part):
    """While it is entered, this part is sent on each of the connections five times a second."""
    done = Event()

    def send():
        while not done.wait(0.2):
            for connection in sending:
                # Never waiting: one that was refused is not read, and would hold up the others.
                with suppress(OSError):
                    connection.send(part, socket.MSG_DONTWAIT)

    sender = Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        done.set()
        sender.join()

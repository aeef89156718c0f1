"""A real web server for tests, as `./kith up` starts it, on the test database."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.request import urlopen

from config.launcher.guard import CHECKOUT
from config.launcher.stack import Address, web_command
from tests.workers import environment

WAIT = 30


@contextmanager
def web(queue: str, data: Path, **variables: str) -> Iterator[Address]:
    """One process of it, with these further variables; its log is shown when the test fails."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = Address("127.0.0.1", free.getsockname()[1])
    log = data / "web.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            web_command(address, 1),
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

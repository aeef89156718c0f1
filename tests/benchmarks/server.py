"""A web server for benchmarks: the product's own, with one endpoint more that does nothing.

And a worker, the product's own.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from threading import Event

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.actors import Scope
from config.api.views import ApiView
from config.launcher.stack import Address, web_command

CHECKOUT = Path(__file__).resolve().parents[2]
BODY = {"status": "ACTIVE"}


class Constant(ApiView):
    """The yardstick: authenticated and logged like any call, the same for everybody."""

    scopes = {"GET": Scope.CUSTOMERS_READ}

    def get(self, request: Request) -> Response:
        """A constant."""
        return Response(BODY)


urlpatterns = [path("v1/constant", Constant.as_view()), path("", include("config.urls"))]


@contextmanager
def web(workers: int = 1, **variables: str) -> Iterator[int]:
    """Run the product's web server with `workers` processes and variables; yields its port."""
    port = free_port()
    command = [*web_command(Address("127.0.0.1", port), workers), "--log-level", "warning"]
    variables["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
    with serving(command, port, **variables):
        yield port


@contextmanager
def wsgi(application: str, **variables: str) -> Iterator[int]:
    """Run another application by one process of granian with four threads; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "granian", application, "--interface", "wsgi"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--blocking-threads", "4"]
    with serving([*command, "--log-level", "critical"], port, **variables):
        yield port


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def serving(command: Sequence[str], port: int, **variables: str) -> Iterator[None]:
    """While it is entered, a web server runs."""
    server = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=os.environ | variables,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(port)
        yield
    finally:
        server.terminate()
        server.wait(timeout=30)


@contextmanager
def worker(processes: int = 1) -> Iterator[None]:
    """Run a worker with a pool of `processes`."""
    command = [sys.executable, "-m", "config.jobs", "worker", "--concurrency", str(processes)]
    running = subprocess.Popen(
        command, cwd=CHECKOUT, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        running.terminate()
        running.wait(timeout=60)


def wait_for(port: int) -> None:
    """Wait until the server answers."""
    for _ in range(1200):
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            Event().wait(0.1)
        else:
            return
    raise TimeoutError("the web server did not start")


class Caller:
    """One client with one connection; a new one when the server has closed it, idle for long."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, url: str) -> bytes:
        """The body of a 200."""
        return self._call("GET", url)

    def post(self, url: str, body: object) -> bytes:
        """The body of a 200 to JSON, which may be written out already."""
        return self._call("POST", url, body if isinstance(body, bytes) else json.dumps(body))

    def put(self, url: str, body: object) -> bytes:
        """Likewise."""
        return self._call("PUT", url, json.dumps(body))

    def _call(self, method: str, url: str, data: bytes | str | None = None) -> bytes:
        headers = self.headers | ({"Content-Type": "application/json"} if data else {})
        try:
            self.connection.request(method, url, data, headers=headers)
            response = self.connection.getresponse()
        except (BrokenPipeError, RemoteDisconnected):
            self.connection.close()
            self.connection.request(method, url, data, headers=headers)
            response = self.connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{url}: {response.status} {answer[:200]!r}")
        return answer

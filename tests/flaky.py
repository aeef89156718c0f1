"""A way to a server that breaks when it is told to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "transfer-encoding"}


class FlakyProxy(ThreadingHTTPServer):
    """Forwards requests to `server`, and notes their ranges and how many bytes were `received`.

    The next `refused` requests are not answered at all, `status` is answered to all others unless
    it is 0, and of the next answer only `cut` bytes are sent unless that is None.
    """

    daemon_threads = True

    def __init__(self, server: str) -> None:
        super().__init__(("127.0.0.1", 0), Forwarder)
        self.server = urlsplit(server).netloc
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.reset()

    def reset(self) -> None:
        """Forward everything, and forget what was noted."""
        self.refused = self.status = self.received = 0
        self.cut: int | None = None
        self.ranges: list[str] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class Forwarder(BaseHTTPRequestHandler):
    server: FlakyProxy
    protocol_version = "HTTP/1.1"

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy = self.server
        proxy.received += len(body)
        if proxy.refused:
            proxy.refused -= 1
            self.close_connection = True
            return
        if proxy.status:
            self.send_response(proxy.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if "Range" in self.headers:
            proxy.ranges.append(self.headers["Range"])
        origin = HTTPConnection(proxy.server)
        origin.request(self.command, self.path, body, dict(self.headers))
        answer = origin.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        if proxy.cut is not None and self.command == "GET":
            content, proxy.cut, self.close_connection = content[: proxy.cut], None, True
        self.wfile.write(content)
        origin.close()

    # As http.server calls them.
    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = forward  # noqa: N815

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def flaky_way_to(server: str) -> Iterator[FlakyProxy]:
    """A proxy that runs meanwhile."""
    with FlakyProxy(server) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()

"""Clients that take as little of the machine as they can, so that what is measured is the server.

They send requests that are written out already, on connections that stay open, and look no further
into an answer than its length.
"""

import json
import selectors
import socket
from collections.abc import Iterator
from time import perf_counter
from typing import NamedTuple

Headers = dict[str, str]


def request(method: str, path: str, headers: Headers, body: object = None) -> bytes:
    """A request as it is sent."""
    data = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if data:
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    return "\r\n".join([*lines, "", ""]).encode() + data


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Headers
    body: bytes


class Connection:
    """One connection that stays open."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def send(self, data: bytes) -> None:
        """Send a request; the answer to the one before has come."""
        self.received = b""
        self.sent_at = perf_counter()
        self.socket.sendall(data)

    def read(self) -> Answer | None:
        """What has come by now, once it is whole."""
        piece = self.socket.recv(1 << 20)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self.received += piece
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        status = int(first.split(" ", 2)[1])
        if "content-length" in headers:
            is_whole = len(body) >= int(headers["content-length"])
        else:
            is_whole = status == 204 or body.endswith(b"0\r\n\r\n")
        return Answer(status, headers, body) if is_whole else None

    def ask(self, data: bytes) -> Answer:
        """Send a request and wait for its answer. Raises `RuntimeError` for an error."""
        self.send(data)
        while (answer := self.read()) is None:
            pass
        return checked(answer)


def checked(answer: Answer) -> Answer:
    """An answer that is none of an error."""
    if answer.status >= 300:
        raise RuntimeError(f"{answer.status} {answer.body[:300]!r}")
    return answer


def load(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> list[float]:
    """Ask on several connections at once for about so long; the seconds that each answer took."""
    taken: list[float] = []
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connection = Connection(port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(requests))
        end = perf_counter() + seconds
        waiting = connections
        while waiting:
            for key, _ in selector.select():
                connection = key.data
                if (answer := connection.read()) is None:
                    continue
                taken.append(perf_counter() - connection.sent_at)
                checked(answer)
                if perf_counter() < end:
                    connection.send(next(requests))
                else:
                    selector.unregister(connection.socket)
                    connection.socket.close()
                    waiting -= 1
    return taken

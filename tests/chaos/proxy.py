"""A TCP proxy that loses connections when told to: `python -m tests.chaos.proxy CONTROL ROUTE ...`.

A ROUTE is `NAME=PORT=TARGET`, where TARGET is the path of a Unix socket or a port of this machine;
with `ADDRESS:PORT` it is not the loopback address that is listened to.
Whoever sends `NAME MODE` to the Unix datagram socket CONTROL changes what the route does:

- `pass`: everything goes through.
- `cut`: all connections are reset now; new ones go through.
- `refuse`: all connections are reset, new ones too.
- `silence`: connections stay and are accepted, nothing goes through. What was sent comes later.
- `deaf`: what clients send goes through, the answers are lost. At the end those connections are
  reset, so that nobody knows whether what was asked for has happened.
"""

import asyncio
import os
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import cast

ADDRESS = "127.0.0.1"
RESET = struct.pack("ii", 1, 0)
MODES = ("pass", "cut", "refuse", "silence", "deaf")


class Route:
    """One port, and where its connections lead."""

    def __init__(self, name: str, address: str, port: int, target: str) -> None:
        self.name = name
        self.address = address
        self.port = port
        self.target = target
        self.mode = "pass"
        self.clients: set[Side] = set()

    async def listen(self) -> None:
        """Accept connections from now on."""
        loop = asyncio.get_running_loop()
        await loop.create_server(lambda: Client(self), self.address, self.port, backlog=1024)

    async def connect(self, client: "Client") -> None:
        """Open the other side of a connection; without one the client's is reset."""
        loop = asyncio.get_running_loop()
        try:
            if self.target.startswith("/"):
                await loop.create_unix_connection(lambda: Side(self, client), self.target)
            else:
                await loop.create_connection(lambda: Side(self, client), ADDRESS, int(self.target))
        except OSError:
            client.reset()

    def change(self, mode: str) -> None:
        """Do what a mode says, with the connections that there are."""
        before, self.mode = self.mode, "pass" if mode == "cut" else mode
        for client in list(self.clients):
            if mode in {"cut", "refuse"} or (before == "deaf" and client.is_deaf):
                client.reset()
            else:
                client.flow()


class Side(asyncio.Protocol):
    """One side of a connection; of a server's, `other` is the client's."""

    def __init__(self, route: Route, other: "Side | None") -> None:
        self.route = route
        self.other = other
        self.transport: asyncio.Transport | None = None
        self.is_deaf = False
        self.is_blocked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server was reached: let both sides talk."""
        self.transport = cast("asyncio.Transport", transport)
        if self.other is None:
            return
        if self.other.transport is None or self.other.transport.is_closing():
            self.reset()
            return
        self.other.other = self
        self.other.flow()

    def data_received(self, data: bytes) -> None:
        """Pass something on."""
        peer = self.other.transport if self.other is not None else None
        if peer is None or peer.is_closing():
            return
        if self.route.mode == "deaf" and not isinstance(self, Client):
            cast("Side", self.other).is_deaf = True
            return
        peer.write(data)

    def flow(self) -> None:
        """Read both sides, or neither, as the mode says and the other side can take."""
        for side in (self, self.other):
            if side is None or side.transport is None or side.transport.is_closing():
                continue
            peer = side.other
            is_open = self.route.mode != "silence" and peer is not None
            if is_open and not cast("Side", peer).is_blocked:
                side.transport.resume_reading()
            else:
                side.transport.pause_reading()

    def pause_writing(self) -> None:
        """This side takes no more for now."""
        self.is_blocked = True
        self.flow()

    def resume_writing(self) -> None:
        """This side takes more."""
        self.is_blocked = False
        self.flow()

    def eof_received(self) -> bool:
        """Tell the other side that no more comes from this one."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side, after what was sent to it."""
        if self.other is not None and self.other.transport is not None:
            if exc is None:
                self.other.transport.close()
            else:
                self.other.reset()

    def reset(self) -> None:
        """End the connection without a word."""
        if self.transport is None or self.transport.is_closing():
            return
        line = self.transport.get_extra_info("socket")
        if line is not None and line.family == socket.AF_INET:
            with suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()


class Client(Side):
    """The side of whoever connected."""

    def __init__(self, route: Route) -> None:
        super().__init__(route, None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Reach the server first."""
        self.transport = cast("asyncio.Transport", transport)
        if self.route.mode == "refuse":
            self.reset()
            return
        self.route.clients.add(self)
        self.transport.pause_reading()
        self.connecting = asyncio.ensure_future(self.route.connect(self))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self.route.clients.discard(self)
        super().connection_lost(exc)


class Control(asyncio.DatagramProtocol):
    """Hears what the routes shall do."""

    def __init__(self, routes: list[Route]) -> None:
        self._routes = {route.name: route for route in routes}

    def datagram_received(self, data: bytes, _addr: object) -> None:
        """`NAME MODE`."""
        name, mode = data.decode().split()
        self._routes[name].change(mode)


def tell(control: Path, name: str, mode: str) -> None:
    """Have a route do something from now on. Raises `OSError` when the proxy is not there."""
    if mode not in MODES:
        raise ValueError(mode)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(f"{name} {mode}".encode(), str(control))


async def main(control: str, texts: list[str]) -> None:
    """Run until the process is ended."""
    routes = []
    for text in texts:
        name, place, target = text.split("=", 2)
        address, _, port = place.rpartition(":")
        routes.append(Route(name, address or ADDRESS, int(port), target))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    with suppress(FileNotFoundError):
        os.unlink(control)  # noqa: PTH108 -- in an event loop
    listener.bind(control)
    await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Control(routes), sock=listener
    )
    for route in routes:
        await route.listen()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))

"""Ends connections of clients that do not read what was sent to them.

The web server waits for them without end, and holds what they have not read in memory. What the
kernel counts of each connection tells whether its client reads (Linux only).
"""

import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import NamedTuple

from django.conf import settings

DESCRIPTORS = Path("/proc/self/fd")
# Of `struct tcp_info`, which only ever grows at its end.
UNACKED = struct.Struct("@I")
UNACKED_AT = 24
ACKED = struct.Struct("@Q")
ACKED_AT = 120
UNSENT = struct.Struct("@I")
UNSENT_AT = 144
INFO_BYTES = 148
# The connection is reset, and what was to be sent is dropped.
RESET = struct.pack("ii", 1, 0)


class Progress(NamedTuple):
    """How much of what was sent a client had taken, and when."""

    peer: tuple[str, int]
    acked: int
    at: float


class ConnectionGuard:
    """Looks at all connections to `ports` of this process from time to time."""

    def __init__(self) -> None:
        self.ports: set[int] = set()
        self._seen: dict[int, Progress] = {}
        self._thread = Thread(target=self._run, name="connections", daemon=True)

    def watch(self, port: int) -> None:
        """Look after the connections to this port too."""
        if port in self.ports:
            return
        self.ports.add(port)
        if sys.platform == "linux" and not self._thread.is_alive():
            self._thread.start()

    def _run(self) -> None:
        pause = Event()
        while not pause.wait(settings.STALL_SECONDS / 4):
            self.look()

    def look(self) -> None:
        """End each connection that took less than the least rate in the last `STALL_SECONDS`."""
        seen: dict[int, Progress] = {}
        for entry in DESCRIPTORS.iterdir():
            with suppress(OSError):
                descriptor = int(entry.name)
                if entry.readlink().name.startswith("socket:"):
                    self._look_at(descriptor, seen)
        self._seen = seen

    def _look_at(self, descriptor: int, seen: dict[int, Progress]) -> None:
        # A copy, so that nobody else's socket is meant when this one is closed meanwhile.
        with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as connection:
            if connection.getsockname()[1:2] not in {(port,) for port in self.ports}:
                return
            peer = connection.getpeername()[:2]
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, INFO_BYTES)
            (unacked,) = UNACKED.unpack_from(info, UNACKED_AT)
            (unsent,) = UNSENT.unpack_from(info, UNSENT_AT)
            (acked,) = ACKED.unpack_from(info, ACKED_AT)
            if not unacked and not unsent:
                return
            now = monotonic()
            before = self._seen.get(descriptor)
            if before is None or before.peer != peer:
                seen[descriptor] = Progress(peer, acked, now)
            elif now - before.at < settings.STALL_SECONDS:
                seen[descriptor] = before
            elif acked - before.acked < settings.LEAST_BYTES_PER_SECOND * settings.STALL_SECONDS:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                connection.shutdown(socket.SHUT_RDWR)
            else:
                seen[descriptor] = Progress(peer, acked, now)

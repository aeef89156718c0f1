"""A process that has loaded what several programs share, and makes them by forking itself.

They share in memory what none of them changes, and all of it is imported once. The server is asked
through a socket for one program at a time, with the log that it shall write to. It forks twice: the
process between ends at once, and what it leaves behind becomes the child of the supervisor that
asks, which may adopt for that moment (Linux only). So a program is watched, stopped and ended like
any other, also when the fork server is gone.

Standard library only; run as `python -m config.launcher.fork_server SOCKET MODULE:FUNCTION`, where
the function loads what is shared.
"""

import ctypes
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

from config.launcher.programs import PR_SET_CHILD_SUBREAPER, die_with_parent, prctl

IS_POSSIBLE = sys.platform == "linux"
# A fork takes some hundredths of a second, on a machine that has much else to do a few seconds.
SECONDS = 10.0
ORDER_BYTES = 65_536
GO = b"go"


class Order(NamedTuple):
    """What the new process shall be: `python -m MODULE ARGUMENT ...`, under the name `title`."""

    module: str
    arguments: Sequence[str]
    title: str
    stop_signal: int


class Forked:
    """A child that was forked by a fork server, with what `subprocess.Popen` has for its keeper."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended, as `Popen.returncode`; None while it runs."""
        return self._wait(os.WNOHANG)

    def wait(self) -> int | None:
        """The same, once it has ended."""
        return self._wait(0)

    def send_signal(self, signum: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def _wait(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def is_ready(place: Path) -> bool:
    """Whether a fork server listens at `place`: it has loaded all."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        try:
            connection.connect(str(place))
        except OSError:
            return False
    return True


def fork(place: Path, order: Order, log: BinaryIO) -> Forked | None:
    """Have the fork server at `place` make a program; None where it cannot, and nothing runs then.

    To be called by the parent of the fork server.
    """
    if not IS_POSSIBLE:
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(SECONDS)
        # Not for longer: whatever else loses its parent would wait here to be buried.
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        try:
            connection.connect(str(place))
            socket.send_fds(connection, [json.dumps(order).encode()], [log.fileno()])
            child = Forked(int(connection.recv(32)))
            if child.poll() is not None:
                return None
            # Until then it waits: what is not known here must not run.
            connection.send(GO)
        except (OSError, ValueError):
            return None
        finally:
            prctl(PR_SET_CHILD_SUBREAPER, 0)
    return child


class ForkServer:
    """Listens at `place`; `next_order` returns in the processes that it makes."""

    def __init__(self, place: Path) -> None:
        self._supervisor = os.getppid()
        place.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(place))
        self._listener.listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.close()

    def next_order(self) -> Order:
        """Fork for each order; in the new process, which is the supervisor's child, what it is."""
        while True:
            connection, _ = self._listener.accept()
            with connection, suppress(OSError):
                connection.settimeout(SECONDS)
                message, descriptors, _flags, _address = socket.recv_fds(connection, ORDER_BYTES, 1)
                # Without one somebody asked whether this server is there.
                for log in descriptors:
                    order = Order(*json.loads(message))
                    if self._is_new_process():
                        self._settle(connection, order, log)
                        return order
                    os.close(log)

    def _is_new_process(self) -> bool:
        """Fork twice, and wait for the process between: the new one has another parent then."""
        waiting, held = os.pipe()
        between = os.fork()
        if between:
            os.waitpid(between, 0)
        elif os.fork():
            os._exit(0)
        os.close(held)
        if not between:
            # Ends when the last copy of the other end is closed, which is the fork server's.
            os.read(waiting, 1)
        os.close(waiting)
        return not between

    def _settle(self, connection: socket.socket, order: Order, log: int) -> None:
        """Stand where `Popen` would have put the program, or end."""
        is_wanted = False
        try:
            os.setsid()
            die_with_parent(signal.Signals(order.stop_signal), self._supervisor)()
            nothing = os.open(os.devnull, os.O_RDONLY)
            for source, target in ((nothing, 0), (log, 1), (log, 2)):
                os.dup2(source, target)
            for descriptor in (nothing, log):
                os.close(descriptor)
            connection.send(str(os.getpid()).encode())
            is_wanted = connection.recv(len(GO)) == GO
        finally:
            # Never on as a second fork server.
            if not is_wanted:
                os._exit(1)


def name_process(title: str) -> None:
    """Have `ps` show this instead of the command line that the process was started with."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    shown = title.encode()[: end - start - 1]
    ctypes.memmove(start, shown.ljust(end - start, b"\0"), end - start)


def main() -> None:
    """Load, then fork until the end; go on as the program that was asked for."""
    place, load = sys.argv[1:]
    pkgutil.resolve_name(load)()
    with ForkServer(Path(place)) as server:
        order = server.next_order()
    name_process(order.title)
    sys.argv[1:] = order.arguments
    runpy.run_module(order.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

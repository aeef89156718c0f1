"""Hosts within this one: each has a network interface, a name and process numbers of its own.

They reach this one at the other end of a bridge, and find there what they share: the database, the
broker and the bucket. Nothing but root may make them.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.launcher.guard import CHECKOUT
from config.launcher.programs import die_with_parent
from tests.workers import until

SPACES = ("--net", "--uts", "--pid")
# Made for tests between devices (RFC 2544); so runs side by side have networks of their own.
NETWORK = f"198.18.{os.getpid() % 256}"
BRIDGE = f"kith{os.getpid()}"
GATEWAY = f"{NETWORK}.1"


def ip(*words: str, prefix: Sequence[str] = ()) -> None:
    subprocess.run([*prefix, "ip", *words], check=True)


class Host:
    """A host of this name, as long as its first process lives."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.address = f"{NETWORK}.{number}"
        self._link = f"{BRIDGE}-{number}"
        start = f"hostname {name} && exec sleep infinity"
        self._process = subprocess.Popen(
            ["unshare", *SPACES, "--mount-proc", "--fork", "--kill-child", "sh", "-c", start],
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 -- of our own
        )
        until(self._is_up)

    def _is_up(self) -> bool:
        """Whether it has its name, and nothing runs there yet."""
        assert self._process.poll() is None
        first = self._first()
        return first is not None and Path(f"/proc/{first}/comm").read_text() == "sleep\n"

    def _first(self) -> int | None:
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return int(children[0]) if children else None

    @property
    def prefix(self) -> list[str]:
        """What a command begins with that runs there."""
        spaces = (*SPACES, "--mount")
        return ["nsenter", f"--target={self._first()}", *spaces, f"--wd={CHECKOUT}", "--"]

    def connect(self) -> None:
        """Give it a way to this host."""
        ip("link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self._pid)
        ip("link", "set", self._link, "master", BRIDGE, "up")
        ip("address", "add", f"{self.address}/24", "dev", "eth0", prefix=self.prefix)
        for device in ("lo", "eth0"):
            ip("link", "set", device, "up", prefix=self.prefix)

    @property
    def _pid(self) -> str:
        return str(self._first())

    def die(self) -> None:
        """Be gone, as if somebody had pulled the plug: no connection is ended, no word is sent."""
        if self._process.poll() is None:
            ip("link", "delete", self._link)
            os.kill(int(self._pid), signal.SIGKILL)
            self._process.wait()


@contextmanager
def hosts(*names: str) -> Iterator[list[Host]]:
    """Hosts of these names; at the end all of them have died."""
    ip("link", "add", BRIDGE, "type", "bridge")
    with ExitStack() as made:
        made.callback(ip, "link", "delete", BRIDGE)
        ip("address", "add", f"{GATEWAY}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        found = []
        for number, name in enumerate(names, 11):
            host = Host(name, number)
            made.callback(host.die)
            host.connect()
            found.append(host)
        yield found

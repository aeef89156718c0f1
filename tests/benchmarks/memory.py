"""The memory that `./kith up` takes at rest, process by process: PSS, which counts what several
processes share once, by equal parts.

A registry of its own with demo data is started once, so that its schema is there, and again; then a
handful of requests is made, and it is left alone.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from urllib.request import Request, urlopen

from config.launcher.guard import CHECKOUT
from tests.benchmarks.report import columns, note
from tests.servers import free_port

MEGABYTE = 1024
TARGET = 420
REST_SECONDS = 60
OWN = ("KITH_", "PG", "DATABASE_URL", "REDIS_URL", "SEARCH_DATABASE_URL")
READY = "stop with Ctrl-C"
PAGES = (
    "/v1/customers",
    "/v1/customers?name=an",
    "/v1/business-accounts/self/children",
    "/admin/login/",
    "/readyz",
)
NAME_CELLS = 60
KINDS = ("postgres", "kith web", "kith worker")


@contextmanager
def running(data: Path, port: int) -> Iterator[tuple[int, list[str]]]:
    """`./kith up`: its process id, and what it said till it was ready."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith(OWN)}
    command = [sys.executable, "-m", "config.launcher", "up", "--port", str(port)]
    with subprocess.Popen(
        [*command, "--data", str(data)],
        cwd=CHECKOUT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            said: list[str] = []
            for line in process.stdout or ():
                said.append(line)
                if READY in line:
                    break
            else:
                raise RuntimeError("".join(said))
            yield process.pid, said
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def ask(address: str, said: list[str]) -> None:
    """A handful of requests, each of them twice."""
    words = dict(line.strip().split(maxsplit=1) for line in said if len(line.split()) == 2)
    key = next(line.split()[-1] for line in said if line.strip().startswith("API key"))
    basic = base64.b64encode(f"{key}:{words['secret']}".encode()).decode()
    exchange = Request(
        f"{address}/v1/api-keys/exchange", headers={"Authorization": f"Basic {basic}"}, data=b""
    )
    with urlopen(exchange, timeout=60) as answer:
        token = json.loads(answer.read())["access_token"]
    for path in PAGES * 2:
        request = Request(f"{address}{path}", headers={"Authorization": f"Bearer {token}"})
        with urlopen(request, timeout=60) as answer:
            answer.read()


def processes(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for below in path.read_text().split():
            yield from processes(int(below))


def pss(pid: int) -> float:
    """Megabytes of a process, what it shares by its part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / MEGABYTE


def name_of(pid: int) -> str:
    """What `ps` shows of it."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().strip(b"\0").split(b"\0")
    return " ".join(word.decode().rpartition("/")[2] for word in words)[:NAME_CELLS].strip()


def run() -> None:
    """Measure, and print."""

    with tempfile.TemporaryDirectory(prefix="kith-memory-") as folder:
        data, port = Path(folder), free_port()
        with running(data, port) as (_pid, said):
            pass
        with running(data, port) as (pid, _said):
            ask(f"http://127.0.0.1:{port}", said)
            note(f"leaving it alone for {REST_SECONDS} s")
            Event().wait(REST_SECONDS)
            found = [(name_of(each), pss(each)) for each in processes(pid)]
    lines = [["memory at rest", "PSS", "target"]]
    lines += [[name, f"{size:.1f} MB", ""] for name, size in found]
    for kind in KINDS:
        sizes = [size for name, size in found if kind in name]
        lines.append([f"{len(sizes)} of {kind}", f"{sum(sizes):.1f} MB", ""])
    lines.append(["all", f"{sum(size for _, size in found):.1f} MB", f"{TARGET} MB"])
    columns(lines)

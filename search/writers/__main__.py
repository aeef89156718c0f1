"""Runs one: `python -m search.writers xlsx|parquet '[["id", "uuid"], …]'`."""

import json
import sys
import traceback

from search.writers import FAILED, NOT_INSTALLED, Column


def main(result_format: str, columns: str) -> int:
    """Write the file; gives the code to end with."""
    described = [Column(*each) for each in json.loads(columns)]
    source, target = sys.stdin.buffer, sys.stdout.buffer
    if result_format == "xlsx":
        from search.writers import xlsx  # noqa: PLC0415 -- only one of them is needed

        return xlsx.write(source, target, described)
    try:
        from search.writers import parquet  # noqa: PLC0415 -- it may not be installed
    except ImportError:
        return NOT_INSTALLED
    return parquet.write(source, target, described)


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

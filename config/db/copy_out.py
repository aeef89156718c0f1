"""Reads what COPY sends, many rows at a time.

psycopg's own `Copy` takes a step of its own for each row: 1.3 us of processor time each, against
0.4 us here (486,000 rows of 400 bytes).
"""

from collections.abc import Iterator

from psycopg import Copy, errors, generators
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus


def blocks(copy: Copy, size: int) -> Iterator[list[memoryview]]:
    """The rows of a COPY TO STDOUT as it spells them, in lists of `size` bytes or a row more.

    Raises what psycopg raises.
    """
    is_whole = False
    while not is_whole:
        rows, is_whole = copy.connection.wait(next_block(copy, size))
        if rows:
            yield rows


def next_block(copy: Copy, size: int) -> PQGen[tuple[list[memoryview], bool]]:
    """The next rows, and whether they are the last."""
    session = copy.connection.pgconn
    rows: list[memoryview] = []
    taken = 0
    while taken < size:
        length, row = session.get_copy_data(1)
        if length < 0:
            (result,) = yield from generators.fetch_many(session)
            is_ended(copy)
            if result.status != ExecStatus.COMMAND_OK:
                raise errors.error_from_result(result)
            return rows, True
        if length == 0:
            waited = yield from generators.copy_from(session)
            if not isinstance(waited, memoryview):
                is_ended(copy)
                return rows, True
            row = waited
        rows.append(row)
        taken += len(row)
    return rows, False


def is_ended(copy: Copy) -> None:
    """Tell psycopg, which would wait for more rows at the end of its `with` block."""
    copy._finished = True  # noqa: SLF001 -- it has no name for this

"""Pieces of bytes as one stream; `io` makes one of bytes or of a file, and of nothing else."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Joined(io.RawIOBase):
    """Pieces of bytes as one stream, to be read once from beginning to end."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """Say so to whoever wraps it."""
        return True

    def readinto(self, target: "WriteableBuffer", /) -> int:
        """Fill the buffer with what comes next; 0 at the end."""
        if not self._piece:
            self._piece = memoryview(next(self._pieces, b""))
        space = memoryview(target).cast("B")
        count = min(len(space), len(self._piece))
        space[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count

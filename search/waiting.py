"""Rows that wait on disk until the file that they belong to has come to them."""

import struct
from array import array
from collections.abc import Iterator
from typing import BinaryIO

from config import files
from search.stream import Batch

# Of a batch: how many rows it has, and how many bytes.
HEAD = struct.Struct("QQ")


class Waiting:
    """Batches in a file without a name, which is made for the first one."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None

    def put(self, batch: Batch) -> None:
        """Add one. Raises `StorageFull` when there is no space."""
        with files.writing():
            if self._file is None:
                self._file = files.scratch()
            self._file.write(HEAD.pack(len(batch.ends), len(batch.data)))
            self._file.write(batch.ends)
            self._file.write(batch.data)

    def batches(self) -> Iterator[Batch]:
        """All of them, once; their space is free then. Raises `StorageFull` likewise."""
        if self._file is None:
            return
        with files.writing():
            self._file.seek(0)
        while head := self._file.read(HEAD.size):
            rows, size = HEAD.unpack(head)
            ends = array("Q")
            ends.frombytes(self._file.read(rows * ends.itemsize))
            yield Batch(self._file.read(size), ends)
        self.close()

    def close(self) -> None:
        """Free the space."""
        if self._file is not None:
            self._file.close()
            self._file = None

"""The stream from PostgreSQL to storage.

The rows only pass through, one message each, while they are counted and compressed, and a SHA-256
is taken of what is stored.
"""

import hashlib
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Protocol

from zstandard import ZstdCompressor

from config.files import Joined
from search.copy import Layout

BLOCK_BYTES = 256 * 1024
# A frame can be read by itself, and does not depend on what was compressed before it.
FRAME_ROWS = 10_000
GZIP_LEVEL = 4
# Of zlib: the largest window, within the frame of a gzip file, which has no time in it.
GZIP_WINDOW = 16 + zlib.MAX_WBITS

Message = bytes | bytearray | memoryview


class Compressor(Protocol):
    """Makes one frame."""

    def compress(self, data: bytes, /) -> bytes:
        """What is ready of the frame."""

    def flush(self) -> bytes:
        """The rest of it."""


class Plain:
    """A frame that is not compressed."""

    def compress(self, data: bytes) -> bytes:
        """The data."""
        return data

    def flush(self) -> bytes:
        """Nothing is left."""
        return b""


COMPRESSORS: dict[str, Callable[[], Compressor]] = {
    "NONE": Plain,
    "GZIP": lambda: zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW),
    "ZSTD": lambda: ZstdCompressor(write_checksum=True).compressobj(),
}


# A part of a file before it is packed, and whether a frame ends with it.
Block = tuple[bytes, bool]
Packing = Callable[[Iterator[Block]], Iterator[bytes]]


def framed(compression: str) -> Packing:
    """The blocks in compressed frames, one after the other; also no bytes make a frame."""

    def pack(blocks: Iterator[Block]) -> Iterator[bytes]:
        new = COMPRESSORS[compression]
        frame: Compressor | None = new()
        for data, is_end in blocks:
            if data:
                frame = frame or new()
                yield frame.compress(data)
            if is_end and frame:
                yield frame.flush()
                frame = None

    return pack


class ResultStream(Joined):
    """A result file, to be read once from beginning to end; storage reads, PostgreSQL is read.

    `messages` are the rows as COPY sends them, one each; `pack` makes the file of them. `rows` and
    `size` (bytes) say what was read so far, `sha256` is the checksum of it in hexadecimal.
    """

    def __init__(self, messages: Iterable[Message], layout: Layout, pack: Packing) -> None:
        self._passing = self._passed(pack(self._filled(iter(messages))))
        super().__init__(self._passing)
        self.rows = 0
        self.size = 0
        self._digest = hashlib.sha256()
        self._layout = layout

    def close(self) -> None:
        """Close what makes it, also half-way through."""
        self._passing.close()
        super().close()

    @property
    def sha256(self) -> str:
        """The checksum."""
        return self._digest.hexdigest()

    def _filled(self, messages: Iterator[Message]) -> Iterator[Block]:
        layout, end, between = self._layout, self._layout.end, self._layout.between
        block = bytearray(layout.head)
        rows = -layout.header_rows
        for message in messages:
            if between and rows > 0:
                block += between
            block += message
            if end != b"\n":
                block[-1:] = end
            rows += 1
            is_end = rows > 0 and rows % FRAME_ROWS == 0
            if is_end or len(block) >= BLOCK_BYTES:
                self.rows = rows
                yield bytes(block), is_end
                block.clear()
        self.rows = rows
        block += layout.tail
        yield bytes(block), True

    def _passed(self, pieces: Iterator[bytes]) -> Generator[bytes, None, None]:
        for piece in filter(None, pieces):
            self._digest.update(piece)
            self.size += len(piece)
            yield piece

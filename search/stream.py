"""The stream from PostgreSQL to storage.

The rows only pass through, one message each, while they are counted and compressed, and a SHA-256
is taken of what is stored.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
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


class Frames:
    """Bytes in compressed frames, one after the other; also no bytes make a frame."""

    def __init__(self, compression: str) -> None:
        self._new = COMPRESSORS[compression]
        self._frame: Compressor | None = self._new()

    def add(self, data: bytes) -> bytes:
        """What is ready to be stored after these bytes."""
        if not data:
            return b""
        self._frame = self._frame or self._new()
        return self._frame.compress(data)

    def end(self) -> bytes:
        """The rest of a frame; what is added later begins the next one."""
        frame, self._frame = self._frame, None
        return frame.flush() if frame else b""


class ResultStream(Joined):
    """A result file, to be read once from beginning to end; storage reads, PostgreSQL is read.

    `messages` are the rows as COPY sends them, one each. `rows` and `size` (bytes) say what was
    read so far, `sha256` is the checksum of it in hexadecimal.
    """

    def __init__(
        self, messages: Iterable[Message], layout: Layout, compression: str = "NONE"
    ) -> None:
        super().__init__(self._passed(self._filled(iter(messages))))
        self.rows = 0
        self.size = 0
        self._digest = hashlib.sha256()
        self._layout = layout
        self._frames = Frames(compression)

    @property
    def sha256(self) -> str:
        """The checksum."""
        return self._digest.hexdigest()

    def _filled(self, messages: Iterator[Message]) -> Iterator[bytes]:
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
            ends_frame = rows > 0 and rows % FRAME_ROWS == 0
            if ends_frame or len(block) >= BLOCK_BYTES:
                self.rows = rows
                yield self._frames.add(bytes(block))
                block.clear()
            if ends_frame:
                yield self._frames.end()
        self.rows = rows
        block += layout.tail
        yield self._frames.add(bytes(block))
        yield self._frames.end()

    def _passed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in filter(None, pieces):
            self._digest.update(piece)
            self.size += len(piece)
            yield piece

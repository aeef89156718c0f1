"""The stream from PostgreSQL to storage.

The rows only pass through, one message each, while they are counted and compressed, and a SHA-256
is taken of what is stored.
"""

import hashlib
import zlib
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

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


COMPRESSORS: dict[str, Callable[[], Compressor]] = {
    "GZIP": lambda: zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW),
    "ZSTD": lambda: ZstdCompressor(write_checksum=True).compressobj(),
}


class Batch(NamedTuple):
    """Some rows as they stand in the file: one after the other, and where in `data` each ends."""

    data: bytes
    ends: "array[int]"


def batched(blocks: Iterable[Sequence[Message]], layout: Layout) -> Iterator[Batch]:
    """The rows that COPY sends, one a message, as the layout has them; all have `between` before.

    A block of them makes a batch.
    """
    separator = layout.end + layout.between
    # Each message ends in a line feed.
    more = len(separator) - 1
    for messages in blocks:
        rows = separator.join([message[:-1] for message in messages])
        data = b"%b%b%b" % (layout.between, rows, layout.end)
        yield Batch(data, array("Q", accumulate([len(each) + more for each in messages])))


# A part of a file before it is packed, and whether a frame ends with it.
Block = tuple[bytes, bool]
Packing = Callable[[Iterator[Block]], Iterator[bytes]]


def framed(compression: str) -> Packing:
    """The blocks in compressed frames, one after the other; also no bytes make a frame."""
    new = COMPRESSORS.get(compression)
    if new is None:
        return lambda blocks: (data for data, _ in blocks)

    def pack(blocks: Iterator[Block]) -> Iterator[bytes]:
        frame: Compressor | None = new()
        waiting = bytearray()
        for data, is_end in blocks:
            waiting += data
            # In pieces of one size, wherever the blocks end: so the same data makes the same frame.
            while len(waiting) >= BLOCK_BYTES or (is_end and waiting):
                frame = frame or new()
                yield frame.compress(bytes(waiting[:BLOCK_BYTES]))
                del waiting[:BLOCK_BYTES]
            if is_end and frame:
                yield frame.flush()
                frame = None

    return pack


class ResultStream(Joined):
    """A result file, to be read once from beginning to end; storage reads, PostgreSQL is read.

    `batches` are the rows as `batched` gives them; `pack` makes the file of them. `rows` and `size`
    (bytes) say what was read so far, `sha256` is the checksum of it in hexadecimal.
    """

    def __init__(self, batches: Iterable[Batch], layout: Layout, pack: Packing) -> None:
        self._passing = self._passed(pack(self._filled(batches, layout)))
        super().__init__(self._passing)
        self.rows = 0
        self.size = 0
        self._digest = hashlib.sha256()

    def close(self) -> None:
        """Close what makes it, also half-way through."""
        self._passing.close()
        super().close()

    @property
    def sha256(self) -> str:
        """The checksum."""
        return self._digest.hexdigest()

    def _filled(self, batches: Iterable[Batch], layout: Layout) -> Iterator[Block]:
        rows = -layout.header_rows
        if layout.head:
            yield layout.head, False
        # Of the first row, which has none before it.
        skipped = len(layout.between)
        for data, ends in batches:
            begin, taken = skipped, 0
            while taken < len(ends):
                # What the frame lacks; a header counts for none of its rows.
                missing = FRAME_ROWS - rows % FRAME_ROWS if rows > 0 else FRAME_ROWS - rows
                count = min(missing, len(ends) - taken)
                taken += count
                end = ends[taken - 1]
                rows += count
                self.rows = rows
                piece = data if end - begin == len(data) else data[begin:end]
                yield piece, rows > 0 and rows % FRAME_ROWS == 0
                begin = end
            skipped = 0
        yield layout.tail, True

    def _passed(self, pieces: Iterator[bytes]) -> Generator[bytes, None, None]:
        for piece in filter(None, pieces):
            self._digest.update(piece)
            self.size += len(piece)
            yield piece

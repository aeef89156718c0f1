"""Files of customers: from the socket to storage without card numbers, and back in blocks.

What is stored is a sequence of frames: four bytes of length, then a block sealed for its number. A
block is zlib of a JSON head line and of up to `BLOCK_LINES` lines as sent; blank lines are counted
and not kept. The head has `first`, the number of the block's first line, `count`, how many lines it
stands for, `numbers` of the lines that are kept unless they follow each other without a gap, and
`refused`: line number -> JSON Pointers of card numbers taken out. The last frame is followed by a
length of zero and a sealed end mark with the totals, and that by nothing. So a block that is
missing, doubled, changed or in another place is noticed, wherever the file breaks off. Nothing is
ever held but one block.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import orjson
from django.conf import settings
from django.http import UnreadablePostError

from config import files as stored
from config.card_numbers import (
    malformed_holds_card_number,
    may_hold_card_numbers,
    pointer_of,
    redact,
)
from config.crypto import SealError, seal_bytes, unseal_bytes
from config.errors import TooLarge, Unreadable
from config.files.base import exactly
from config.wire import BOM, from_json, to_json
from ingest.inflate import MAGIC, Damage, Damaged, Members

READ_BYTES = 256 * 1024
BLOCK_LINES = 1000
BLOCK_BYTES = 8 * 1024 * 1024
# A longer line is an error of that line.
LINE_BYTES = 1024 * 1024
# How much more than its own size a compressed file may become: beyond what no customers need, it is
# made to waste our time. Small files may do as they like.
MOST_INFLATED = 10
INFLATED_RATIO, INFLATED_FREE = 200, 10_000_000
BYTES_PER_LINE, LINES_FREE = 2, 100_000
LENGTH = struct.Struct(">I")
# No frame is longer, unless it was damaged.
FRAME_BYTES = 4 * BLOCK_BYTES
# All uploads and results are below it.
FOLDER = "bulk"
TOO_LONG = b'"This line is too long."'
# After these nobody knows whether the last line is whole.
CUTS = {Damage.CUT_OFF, Damage.BROKEN}


class Source(Protocol):
    """Where a body is read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes; none at the end."""


class ContentLost(Exception):
    """What is in storage is not what was stored."""


@dataclass
class Block:
    """Lines of a file; `first` is the number of the first one, from 1.

    `numbers` are those of the lines, and `count` is how many lines it stands for, blank ones too.
    """

    first: int
    lines: list[bytes]
    refused: dict[int, list[str]] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self.numbers = self.numbers or list(range(self.first, self.first + len(self.lines)))
        self.count = self.count or len(self.lines)


class Joined(io.RawIOBase):
    """Pieces of bytes as one stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """Say so to whoever wraps it."""
        return True

    def readinto(self, target: Any, /) -> int:  # noqa: ANN401 -- any writable buffer
        """Fill the buffer with what comes next; 0 at the end."""
        if not self._piece:
            self._piece = memoryview(next(self._pieces, b""))
        space = memoryview(target).cast("B")
        count = min(len(space), len(self._piece))
        space[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count


class Upload(Joined):
    """A body as it goes to storage; to be read once from beginning to end.

    Afterwards `received` is its size as sent, `lines` the number of its lines, `kept` of those that
    are not blank, `blocks` that of its blocks, `digest` a hash of it, and `damage` tells why it was
    not read to its end, if it was not. Raises `TooLarge` and `Unreadable`.
    """

    def __init__(self, source: Source, request_id: UUID, digest: Any) -> None:  # noqa: ANN401 -- hashlib's
        super().__init__(self._framed())
        self.received = 0
        self.lines = 0
        self.kept = 0
        self.blocks = 0
        self.digest = digest
        self.damage: Damage | None = None
        self._source = source
        self._request_id = request_id
        self._is_compressed = False
        # Of the block that is being filled.
        self._first = 1
        self._lines: list[bytes] = []
        self._numbers: list[int] = []

    def _framed(self) -> Iterator[bytes]:
        """The frames, and the end mark."""
        size = 0
        for pieces in self._split():
            before = self.lines
            for number, piece in enumerate(pieces, before + 1):
                if not piece or piece.isspace():
                    continue
                self._lines.append(piece)
                self._numbers.append(number)
                size += len(piece)
                if len(self._lines) >= BLOCK_LINES or size >= BLOCK_BYTES:
                    self.lines = number
                    yield self._sealed()
                    size = 0
            self.lines = before + len(pieces)
            self._check_lines()
        if self.lines >= self._first:
            yield self._sealed()
        totals = {"blocks": self.blocks, "lines": self.lines, "received": self.received}
        sealed = seal_bytes(to_json(totals), end_place(self._request_id))
        yield LENGTH.pack(0) + LENGTH.pack(len(sealed)) + sealed

    def _sealed(self) -> bytes:
        """The frame of all lines that came since the last one."""
        count = self.lines - self._first + 1
        block = Block(self._first, self._lines, {}, self._numbers, count)
        take_out_card_numbers(block)
        refused = {str(line): places for line, places in block.refused.items()}
        head: dict[str, Any] = {"first": block.first, "count": count, "refused": refused}
        if len(block.lines) != count:
            head["numbers"] = block.numbers
        packed = zlib.compress(b"\n".join([to_json(head), *block.lines]), 1)
        sealed = seal_bytes(packed, place(self._request_id, self.blocks))
        self.kept += len(block.lines)
        self.blocks += 1
        self._first, self._lines, self._numbers = self.lines + 1, [], []
        return LENGTH.pack(len(sealed)) + sealed

    def _split(self) -> Iterator[list[bytes]]:
        """The lines, many at a time; the last may lack its line feed, unless the file was cut."""
        rest = b""
        is_skipping = False
        for part in self._plain():
            if not rest and not is_skipping and not part.strip():
                # Nothing but blank lines, which may be very many.
                self.lines += part.count(b"\n")
                self._check_lines()
                continue
            pieces = (rest + part).split(b"\n")
            rest = pieces.pop()
            if pieces and (is_skipping or max(map(len, pieces)) > LINE_BYTES):
                first = TOO_LONG if is_skipping else pieces[0]
                pieces = [
                    TOO_LONG if len(piece) > LINE_BYTES else piece for piece in (first, *pieces[1:])
                ]
                is_skipping = False
            if len(rest) > LINE_BYTES:
                rest, is_skipping = b"", True
            yield pieces
        if (rest.strip() or is_skipping) and self.damage not in CUTS:
            yield [TOO_LONG if is_skipping else rest]

    def _check_lines(self) -> None:
        """Raise `TooLarge` for more lines than there may be."""
        if self.lines > settings.MAX_FILE_LINES:
            raise TooLarge(f"A file may have {settings.MAX_FILE_LINES} lines.")
        if self._is_compressed and self.lines > LINES_FREE + self.received // BYTES_PER_LINE:
            raise inflates_too_much()

    def _plain(self) -> Iterator[bytes]:
        """The body without its byte order mark, inflated if it is compressed."""
        first = self._read()
        while 0 < len(first) < len(BOM) and (part := self._read()):
            first += part
        if first.startswith(MAGIC):
            self._is_compressed = True
            inflated = 0
            try:
                for plain in Members(first, self._read).plain():
                    self._check_size(inflated + len(plain))
                    yield plain if inflated else plain.removeprefix(BOM)
                    inflated += len(plain)
            except Damaged as error:
                self.damage = error.damage
                # Its sender reads the answer after all is sent.
                while self._read():
                    pass
            return
        yield first.removeprefix(BOM)
        while part := self._read():
            yield part

    def _check_size(self, inflated: int) -> None:
        """Raise `TooLarge` for a file that becomes larger than there is sense in."""
        if inflated > MOST_INFLATED * settings.MAX_FILE_BYTES:
            raise too_large()
        if inflated > INFLATED_FREE + INFLATED_RATIO * self.received:
            raise inflates_too_much()

    def _read(self) -> bytes:
        try:
            part = self._source.read(READ_BYTES)
        except (UnreadablePostError, OSError) as error:
            raise Unreadable("The body ended early.") from error
        self.received += len(part)
        if self.received > settings.MAX_FILE_BYTES:
            raise too_large()
        self.digest.update(part)
        return part


def too_large() -> TooLarge:
    """The answer to a file beyond the limit."""
    return TooLarge(f"A file may have {settings.MAX_FILE_BYTES} bytes.")


def inflates_too_much() -> TooLarge:
    """The answer to a compressed file that holds next to nothing, very often."""
    return TooLarge(
        "The compressed file becomes too large: it holds too many blank or equal lines. "
        "Leave these out, or send it uncompressed."
    )


def take_out_card_numbers(block: Block) -> None:
    """Replace full card numbers in a block's lines, and note where they stood.

    A line that is no JSON cannot be told apart, and goes as a whole if it holds one.
    """
    for index, line in enumerate(block.lines):
        if not may_hold_card_numbers(line):
            continue
        try:
            value, places = redact(from_json(line))
        except Unreadable:
            value, places = None, [()] if malformed_holds_card_number(line) else []
        if places:
            block.lines[index] = to_json(value)
            block.refused[block.numbers[index]] = [pointer_of(steps) for steps in places]


# --- In storage -----------------------------------------------------------------------------------


def place(request_id: UUID, number: int) -> str:
    """What a block is sealed for."""
    return f"bulk file:{request_id}:{number}"


def end_place(request_id: UUID) -> str:
    """What the end mark is sealed for."""
    return f"bulk file:{request_id}:end"


def folder_of(request_id: UUID) -> str:
    """Where everything of one load lies."""
    return f"{FOLDER}/{request_id}"


def upload_name(request_id: UUID) -> str:
    """Where the upload of a load lies."""
    return f"{folder_of(request_id)}/lines"


def frames(
    name: str, request_id: UUID, *, blocks: int | None, lines: int, skipped: frozenset[int]
) -> Iterator[tuple[int, bytes]]:
    """The sealed blocks of a stored file with their numbers, but for some.

    `blocks` and `lines` are what was stored; files without an end mark have no `blocks` on record.
    Raises `ContentLost` where the file is not as it was stored.
    """
    with io.BufferedReader(stored.Reader(name), READ_BYTES) as file:
        number = 0
        while length := next_length(file, is_end=blocks is None):
            sealed = taken(file, length)
            if number not in skipped:
                yield number, sealed
            number += 1
        if blocks is None:
            return
        check_end(taken(file, next_length(file)), request_id, blocks=number, lines=lines)
        if number != blocks or file.read(1):
            raise ContentLost("the file does not end where it should")


def next_length(file: stored.Stream, *, is_end: bool = False) -> int:
    """How long the next frame is; 0 at the end mark, or where the file ends and may do so."""
    word = exactly(file, LENGTH.size)
    if not word and is_end:
        return 0
    if len(word) < LENGTH.size:
        raise ContentLost("the file breaks off between two blocks")
    (length,) = LENGTH.unpack(word)
    if length > FRAME_BYTES:
        raise ContentLost("no block is so long")
    return int(length)


def taken(file: stored.Stream, length: int) -> bytes:
    """The bytes of a frame."""
    sealed = exactly(file, length)
    if len(sealed) < length:
        raise ContentLost("the file breaks off in a block")
    return sealed


def check_end(sealed: bytes, request_id: UUID, *, blocks: int, lines: int) -> None:
    """Compare the end mark with what was read and what is on record."""
    try:
        totals = orjson.loads(unseal_bytes(sealed, end_place(request_id)))
    except SealError as error:
        raise ContentLost("the end mark was changed") from error
    if (totals["blocks"], totals["lines"]) != (blocks, lines):
        raise ContentLost("the end mark is that of another file")


def opened(sealed: bytes, request_id: UUID, number: int) -> Block:
    """The block of a frame. Raises `ContentLost`."""
    try:
        packed = zlib.decompress(unseal_bytes(sealed, place(request_id, number)))
    except (SealError, zlib.error) as error:
        raise ContentLost("a block was changed, or is in another's place") from error
    head, *lines = packed.split(b"\n")
    told = orjson.loads(head)
    refused = {int(line): places for line, places in told["refused"].items()}
    # Files of older versions have neither, and keep their blank lines.
    return Block(told["first"], lines, refused, told.get("numbers", []), told.get("count", 0))

"""Large loads as files: from the socket to storage without card numbers, and back in blocks.

What is stored is a sequence of frames: four bytes of length, then a block sealed for its place. A
block is zlib of a JSON head line (`first`: the number of its first line; `refused`: line number ->
JSON Pointers of card numbers taken out) and up to `BLOCK_LINES` lines as sent. Nothing is ever held
but one block.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any, Protocol
from uuid import UUID

import orjson
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import UnreadablePostError

from config.crypto import seal_bytes, unseal_bytes
from config.errors import TooLarge, Unreadable
from config.wire import BOM, from_json, to_json
from ingest.card_numbers import may_hold_card_numbers, redact

GZIP = b"\x1f\x8b"
READ_BYTES = 256 * 1024
BLOCK_LINES = 5000
BLOCK_BYTES = 8 * 1024 * 1024
# A longer line is an error of that line.
LINE_BYTES = 1024 * 1024
# How much more than its own size a compressed file may become.
MOST_INFLATED = 10
LENGTH = struct.Struct(">I")
TOO_LONG = b'"This line is too long."'


class Source(Protocol):
    """Where a body is read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes; none at the end."""


@dataclass
class Block:
    """Lines of a file; `first` is the number of the first one, from 1."""

    first: int
    lines: list[bytes]
    refused: dict[int, list[str]] = field(default_factory=dict)


class Joined(io.RawIOBase):
    """Pieces of bytes as one stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, target: Any, /) -> int:  # noqa: ANN401 -- any writable buffer
        """Fill the buffer with what comes next; 0 at the end."""
        if not self._piece:
            self._piece = memoryview(next(self._pieces, b""))
        room = memoryview(target).cast("B")
        count = min(len(room), len(self._piece))
        room[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count


class Upload(Joined):
    """A body as it goes to storage; to be read once from beginning to end.

    Afterwards `received` is its size as sent, `lines` the number of its lines, `digest` a hash of
    it, and `problem` tells why it was not read to its end, if it was not. Raises `TooLarge` and
    `Unreadable`.
    """

    def __init__(self, source: Source, request_id: UUID, digest: Any) -> None:  # noqa: ANN401 -- hashlib's
        super().__init__(self._framed())
        self.received = 0
        self.lines = 0
        self.blocks = 0
        self.digest = digest
        self.problem = ""
        self._source = source
        self._request_id = request_id

    def _framed(self) -> Iterator[bytes]:
        """The frames."""
        lines: list[bytes] = []
        size = 0
        for line in self._whole_lines():
            lines.append(line)
            size += len(line)
            if len(lines) >= BLOCK_LINES or size >= BLOCK_BYTES:
                yield self._sealed(lines)
                lines, size = [], 0
        if lines:
            yield self._sealed(lines)

    def _sealed(self, lines: list[bytes]) -> bytes:
        block = Block(self.lines + 1, lines)
        take_out_card_numbers(block)
        refused = {str(line): places for line, places in block.refused.items()}
        head = {"first": block.first, "refused": refused}
        packed = zlib.compress(b"\n".join([to_json(head), *block.lines]), 1)
        sealed = seal_bytes(packed, place(self._request_id, self.blocks))
        self.lines += len(lines)
        self.blocks += 1
        return LENGTH.pack(len(sealed)) + sealed

    def _whole_lines(self) -> Iterator[bytes]:
        """The lines; the last one may lack its line feed, unless the file was cut off."""
        rest = b""
        is_skipping = False
        for part in self._plain():
            pieces = (rest + part).split(b"\n")
            rest = pieces.pop()
            for piece in pieces:
                yield TOO_LONG if is_skipping or len(piece) > LINE_BYTES else piece
                is_skipping = False
            if len(rest) > LINE_BYTES:
                rest, is_skipping = b"", True
        if (rest.strip() or is_skipping) and not self.problem:
            yield TOO_LONG if is_skipping else rest

    def _plain(self) -> Iterator[bytes]:
        """The body without its byte order mark, inflated if it is compressed."""
        first = self._read()
        if first.startswith(GZIP):
            yield from self._inflated(first)
            return
        yield first.removeprefix(BOM)
        while part := self._read():
            yield part

    def _inflated(self, part: bytes) -> Iterator[bytes]:
        """What gzip holds, one member after the other, as far as it is whole."""
        inflated = 0
        unpacker = zlib.decompressobj(wbits=31)
        while part:
            try:
                plain = unpacker.decompress(part, READ_BYTES)
            except zlib.error:
                self._stop("The compressed file is damaged.")
                return
            inflated += len(plain)
            if inflated > MOST_INFLATED * settings.MAX_FILE_BYTES:
                raise too_large()
            yield plain
            part = unpacker.unconsumed_tail
            if unpacker.eof:
                part = unpacker.unused_data.lstrip(b"\0") or self._read()
                if part:
                    unpacker = zlib.decompressobj(wbits=31)
            elif not part:
                part = self._read()
        if not unpacker.eof:
            self._stop("The compressed file ends in the middle.")

    def _stop(self, problem: str) -> None:
        """What was whole is loaded; the rest is read, so that its sender reads the answer."""
        self.problem = f"{problem} What was whole of it was loaded."
        while self._read():
            pass

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


def take_out_card_numbers(block: Block) -> None:
    """Replace full card numbers in a block's lines, and note where they stood.

    A line that is no JSON cannot be told apart, and goes as a whole.
    """
    if not may_hold_card_numbers(b"\n".join(block.lines)):
        return
    for index, line in enumerate(block.lines):
        if not may_hold_card_numbers(line):
            continue
        try:
            value, places = redact(from_json(line))
        except Unreadable:
            value, places = None, [""]
        if places:
            block.lines[index] = to_json(value)
            block.refused[block.first + index] = places


# --- In storage -----------------------------------------------------------------------------------


def place(request_id: UUID, number: int) -> str:
    """What a block is sealed for."""
    return f"bulk file:{request_id}:{number}"


def folder_of(request_id: UUID) -> str:
    """Where everything of one load lies."""
    return f"bulk/{request_id}"


def store(name: str, stream: io.RawIOBase) -> None:
    """Write a stream to storage; nothing is left of it when that fails."""
    try:
        default_storage.save(name, File(io.BufferedReader(stream, READ_BYTES), name))
    except BaseException:
        remove(name)
        raise


def read(name: str) -> Iterator[bytes]:
    """A stored file, in blocks."""
    with default_storage.open(name) as file:
        yield from file.chunks(READ_BYTES)


def remove(name: str) -> None:
    """Delete a file, if it is there."""
    if name:
        default_storage.delete(name)


def frames(name: str, skipped: frozenset[int]) -> Iterator[tuple[int, bytes]]:
    """The sealed blocks of a stored file with their numbers, but for some."""
    with default_storage.open(name) as file:
        number = 0
        while frame := exactly(file, LENGTH.size):
            sealed = exactly(file, LENGTH.unpack(frame)[0])
            if number not in skipped:
                yield number, sealed
            number += 1


def exactly(file: "IO[bytes] | File[bytes]", size: int) -> bytes:
    """The next bytes of a file; none at its end."""
    parts = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def opened(sealed: bytes, request_id: UUID, number: int) -> Block:
    """The block of a frame. Raises `SealError`."""
    head, *lines = zlib.decompress(unseal_bytes(sealed, place(request_id, number))).split(b"\n")
    told = orjson.loads(head)
    refused = {int(line): places for line, places in told["refused"].items()}
    return Block(told["first"], lines, refused)

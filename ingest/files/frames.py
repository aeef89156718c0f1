"""Frames: how the lines of a file lie in storage, and how they are read back.

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
from uuid import UUID

import orjson

from config import files as stored
from config.db.crypto import SealError, unseal_bytes
from config.files.base import exactly
from ingest.sheets.columns import Sheet

READ_BYTES = 256 * 1024
BLOCK_BYTES = 8 * 1024 * 1024
LENGTH = struct.Struct(">I")
# No frame is longer, unless it was damaged.
FRAME_BYTES = 4 * BLOCK_BYTES
# All uploads and results are below it.
FOLDER = "bulk"


class ContentLost(Exception):
    """What is in storage is not what was stored."""


@dataclass
class Block:
    """Lines of a file; `first` is the number of the first one, from 1.

    `numbers` are those of the lines, and `count` is how many lines it stands for, blank ones too.
    With a `sheet` the lines are rows of a table; that is not stored with them.
    """

    first: int
    lines: list[bytes]
    refused: dict[int, list[str]] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    count: int = 0
    sheet: Sheet | None = None

    def __post_init__(self) -> None:
        self.numbers = self.numbers or list(range(self.first, self.first + len(self.lines)))
        self.count = self.count or len(self.lines)


def block_data(request_id: UUID, number: int) -> str:
    """The associated data of a sealed block."""
    return f"bulk file:{request_id}:{number}"


def end_data(request_id: UUID) -> str:
    """The associated data of the end mark."""
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

    `blocks` and `lines` are what was stored; files without an end mark have no stored `blocks`.
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
    """Compare the end mark with what was read and what is stored."""
    try:
        totals = orjson.loads(unseal_bytes(sealed, end_data(request_id)))
    except SealError as error:
        raise ContentLost("the end mark was changed") from error
    if (totals["blocks"], totals["lines"]) != (blocks, lines):
        raise ContentLost("the end mark is that of another file")


def opened(sealed: bytes, request_id: UUID, number: int) -> Block:
    """The block of a frame. Raises `ContentLost`."""
    try:
        packed = zlib.decompress(unseal_bytes(sealed, block_data(request_id, number)))
    except (SealError, zlib.error) as error:
        raise ContentLost("a block was changed, or is in another's place") from error
    head, *lines = packed.split(b"\n")
    told = orjson.loads(head)
    refused = {int(line): places for line, places in told["refused"].items()}
    # Files of older versions have neither, and keep their blank lines.
    return Block(told["first"], lines, refused, told.get("numbers", []), told.get("count", 0))

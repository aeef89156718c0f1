"""A file on its way from the socket to storage: cut into blocks, and without card numbers."""

import hashlib
import zlib
from collections.abc import Iterator
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.http import UnreadablePostError

from config.api.card_numbers import (
    malformed_holds_card_number,
    may_hold_card_numbers,
    pointer_of,
    redact,
)
from config.api.errors import TooLarge, Unreadable
from config.api.json import BOM, from_json, to_json
from config.db.crypto import seal_bytes
from config.files import Joined
from ingest.files.frames import BLOCK_BYTES, LENGTH, READ_BYTES, Block, block_data, end_data
from ingest.files.inflate import MAGIC, Damage, Damaged, Members
from ingest.sheets.columns import Sheet

BLOCK_LINES = 1000
# A longer line is an error of that line.
LINE_BYTES = 1024 * 1024
# How much more than its own size a compressed file may become: beyond what no customers need, it is
# made to waste our time. Small files may do as they like.
MOST_INFLATED = 10
INFLATED_RATIO, INFLATED_FREE = 200, 10_000_000
BYTES_PER_LINE, LINES_FREE = 2, 100_000
TOO_LONG = b'"This line is too long."'
# After these nobody knows whether the last line is whole.
CUTS = {Damage.CUT_OFF, Damage.BROKEN}


class Source(Protocol):
    """Where a body is read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes; none at the end."""


class Upload(Joined):
    """A body as it goes to storage; to be read once from beginning to end.

    Afterwards `received` is its size as sent, `lines` the number of its lines, `kept` of those that
    are not blank, `blocks` that of its blocks, `digest` its SHA-256, and `damage` tells why it was
    not read to its end, if it was not. Raises `TooLarge` and `Unreadable`.
    """

    # How it is read, if it is a table.
    sheet: Sheet | None = None

    def __init__(self, source: Source, request_id: UUID) -> None:
        super().__init__(self._framed())
        self.received = 0
        self.lines = 0
        self.kept = 0
        self.blocks = 0
        self.digest = hashlib.sha256()
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
        for pieces in self._split(self._plain()):
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
        sealed = seal_bytes(to_json(totals), end_data(self._request_id))
        yield LENGTH.pack(0) + LENGTH.pack(len(sealed)) + sealed

    def _sealed(self) -> bytes:
        """The frame of all lines that came since the last one."""
        count = self.lines - self._first + 1
        block = Block(self._first, self._lines, {}, self._numbers, count)
        self._take_out_card_numbers(block)
        refused = {str(line): places for line, places in block.refused.items()}
        head: dict[str, object] = {"first": block.first, "count": count, "refused": refused}
        if len(block.lines) != count:
            head["numbers"] = block.numbers
        packed = zlib.compress(b"\n".join([to_json(head), *block.lines]), 1)
        sealed = seal_bytes(packed, block_data(self._request_id, self.blocks))
        self.kept += len(block.lines)
        self.blocks += 1
        self._first, self._lines, self._numbers = self.lines + 1, [], []
        return LENGTH.pack(len(sealed)) + sealed

    def _take_out_card_numbers(self, block: Block) -> None:
        """Replace full card numbers in a block's lines, and note where they stood."""
        take_out_card_numbers(block)

    def _split(self, plain: Iterator[bytes]) -> Iterator[list[bytes]]:
        """The lines, many at a time; the last may lack its line feed, unless the file was cut."""
        rest = b""
        is_skipping = False
        for part in plain:
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

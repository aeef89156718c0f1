"""gzip, decompressed while it arrives: member after member, as far as it is whole.

`gzip.GzipFile` drops up to a whole read of what came before the damage that it meets, and tells a
wrong checksum from junk behind the data by the text of its error alone.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum

MAGIC = b"\x1f\x8b"
DEFLATE = 8
# Flags of a header.
HAS_CHECKSUM, HAS_EXTRA, HAS_NAME, HAS_COMMENT = 2, 4, 8, 16
PLAIN_BYTES = 256 * 1024
TRAILER = struct.Struct("<II")


class Damage(StrEnum):
    """What is wrong with a compressed file."""

    CUT_OFF = "CUT_OFF"
    BROKEN = "BROKEN"
    WRONG_CHECKSUM = "WRONG_CHECKSUM"
    FOLLOWED_BY_JUNK = "FOLLOWED_BY_JUNK"


class Damaged(Exception):
    """The file cannot be read any further."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(damage)
        self.damage = damage


class Members:
    """The members of a gzip file, read by `read`, which gives nothing at the end."""

    def __init__(self, first: bytes, read: Callable[[], bytes]) -> None:
        """Begin; `first` was read already."""
        self._rest = first
        self._read = read

    def plain(self) -> Iterator[bytes]:
        """What they hold, in pieces of `PLAIN_BYTES` at most.

        Raises `Damaged` after all that could be read.
        """
        is_first = True
        while self._fill(1):
            self._fill(len(MAGIC))
            if not self._rest.startswith(MAGIC[: len(self._rest)]):
                raise Damaged(Damage.BROKEN if is_first else Damage.FOLLOWED_BY_JUNK)
            self._skip_header()
            yield from self._member()
            is_first = False
            # Tapes and block devices pad files with zeros.
            while self._fill(1) and not self._rest.strip(b"\0"):
                self._rest = b""
            self._rest = self._rest.lstrip(b"\0")

    def _member(self) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        checksum = size = 0
        plain = b""
        while not unpacker.eof:
            # There may be more in the unpacker though nothing is left to be given to it.
            if len(plain) < PLAIN_BYTES and not self._fill(1):
                raise Damaged(Damage.CUT_OFF)
            try:
                plain = unpacker.decompress(self._rest, PLAIN_BYTES)
            except zlib.error as error:
                raise Damaged(Damage.BROKEN) from error
            self._rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            checksum = zlib.crc32(plain, checksum)
            size += len(plain)
            yield plain
        if TRAILER.unpack(self._taken(TRAILER.size)) != (checksum, size & 0xFFFFFFFF):
            raise Damaged(Damage.WRONG_CHECKSUM)

    def _skip_header(self) -> None:
        _, method, flags = struct.unpack("<2sBB6x", self._taken(10))
        if method != DEFLATE:
            raise Damaged(Damage.BROKEN)
        if flags & HAS_EXTRA:
            self._taken(int.from_bytes(self._taken(2), "little"))
        for text in (HAS_NAME, HAS_COMMENT):
            while flags & text and self._taken(1) != b"\0":
                pass
        if flags & HAS_CHECKSUM:
            self._taken(2)

    def _taken(self, size: int) -> bytes:
        """The next bytes. Raises `Damaged`."""
        if not self._fill(size):
            raise Damaged(Damage.CUT_OFF)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _fill(self, size: int) -> bool:
        """Have so many bytes read ahead, if there are so many."""
        while len(self._rest) < size:
            part = self._read()
            if not part:
                return False
            self._rest += part
        return True

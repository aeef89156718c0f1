"""The characters of a table, whatever program saved it."""

import codecs
from collections.abc import Iterator
from contextlib import suppress

from config.api.errors import Unreadable

UTF_8, WESTERN = "utf-8", "windows-1252"
# What Excel calls "Unicode text", with and without a byte order mark.
UTF_16 = "utf-16"
NAMES = {UTF_8: "UTF-8", UTF_16: "UTF-16", WESTERN: "Windows-1252"}
LOOKED_AT = 64 * 1024
NOT_UTF_8 = (
    "The file is not UTF-8; nothing was stored. Save it as “CSV UTF-8”, or upload it in the back "
    "office, which reads other encodings, too."
)


class Characters:
    """Pieces of bytes as pieces of text. `encoding` is what they are read by, once they were.

    A file that is not UTF-8 and has no byte order mark is taken for Windows-1252, of which Latin-1
    is a part. One that must be UTF-8 raises `Unreadable` where it is not.
    """

    def __init__(self, pieces: Iterator[bytes], *, must_be_utf_8: bool) -> None:
        self.encoding = UTF_8
        self._pieces = pieces
        self._is_strict = must_be_utf_8
        self._is_ascii = True

    def __iter__(self) -> Iterator[str]:
        start = b""
        while len(start) < LOOKED_AT and (piece := next(self._pieces, b"")):
            start += piece
        codec = UTF_8 if self._is_strict else codec_of(start)
        self.encoding = UTF_16 if codec.startswith(UTF_16) else codec
        if codec == UTF_8:
            yield from self._as_utf_8(start)
            return
        decoder = codecs.getincrementaldecoder(codec)("replace")
        yield decoder.decode(start)
        for piece in self._pieces:
            yield decoder.decode(piece)
        yield decoder.decode(b"", final=True)

    def _as_utf_8(self, start: bytes) -> Iterator[str]:
        """UTF-8, unless the first character beyond ASCII shows that it is something else."""
        decoder = codecs.getincrementaldecoder(UTF_8)()
        piece, is_last = start, False
        while True:
            before = decoder.getstate()[0]
            try:
                text = decoder.decode(piece, final=is_last)
            except UnicodeDecodeError:
                if self._is_strict:
                    raise Unreadable(NOT_UTF_8) from None
                self.encoding = WESTERN if self._is_ascii else UTF_8
                decoder = codecs.getincrementaldecoder(self.encoding)("replace")
                text = decoder.decode(before + piece, final=is_last)
            self._is_ascii = self._is_ascii and text.isascii()
            yield text
            if is_last:
                return
            piece = next(self._pieces, b"")
            is_last = not piece


def codec_of(start: bytes) -> str:
    """The codec for a file that begins with these bytes."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return UTF_16
    # A table is mostly ASCII, of which every second byte is then zero.
    half = len(start) // 2 or 1
    if start[1::2].count(0) > half // 2:
        return "utf-16-le"
    if start[::2].count(0) > half // 2:
        return "utf-16-be"
    with suppress(UnicodeDecodeError):
        codecs.getincrementaldecoder(UTF_8)().decode(start)
        return UTF_8
    return WESTERN

"""`Content-Encoding`: a body that came compressed, as it was before."""

import zlib
from collections.abc import Mapping

from django.conf import settings

from config.api.errors import Refused, TooLarge, Unreadable


def encoding_of(environ: Mapping[str, object]) -> str:
    """How a request's body is compressed: ``gzip``, or ``""``. Raises `Refused` for another way."""
    encoding = str(environ.get("HTTP_CONTENT_ENCODING", "")).strip().lower()
    if encoding in {"", "identity"}:
        return ""
    if encoding in {"gzip", "x-gzip"}:
        return "gzip"
    raise Refused(
        415,
        "UNSUPPORTED_CONTENT_ENCODING",
        "A body may come with Content-Encoding gzip, or without any.",
        headers={"Accept-Encoding": "gzip, identity"},
    )


def decoded(body: bytes, encoding: str) -> bytes:
    """A body as it was before it was compressed, within the limit of plain ones.

    No more than the limit is ever unpacked. Raises `TooLarge`, and `Unreadable` for what is not
    gzip, or not whole.
    """
    if encoding != "gzip" or not body:
        return body
    limit = settings.MAX_BODY_BYTES
    parts: list[bytes] = []
    size = 0
    while body:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            parts.append(unpacker.decompress(body, limit - size + 1))
        except zlib.error:
            raise Unreadable("The body is not gzip, as its Content-Encoding says.") from None
        size += len(parts[-1])
        if size > limit:
            raise TooLarge(f"Unpacked, a body may have {limit} bytes.")
        if not unpacker.eof:
            raise Unreadable("The compressed body ends early.")
        body = unpacker.unused_data
    return b"".join(parts)

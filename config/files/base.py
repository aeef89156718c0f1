"""What a folder and a bucket have in common."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

BLOCK_BYTES = 256 * 1024
# A disk that is full; a user whose quota is used up; a file that reached the limit of its size.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class StorageFull(OSError):
    """There is no space left for this file."""


class StorageAway(ConnectionError):
    """The store did not answer, or not in time, however often it was asked."""


class Stream(Protocol):
    """Bytes that can be read once, from beginning to end."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` bytes, and none at the end."""


@contextmanager
def writing() -> Iterator[None]:
    """Make `StorageFull` of the system's errors that mean it."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE and not isinstance(error, StorageFull):
            raise StorageFull(error.errno, "no space is left for files") from error
        raise


def exactly(stream: Stream, size: int) -> bytes:
    """The next `size` bytes of a stream; fewer at its end."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)

"""Stored files: what was uploaded, and what jobs have written; in a folder or in a bucket.

A name is a path, such as ``bulk/<id>/lines``; no two writers share one. A file can be seen under
its name only when it is complete and will survive a power cut; of one that could not be completed
nothing is left, unless its process was killed. No file is ever held in memory as a whole, in
neither direction. Where the files are is `STORAGES["default"]`.

Raises `StorageFull`, `StorageAway`, `FileNotFoundError`, and `OSError` for a folder that this
process cannot use.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage

from config.files.base import BLOCK_BYTES, StorageAway, StorageFull, Stream, writing
from config.files.folder import Folder
from config.files.joined import Joined

if TYPE_CHECKING:
    from config.files.bucket import Bucket

__all__ = [
    "BLOCK_BYTES",
    "Joined",
    "Reader",
    "StorageAway",
    "StorageFull",
    "Stream",
    "abort_abandoned",
    "blocks",
    "exists",
    "free_bytes",
    "link",
    "names",
    "remove",
    "remove_folder",
    "scratch",
    "size",
    "store",
    "writing",
]


def place() -> "Folder | Bucket":
    """Where the files are."""
    storage: object = default_storage
    if isinstance(storage, FileSystemStorage):
        return Folder(storage)
    from config.files.bucket import Bucket  # noqa: PLC0415 -- its library is slow to import

    if isinstance(storage, Bucket):
        return storage
    raise TypeError("files are kept in a folder or in a bucket")


def store(name: str, stream: Stream) -> None:
    """Write all of a stream. What the stream raises is passed on, and nothing is left then."""
    place().store(name, stream)


def size(name: str) -> int:
    """Bytes of a file."""
    return place().size(name)


def exists(name: str) -> bool:
    """Whether there is such a file."""
    with suppress(FileNotFoundError):
        return size(name) >= 0
    return False


def names() -> Iterator[str]:
    """The names of all files that are complete, in no order."""
    return place().names()


def blocks(name: str, first: int, length: int) -> Iterator[bytes]:
    """`length` bytes of a file from byte `first` on, `BLOCK_BYTES` at most at a time."""
    return place().blocks(name, first, length)


def remove(name: str) -> None:
    """Delete a file, if it is there, and its folder when that has become empty."""
    place().remove(name)


def remove_folder(folder: str, *, keep: str = "") -> None:
    """Delete all files below a folder, finished or not, but for the one named `keep`."""
    place().remove_folder(folder, keep=keep)


def abort_abandoned(folder: str, *, age: timedelta) -> int:
    """Delete what a bucket keeps of uploads to a folder that began so long ago; how many.

    These are parts without a name; a local folder has none of that kind.
    """
    found = place()
    return 0 if isinstance(found, Folder) else found.abort_abandoned(folder, age=age)


def free_bytes() -> int | None:
    """How many bytes there is space for; None when nobody can tell."""
    return place().free_bytes()


def scratch() -> BinaryIO:
    """A file without a name on a disk of this machine; beside the others where there is a folder.

    It is gone when it is closed, and when its process ends, in whatever way.
    """
    found = place()
    folder = found.root if isinstance(found, Folder) else Path(settings.DATA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return cast("BinaryIO", TemporaryFile(dir=folder))


def link(name: str, *, file_name: str, content_type: str) -> str | None:
    """A short-lived URL of a file in its bucket, where clients can reach that one."""
    found = place()
    if not isinstance(found, Folder) and found.presigned:
        return found.link(name, file_name=file_name, content_type=content_type)
    return None


class Reader(Joined):
    """A stored file from its beginning to its end, as a stream."""

    def __init__(self, name: str) -> None:
        super().__init__(blocks(name, 0, size(name)))

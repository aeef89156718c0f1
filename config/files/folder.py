"""A folder of this machine, or one that all machines share, in which files are kept."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from django.core.files.storage import FileSystemStorage

from config.files.base import BLOCK_BYTES, Stream, writing

# Ends the name of a file that is being written.
PART = ".part"
# How often a folder is made again that somebody who removes empty ones took away meanwhile.
TRIES = 5
NOT_FOR_FOLDERS = (errno.EINVAL, errno.EBADF)


class Folder:
    """Files in the folder of a Django storage; see `config.files`."""

    def __init__(self, storage: FileSystemStorage) -> None:
        self._storage = storage
        self.root = Path(storage.path(""))

    def store(self, name: str, stream: Stream) -> None:
        """Write under another name first, and rename the file when it is on disk."""
        path = self._path(name)
        aside = path.with_name(path.name + PART)
        try:
            with writing(), self._created(aside) as file:
                while block := stream.read(BLOCK_BYTES):
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
            self._sync_names(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            self._drop_empty(path.parent)
            raise

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return self._path(name).stat().st_size

    def names(self) -> Iterator[str]:
        """The names of all complete files."""
        for path in below(self.root):
            if path.suffix != PART and path.is_file():
                yield path.relative_to(self.root).as_posix()

    def blocks(self, name: str, first: int, length: int) -> Iterator[bytes]:
        """Part of a file."""
        with self._path(name).open("rb") as file:
            file.seek(first)
            while length > 0 and (block := file.read(min(BLOCK_BYTES, length))):
                length -= len(block)
                yield block

    def remove(self, name: str) -> None:
        """Delete a file, and its folder when that has become empty."""
        path = self._path(name)
        path.unlink(missing_ok=True)
        self._drop_empty(path.parent)

    def remove_folder(self, folder: str, *, keep: str = "") -> None:
        """Delete what is below a folder."""
        path = self._path(folder)
        kept = self._path(keep) if keep else None
        for found in below(path):
            if found.is_dir():
                with suppress(OSError):
                    found.rmdir()
            elif found != kept:
                found.unlink(missing_ok=True)
        self._drop_empty(path)

    def free_bytes(self) -> int:
        """What the file system has for this user."""
        existing = next(path for path in (self.root, *self.root.parents) if path.exists())
        return shutil.disk_usage(existing).free

    def _path(self, name: str) -> Path:
        return Path(self._storage.path(name))

    def _created(self, path: Path) -> BinaryIO:
        mode = self._storage.file_permissions_mode or 0o600
        for tries in range(1, TRIES + 1):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            except FileNotFoundError:
                if tries == TRIES:
                    raise
            else:
                return os.fdopen(descriptor, "wb")
        raise AssertionError("unreachable")

    def _sync_names(self, path: Path) -> None:
        """Have the names of a file and of its folders on disk, as its content is already."""
        for folder in path.parents:
            if not folder.is_relative_to(self.root):
                break
            sync_folder(folder)

    def _drop_empty(self, folder: Path) -> None:
        """Remove folders that have become empty, below those that are always there."""
        while folder.is_relative_to(self.root) and len(folder.relative_to(self.root).parts) > 1:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def below(folder: Path) -> Iterator[Path]:
    """All that is below a folder, the deepest first, but for what is deleted meanwhile."""

    def note(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    for root, folders, names in os.walk(folder, topdown=False, onerror=note):
        for name in (*names, *folders):
            yield Path(root, name)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems keep names by themselves, and cannot be asked.
        if error.errno not in NOT_FOR_FOLDERS:
            raise
    finally:
        os.close(descriptor)

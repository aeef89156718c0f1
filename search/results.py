"""Result files in storage: there whole, or not at all."""

import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.core.files.base import File
from django.core.files.storage import default_storage

from config.jobs import JobFailed
from config.storage import Bucket
from search.models import CustomerSearch

BLOCK_BYTES = 256 * 1024
# The last two are limits of a user, and of a file.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NOT_FOR_FOLDERS = (errno.EINVAL, errno.EBADF)
Readable = io.RawIOBase | io.BytesIO


def name_for(search: CustomerSearch) -> str:
    """Where the file of the attempt at hand goes: no two attempts share a name."""
    return f"{folder_of(search)}/{search.claim_id}/{search.file_name}"


def manifest_name(name: str) -> str:
    """Where the manifest of the file `name` lies."""
    return f"{name}.manifest.json"


def folder_of(search: CustomerSearch) -> str:
    """The folder of all attempts of a search."""
    return f"searches/{search.pk}"


def store(name: str, stream: Readable) -> None:
    """Write a stream to storage under `name`, where it can be seen only when it is complete.

    Raises `JobFailed` when there is no room, and whatever the stream raises.
    """
    path = local_path(name)
    try:
        if path is None:
            default_storage.save(name, File(buffered(stream), name))
        else:
            save_aside(name, path, stream)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise JobFailed("STORAGE_FULL", "There is no room left for result files.") from error
        raise


def buffered(stream: Readable) -> IO[bytes]:
    """The stream in blocks."""
    return stream if isinstance(stream, io.BytesIO) else io.BufferedReader(stream, BLOCK_BYTES)


def save_aside(name: str, path: Path, stream: Readable) -> None:
    """Write to a local folder under another name first, and move the file when it is on disk."""
    part = f"{name}.part"
    aside = path.with_name(path.name + ".part")
    try:
        default_storage.save(part, File(buffered(stream), part))
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def store_manifest(name: str, manifest: bytes) -> None:
    """Write the manifest of the file `name`; it makes the file complete, power cut or not."""
    store(manifest_name(name), io.BytesIO(manifest))
    if (path := local_path(name)) is not None:
        keep_names(path.parent)


def keep_names(folder: Path) -> None:
    """Let the names in a local folder be on disk, as what is in the files is already."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems keep names by themselves, and do not know how to be asked.
        if error.errno not in NOT_FOR_FOLDERS:
            raise
    finally:
        os.close(descriptor)


def direct_link(name: str, *, file_name: str, content_type: str) -> str | None:
    """A short-lived URL of the file `name` in its bucket, where clients can reach that one."""
    if isinstance(default_storage, Bucket) and default_storage.presigned:
        return default_storage.link(name, file_name=file_name, content_type=content_type)
    return None


def blocks(name: str, first: int, length: int) -> Iterator[bytes]:
    """`length` bytes of the file `name` from byte `first` on, block by block."""
    if isinstance(default_storage, Bucket):
        return default_storage.blocks(name, first, length)
    return part(default_storage.open(name), first, length)


def part(file: "File[bytes]", first: int, length: int) -> Iterator[bytes]:
    """Part of a file, block by block; the file is closed at the end."""
    with file:
        file.seek(first)
        while length > 0 and (block := file.read(min(BLOCK_BYTES, length))):
            length -= len(block)
            yield block


def remove(search: CustomerSearch) -> None:
    """Delete all that was ever written for a search. Raises what the storage raises."""
    folder = folder_of(search)
    for attempt in listed(folder)[0]:
        remove_files(f"{folder}/{attempt}")
    drop_folder(folder)


def remove_attempt(name: str) -> None:
    """Delete the file `name` and its manifest, if they are there."""
    remove_files(name.rpartition("/")[0])


def remove_files(folder: str) -> None:
    """Delete a folder's files, and the folder."""
    for name in listed(folder)[1]:
        default_storage.delete(f"{folder}/{name}")
    drop_folder(folder)


def listed(folder: str) -> tuple[list[str], list[str]]:
    """The folders and files in a folder; none when it is not there."""
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []


def drop_folder(folder: str) -> None:
    """Remove a folder that has become empty; an object store has none."""
    path = local_path(folder)
    if path is not None and path.is_dir() and not any(path.iterdir()):
        path.rmdir()


def local_path(name: str) -> Path | None:
    """The path of a file in a local folder; None on an object store."""
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:
        return None

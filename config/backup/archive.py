"""The file of a backup: written whole or not at all, and read back piece by piece."""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from config.files import BLOCK_BYTES, Stream
from config.files.folder import sync_folder

# Of the archive, not of the product: one of a later format is not understood.
FORMAT = 1
MANIFEST, DATABASE, FILES = "manifest.json", "database.dump", "files/"

# Is told the bytes that have gone through.
Watch = Callable[[int], None]


class BackupError(Exception):
    """A backup cannot be made or put back; the message says why, and nothing has changed."""


@dataclass(frozen=True)
class Manifest:
    """What a backup is of. `facts` are the database's own, such as fingerprints of its keys.

    `database_bytes` and `database_sha256` are of the dump, `files` is None where none were asked
    for.
    """

    format: int
    release: str
    made_at: str
    postgresql: str
    migrations: list[tuple[str, str]]
    facts: dict[str, str]
    database_bytes: int
    database_sha256: str
    files: int | None
    has_keys: bool


class Writer:
    """An archive that is being written."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def add(self, name: str, blocks: Iterable[bytes], watch: Watch) -> tuple[int, str]:
        """Write a member; its size and SHA-256.

        Raises `BackupError` where there is no space left, and what the blocks raise.
        """
        digest, size = hashlib.sha256(), 0
        with self._archive.open(name, "w", force_zip64=True) as member:
            for block in blocks:
                with written():
                    member.write(block)
                digest.update(block)
                size += len(block)
                watch(size)
        return size, digest.hexdigest()

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, which makes the archive a backup."""
        self._archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=2))


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """An archive that is seen under its name only when it is whole and on disk.

    For this user alone. Raises `BackupError` for a name that is taken, or cannot be.
    """
    if path.exists():
        raise BackupError(f"{path} exists already")
    part = path.with_name(f"{path.name}.part")
    with written():
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    failure: BaseException | None = None
    try:
        with written(), os.fdopen(descriptor, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                try:
                    yield Writer(archive)
                except BaseException as error:
                    failure = error
                    raise
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except BackupError as error:
        # On a full disk the archive cannot be closed either: the first error says why.
        raise failure or error from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def written() -> Iterator[None]:
    """Says that it was the backup that could not be written, and not what is read for it."""
    try:
        yield
    except OSError as error:
        raise BackupError(f"the backup cannot be written: {error.strerror or error}") from error


class Reader:
    """An archive that was written whole."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    def blocks(self, name: str, watch: Watch = lambda _size: None) -> Iterator[bytes]:
        """A member, piece by piece. Raises `BackupError` where it is damaged."""
        size = 0
        try:
            with self._archive.open(name) as member:
                while block := member.read(BLOCK_BYTES):
                    yield block
                    size += len(block)
                    watch(size)
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise BackupError(f"{name} in the backup is damaged: {error}") from error

    def database(self, watch: Watch) -> Iterator[bytes]:
        """The dump. Raises `BackupError` at its end where it is not the one that was written."""
        digest = hashlib.sha256()
        for block in self.blocks(DATABASE, watch):
            digest.update(block)
            yield block
        if digest.hexdigest() != self.manifest.database_sha256:
            raise BackupError("the database in the backup is damaged: its digest is another")

    def files(self) -> Iterator[tuple[str, Stream]]:
        """The stored files: their names, and what is in them, to be read before the next."""
        for member in self._archive.infolist():
            if member.filename.startswith(FILES):
                with self._archive.open(member) as content:
                    yield member.filename.removeprefix(FILES), content


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """A backup. Raises `BackupError` for what is none, and for one of a later format."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise BackupError(f"{path} cannot be read as a backup: {error}") from error
    with archive:
        try:
            fields = json.loads(archive.read(MANIFEST))
        except (KeyError, ValueError, zipfile.BadZipFile) as error:
            raise BackupError(f"{path} is no whole backup: it has no manifest") from error
        if fields.get("format") != FORMAT:
            raise BackupError(
                f"{path} was made by Kith {fields.get('release')}, in a format that Kith of this"
                " release does not know; restore it with that one"
            )
        pairs = [(str(app), str(name)) for app, name in fields.pop("migrations")]
        with suppress(TypeError):
            yield Reader(archive, Manifest(migrations=pairs, **fields))
            return
        raise BackupError(f"{path} has a manifest that cannot be read")

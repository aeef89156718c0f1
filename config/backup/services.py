"""A backup is made, and put back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from time import monotonic

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from config import files, installation
from config.backup import database, keys
from config.backup.archive import (
    DATABASE,
    FILES,
    FORMAT,
    BackupError,
    Manifest,
    Reader,
    Watch,
    Writer,
    reading,
    writing,
)
from config.env import Env
from config.launcher.instance import SECRET_NAMES
from config.models import InstallationFact

# How often progress is told, in seconds.
PAUSE = 2
MEGABYTE = 1_000_000

Say = Callable[[str], None]


def make_backup(path: Path, *, with_files: bool, passphrase: str | None, say: Say) -> Manifest:
    """Write a backup of this registry, which may run meanwhile, to a new file.

    With a passphrase the keys are in it, too. Raises `BackupError` and `KeysError`.
    """
    database.require_server()
    own_keys = None if passphrase is None else keys.sealed(configured_keys(), passphrase)
    with writing(path) as archive, one_moment() as snapshot:
        facts = dict(InstallationFact.objects.values_list("name", "value"))
        applied = sorted(MigrationLoader(connection).applied_migrations)
        size, digest = archive.add(
            DATABASE, database.dumped(snapshot), progress(say, "the database")
        )
        count = add_files(archive, say) if with_files else None
        if own_keys is not None:
            archive.add(keys.MEMBER, [own_keys], lambda _size: None)
        manifest = Manifest(
            format=FORMAT,
            release=settings.VERSION,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            postgresql=str(database.server_version()),
            migrations=applied,
            facts=facts,
            database_bytes=size,
            database_sha256=digest,
            files=count,
            has_keys=own_keys is not None,
        )
        archive.finish(manifest)
    return manifest


def restore_backup(path: Path, *, say: Say) -> Manifest:
    """Put a backup into the database of this process, which has to be empty, and migrate it.

    Raises `BackupError` before anything is changed for one of a newer release or other keys, for a
    database with tables in it, and for a pooler.
    """
    database.require_server()
    with reading(path) as archive:
        manifest = archive.manifest
        if message := newer(manifest):
            raise BackupError(message)
        if found := installation.key_problems(manifest.facts):
            raise BackupError("; ".join(found))
        if not database.is_empty():
            raise BackupError(
                "the database has tables already: a backup is restored into an empty one"
            )
        total = manifest.database_bytes
        database.restore(archive.database(progress(say, "the database", total)))
        say("counting rows for the planner")
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        restore_files(archive, say)
    call_command("migrate", interactive=False, verbosity=0)
    return manifest


def newer(manifest: Manifest) -> str:
    """The message about a backup of a newer release; ``""`` for one that is not."""
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations or {}
    ours = {config.label for config in apps.get_app_configs()}
    unknown = [each for each in manifest.migrations if each[0] in ours and each not in known]
    if not unknown:
        return ""
    return (
        f"the backup was made by Kith {manifest.release}, which is newer than this one"
        f" ({settings.VERSION}): it has {installation.listed(unknown)}. Restore it with that"
        " release. Nothing was changed."
    )


@contextmanager
def one_moment() -> Iterator[str]:
    """A transaction that sees one moment of the database, and its name for other sessions."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        ((name,),) = cursor.fetchall()
        yield str(name)


def configured_keys() -> dict[str, str]:
    """The keys of this process by their variables, as they were given."""
    given = Env()
    return {name: given.required(name) for name in SECRET_NAMES}


def add_files(archive: Writer, say: Say) -> int:
    """Write all stored files; how many. One that is deleted meanwhile is left out."""
    count = 0
    for name in files.names():
        try:
            size = files.size(name)
            blocks = files.blocks(name, 0, size)
            first = next(blocks, b"")
        except FileNotFoundError:
            continue
        archive.add(FILES + name, chain([first], blocks), progress(say, f"file {count + 1}", size))
        count += 1
    say(f"{count} files")
    return count


def restore_files(archive: Reader, say: Say) -> None:
    """Put stored files back."""
    count = 0
    for name, content in archive.files():
        files.store(name, content)
        count += 1
    if archive.manifest.files is not None:
        say(f"{count} files")


def progress(say: Say, what: str, total: int = 0) -> Watch:
    """Tells how far something is, every two seconds."""
    told = monotonic()

    def watch(size: int) -> None:
        nonlocal told
        if monotonic() - told >= PAUSE:
            told = monotonic()
            share = f" of {total / MEGABYTE:.0f} MB, {100 * size // total} %" if total else " MB"
            say(f"{what}: {size / MEGABYTE:.0f}{share}")

    return watch

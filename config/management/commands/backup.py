"""`backup FILE [--files] [--keys [--passphrase-stdin]]`: progress on standard error."""

import getpass
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backup.archive import BackupError
from config.backup.keys import KeysError
from config.backup.services import MEGABYTE, make_backup


class Command(BaseCommand):
    """Writes a backup of the registry."""

    help = (
        "Write a backup of this registry to a file, while it runs. "
        "The database of one moment and the fingerprints of its keys are in it; the keys "
        "themselves only with --keys, under a passphrase."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("file", type=Path, help="a new file, such as kith-2026-11-29.backup")
        parser.add_argument(
            "--files", action="store_true", help="with the files of searches and loads"
        )
        parser.add_argument(
            "--keys",
            action="store_true",
            help="with the keys, under a passphrase that is asked for",
        )
        parser.add_argument(
            "--passphrase-stdin", action="store_true", help="read it from standard input"
        )

    def handle(
        self,
        *_args: object,
        file: Path,
        files: bool,
        keys: bool,
        passphrase_stdin: bool,
        **_options: object,
    ) -> None:
        """Write it, or exit with 1."""
        try:
            made = make_backup(
                file,
                with_files=files,
                passphrase=passphrase(from_stdin=passphrase_stdin) if keys else None,
                say=lambda line: self.stderr.write(f"kith: {line}"),
            )
        except (BackupError, KeysError) as error:
            raise CommandError(str(error)) from error
        what = "with its keys" if made.has_keys else "without its keys: keep secrets.env elsewhere"
        size = f"{made.database_bytes / MEGABYTE:.1f} MB"
        self.stdout.write(f"{file}: Kith {made.release}, the database {size}, {what}")


def passphrase(*, from_stdin: bool) -> str:
    """What is typed in twice, or the first line of standard input. Raises `CommandError`."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Passphrase for the keys: ")
    if getpass.getpass("Once more: ") != first:
        raise CommandError("The two passphrases differ.")
    return first

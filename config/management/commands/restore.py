"""`restore FILE`: into the empty database of `DATABASE_URL`; progress on standard error."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backup.archive import BackupError
from config.backup.services import restore_backup


class Command(BaseCommand):
    """Puts a backup back."""

    help = (
        "Put a backup into an empty database. "
        "It is refused with other keys than the backup's, and for one of a newer release; one of "
        "an older release is brought up to date. `./kith restore` starts the servers for it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("file", type=Path, help="what `backup` has written")

    def handle(self, *_args: object, file: Path, **_options: object) -> None:
        """Restore it, or exit with 1."""
        try:
            restored = restore_backup(file, say=lambda line: self.stderr.write(f"kith: {line}"))
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"restored what Kith {restored.release} had at {restored.made_at}")

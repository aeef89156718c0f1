"""`row_security --apply ROLE | --check | --remove ROLE`: row-level security in the database."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.db import row_security
from config.db.row_security import RowSecurityError


class Command(BaseCommand):
    """Confines web and worker in the database to the business accounts that they work for."""

    help = (
        "Put row-level security into the database, look whether it is there, or take it out. "
        "It binds the role that web and worker connect as, once they do so with "
        "KITH_ROW_SECURITY=1; the owner of the tables runs this."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        action = parser.add_mutually_exclusive_group(required=True)
        action.add_argument("--apply", metavar="ROLE", help="for this role; safe to repeat")
        action.add_argument("--check", action="store_true", help="as the user of DATABASE_URL")
        action.add_argument("--remove", metavar="ROLE", help="with all rights of this role")

    def handle(
        self, *_args: object, apply: str, check: bool, remove: str, **_options: object
    ) -> None:
        """Do it, and say what was changed."""
        if check:
            if found := row_security.problems():
                raise CommandError("\n".join(found))
            self.stdout.write("web and worker see the rows of the accounts that they work for")
            return
        try:
            for name in row_security.apply(apply) if apply else row_security.remove(remove):
                self.stdout.write(name)
        except RowSecurityError as error:
            raise CommandError(str(error)) from error

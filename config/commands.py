"""The command line of `manage.py`: our own commands first, in words."""

import os
import sys

from django.core.management import ManagementUtility, get_commands, load_command_class

from config.db.scope import Reason, unconfined

ALL = "--all"
OWNER_URL = "KITH_OWNER_DATABASE_URL"
# They are about what web and worker may do, and so as the same user of the database.
AS_WEB_AND_WORKER = (["check_isolation"], ["row_security", "--check"])
OF_OURS = ("config", "customers", "search", "ingest")


def connect_as_owner(argv: list[str]) -> None:
    """Have a command use `KITH_OWNER_DATABASE_URL`, if that is set, in place of `DATABASE_URL`.

    Where row-level security is on, web and worker have a user that owns nothing.
    """
    given = {
        name: os.environ[name] for name in (OWNER_URL, f"{OWNER_URL}_FILE") if os.environ.get(name)
    }
    if given and not any(argv[1:][: len(words)] == words for words in AS_WEB_AND_WORKER):
        for name in ("DATABASE_URL", "DATABASE_URL_FILE"):
            os.environ.pop(name, None)
        os.environ |= {name.replace(OWNER_URL, "DATABASE_URL"): url for name, url in given.items()}


class CommandLine(ManagementUtility):
    """Django's, whose `help` shows what belongs to Kith; `help --all` shows everything."""

    def main_help_text(self, commands_only: bool = False) -> str:
        """Our commands with what they do, or Django's whole list."""
        if commands_only or ALL in self.argv:
            return str(super().main_help_text(commands_only=commands_only))
        lines = ["Commands of Kith (`help COMMAND` tells how to use one):", ""]
        for name, app in sorted(get_commands().items()):
            if str(app).partition(".")[0] in OF_OURS:
                first = load_command_class(str(app), name).help.partition(". ")[0].rstrip(".")
                lines.append(f"  {name:<24} {first}.")
        return "\n".join([*lines, "", f"`help {ALL}` lists Django's commands, too."])

    def execute(self) -> None:
        """Run what was asked for."""
        if self.argv[1:] == ["help", ALL]:
            sys.stdout.write(f"{self.main_help_text()}\n")
        else:
            with unconfined(Reason.COMMAND):
                super().execute()

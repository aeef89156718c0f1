"""The command line of `manage.py`: our own commands first, in words."""

import sys

from django.core.management import ManagementUtility, get_commands, load_command_class

ALL = "--all"
OF_OURS = ("config", "customers", "search", "ingest")


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
            super().execute()

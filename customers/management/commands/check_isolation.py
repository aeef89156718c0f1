"""`check_isolation [--only PATH]` → a table of all routes; 1 if one of them tells too much."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.api.routes import routes
from config.db import row_security
from customers.isolation.cases import Line
from customers.isolation.family import family
from customers.isolation.isolating import isolated
from customers.isolation.walk import Walk


class Command(BaseCommand):
    """Makes a family of business accounts, and lets each of them try to see what others have."""

    help = (
        "Prove that no business account sees or changes what is another's. "
        "A family of accounts is made in this registry's database, and every call of the API and "
        "every page of the back office is made by each of them with the handles of all others. "
        "Nothing of it stays, and the registry may run meanwhile."
    )
    # They import all views, and the walk does so itself.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument(
            "--only", metavar="PATH", default="", help="routes that begin so, such as v1/customers"
        )

    def handle(self, *_args: object, only: str, **_options: object) -> None:
        """Walk, print, and exit with 1 on any difference."""
        only = only.lstrip("/")
        if not any(route.pattern.startswith(only) for route in routes()):
            raise CommandError(f"No route begins with {only!r}.")
        if settings.ROW_SECURITY and (unconfined := row_security.problems()):
            raise CommandError("\n".join(unconfined))
        with isolated(), family() as made:
            self.stdout.write(f"callers: {', '.join(caller.name for caller in made.callers)}")
            lines = Walk(made, only=only).run()
        width = max(len(line.route) for line in lines)
        for line in lines:
            self.show(line, width)
        wrong = [line for line in lines if line.faults]
        calls = sum(line.calls for line in lines)
        self.stdout.write(f"{len(lines)} routes and methods, {calls} calls")
        if wrong:
            raise CommandError(f"{len(wrong)} of {len(lines)} differ from the account tree.")
        self.stdout.write("every answer is as the account tree allows")

    def show(self, line: Line, width: int) -> None:
        """One line of the table, and below it what is wrong."""
        said = "ok" if not line.faults else f"{len(line.faults)} DIFFERENCES"
        self.stdout.write(f"{line.method:<6}  /{line.route:<{width}}  {line.calls:>5}  {said}")
        for fault in line.faults:
            self.stdout.write(f"        {fault}")

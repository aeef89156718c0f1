"""Commands that programs call: one JSON object on standard output, everything else on the other."""

import json
from collections.abc import Callable, Mapping
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.api.errors import ApiError
from customers.models import BusinessAccount


class JSONCommand(BaseCommand):
    """Prints what `run` returns as JSON; a refusal of a service ends it with what is wrong."""

    # They import all views, and take longer than most commands; `migrate` makes them.
    requires_system_checks = ()

    # Does the work, with the options that the command declares as keywords, and Django's own;
    # raises `ApiError` or `CommandError`.
    run: Callable[..., Mapping[str, object]]

    def handle(self, *_args: object, **options: object) -> None:
        """Run, print, or exit with 1."""
        try:
            result = self.run(**options)
        except ApiError as error:
            wrong = [f"{problem.path}: {problem.message}" for problem in error.problems]
            raise CommandError("\n".join(wrong) or error.message) from error
        self.stdout.write(json.dumps(result, default=str))


def add_business_account(parser: CommandParser) -> None:
    """The option that names the business account of a command, for `account_named`."""
    parser.add_argument(
        "--business-account",
        metavar="ID",
        required=True,
        help="its id, or its name where only one has it",
    )


def account_named(named: str | UUID) -> BusinessAccount:
    """The business account that an option names, by its id or by a name that only it has.

    Raises `CommandError`.
    """
    accounts = BusinessAccount.objects.all()
    try:
        found = list(accounts.filter(pk=UUID(str(named))))
    except ValueError:
        found = list(accounts.filter(name__iexact=str(named).strip()).order_by("pk")[:10])
    if not found:
        raise CommandError(f"There is no business account {str(named)!r}.")
    if len(found) > 1:
        ids = ", ".join(str(account.pk) for account in found)
        raise CommandError(f"Several business accounts are called {named!r}; give an id: {ids}.")
    return found[0]


def how_to_use(key: str) -> str:
    """What a person does with an API key and its secret."""
    return (
        f"A program gets its token with the key as user and the secret as password:\n"
        f"  curl -X POST -u {key}:SECRET {settings.PUBLIC_URL}/v1/api-keys/exchange"
    )

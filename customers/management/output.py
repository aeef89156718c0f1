"""Commands that programs call: one JSON object on standard output, everything else on the other."""

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from config.errors import ApiError
from customers.models import BusinessAccount


class JSONCommand(BaseCommand):
    """Prints what `run` returns as JSON; a refusal of a service ends it with what is wrong."""

    def run(self, **options: Any) -> dict[str, Any]:  # noqa: ANN401 -- Django's options
        """Do the work; raises `ApiError` or `CommandError`."""
        raise NotImplementedError

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 -- Django's signature
        """Run, print, or exit with 1."""
        try:
            result = self.run(**options)
        except ApiError as error:
            wrong = [f"{problem.path}: {problem.message}" for problem in error.problems]
            raise CommandError("\n".join(wrong) or error.message) from error
        self.stdout.write(json.dumps(result, default=str))


def business_account(account_id: UUID) -> BusinessAccount:
    """The business account that an option names; `CommandError` when there is none."""
    account = BusinessAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise CommandError(f"There is no business account {account_id}.")
    return account

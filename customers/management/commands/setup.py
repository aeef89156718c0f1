"""`setup [--name N] [--region US] [--email E] [--password-stdin]`

→ `{"businessAccountId", "login", "key", "secret"}`; what is not given is asked for on a terminal.
"""

import getpass
import sys
from collections.abc import Callable

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from customers.management.output import JSONCommand, how_to_use
from customers.services.people import (
    create_api_key,
    create_business_account,
    create_employee,
    create_service_account,
)


class Command(JSONCommand):
    """Makes the first business account with an Owner and an API key."""

    help = (
        "Lead from an empty registry to a business account, a person who signs in as its Owner, "
        "and an API key. Asks for what is not given; the secret is shown this once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("--name", help="the company's name")
        parser.add_argument("--region", help="two-letter country by which phone numbers are read")
        parser.add_argument("--email", help="with which the Owner signs in")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    def run(
        self,
        *,
        name: str | None,
        region: str | None,
        email: str | None,
        password_stdin: bool,
        **_options: object,
    ) -> dict[str, str]:
        """Ask, make all of it or nothing, and say what is used where."""
        name = name or self.ask("Name of your company: ", "--name")
        email = email or self.ask("Your e-mail address, to sign in with: ", "--email")
        region = region or self.ask(
            "Country of its phone numbers, two letters [US]: ", "--region", default="US"
        )
        if password_stdin:
            password = sys.stdin.readline().rstrip("\r\n")
        else:
            password = self.ask("A password of 12 or more characters: ", "--password-stdin", hidden)
        made = self.make(name, region.strip().upper(), email, password)
        self.tell(
            f"The back office is at {settings.PUBLIC_URL}/admin/; sign in as {made['login']}.\n"
            + how_to_use(made["key"])
            + "\n"
        )
        return made

    @transaction.atomic
    def make(self, name: str, region: str, email: str, password: str) -> dict[str, str]:
        """All of it in one transaction. Raises `ApiError`."""
        account = create_business_account(name=name, region=region)
        owner = create_employee(
            email=email, business_account=account, role="Owner", password=password
        )
        program = create_service_account(business_account=account, name="First API key")
        client, secret = create_api_key(service_account=program)
        return {
            "businessAccountId": str(account.pk),
            "login": owner.email,
            "key": client.client_id,
            "secret": secret,
        }

    def tell(self, text: str) -> None:
        """Write what is no error, so not in red."""
        self.stderr.write(text, str, ending="")
        self.stderr.flush()

    def ask(
        self,
        question: str,
        option: str,
        read: Callable[[], str] = input,
        *,
        default: str = "",
    ) -> str:
        """An answer from the terminal. Raises `CommandError` where nobody can answer."""
        if not sys.stdin.isatty():
            raise CommandError(f"{option} is needed: there is no terminal to ask on.")
        # Standard output is for programs.
        self.tell(question)
        try:
            answer = read().strip()
        except EOFError as error:
            raise CommandError("Nothing was made.") from error
        return answer or default


def hidden() -> str:
    """An answer that is not shown while it is typed."""
    return getpass.getpass("")

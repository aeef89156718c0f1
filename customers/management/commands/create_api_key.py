"""`create_api_key --business-account ID [--scope S]… [--name N]`

→ `{"clientId", "key", "secret"}`
"""

from django.core.management.base import CommandParser
from django.db import transaction

from config.api.actors import DEFAULT_SCOPES, SCOPES
from customers.management.output import (
    JSONCommand,
    account_named,
    add_business_account,
    how_to_use,
)
from customers.services.people import create_api_key, create_service_account


class Command(JSONCommand):
    """Makes a service account with one key."""

    help = "Make a service account with a key. The secret is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        add_business_account(parser)
        parser.add_argument(
            "--scope",
            action="append",
            metavar="S",
            help=f"may be repeated, of {', '.join(SCOPES)} (default: all but customers.sensitive)",
        )
        parser.add_argument("--name", default="API key", help="what to call it")

    @transaction.atomic
    def run(
        self, *, business_account: str, name: str, scope: list[str] | None, **_options: object
    ) -> dict[str, object]:
        """Make both."""
        service_account = create_service_account(
            business_account=account_named(business_account),
            name=name,
            scopes=scope or DEFAULT_SCOPES,
        )
        client, secret = create_api_key(service_account=service_account)
        self.stderr.write(how_to_use(client.client_id))
        return {"clientId": client.pk, "key": client.client_id, "secret": secret}

"""`create_oauth_client NAME --business-account ID --grant authorization-code|client-credentials
[--redirect-uri URI]… [--public] [--scope S]…`

→ `{"clientId", "clientSecret"}`; a public client has no secret
"""

from django.core.management.base import CommandParser

from config.api.actors import SCOPES
from customers.management.output import JSONCommand, account_named, add_business_account
from customers.services.sign_ins import GRANTS, create_oauth_client


class Command(JSONCommand):
    """Makes an OAuth client."""

    help = "Make an OAuth 2 client. The secret is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("name")
        add_business_account(parser)
        parser.add_argument("--grant", required=True, choices=GRANTS)
        parser.add_argument(
            "--redirect-uri",
            action="append",
            default=[],
            metavar="URI",
            help="where people come back to; https, or http on this machine; may be repeated",
        )
        parser.add_argument(
            "--public",
            action="store_true",
            help="a client that can keep no secret, such as a phone",
        )
        parser.add_argument(
            "--scope",
            action="append",
            default=[],
            metavar="S",
            help=f"may be repeated, of {', '.join(SCOPES)}",
        )

    def run(
        self,
        *,
        name: str,
        business_account: str,
        grant: str,
        redirect_uri: list[str],
        public: bool,
        scope: list[str],
        **_options: object,
    ) -> dict[str, object]:
        """Do it."""
        client, secret = create_oauth_client(
            business_account=account_named(business_account),
            name=name,
            grant=grant,
            redirect_uris=redirect_uri,
            is_public=public,
            scopes=scope,
        )
        return {"clientId": client.client_id, "clientSecret": secret}

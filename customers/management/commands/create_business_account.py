"""`create_business_account NAME [--parent ID] [--region US] [--id UUID]` → `{"id"}`."""

from uuid import UUID

from django.core.management.base import CommandParser

from customers.management.output import JSONCommand, account_named
from customers.services.people import create_business_account


class Command(JSONCommand):
    """Makes a business account."""

    help = "Make a business account: a tree of its own, or a child of another."

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("name")
        parser.add_argument("--parent", metavar="ID", help="its parent account, by id or name")
        parser.add_argument(
            "--region",
            default="US",
            help="two-letter country by which phone numbers are read (default: US)",
        )
        parser.add_argument(
            "--id", type=UUID, dest="account_id", metavar="UUID", help="the id that it is to have"
        )

    def run(
        self,
        *,
        name: str,
        parent: str | None,
        region: str,
        account_id: UUID | None,
        **_options: object,
    ) -> dict[str, object]:
        """Make it."""
        account = create_business_account(
            name=name,
            parent_id=parent_id(parent),
            region=region,
            account_id=account_id,
        )
        return {"id": account.pk}


def parent_id(named: str | None) -> UUID | None:
    """The id of the parent that an option names; whether there is one by an id, the service says.

    Raises `CommandError` for a name that no account has, or several.
    """
    try:
        return UUID(named) if named else None
    except ValueError:
        return account_named(named or "").pk

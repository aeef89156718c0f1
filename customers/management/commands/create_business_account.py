"""`create_business_account NAME [--parent ID] [--region US] [--id UUID]` → `{"id"}`."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from customers.management.output import JSONCommand
from customers.services.people import create_business_account


class Command(JSONCommand):
    """Makes a business account."""

    help = "Make a business account: a tree of its own, or a child of another."

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("name")
        parser.add_argument("--parent", type=UUID, metavar="ID", help="its parent account")
        parser.add_argument(
            "--region",
            default="US",
            help="two-letter country by which phone numbers are read (default: US)",
        )
        parser.add_argument("--id", type=UUID, metavar="UUID", help="the id that it is to have")

    def run(self, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        """Make it."""
        account = create_business_account(
            name=options["name"],
            parent_id=options["parent"],
            region=options["region"],
            account_id=options["id"],
        )
        return {"id": account.pk}

"""`create_department NAME --business-account ID` → `{"id"}`"""

from typing import Any

from django.core.management.base import CommandParser

from customers.management.output import JSONCommand, add_business_account, business_account
from customers.services.business import create_department


class Command(JSONCommand):
    """Makes a department."""

    help = "Make a department of a business account."

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("name")
        add_business_account(parser)

    def run(self, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        """Do it."""
        department = create_department(
            business_account=business_account(options["business_account"]), name=options["name"]
        )
        return {"id": department.pk}

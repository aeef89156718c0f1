"""`create_department NAME --business-account ID` → `{"id"}`"""

from django.core.management.base import CommandParser

from customers.management.output import JSONCommand, account_named, add_business_account
from customers.services.business import create_department


class Command(JSONCommand):
    """Makes a department."""

    help = "Make a department of a business account."

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("name")
        add_business_account(parser)

    def run(self, *, business_account: str, name: str, **_options: object) -> dict[str, object]:
        """Do it."""
        department = create_department(business_account=account_named(business_account), name=name)
        return {"id": department.pk}

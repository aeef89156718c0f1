"""`set_departmentalization on|off --business-account ID` → `{"id", "departmentalization"}`"""

from django.core.management.base import CommandParser

from customers.management.output import JSONCommand, account_named, add_business_account
from customers.services.business import set_departmentalization


class Command(JSONCommand):
    """Switches departmentalization."""

    help = "Confine employees to the customers of their departments, or no longer."

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("switch", choices=["on", "off"])
        add_business_account(parser)

    def run(self, *, switch: str, business_account: str, **_options: object) -> dict[str, object]:
        """Do it."""
        account = account_named(business_account)
        is_on = switch == "on"
        set_departmentalization(business_account=account, is_on=is_on)
        return {"id": account.pk, "departmentalization": is_on}

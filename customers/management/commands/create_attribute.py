"""`create_attribute NAME --business-account ID --target customer|contactPerson [--encrypted]`

→ `{"id"}`
"""

from django.core.management.base import CommandParser

from customers.management.output import JSONCommand, account_named, add_business_account
from customers.models import AttributeDefinition
from customers.services.business import create_attribute


class Command(JSONCommand):
    """Makes a custom attribute."""

    help = "Make a custom attribute of customers or of their contacts."

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("name")
        add_business_account(parser)
        parser.add_argument(
            "--target",
            required=True,
            choices=AttributeDefinition.Target.values,
            help="what has it: the customer, or each of its contacts",
        )
        parser.add_argument(
            "--encrypted", action="store_true", help="sealed at rest, and never searchable"
        )

    def run(
        self, *, business_account: str, name: str, target: str, encrypted: bool, **_options: object
    ) -> dict[str, object]:
        """Do it."""
        definition = create_attribute(
            business_account=account_named(business_account),
            name=name,
            target=target,
            is_encrypted=encrypted,
        )
        return {"id": definition.pk}

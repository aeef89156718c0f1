"""`create_attribute NAME --business-account ID --target customer|contactPerson [--encrypted]`

→ `{"id"}`
"""

from typing import Any

from django.core.management.base import CommandParser

from customers.management.output import JSONCommand, add_business_account, business_account
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

    def run(self, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        """Do it."""
        definition = create_attribute(
            business_account=business_account(options["business_account"]),
            name=options["name"],
            target=options["target"],
            is_encrypted=options["encrypted"],
        )
        return {"id": definition.pk}

"""`create_customer_login CUSTOMER_ID --email E [--password-stdin]` → `{"id"}`"""

import sys
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from customers.actors import internal_actor
from customers.change_log import Via
from customers.management.output import JSONCommand
from customers.models import Customer
from customers.services.sign_ins import create_customer_login


class Command(JSONCommand):
    """Gives a customer a sign-in."""

    help = "Give a customer a sign-in. Without a password nobody can use it."

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("customer_id", type=UUID, metavar="CUSTOMER_ID")
        parser.add_argument("--email", required=True, help="with which the customer signs in")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read a password from standard input"
        )

    def run(
        self, *, customer_id: UUID, email: str, password_stdin: bool, **_options: object
    ) -> dict[str, object]:
        """Do it."""
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
        found = Customer.objects.present().select_related("business_account")
        customer = found.filter(pk=customer_id).first()
        if customer is None:
            raise CommandError(f"There is no customer {customer_id}.")
        user = create_customer_login(
            actor=internal_actor(customer.business_account),
            customer_id=customer_id,
            email=email,
            via=Via.COMMAND,
            password=password,
        )
        return {"id": user.pk}

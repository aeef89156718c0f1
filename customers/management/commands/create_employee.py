"""`create_employee EMAIL --business-account ID --role ROLE [--superuser] [--password-stdin]
[--department NAME] [--foreign-department NAME]…`

→ `{"id"}`
"""

import sys
from typing import Any

from django.core.management.base import CommandParser

from customers.management.output import JSONCommand, add_business_account, business_account
from customers.roles import ROLES
from customers.services.people import create_employee


class Command(JSONCommand):
    """Makes an employee."""

    help = "Make an employee. Without a password nobody can sign in as one."

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument("email")
        add_business_account(parser)
        parser.add_argument("--role", required=True, help=f"one of: {', '.join(ROLES)}")
        parser.add_argument("--name", default="", help="the person's name")
        parser.add_argument(
            "--superuser", action="store_true", help="may do everything, for every business account"
        )
        parser.add_argument(
            "--password-stdin", action="store_true", help="read a password from standard input"
        )

        parser.add_argument("--department", metavar="NAME", default="", help="home department")
        parser.add_argument(
            "--foreign-department",
            metavar="NAME",
            action="append",
            default=[],
            help="another department whose customers the employee may see; may be repeated",
        )

    def run(self, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        """Make one."""
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        employee = create_employee(
            email=options["email"],
            business_account=business_account(options["business_account"]),
            role=options["role"],
            name=options["name"],
            password=password,
            is_superuser=options["superuser"],
            department=options["department"],
            foreign_departments=options["foreign_department"],
        )
        return {"id": employee.pk}

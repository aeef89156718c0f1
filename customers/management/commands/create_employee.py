"""`create_employee EMAIL --business-account ID --role ROLE [--superuser] [--password-stdin]
[--department NAME] [--foreign-department NAME]…`

→ `{"id"}`
"""

import sys

from django.core.management.base import CommandParser

from customers.management.output import JSONCommand, account_named, add_business_account
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

    def run(
        self,
        *,
        email: str,
        business_account: str,
        role: str,
        name: str,
        superuser: bool,
        password_stdin: bool,
        department: str,
        foreign_department: list[str],
        **_options: object,
    ) -> dict[str, object]:
        """Make one."""
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
        employee = create_employee(
            email=email,
            business_account=account_named(business_account),
            role=role,
            name=name,
            password=password,
            is_superuser=superuser,
            department=department,
            foreign_departments=foreign_department,
        )
        return {"id": employee.pk}

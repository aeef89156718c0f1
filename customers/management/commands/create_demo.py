"""`create_demo [--once]` → `{"login", "password", "key", "secret", "businessAccountId"}`."""

import secrets
from io import StringIO
from uuid import NAMESPACE_DNS, UUID, uuid5

from django.core.management import call_command
from django.core.management.base import CommandParser
from django.db import transaction

from customers.management.output import JSONCommand
from customers.models import BusinessAccount, Customer, ServiceAccount, User
from customers.services.business import create_attribute, create_department
from customers.services.people import (
    create_api_key,
    create_business_account,
    create_employee,
    create_service_account,
)

LOGIN = "owner@northwind.example"
ACCOUNT = uuid5(NAMESPACE_DNS, "northwind.example")
# Name and number of customers of each account, the parent first.
ACCOUNTS = {"Northwind Financial": 250, "Northwind Bank": 100, "Northwind Cards": 50}

DEPARTMENTS = ("Claims", "Retail", "Returns")
# Custom attributes by their target.
ATTRIBUTES = {"tier": "customer", "region": "customer", "newsletter": "contactPerson"}


class Command(JSONCommand):
    """Makes, or completes, the demonstration data."""

    help = (
        "Make a demonstration company with customers, a login and a key. "
        "Called again, it adds only what is missing, with a new password and a new key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """As the module says."""
        parser.add_argument(
            "--once",
            action="store_true",
            help="leave a registry that has business accounts alone, a demonstration included",
        )

    def run(self, *, once: bool, **_options: object) -> dict[str, object]:
        """Accounts and access first: the customers come through connections of their own."""
        if once and BusinessAccount.objects.exists():
            has_demo = BusinessAccount.objects.filter(pk=ACCOUNT).exists()
            return {"login": LOGIN, "businessAccountId": ACCOUNT} if has_demo else {}
        password = secrets.token_urlsafe(12)
        with transaction.atomic():
            accounts = [self.account(name) for name in ACCOUNTS]
            self.login(accounts[0], password)
            client, secret = create_api_key(service_account=self.program(accounts[0]))
            self.attributes_and_departments(accounts)
        for seed, (account, count) in enumerate(zip(accounts, ACCOUNTS.values(), strict=True)):
            if not Customer.objects.filter(business_account=account).exists():
                self.stderr.write(f"making {count} customers of {account.name}")
                call_command(
                    "generate_customers",
                    count,
                    business_account=account.pk,
                    seed=seed,
                    stdout=StringIO(),
                )
        return {
            "login": LOGIN,
            "password": password,
            "key": client.client_id,
            "secret": secret,
            "businessAccountId": accounts[0].pk,
        }

    def account(self, name: str) -> BusinessAccount:
        """One of the demonstration's accounts; its id follows from its name."""
        parent: UUID | None = ACCOUNT
        account_id = uuid5(ACCOUNT, name)
        if name == next(iter(ACCOUNTS)):
            parent, account_id = None, ACCOUNT
        return BusinessAccount.objects.filter(pk=account_id).first() or create_business_account(
            name=name, parent_id=parent, account_id=account_id
        )

    @staticmethod
    def attributes_and_departments(accounts: list[BusinessAccount]) -> None:
        """What customers of the demonstration are sorted by; made once."""
        for account in accounts:
            for name in DEPARTMENTS:
                if not account.departments.filter(name=name).exists():
                    create_department(business_account=account, name=name)
            for name, target in ATTRIBUTES.items():
                if not account.attribute_definitions.filter(name=name, target=target).exists():
                    create_attribute(business_account=account, name=name, target=target)

    def login(self, account: BusinessAccount, password: str) -> None:
        """An Owner with this password."""
        owner = User.objects.filter(email=LOGIN).first()
        if owner is None:
            create_employee(
                email=LOGIN,
                business_account=account,
                role="Owner",
                name="Demo Owner",
                password=password,
                is_superuser=True,
            )
        else:
            owner.set_password(password)
            owner.save(update_fields=["password"])

    def program(self, account: BusinessAccount) -> ServiceAccount:
        """The demonstration's service account, without the keys of earlier runs."""
        program = ServiceAccount.objects.filter(business_account=account, name="Demo").first()
        if program is None:
            return create_service_account(business_account=account, name="Demo")
        program.keys.update(is_active=False)
        return program

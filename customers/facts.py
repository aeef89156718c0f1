"""What a business account has defined for its customers: read once, when a rule asks for it."""

from functools import cached_property
from uuid import UUID

from django.db import connection

from customers.models import AttributeDefinition, BusinessAccount, User

DEPARTMENTS = "SELECT name, id FROM customers_department WHERE business_account_id = %s"
# Many may hold them at once; who deletes one waits for all who do.
HELD = " FOR KEY SHARE"


class AccountFacts:
    """The definitions, departments and agents of one business account; a query for each kind.

    What a write relies on stays as it is until the transaction ends, which has to include the
    write. Who only reads asks for it with `is_held=False`: nobody waits then.
    """

    def __init__(self, account: BusinessAccount, *, is_held: bool = True) -> None:
        self.account = account
        self.is_held = is_held

    @cached_property
    def definitions(self) -> dict[tuple[str, str], AttributeDefinition]:
        """The custom attributes, by target and name."""
        if self.is_held:
            AttributeDefinition.hold(self.account.pk)
        found = AttributeDefinition.objects.filter(business_account=self.account)
        return {(definition.target, definition.name): definition for definition in found}

    @cached_property
    def departments(self) -> dict[str, UUID]:
        """The ids of the departments, by name."""
        with connection.cursor() as cursor:
            cursor.execute(DEPARTMENTS + (HELD if self.is_held else ""), [self.account.pk])
            return dict(cursor.fetchall())

    @cached_property
    def agents(self) -> frozenset[UUID]:
        """The ids of the employees of the account and of those above it."""
        accounts = BusinessAccount.objects.above(self.account.pk)
        found = User.objects.filter(business_account__in=accounts, customer_id=None)
        return frozenset(found.values_list("pk", flat=True))

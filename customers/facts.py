"""What a business account has defined for its customers: read once, when a rule asks for it."""

from functools import cached_property
from uuid import UUID

from customers.models import AttributeDefinition, BusinessAccount, Department, User

Target = AttributeDefinition.Target


class AccountFacts:
    """The definitions, departments and agents of one business account; a query for each kind."""

    def __init__(self, account: BusinessAccount) -> None:
        self.account = account

    @cached_property
    def definitions(self) -> dict[tuple[str, str], AttributeDefinition]:
        """The custom attributes, by target and name.

        They stay as they are until the transaction ends, which has to include the writes.
        """
        AttributeDefinition.hold(self.account.pk)
        found = AttributeDefinition.objects.filter(business_account=self.account)
        return {(definition.target, definition.name): definition for definition in found}

    @cached_property
    def departments(self) -> dict[str, UUID]:
        """The ids of the departments, by name."""
        found = Department.objects.filter(business_account=self.account)
        return dict(found.values_list("name", "pk"))

    @cached_property
    def agents(self) -> frozenset[UUID]:
        """The ids of the employees of the account and of those above it."""
        accounts = BusinessAccount.objects.above(self.account.pk)
        found = User.objects.filter(business_account__in=accounts, customer_id=None)
        return frozenset(found.values_list("pk", flat=True))

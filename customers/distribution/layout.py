"""Which tables lie where on a distributed engine, told from the models.

A table whose primary key leads with its customer is distributed by it, beside the customers. What a
business account has few of, and customers refer to, is a reference table: every node has a copy.
All others stay on the coordinator.
"""

from enum import StrEnum
from functools import cache

from django.apps import apps
from django.db.models import Model

from customers.models import AttributeDefinition, BusinessAccount, Customer, Department, User

REFERENCES: tuple[type[Model], ...] = (BusinessAccount, Department, AttributeDefinition, User)


class Kind(StrEnum):
    """Where the rows of a table are."""

    LOCAL = "local"
    REFERENCE = "reference"
    DISTRIBUTED = "distributed"


@cache
def references() -> tuple[str, ...]:
    """The reference tables."""
    return tuple(model._meta.db_table for model in REFERENCES)


@cache
def distributed() -> dict[str, str]:
    """The distributed tables with the columns that they go by; customers come first."""
    customers = Customer._meta.db_table
    owned = sorted(
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and str(model._meta.pk_fields[0].column) == "customer_id"
    )
    return {customers: "id"} | dict.fromkeys(owned, "customer_id")


def wanted(table: str) -> Kind:
    """Where the rows of a table belong."""
    if table in distributed():
        return Kind.DISTRIBUTED
    return Kind.REFERENCE if table in references() else Kind.LOCAL

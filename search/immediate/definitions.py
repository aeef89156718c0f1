"""The custom attributes and departments that a query names: from names to ids."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from config.api.actors import Actor
from customers.models import AttributeDefinition, Department
from search.immediate import refusals
from search.immediate.criteria import Attributes, Criteria, Definitions, Sort

CUSTOMER = AttributeDefinition.Target.CUSTOMER


def read_definitions(
    actor: Actor, *, attributes: Attributes, sort: Sort, criteria: Criteria | None = None
) -> Definitions:
    """The attributes that a query names; one query, or none. Those of the whole tree count.

    Raises `BadQuery` for one that is not defined, or only as an encrypted one.
    """
    entries = criteria.custom if criteria else ()
    named = [("custom", entry.target, entry.name) for entry in entries]
    named += [("$sort", CUSTOMER, sort.attribute)] if sort.attribute else []
    named += [("$attribute", CUSTOMER, name) for name in attributes.custom]
    if not named:
        return Definitions({})
    rows = AttributeDefinition.objects.filter(
        business_account__in=actor.tree, name__in={name for _, _, name in named}
    ).values_list("pk", "target", "name", "is_encrypted")
    known = {(target, name) for _, target, name, _ in rows}
    clear: dict[tuple[str, str], list[UUID]] = defaultdict(list)
    for definition_id, target, name, is_encrypted in rows:
        if not is_encrypted:
            clear[target, name].append(definition_id)
    for parameter, target, name in named:
        if (target, name) not in known:
            raise refusals.unknown_attribute(parameter, name)
        if (target, name) not in clear:
            raise refusals.encrypted_attribute(parameter, name)
    return Definitions(clear)


def searchable(actor: Actor) -> Iterable[tuple[str, str]]:
    """Target and name of every custom attribute that the actor can search for."""
    found = AttributeDefinition.objects.filter(business_account__in=actor.tree, is_encrypted=False)
    return found.order_by("target", "name").values_list("target", "name").distinct()


def departments_named(actor: Actor, name: str) -> list[UUID]:
    """The departments of this name in the actor's tree. Raises `BadQuery` without any."""
    found = Department.objects.filter(business_account__in=actor.tree, name=name)
    ids = list(found.values_list("pk", flat=True))
    if not ids:
        raise refusals.unknown_department(name)
    return ids

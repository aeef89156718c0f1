"""The change log as `GET /v1/customers/{id}/history` shows it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Final, Literal, TypedDict
from uuid import UUID

from django.db import connection, models
from django.db.models import Q

from config.api import access
from config.api.actors import Actor, ActorType
from config.api.json import camel, wire_time
from customers.models import (
    Account,
    Activity,
    Address,
    AttributeValue,
    Card,
    Change,
    Contact,
    ContactPoint,
    Customer,
    Department,
    Enrollment,
    Reveal,
)

# The `entity` of a change, and the model of its rows.
ENTITIES: dict[str, type[models.Model]] = {
    "customer": Customer,
    "contact": Contact,
    "contactPoint": ContactPoint,
    "address": Address,
    "attributeValue": AttributeValue,
    "enrollment": Enrollment,
    "account": Account,
    "card": Card,
    "activity": Activity,
    "reveal": Reveal,
}
# Columns whose published name is not simply their own in camelCase.
PUBLISHED = {
    "is_primary": "primary",
    "is_verified": "verified",
    "value_sealed": "value",
    "security_answer_sealed": "securityAnswer",
    "social_id_sealed": "socialId",
    "social_id_country": "socialIdCountryCode",
    "citizenship_country": "citizenshipCountryCode",
    "birth_city": "placeOfBirth.city",
    "birth_country": "placeOfBirth.countryCode",
    "phone_type": "type",
    "city": "cityName",
    "state": "stateCode",
    "country": "countryCode",
}
MASK = "***"
# Of values that are there their attribute is known; a deletion has it in the change log.
MASKED = """
    SELECT value.id FROM customers_attributevalue value
    JOIN customers_attributedefinition definition ON definition.id = value.definition_id
    WHERE value.customer_id = %(customer)s AND value.id = ANY(%(ids)s) AND definition.is_encrypted
    UNION
    SELECT change.entity_id FROM customers_change change
    JOIN customers_attributedefinition definition
        ON definition.id = (change.before ->> 'definition_id')::uuid
    WHERE change.customer_id = %(customer)s AND change.entity = 'attributeValue'
        AND change.operation = 'deleted' AND change.entity_id = ANY(%(ids)s)
        AND definition.is_encrypted"""
PUBLISHED_OF = {
    "customer": {
        "department_id": "department",
        "role": "relationship.role",
        "level": "relationship.level",
        "industry": "relationship.industry",
        "market_segment": "relationship.marketSegment",
        "entitlements": "relationship.entitlements",
        "how_referred": "relationship.howReferred",
        "preferred_agent_id": "relationship.preferredAgentId",
        "pin_sealed": "relationship.pin",
    },
    "address": {
        "first_name": "name.firstName",
        "middle_name": "name.middleName",
        "last_name": "name.lastName",
    },
    "enrollment": {"country": "country"},
}


def changes_of(customer_id: UUID, actor: Actor | None = None) -> "models.QuerySet[Change]":
    """The record of one customer and all that hangs on it, newest first; read through its key.

    With an actor, only the changes that it may see.
    """
    changes = Change.objects.filter(customer_id=customer_id).order_by("-at", "-id")
    if actor is None or actor.type != ActorType.CUSTOMER:
        return changes
    seen = Q()
    for entity in access.RECORDED:
        columns = list(fields_of(entity, only_shown=True))
        is_seen = Q(before__has_any_keys=columns) | Q(after__has_any_keys=columns)
        seen |= Q(entity=entity) & is_seen
    return changes.filter(seen)


SIDES: Final[tuple[Literal["from", "to"], ...]] = ("from", "to")
FieldChange = TypedDict("FieldChange", {"field": str, "from": object, "to": object})


class ChangeObject(TypedDict):
    """One row of the change log as `represent` gives it."""

    at: str | None
    operation: str
    entity: str
    entityId: str
    actor: Mapping[str, object]
    via: str
    requestId: str
    reason: str
    changes: list[FieldChange]


def represent_all(changes: Iterable[Change], actor: Actor | None = None) -> list[ChangeObject]:
    """Rows of one customer's record as the history's JSON objects."""
    changes = list(changes)
    masked = masked_values(changes)
    shown = [represent(change, actor, is_masked=change.entity_id in masked) for change in changes]
    name_departments(shown)
    return shown


def name_departments(shown: Iterable[ChangeObject]) -> None:
    """Put names in place of the ids of departments; of one that is gone the id stays."""
    fields = [
        field for each in shown for field in each["changes"] if field["field"] == "department"
    ]
    ids = {str(field[side]) for field in fields for side in SIDES if field[side]}
    if not ids:
        return
    found = Department.objects.filter(pk__in=ids).values_list("pk", "name")
    names = {str(department_id): name for department_id, name in found}
    for field in fields:
        for side in SIDES:
            field[side] = names.get(str(field[side]), field[side])


def masked_values(changes: Iterable[Change]) -> set[UUID]:
    """The ids of attribute values of which nothing is shown, whenever they were recorded."""
    values = [change for change in changes if change.entity == "attributeValue"]
    if not values:
        return set()
    ids = [change.entity_id for change in values]
    with connection.cursor() as cursor:
        cursor.execute(MASKED, {"customer": values[0].customer_id, "ids": ids})
        return {value_id for (value_id,) in cursor}


def represent(
    change: Change, actor: Actor | None = None, *, is_masked: bool = False
) -> ChangeObject:
    """One row of the change log as the history's JSON object; of a masked one without its values.

    `at`, `operation`, `entity`, `entityId`, `actor` {`id`, `type`}, `via`, `requestId`, `reason`,
    and `changes`: a list of {`field`, `from`, `to`}, fields by their published names. `from` and
    `to` are null where the field was not given; sensitive values are ``"***"``. A customer
    who reads it sees neither who of the company made a change, nor why, nor internal fields.
    """
    is_own = actor is not None and actor.type == ActorType.CUSTOMER
    who: dict[str, object] = {"id": change.actor_id, "type": change.actor_type}
    before, after = change.before or {}, change.after or {}
    sides: dict[str, FieldChange] = {}
    for column, (field, is_time) in fields_of(change.entity, only_shown=is_own).items():
        if column not in before and column not in after:
            continue
        sent = {
            "from": value(before.get(column), is_time=is_time),
            "to": value(after.get(column), is_time=is_time),
        }
        if is_masked and field == "value":
            sent = {side: MASK if shown is not None else None for side, shown in sent.items()}
        # A value that was sealed and is in clear now stands in two columns.
        known = sides.setdefault(field, {"field": field, "from": None, "to": None})
        for side in SIDES:
            if sent[side] is not None:
                known[side] = sent[side]
    return {
        "at": wire_time(change.at),
        "operation": change.operation,
        "entity": change.entity,
        "entityId": str(change.entity_id),
        "actor": who if actor is None else access.named(actor, who),
        "via": change.via,
        "requestId": "" if is_own else change.request_id,
        "reason": "" if is_own else change.reason,
        "changes": list(sides.values()),
    }


@cache
def fields_of(entity: str, *, only_shown: bool = False) -> dict[str, tuple[str, bool]]:
    """Column -> published name, and whether it is a date-time, in the order of the table.

    `only_shown` leaves out what customers do not see of themselves.
    """
    own = PUBLISHED | PUBLISHED_OF.get(entity, {})
    fields = {
        str(field.column): (
            own.get(str(field.column)) or camel(str(field.column)),
            isinstance(field, models.DateTimeField),
        )
        for field in ENTITIES[entity]._meta.local_concrete_fields
    }
    if not only_shown:
        return fields
    shown = access.RECORDED.get(entity, frozenset())
    return {column: field for column, field in fields.items() if field[0] in shown}


def value(recorded: object, *, is_time: bool) -> object:
    """A logged value. A date-time there has the offset of the session that wrote it."""
    if is_time and recorded and isinstance(recorded, str):
        return wire_time(datetime.fromisoformat(recorded))
    return recorded

"""The record of changes as `GET /v1/customers/{id}/history` shows it."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import models

from config.wire import camel, wire_time
from customers.models import (
    Account,
    Address,
    AttributeValue,
    Card,
    Change,
    Contact,
    ContactPoint,
    Customer,
    Enrollment,
)

# What a change's `entity` is on record as, and its rows.
ENTITIES: dict[str, type[models.Model]] = {
    "customer": Customer,
    "contact": Contact,
    "contactPoint": ContactPoint,
    "address": Address,
    "attributeValue": AttributeValue,
    "enrollment": Enrollment,
    "account": Account,
    "card": Card,
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
PUBLISHED_OF = {
    "address": {
        "first_name": "name.firstName",
        "middle_name": "name.middleName",
        "last_name": "name.lastName",
    },
    "enrollment": {"country": "country"},
}


def changes_of(customer_id: UUID) -> "models.QuerySet[Change]":
    """The record of one customer and all that hangs on it, newest first; read through its key."""
    return Change.objects.filter(customer_id=customer_id).order_by("-id")


def represent(change: Change) -> dict[str, Any]:
    """One row of the record as the history's JSON object.

    `at`, `operation`, `entity`, `entityId`, `actor` {`id`, `type`}, `via`, `requestId`, `reason`,
    and `changes`: a list of {`field`, `from`, `to`}, fields by their published names. `from` and
    `to` are null where the field was not given; sensitive values are ``"***"``.
    """
    before, after = change.before or {}, change.after or {}
    return {
        "at": wire_time(change.at),
        "operation": change.operation,
        "entity": change.entity,
        "entityId": str(change.entity_id),
        "actor": {"id": change.actor_id, "type": change.actor_type},
        "via": change.via,
        "requestId": change.request_id,
        "reason": change.reason,
        "changes": [
            {
                "field": field,
                "from": value(before.get(column), is_time=is_time),
                "to": value(after.get(column), is_time=is_time),
            }
            for column, (field, is_time) in fields_of(change.entity).items()
            if column in before or column in after
        ],
    }


@cache
def fields_of(entity: str) -> dict[str, tuple[str, bool]]:
    """Column -> published name, and whether it is a date-time, in the order of the table."""
    own = PUBLISHED | PUBLISHED_OF.get(entity, {})
    return {
        str(field.column): (
            own.get(str(field.column)) or camel(str(field.column)),
            isinstance(field, models.DateTimeField),
        )
        for field in ENTITIES[entity]._meta.local_concrete_fields
    }


def value(recorded: Any, *, is_time: bool) -> Any:  # noqa: ANN401 -- any JSON
    """A value on record. A date-time there has the offset of the session that wrote it."""
    return wire_time(datetime.fromisoformat(recorded)) if is_time and recorded else recorded

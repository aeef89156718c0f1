"""What a search reads of each customer: one row, with all that hangs on it as JSON arrays."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers.representation import moment
from search.immediate.criteria import Attributes, Value


class Row(NamedTuple):
    """A customer. Lists are JSON texts, and None when they are empty or were not asked for."""

    id: UUID
    type: str
    name: str
    updated_at: datetime
    department: str | None
    contacts: str | None
    points: str | None
    addresses: str | None
    role: str
    pin: bytes | None
    industry: str
    market_segment: str
    entitlements: str
    level: str
    how_referred: str
    created_at: datetime
    created_by_id: str
    created_by_type: str
    agent: str | None
    custom: str | None


LISTED = """(SELECT json_agg(json_build_array({what}) ORDER BY {order})::text
    FROM {table} x WHERE x.customer_id = c.id)"""


def listed(what: str, table: str, order: str) -> str:
    """SQL for the JSON text of a customer's rows in a table, each an array of values."""
    return LISTED.format(what=what, table=table, order=order)


DEPARTMENT = """(SELECT json_build_array(d.id, d.name)::text
    FROM customers_department d WHERE d.id = c.department_id)"""
CONTACTS = listed(
    "x.id, x.prefix, x.first_name, x.middle_name, x.last_name, x.login_id, "
    + moment("x.updated_at"),
    "customers_contact",
    "x.is_primary DESC, x.created_at, x.id",
)
POINTS = listed(
    "x.contact_id, x.id, x.kind, x.value, x.phone_type, x.extension, " + moment("x.updated_at"),
    "customers_contactpoint",
    "x.is_primary DESC, x.created_at, x.id",
)
ADDRESSES = listed(
    "x.id, x.type, x.street_line_1, x.street_line_2, x.street_line_3, x.street_line_4,"
    " x.street_line_5, x.city, x.state, x.zip_code, x.country, " + moment("x.updated_at"),
    "customers_address",
    "x.is_primary DESC, x.created_at, x.id",
)
COLUMNS = [
    "c.id",
    "c.type",
    "c.name",
    "c.updated_at",
    DEPARTMENT,
    CONTACTS,
    POINTS,
    ADDRESSES,
    "c.role",
    "c.pin_sealed",
    "c.industry",
    "c.market_segment",
    "c.entitlements",
    "c.level",
    "c.how_referred",
    "c.created_at",
    "c.created_by_id",
    "c.created_by_type",
]
AGENT = """(SELECT json_build_array(u.id, u.name)::text
    FROM customers_user u WHERE u.id = c.preferred_agent_id)"""
CUSTOM = """(SELECT json_agg(json_build_array(v.contact_id, d.name, v.value) ORDER BY d.name)::text
    FROM customers_attributevalue v JOIN customers_attributedefinition d ON d.id = v.definition_id
    WHERE v.customer_id = c.id AND NOT d.is_encrypted AND v.value_sealed IS NULL{some})"""
# The same as those that are asked for, so that rows have one shape.
NOTHING = "NULL::text"


def extra_columns(attributes: Attributes) -> tuple[list[str], list[Value]]:
    """SQL for what is read only when `$attribute` asks for it, with its values."""
    agent = AGENT if "preferredAgent" in attributes.names else NOTHING
    if attributes.every_custom:
        return [agent, CUSTOM.format(some="")], []
    if attributes.custom:
        some = " AND v.contact_id IS NULL AND d.name = ANY(%s::text[])"
        return [agent, CUSTOM.format(some=some)], [list(attributes.custom)]
    return [agent, NOTHING], []

"""The customer object of `/v1`, made by PostgreSQL: one expression for GET, lists and JSON files.

Member order is the published one; Kith's own members (`businessAccountId`, `customAttributes`, the
ids of addresses and contacts) stand where they disturb it least. What is not set is ``""`` where it
is free text, and null where it is a word of a list, a date, a code or an object. Sensitive values
leave as for a token without `customers.sensitive`: the last characters of the social id, no
security answer, no encrypted attribute. `customers.revealing` puts the whole values in for a token
that may see them.
"""

import re

from django.db.models import TextField
from django.db.models.expressions import RawSQL

from config.db.statements import Place, Slot, Statement
from customers.models import Customer


def moment(column: str) -> str:
    """SQL for a date-time as it leaves: ``2022-11-23T00:42:50.311Z``."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


def record(source: str, *members: str) -> str:
    """SQL for the JSON object of the row that `source`, what stands behind FROM, has; else null.

    Its members are ``expression AS "member"``, in this order, no spaces. They are columns of a
    subquery of the table itself, for a distributed engine takes none without a table.
    """
    return f"(SELECT row_to_json(o) FROM (SELECT {', '.join(members)} FROM {source}) o)"


def joined(**members: str) -> str:
    """SQL for such an object of a row that is at hand, put together as text.

    To look for the row once more, so that PostgreSQL makes the object, takes longer than that where
    members are few. Each is SQL for JSON: `value`, `quoted`, `flag`.
    """
    parts = [
        f"""'{"," if number else "{"}"{name}":', {sql}"""
        for number, (name, sql) in enumerate(members.items())
    ]
    return f"concat({', '.join(parts)}, '}}')::json"


def value(expression: str) -> str:
    """SQL for any value as JSON."""
    return f"COALESCE(to_json({expression}), 'null')"


def quoted(column: str) -> str:
    """Likewise of what has nothing to escape and is never null, such as an id: far quicker."""
    return f"""'"', {column}, '"'"""


def flag(column: str) -> str:
    """Likewise of a column that is true or false."""
    return f"CASE WHEN {column} THEN 'true' ELSE 'false' END"


def person(table: str, member: str) -> str:
    """SQL for the `id` and `type` of the actor in ``<table>.<member>_id`` and ``_type``."""
    return joined(id=value(f"{table}.{member}_id"), type=value(f"{table}.{member}_type"))


def code(column: str) -> str:
    """SQL for a word of a list or a code: null when it is not set, other than a free text."""
    return f"NULLIF({column}, '')"


LINES = [f'a.street_line_{n} AS "streetLine{n}"' for n in range(1, 6)]
PLACE = [
    *LINES,
    'a.city AS "cityName"',
    f'{code("a.state")} AS "stateCode"',
    f'{code("a.country")} AS "countryCode"',
    'a.zip_code AS "zipCode"',
    'a.is_primary AS "primary"',
]
RECIPIENT = joined(
    firstName=value("a.first_name"),
    middleName=value("a.middle_name"),
    lastName=value("a.last_name"),
)
HEAD = ['a.id AS "id"', 'a.type AS "type"']
PARCEL = record(
    "customers_address a WHERE a.customer_id = c.id AND a.id = o.id",
    *HEAD,
    f'{RECIPIENT} AS "name"',
    *PLACE,
)
# Only parcels have a recipient. Their rows are found once more, for an object has the columns of a
# subquery, and PostgreSQL keeps its rows in their order.
ADDRESSES = f"""array_to_json(ARRAY(
    SELECT CASE o.type WHEN 'SHIPPING' THEN {PARCEL} ELSE row_to_json(o) END
    FROM (
        SELECT {", ".join([*HEAD, *PLACE])} FROM customers_address a
        WHERE a.customer_id = c.id ORDER BY a.created_at, a.id) o))"""

ATTRIBUTES = """COALESCE((
    SELECT jsonb_object_agg(d.name, CASE WHEN d.is_encrypted THEN '' ELSE v.value END)
    FROM customers_attributevalue v
    JOIN customers_attributedefinition d ON d.id = v.definition_id
    WHERE v.customer_id = c.id AND v.contact_id IS NULL), '{}')"""

CONTACT_ATTRIBUTES = """COALESCE((
    SELECT jsonb_object_agg(d.name, CASE WHEN d.is_encrypted THEN '' ELSE v.value END)
    FROM customers_attributevalue v
    JOIN customers_attributedefinition d ON d.id = v.definition_id
    WHERE v.customer_id = p.customer_id AND v.contact_id = p.id), '{}')"""
DEPARTMENT = """COALESCE((
    SELECT d.name FROM customers_department d WHERE d.id = c.department_id), '')"""
RELATIONSHIP = joined(
    role=value(code("c.role")),
    level=value("c.level"),
    industry=value("c.industry"),
    marketSegment=value("c.market_segment"),
    entitlements=value("c.entitlements"),
    howReferred=value(code("c.how_referred")),
    preferredAgentId=value("c.preferred_agent_id"),
    pin=quoted("''"),
)
# What stands behind the members of each type.
TAIL = [f'{DEPARTMENT} AS "department"', f'{RELATIONSHIP} AS "relationship"']

COMMON = [
    'c.id AS "id"',
    'c.status AS "status"',
    'c.external_id AS "externalId"',
    'c.business_account_id AS "businessAccountId"',
    f'{ADDRESSES} AS "addresses"',
    'c.metadata AS "metadata"',
    f'{ATTRIBUTES} AS "customAttributes"',
    f'{person("c", "created_by")} AS "createdBy"',
    f'{moment("c.created_at")} AS "createdAt"',
    f'{person("c", "updated_by")} AS "updatedBy"',
    f'{moment("c.updated_at")} AS "updatedAt"',
    'c.type AS "type"',
]

PRIMARY_POINT = """customers_contactpoint t WHERE t.customer_id = p.customer_id
    AND t.contact_id = p.id AND t.kind = '{}' AND t.is_primary"""
OF_PHONES = [
    f'{code("t.phone_type")} AS "type"',
    't.provider AS "provider"',
    't.extension AS "extension"',
]
VERIFIED, PRIMARY = 't.is_verified AS "verified"', 't.is_primary AS "primary"'
PHONE = record(PRIMARY_POINT.format("PHONE"), 't.value AS "number"', *OF_PHONES, VERIFIED)
EMAIL = record(PRIMARY_POINT.format("EMAIL"), 't.value AS "value"', VERIFIED)
NAMES = [
    'p.first_name AS "firstName"',
    'p.middle_name AS "middleName"',
    'p.last_name AS "lastName"',
]
REACH = [f'{PHONE} AS "primaryPhoneNumber"', f'{EMAIL} AS "primaryEmail"']
POINT = [
    't.id AS "id"',
    't.kind AS "kind"',
    't.value AS "value"',
    *OF_PHONES,
    VERIFIED,
    PRIMARY,
]
OTHER = {
    "id": quoted("o.id"),
    "kind": value("o.kind"),
    "value": value("o.value"),
    "verified": flag("o.verified"),
}
# Every way to reach the contact `p`; half of them are phones.
POINTS = f"""array_to_json(ARRAY(
    SELECT CASE o.kind
        WHEN 'PHONE' THEN row_to_json(o)
        WHEN 'EMAIL' THEN {joined(**OTHER, primary=flag("o.primary"))}
        ELSE {joined(**OTHER)} END
    FROM (
        SELECT {", ".join(POINT)} FROM customers_contactpoint t
        WHERE t.customer_id = p.customer_id AND t.contact_id = p.id
        ORDER BY t.is_primary DESC, t.created_at, t.id) o))"""


def own(column: str, member: str) -> str:
    """SQL for a free text of an individual; nothing is known of one without a contact."""
    return f"COALESCE(p.{column}, '') AS \"{member}\""


BIRTH = "CASE WHEN p.birth_city <> '' OR p.birth_country <> '' THEN {} END".format(
    joined(city=value("p.birth_city"), countryCode=value(code("p.birth_country")))
)
INDIVIDUAL = [
    own("prefix", "prefix"),
    own("first_name", "firstName"),
    own("middle_name", "middleName"),
    own("last_name", "lastName"),
    own("suffix", "suffix"),
    f'{code("p.sex")} AS "sex"',
    own("gender", "gender"),
    own("pronoun", "pronoun"),
    own("security_question", "securityQuestion"),
    "'' AS \"securityAnswer\"",
    *REACH,
    "to_char(p.date_of_birth, 'YYYY-MM-DD') AS \"dateOfBirth\"",
    f'{BIRTH} AS "placeOfBirth"',
    own("social_id_last4", "socialId"),
    f'{code("p.social_id_country")} AS "socialIdCountryCode"',
    f'{code("p.citizenship_country")} AS "citizenshipCountryCode"',
    f'{POINTS} AS "contactPoints"',
]

CONTACT = [
    'p.id AS "id"',
    *NAMES,
    'p.is_primary AS "primary"',
    *REACH,
    f'{POINTS} AS "contactPoints"',
    f'{CONTACT_ATTRIBUTES} AS "customAttributes"',
]
CONTACTS = f"""array_to_json(ARRAY(
    SELECT row_to_json(o) FROM (
        SELECT {", ".join(CONTACT)} FROM customers_contact p
        WHERE p.customer_id = c.id ORDER BY p.is_primary DESC, p.created_at, p.id) o))"""
BUSINESS = [
    'c.business_name AS "businessName"',
    'c.business_name AS "doingBusinessAsName"',
    f'{CONTACTS} AS "contacts"',
]

ITSELF = "customers_customer one {} WHERE one.id = c.id"
# An individual may have no contact.
PERSON = "LEFT JOIN customers_contact p ON p.customer_id = one.id AND p.is_primary"
OF_INDIVIDUAL = record(ITSELF.format(PERSON), *COMMON, *INDIVIDUAL, *TAIL)
OF_BUSINESS = record(ITSELF.format(""), *COMMON, *BUSINESS, *TAIL)
# The object of the customer `c`, as json.
CUSTOMER_OBJECT = f"CASE c.type WHEN 'INDIVIDUAL' THEN {OF_INDIVIDUAL} ELSE {OF_BUSINESS} END"


OWN_COLUMN = re.compile(r"\bc\.")
ITS_ID = re.compile(r"= (?:customers_customer\.id|one\.id|p\.customer_id)\b")


class CustomerObject(RawSQL):
    """Annotation of a `Customer` queryset: the object's JSON as text.

    Where a statement is about one customer, `slot` is its id. A distributed engine sees only from
    the id itself, wherever rows of the customer are looked for, that all of them are on one node.
    Of a customer of a known `kind` the statement is half as long, and a fifth quicker.
    """

    def __init__(self, slot: Slot | None = None, kind: str = "") -> None:
        of_kind = OF_INDIVIDUAL if kind == Customer.Type.INDIVIDUAL else OF_BUSINESS
        whole = of_kind if kind else CUSTOMER_OBJECT
        sql = f"({OWN_COLUMN.sub('customers_customer.', whole)})::text"
        places: list[Place] = []
        if slot is not None:
            sql, count = ITS_ID.subn("= %s::uuid", sql)
            places = [slot.place] * count
        super().__init__(sql, places, output_field=TextField())


# The objects of many customers, whosever they are: pairs of id and JSON text, in no order.
OBJECTS = Statement(
    lambda ids: Customer.objects.filter(pk__any=ids).values_list("pk", CustomerObject())
)

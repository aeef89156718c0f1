"""The customer object of `/v1`, made by PostgreSQL: one expression for GET, lists and JSON files.

Member order is the published one; Kith's own members (`businessAccountId`, `customAttributes`, the
ids of addresses and contacts) stand where they disturb it least. What is not set is ``""`` where it
is free text, and null where it is a word of a list, a date, a code or an object. Sensitive values
leave as for a token without `customers.sensitive`: the last characters of the social id, no
security answer, no encrypted attribute. `customers.revealing` puts the whole values in for a token
that may see them.
"""

import re

from django.conf import settings
from django.db.models import TextField
from django.db.models.expressions import RawSQL

from config.db.statements import Place, Slot, Statement
from customers.models import Customer

NOTHING = "''"


def moment(column: str) -> str:
    """SQL for a date-time as it leaves: ``2022-11-23T00:42:50.311Z``."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


def record(*members: str) -> str:
    """SQL for a JSON object of ``expression AS "member"`` columns, in this order, no spaces.

    A distributed engine takes no subquery without a table. There the object is put together as
    text, the same byte for byte; a file of them takes 1.6 times as long, so one server is spared
    it (`./kith bench distributed`).
    """
    if settings.DISTRIBUTED:
        return f"{joined(*members)}::json"
    return f"row_to_json((SELECT o FROM (SELECT {', '.join(members)}) o))"


def whole(*members: str) -> str:
    """Likewise, for an object that stands in no other one: its text where it is put together."""
    return joined(*members) if settings.DISTRIBUTED else record(*members)


def joined(*members: str) -> str:
    """SQL for the text of an object. What is joined already is not read again."""
    parts = []
    for number, member in enumerate(members):
        expression, name = member.rsplit(" AS ", 1)
        value = expression.removesuffix("::json")
        if expression == NOTHING:
            value = "'\"\"'"
        elif not (expression.startswith("concat(") and value != expression):
            value = f"COALESCE(to_json({expression})::text, 'null')"
        parts.append(f"'{',' if number else '{'}{name}:', {value}")
    return f"concat({', '.join(parts)}, '}}')"


def person(table: str, member: str) -> str:
    """SQL for the `id` and `type` of the actor in ``<table>.<member>_id`` and ``_type``."""
    return record(f'{table}.{member}_id AS "id"', f'{table}.{member}_type AS "type"')


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
RECIPIENT = record(
    'a.first_name AS "firstName"', 'a.middle_name AS "middleName"', 'a.last_name AS "lastName"'
)
HEAD = ['a.id AS "id"', 'a.type AS "type"']
ADDRESSES = f"""array_to_json(ARRAY(
    SELECT CASE a.type
        WHEN 'SHIPPING' THEN {record(*HEAD, f'{RECIPIENT} AS "name"', *PLACE)}
        ELSE {record(*HEAD, *PLACE)} END
    FROM customers_address a WHERE a.customer_id = c.id ORDER BY a.created_at, a.id))"""

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
RELATIONSHIP = record(
    f'{code("c.role")} AS "role"',
    'c.level AS "level"',
    'c.industry AS "industry"',
    'c.market_segment AS "marketSegment"',
    'c.entitlements AS "entitlements"',
    f'{code("c.how_referred")} AS "howReferred"',
    'c.preferred_agent_id AS "preferredAgentId"',
    "'' AS \"pin\"",
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

PHONE = "CASE WHEN phone.id IS NOT NULL THEN {} END".format(
    record(
        'phone.value AS "number"',
        f'{code("phone.phone_type")} AS "type"',
        'phone.provider AS "provider"',
        'phone.extension AS "extension"',
        'phone.is_verified AS "verified"',
    )
)
EMAIL = "CASE WHEN email.id IS NOT NULL THEN {} END".format(
    record('email.value AS "value"', 'email.is_verified AS "verified"')
)
REACHED = """
    LEFT JOIN customers_contactpoint phone ON phone.customer_id = p.customer_id
        AND phone.contact_id = p.id AND phone.kind = 'PHONE' AND phone.is_primary
    LEFT JOIN customers_contactpoint email ON email.customer_id = p.customer_id
        AND email.contact_id = p.id AND email.kind = 'EMAIL' AND email.is_primary"""
NAMES = [
    'p.first_name AS "firstName"',
    'p.middle_name AS "middleName"',
    'p.last_name AS "lastName"',
]
REACH = [f'{PHONE} AS "primaryPhoneNumber"', f'{EMAIL} AS "primaryEmail"']
POINT_HEAD = ['t.id AS "id"', 't.kind AS "kind"', 't.value AS "value"']
OF_PHONES = [
    f'{code("t.phone_type")} AS "type"',
    't.provider AS "provider"',
    't.extension AS "extension"',
]
VERIFIED, PRIMARY = 't.is_verified AS "verified"', 't.is_primary AS "primary"'
# Every way to reach the contact `p`.
POINTS = f"""array_to_json(ARRAY(
    SELECT CASE t.kind
        WHEN 'PHONE' THEN {record(*POINT_HEAD, *OF_PHONES, VERIFIED, PRIMARY)}
        WHEN 'EMAIL' THEN {record(*POINT_HEAD, VERIFIED, PRIMARY)}
        ELSE {record(*POINT_HEAD, VERIFIED)} END
    FROM customers_contactpoint t WHERE t.customer_id = p.customer_id AND t.contact_id = p.id
    ORDER BY t.is_primary DESC, t.created_at, t.id))"""


def own(column: str, member: str) -> str:
    """SQL for a free text of an individual; nothing is known of one without a contact."""
    return f"COALESCE(p.{column}, '') AS \"{member}\""


BIRTH = "CASE WHEN p.birth_city <> '' OR p.birth_country <> '' THEN {} END".format(
    record('p.birth_city AS "city"', f'{code("p.birth_country")} AS "countryCode"')
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

CONTACT = record(
    'p.id AS "id"',
    *NAMES,
    'p.is_primary AS "primary"',
    *REACH,
    f'{POINTS} AS "contactPoints"',
    f'{CONTACT_ATTRIBUTES} AS "customAttributes"',
)
CONTACTS = f"""array_to_json(ARRAY(
    SELECT {CONTACT} FROM customers_contact p {REACHED}
    WHERE p.customer_id = c.id ORDER BY p.is_primary DESC, p.created_at, p.id))"""
BUSINESS = [
    'c.business_name AS "businessName"',
    'c.business_name AS "doingBusinessAsName"',
    f'{CONTACTS} AS "contacts"',
]

# An individual, also one without a contact.
ONE = f"""
    (SELECT) one LEFT JOIN customers_contact p ON p.customer_id = c.id AND p.is_primary {REACHED}"""
if settings.DISTRIBUTED:
    ONE = f"""
        customers_customer one
        LEFT JOIN customers_contact p ON p.customer_id = one.id AND p.is_primary {REACHED}
        WHERE one.id = c.id"""
# The object of the customer `c`, as json or its text.
CUSTOMER_OBJECT = f"""CASE c.type
    WHEN 'INDIVIDUAL' THEN (
        SELECT {whole(*COMMON, *INDIVIDUAL, *TAIL)} FROM {ONE})
    ELSE {whole(*COMMON, *BUSINESS, *TAIL)} END"""


OWN_COLUMN = re.compile(r"\bc\.")
ITS_ID = re.compile(r"= (?:customers_customer\.id|one\.id|p\.customer_id)\b")


class CustomerObject(RawSQL):
    """Annotation of a `Customer` queryset: the object's JSON as text.

    Where a statement is about one customer, `slot` is its id. A distributed engine sees only from
    the id itself, wherever rows of the customer are looked for, that all of them are on one node.
    """

    def __init__(self, slot: Slot | None = None) -> None:
        sql = f"(SELECT {CUSTOMER_OBJECT} FROM (SELECT customers_customer.*) c)::text"
        places: list[Place] = []
        if settings.DISTRIBUTED:
            sql = f"({OWN_COLUMN.sub('customers_customer.', CUSTOMER_OBJECT)})::text"
            if slot is not None:
                sql, count = ITS_ID.subn("= %s::uuid", sql)
                places = [slot.place] * count
        super().__init__(sql, places, output_field=TextField())


# The objects of many customers, whosever they are: pairs of id and JSON text, in no order.
OBJECTS = Statement(
    lambda ids: Customer.objects.filter(pk__any=ids).values_list("pk", CustomerObject())
)

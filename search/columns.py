"""The columns of result files: what they are called, what they hold, and the SQL of their cells."""

import re
from collections.abc import Iterator, Sequence

from customers.models import Customer
from customers.representation import (
    ATTRIBUTES,
    BUSINESS,
    COMMON,
    DEPARTMENT,
    INDIVIDUAL,
    TAIL,
    moment,
)

# Asked once for a file, where what follows is asked once for each customer: most registries, and
# most customers, have none.
ANY_VALUE = "(SELECT EXISTS (SELECT FROM customers_attributevalue))"
HAVING_VALUES = f"CASE WHEN {ANY_VALUE} THEN NULLIF({ATTRIBUTES}, '{{}}')::text END"
IN_DEPARTMENT = f"CASE WHEN c.department_id IS NULL THEN '' ELSE {DEPARTMENT} END"
# The result file's columns, of the customer `c`, its primary contact `p` with `phone` and `email`.
# The flag tells whether the value is free text, which a spreadsheet might take for a formula.
CUSTOMER_COLUMNS: list[tuple[str, str, bool]] = [
    ("id", "c.id", False),
    ("businessAccountId", "c.business_account_id", False),
    ("externalId", "c.external_id", True),
    ("type", "c.type", False),
    ("status", "c.status", False),
    ("createdAt", moment("c.created_at"), False),
    ("updatedAt", moment("c.updated_at"), False),
    ("prefix", "p.prefix", True),
    ("firstName", "p.first_name", True),
    ("middleName", "p.middle_name", True),
    ("lastName", "p.last_name", True),
    ("suffix", "p.suffix", True),
    ("businessName", "c.business_name", True),
    ("sex", "p.sex", False),
    ("gender", "p.gender", True),
    ("pronoun", "p.pronoun", True),
    ("primaryPhoneNumber", "phone.value", True),
    ("primaryPhoneNumberType", "phone.phone_type", False),
    ("primaryPhoneNumberProvider", "phone.provider", True),
    ("primaryPhoneNumberExtension", "phone.extension", True),
    ("primaryPhoneNumberVerified", "phone.is_verified::text", False),
    ("primaryEmail", "email.value", True),
    ("primaryEmailVerified", "email.is_verified::text", False),
    ("dateOfBirth", "to_char(p.date_of_birth, 'YYYY-MM-DD')", False),
    ("placeOfBirthCity", "p.birth_city", True),
    ("placeOfBirthCountryCode", "p.birth_country", True),
    ("securityQuestion", "p.security_question", True),
    ("socialId", "p.social_id_last4", True),
    ("socialIdCountryCode", "p.social_id_country", True),
    ("citizenshipCountryCode", "p.citizenship_country", True),
    ("metadata", "NULLIF(c.metadata, '{}')::text", False),
    ("customAttributes", HAVING_VALUES, False),
    ("createdByType", "c.created_by_type", False),
    ("createdById", "c.created_by_id", True),
    ("updatedByType", "c.updated_by_type", False),
    ("updatedById", "c.updated_by_id", True),
]
ADDRESS_COLUMNS: list[tuple[str, str, bool]] = [
    *((f"StreetLine{n}", f"street_line_{n}", True) for n in range(1, 6)),
    ("CityName", "city", True),
    ("StateCode", "state", True),
    ("CountryCode", "country", True),
    ("ZipCode", "zip_code", True),
]
RECIPIENT_COLUMNS: list[tuple[str, str, bool]] = [
    ("FirstName", "first_name", True),
    ("MiddleName", "middle_name", True),
    ("LastName", "last_name", True),
]


def columns_of_addresses() -> Iterator[tuple[str, str, bool]]:
    """The columns of the primary address of each type; only a parcel has a recipient."""
    for kind in ("mailing", "physical", "shipping"):
        recipient = RECIPIENT_COLUMNS if kind == "shipping" else []
        for name, column, is_text in [*recipient, *ADDRESS_COLUMNS]:
            yield f"{kind}{name}", f"{kind}.{column}", is_text


COLUMNS = [*CUSTOMER_COLUMNS, *columns_of_addresses(), ("department", IN_DEPARTMENT, True)]
# By name; all of them, in this order, is what a file has when none are asked for.
COLUMN_NAMES = tuple(name for name, _, _ in COLUMNS)
# Only where external ids were asked for: the one that a customer was found by.
REQUESTED_ID = "requestedId"
REQUESTED = (REQUESTED_ID, "c.external_id", True)
CHOICES = (REQUESTED_ID, *COLUMN_NAMES)
# What the cells of a column are, where that is not text; texts of these forms.
TYPES = {
    "id": "uuid",
    "businessAccountId": "uuid",
    "createdAt": "timestamp",
    "updatedAt": "timestamp",
    "primaryPhoneNumberVerified": "boolean",
    "primaryEmailVerified": "boolean",
    "dateOfBirth": "date",
    "metadata": "json",
    "customAttributes": "json",
}
# What the members of an object are, where they are not what the column of this name is.
MEMBER_TYPES = {
    "addresses": "array",
    "metadata": "object",
    "customAttributes": "object",
    "createdBy": "object",
    "updatedBy": "object",
    "primaryPhoneNumber": "object",
    "primaryEmail": "object",
    "placeOfBirth": "object",
    "contactPoints": "array",
    "contacts": "array",
    "relationship": "object",
}
TYPE_NAMES = sorted({"text", *TYPES.values(), *MEMBER_TYPES.values()})
PERSON = "LEFT JOIN customers_contact p ON p.customer_id = c.id AND p.is_primary"
POINT = """LEFT JOIN customers_contactpoint {0} ON {0}.customer_id = c.id
    AND {0}.contact_id = p.id AND {0}.kind = '{1}' AND {0}.is_primary"""
ADDRESS = """LEFT JOIN customers_address {0} ON {0}.customer_id = c.id
    AND {0}.type = '{1}' AND {0}.is_primary"""
# By the name that columns know each by; points stand behind the person whose they are.
JOINS = {
    "phone": POINT.format("phone", "PHONE"),
    "email": POINT.format("email", "EMAIL"),
    **{kind: ADDRESS.format(kind, kind.upper()) for kind in ("mailing", "physical", "shipping")},
}


def joined(columns: Sequence[str]) -> str:
    """SQL that joins what these columns are read from, and nothing else."""
    known = columns_by_name()
    named = " ".join(known[name][1] for name in columns)
    wanted = {table for table in ("p", *JOINS) if re.search(rf"\b{table}\.", named)}
    person = [PERSON] if wanted & {"p", "phone", "email"} else []
    return " ".join([*person, *(sql for table, sql in JOINS.items() if table in wanted)])


def file_columns(chosen: Sequence[str], *, is_requested: bool) -> Sequence[str]:
    """The names of the columns of a file: those chosen, else all; first what was requested."""
    names = chosen or COLUMN_NAMES
    return (REQUESTED_ID, *names) if is_requested and REQUESTED_ID not in names else names


def members_of(customer_type: str) -> list[str]:
    """The members of the object of such a customer, in their order."""
    of_type = INDIVIDUAL if customer_type == Customer.Type.INDIVIDUAL else BUSINESS
    return [re.findall(r'AS "(\w+)"', sql)[-1] for sql in (*COMMON, *of_type, *TAIL)]


# What a spreadsheet takes for the beginning of a formula, the full-width signs included, or for a
# number whose zeros in front it drops.
MISREAD = r"^([-=+@\t\r\uFF0D\uFF1D\uFF0B\uFF20]|0[0-9])"


def columns_by_name() -> dict[str, tuple[str, str, bool]]:
    """All columns that a file may have."""
    return {column[0]: column for column in (REQUESTED, *COLUMNS)}


def cell(name: str, column: str, is_text: bool, *, guarded: bool) -> str:
    """SQL for a column of a CSV file; `guarded` against being taken for a formula or number."""
    if guarded and is_text:
        column = f"CASE WHEN {column} ~ '{MISREAD}' THEN '''' || {column} ELSE {column} END"
    return f'{column} AS "{name}"'


def cells(columns: Sequence[str], *, guarded: bool) -> str:
    """SQL for these columns of a CSV file, in their order."""
    known = columns_by_name()
    wanted = [known[name] for name in columns]
    if len(wanted) == 1:
        # Readers skip an empty line: COPY writes an empty text as "".
        name, column, is_text = wanted[0]
        wanted = [(name, f"COALESCE(({column})::text, '')", is_text)]
    return ", ".join(cell(*column, guarded=guarded) for column in wanted)

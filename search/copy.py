"""The statements that make result files, and the stream from PostgreSQL to storage.

PostgreSQL produces the bytes of every format (`COPY (SELECT …) TO STDOUT`); here they only pass
through, one message per row, while rows and bytes are counted and a SHA-256 is taken.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from config.files import Joined
from customers.querysets import CustomerQuerySet
from customers.representation import ATTRIBUTES, CUSTOMER_OBJECT, DEPARTMENT, moment

BLOCK_BYTES = 256 * 1024
# SQL, and its parameters.
Statement = tuple[str, tuple[Any, ...]]  # of whatever types the columns that are compared have

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
    ("customAttributes", f"NULLIF({ATTRIBUTES}, '{{}}')::text", False),
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


COLUMNS = [*CUSTOMER_COLUMNS, *columns_of_addresses(), ("department", DEPARTMENT, True)]
JOINS = """
    LEFT JOIN customers_contact p ON p.customer_id = c.id AND p.is_primary
    LEFT JOIN customers_contactpoint phone ON phone.customer_id = c.id
        AND phone.contact_id = p.id AND phone.kind = 'PHONE' AND phone.is_primary
    LEFT JOIN customers_contactpoint email ON email.customer_id = c.id
        AND email.contact_id = p.id AND email.kind = 'EMAIL' AND email.is_primary
""" + "".join(
    f"""
    LEFT JOIN customers_address {kind} ON {kind}.customer_id = c.id
        AND {kind}.type = '{kind.upper()}' AND {kind}.is_primary"""
    for kind in ("mailing", "physical", "shipping")
)


@dataclass(frozen=True)
class Layout:
    """How a format is written: the selected expressions, and what stands around the rows.

    `options` are those of COPY; each row that it gives ends in a line feed, in place of which
    stands `end`. `between` stands before every row but the first.
    """

    select: str
    joins: str
    options: str
    content_type: str
    head: bytes = b""
    between: bytes = b""
    end: bytes = b"\n"
    tail: bytes = b""

    @property
    def header_rows(self) -> int:
        """Rows of COPY that are no customers."""
        return int("HEADER" in self.options)


# What a spreadsheet takes for the beginning of a formula, the full-width signs included.
FORMULA = r"^[-=+@\t\r\uFF0D\uFF1D\uFF0B\uFF20]"


def cell(name: str, column: str, is_text: bool, *, guarded: bool) -> str:
    """SQL for a column of a CSV file; `guarded` against being taken for a formula."""
    if guarded and is_text:
        column = f"CASE WHEN {column} ~ '{FORMULA}' THEN '''' || {column} ELSE {column} END"
    return f'{column} AS "{name}"'


def table(*, guarded: bool, head: bytes = b"") -> Layout:
    """The layout of a CSV format."""
    return Layout(
        select=", ".join(cell(*column, guarded=guarded) for column in COLUMNS),
        joins=JOINS,
        options="FORMAT csv, HEADER",
        content_type="text/csv; charset=utf-8; header=present",
        head=head,
        end=b"\r\n",
    )


# JSON text has no control characters: with these for quote and delimiter COPY leaves it alone.
VERBATIM = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02'"
OBJECTS = Layout(
    select=f"({CUSTOMER_OBJECT})::text",
    joins="",
    options=VERBATIM,
    content_type="application/x-ndjson",
)
LAYOUTS = {
    "CSV": table(guarded=False),
    "CSV_EXCEL": table(guarded=True, head=b"\xef\xbb\xbf"),
    "JSON": replace(
        OBJECTS, content_type="application/json", head=b"[\n", between=b",", tail=b"]\n"
    ),
    "NDJSON": OBJECTS,
}
# Of constants, and of the ORM's own SQL.
STATEMENT = """COPY (
    SELECT {layout.select} FROM ({customers}) c {layout.joins}
    ORDER BY c.created_at, c.id
) TO STDOUT ({layout.options})"""


def statement(
    customers: CustomerQuerySet, layout: Layout, connection: BaseDatabaseWrapper
) -> Statement:
    """The COPY that writes these customers, oldest first, and its parameters."""
    sql, parameters = compiled(customers, connection)
    return STATEMENT.format(layout=layout, customers=sql), parameters


def compiled(customers: CustomerQuerySet, connection: BaseDatabaseWrapper) -> Statement:
    """The SELECT of these customers, in no order, and its parameters; also one that finds none."""
    compiler = customers.order_by().query.get_compiler(connection=connection, elide_empty=False)
    query, parameters = compiler.as_sql()
    return query, tuple(parameters)


class ResultStream(Joined):
    """A result file, to be read once from beginning to end; storage reads, PostgreSQL is read.

    `messages` are the rows as COPY sends them, one each. `rows` and `size` (bytes) say what was
    read so far, `sha256` is the checksum of it in hexadecimal.
    """

    def __init__(self, messages: Iterable[bytes | memoryview], layout: Layout) -> None:
        super().__init__(self._filled(iter(messages)))
        self.rows = 0
        self.size = 0
        self._digest = hashlib.sha256()
        self._layout = layout

    @property
    def sha256(self) -> str:
        """The checksum."""
        return self._digest.hexdigest()

    def _filled(self, messages: Iterator[bytes | memoryview]) -> Iterator[bytes]:
        layout, end, between = self._layout, self._layout.end, self._layout.between
        block = bytearray(layout.head)
        rows = -layout.header_rows
        for message in messages:
            if between and rows > 0:
                block += between
            block += message
            if end != b"\n":
                block[-1:] = end
            rows += 1
            if len(block) >= BLOCK_BYTES:
                self.rows = rows
                yield self._passed(block)
                block.clear()
        self.rows = rows
        block += layout.tail
        if block:
            yield self._passed(block)

    def _passed(self, block: bytearray) -> bytes:
        passed = bytes(block)
        self._digest.update(passed)
        self.size += len(passed)
        return passed

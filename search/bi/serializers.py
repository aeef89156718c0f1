"""The filters of a queued search on their way in, and the file that it is to have."""

from datetime import date
from typing import TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.bodies import AnyText, Body, Choice, Day, Member, OpaqueId, Reading
from customers.criteria import Match
from customers.models import Contact, Customer
from customers.serializers import COUNTRY
from search.columns import CHOICES
from search.models import CustomerSearch

MAX_ACCOUNTS = 1000
MAX_EXTERNAL_IDS = 10_000
Words = tuple[str, ...]
INDIVIDUAL_ONLY = "Individuals only."


class SearchDay(Day):
    """A date, with the error codes that this dialect has for a wrong one."""

    wrong_type = "invalid_type"
    wrong_day = "not_a_date"


@extend_schema_field(
    {
        "anyOf": [
            {"type": "string", "enum": Customer.Status.values},
            {"type": "array", "items": {"type": "string", "enum": Customer.Status.values}},
        ]
    }
)
class Statuses(serializers.Field[Words, object, Words, object]):
    """One status or an array of them; each once, in the order of the contract."""

    default_error_messages = {
        "invalid_choice": "One of ACTIVE, SUSPENDED and DELETED, or an array of them.",
        "not_a_list": "Neither a string nor an array of strings.",
    }

    def to_internal_value(self, data: object) -> Words:
        """The statuses; none for ``[]`` and ``[""]``."""
        given = [data] if isinstance(data, str) else data
        if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
            self.fail("not_a_list")
        words = {word.strip() or word for word in given if word}
        if not words <= set(Customer.Status.values):
            self.fail("invalid_choice")
        return tuple(status for status in Customer.Status.values if status in words)

    def to_representation(self, value: Words) -> Words:
        """As it is."""
        return value


class ColumnName(Choice):
    """The name of a column of a result file."""

    default_error_messages = {"invalid_choice": "There is no such column."}


class CriteriaValues(TypedDict, total=False):
    """Filters that are members of `Criteria` under the same names."""

    customer_account_type: str
    customer_account_status: tuple[str, ...]
    from_created_at: date
    to_created_at: date
    time_zone: str
    first_name: str
    middle_name: str
    last_name: str
    business_name: str
    email: str
    phone_number: str
    address_line_1: str
    address_line_2: str
    address_line_3: str
    city: str
    state: str
    postal_code: str
    country: str
    prefix: str
    suffix: str
    gender: str
    sex: str


class FileValues(TypedDict, total=False):
    """What a search asks for beside its criteria, by the names of `services.submit_search`."""

    result_format: str
    columns: list[str]
    compression: str
    external_ids: list[str]


class SearchValues(CriteriaValues, FileValues, total=False):
    """What `SearchRequest` gives: the filters that say something."""

    business_name_2: str
    business_name_3: str
    business_name_4: str
    business_account_ids: list[UUID]
    match: str


class SearchRequest(Body[SearchValues]):
    """What to search for; every filter given must hold. `""` and `[]` filter nothing, and a filter
    of blanks alone is wrong, for it would find every customer.

    Names, business name, address lines and city compare without case and accents, as `match` says.
    """

    customerAccountType = Choice(
        Customer.Type.choices, source="customer_account_type", help_text="Required."
    )
    customerAccountStatus = Statuses(
        source="customer_account_status",
        required=False,
        help_text="One status or an array; none given: ACTIVE and SUSPENDED.",
    )
    fromCreatedAt = SearchDay(
        source="from_created_at", required=False, help_text="The first day, inclusive."
    )
    toCreatedAt = SearchDay(
        source="to_created_at", required=False, help_text="The last day, inclusive."
    )
    timeZone = AnyText(
        max_length=64,
        source="time_zone",
        required=False,
        help_text="Of the two dates: UTC (default), an offset such as +05:30, or an IANA name.",
    )
    firstName = AnyText(
        max_length=40,
        source="first_name",
        required=False,
        help_text="This and the other names must match the same contact.",
    )
    middleName = AnyText(max_length=40, source="middle_name", required=False)
    lastName = AnyText(max_length=40, source="last_name", required=False)
    customerDoingAsBusinessName = AnyText(
        max_length=40, source="business_name", required=False, help_text="Businesses and groups."
    )
    doingBusinessAsName = AnyText(
        max_length=40, source="business_name_2", required=False, help_text="The same."
    )
    doingAsBusinessName = AnyText(
        max_length=40, source="business_name_3", required=False, help_text="The same."
    )
    businessName = AnyText(
        max_length=40, source="business_name_4", required=False, help_text="The same."
    )
    email = AnyText(
        max_length=320, required=False, help_text="Of any contact; compared without case."
    )
    phoneNumber = AnyText(
        max_length=40,
        source="phone_number",
        required=False,
        help_text="Of any contact; `+14151234`, `14151234` or `4151234`.",
    )
    addressLine1 = AnyText(
        max_length=50,
        source="address_line_1",
        required=False,
        help_text="This and all to `country` must match the same address, of any type.",
    )
    addressLine2 = AnyText(max_length=50, source="address_line_2", required=False)
    addressLine3 = AnyText(max_length=50, source="address_line_3", required=False)
    city = AnyText(required=False)
    state = AnyText(required=False, help_text="One to three upper-case letters or digits.")
    postalCode = AnyText(source="postal_code", required=False)
    country = AnyText(required=False, help_text=COUNTRY)
    prefix = AnyText(max_length=40, required=False, help_text=INDIVIDUAL_ONLY)
    suffix = AnyText(max_length=40, required=False, help_text=INDIVIDUAL_ONLY)
    gender = AnyText(required=False, help_text=INDIVIDUAL_ONLY)
    sex = Choice(Contact.Sex.choices, required=False, help_text=INDIVIDUAL_ONLY)
    resultFormat = Choice(
        CustomerSearch.Format.choices,
        source="result_format",
        required=False,
        help_text="CSV by default.",
    )
    columns = serializers.ListField(
        child=ColumnName(CHOICES),
        max_length=len(CHOICES),
        required=False,
        help_text="Not of JSON and NDJSON; in the order wanted; none given: all. `requestedId` "
        "only with `externalIds`: left out, it comes first.",
    )
    compression = Choice(
        CustomerSearch.Compression.choices,
        required=False,
        help_text="Of the file; NONE by default.",
    )
    businessAccountIds = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=MAX_ACCOUNTS,
        source="business_account_ids",
        required=False,
        help_text="Narrows the search to these accounts and their descendants.",
    )
    externalIds = serializers.ListField(
        child=OpaqueId(min_length=1, max_length=120),
        max_length=MAX_EXTERNAL_IDS,
        source="external_ids",
        required=False,
        help_text="Narrows the search to the customers with these ids, exactly as they were given; "
        "the file names them as `requestedId`, and the manifest those that nobody has.",
    )
    match = Choice(
        [(word.value, word.value) for word in Match],
        required=False,
        help_text="How names, business name, address lines and city compare; EXACT by default.",
    )

    def is_empty(self, _member: object, value: str) -> bool:
        """Whether a string counts as not given: only one without any character."""
        return not value

    def read(self, member: Member, value: object, place: str, found: Reading) -> None:
        """Read one member; a filter that filters nothing is left out."""
        super().read(member, value, place, found)
        name = member.source or str(member.field_name)
        if not found.values.get(name):
            found.values.pop(name, None)

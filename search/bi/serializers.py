"""The filters of a queued search on their way in, and its status on its way out."""

from collections.abc import Mapping
from datetime import date
from typing import TypedDict
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.bodies import AnyText, Body, Choice, Day, Member, Reading
from customers.criteria import Match
from customers.models import Contact, Customer
from customers.serializers import COUNTRY
from search.models import CustomerSearch

MAX_ACCOUNTS = 1000
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


class SearchValues(CriteriaValues, total=False):
    """What `SearchRequest` gives: the filters that say something."""

    business_name_2: str
    business_name_3: str
    business_name_4: str
    business_account_ids: list[UUID]
    match: str
    result_format: str


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
    businessAccountIds = serializers.ListField(
        child=serializers.UUIDField(),
        max_length=MAX_ACCOUNTS,
        source="business_account_ids",
        required=False,
        help_text="Narrows the search to these accounts and their descendants.",
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


class SearchProgress(serializers.Serializer[object]):
    """How far a running search is."""

    rows = serializers.IntegerField()
    bytes = serializers.IntegerField()
    estimatedRows = serializers.IntegerField(
        allow_null=True, help_text="What the planner expects; null until it was asked."
    )
    percent = serializers.IntegerField(
        allow_null=True, min_value=0, max_value=99, help_text="Of the estimated rows."
    )


class SearchSubmitted(serializers.Serializer[object]):
    """The answer to a submission."""

    queryId = serializers.UUIDField()


class SearchStatus(serializers.Serializer[object]):
    """A search as its status call shows it."""

    queryId = serializers.UUIDField()
    status = serializers.ChoiceField(CustomerSearch.Status.choices)
    downloadUrl = serializers.URLField(
        required=False, help_text="When FINISHED and not expired; good for 60 minutes."
    )
    fileName = serializers.CharField(required=False)
    manifestUrl = serializers.URLField(required=False, help_text="Likewise, of the manifest.")
    resultFormat = serializers.ChoiceField(CustomerSearch.Format.choices)
    submittedAt = serializers.DateTimeField()
    startedAt = serializers.DateTimeField(required=False)
    finishedAt = serializers.DateTimeField(required=False)
    progress = SearchProgress(required=False, help_text="While PICKED or STARTED.")
    rowCount = serializers.IntegerField(required=False, help_text="When FINISHED.")
    byteCount = serializers.IntegerField(required=False)
    sha256 = serializers.CharField(required=False)
    snapshotAt = serializers.DateTimeField(
        required=False, help_text="The moment that all rows were read at."
    )
    expiresAt = serializers.DateTimeField(
        required=False, help_text="When the file is deleted, or was."
    )
    errorCode = serializers.CharField(required=False, help_text="When FAILED or ABORTED.")
    message = serializers.CharField(required=False)


def status_body(search: CustomerSearch, urls: Mapping[str, str]) -> dict[str, object]:
    """A search on the wire; `urls` are the links that it has at this moment."""
    body: dict[str, object] = {
        "queryId": str(search.pk),
        "status": search.status,
        **urls,
        "resultFormat": search.result_format,
        "submittedAt": search.submitted_at,
        "startedAt": search.started_at,
        "finishedAt": search.finished_at,
    }
    if search.status in search.RUNNING:
        body["progress"] = {
            "rows": search.rows,
            "bytes": search.bytes,
            "estimatedRows": search.estimated_rows,
            "percent": search.percent,
        }
    elif search.status == search.Status.FINISHED:
        body |= {
            "rowCount": search.rows,
            "byteCount": search.bytes,
            "sha256": search.sha256,
            "snapshotAt": search.snapshot_at,
            "expiresAt": search.expires_at,
        }
    if search.error_code:
        body |= {"errorCode": search.error_code, "message": search.error_message}
    return {name: value for name, value in body.items() if value is not None}

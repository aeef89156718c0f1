"""The customer object of `/v1` on its way in, and as the API documentation shows it."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api.bodies import (
    AnyText,
    Body,
    Choice,
    Day,
    Flag,
    Member,
    Moment,
    OpaqueId,
    Reading,
    Submission,
    Text,
    WithoutValidators,
)
from customers.models import Activity, Address, Contact, ContactPoint, Customer
from customers.values import (
    ActivityUpdateValues,
    ActivityValues,
    AddressValues,
    BirthPlaceValues,
    ContactPointValues,
    ContactValues,
    CustomerValues,
    NameValues,
    PointValues,
    ReasonValues,
    RelationshipValues,
)

COUNTRY = "ISO 3166-1 alpha-3, or `XKX`, upper case"


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": ["string", "null"], "maxLength": 1024}}
)
class Pairs(WithoutValidators, serializers.DictField):
    """Names with texts; null takes a name away. The rules look at the texts."""

    def to_internal_value(self, data: object) -> dict[str, object]:
        """The pairs."""
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        return data


class PhoneNumber(Body[PointValues]):
    """A phone number; any of `+14151234`, `14151234`, `4151234` where the default region is US."""

    number = AnyText(max_length=40, source="value", help_text="Leaves as E.164.")
    type = Choice(ContactPoint.PhoneType.choices, source="phone_type")
    provider = Text(max_length=40, required=False)
    extension = Text(max_length=10, required=False)
    verified = Flag(
        source="is_verified", required=False, help_text="A changed number sets it to false."
    )


class Email(Body[PointValues]):
    """An e-mail address; it keeps its spelling and is compared without case."""

    value = Text(max_length=320)
    verified = Flag(
        source="is_verified", required=False, help_text="A changed address sets it to false."
    )


class ContactPointBody(Body[ContactPointValues]):
    """A way to reach a contact; with a known `id` it merges into that one, without it is added."""

    id = serializers.UUIDField(required=False)
    kind = Choice(ContactPoint.Kind.choices)
    value = Text(max_length=320, help_text="A phone number leaves as E.164; ids are kept as sent.")
    type = Choice(
        ContactPoint.PhoneType.choices, source="phone_type", required=False, help_text="Of phones."
    )
    provider = Text(max_length=40, required=False, help_text="Of phones.")
    extension = Text(max_length=10, required=False, help_text="Of phones.")
    verified = Flag(
        source="is_verified", required=False, help_text="A changed value sets it to false."
    )
    primary = Flag(
        source="is_primary",
        required=False,
        help_text="Of phone numbers and e-mail addresses one each.",
    )


class Recipient(Body[NameValues]):
    """Whom a parcel is for."""

    firstName = Text(max_length=40, source="first_name")
    middleName = Text(max_length=40, source="middle_name", required=False)
    lastName = Text(max_length=40, source="last_name")


class AddressBody(Body[AddressValues]):
    """An address; with a known `id` it merges into that one, without it is added."""

    rules = {
        "if": {"properties": {"type": {"const": "SHIPPING"}}, "required": ["type"]},
        "then": {
            "properties": {"name": {"type": "object"}},
            "required": ["name"],
            "additionalProperties": True,
        },
    }

    id = serializers.UUIDField(required=False)
    type = Choice(Address.Type.choices)
    name = Recipient(
        required=False,
        source="recipient",
        help_text="Required for SHIPPING, and ignored for other types, whatever it is.",
    )
    streetLine1 = Text(max_length=50, source="street_line_1")
    streetLine2 = Text(max_length=50, source="street_line_2", required=False)
    streetLine3 = Text(max_length=50, source="street_line_3", required=False)
    streetLine4 = Text(max_length=50, source="street_line_4", required=False)
    streetLine5 = Text(max_length=50, source="street_line_5", required=False)
    cityName = Text(max_length=25, source="city", required=False)
    stateCode = Text(
        max_length=3,
        source="state",
        required=False,
        help_text="ISO 3166-2 without the country part, or `AA`, `AE`, `AP` of the USA; required"
        " for USA and CAN.",
    )
    countryCode = Text(
        min_length=3, max_length=3, source="country", required=False, help_text=COUNTRY
    )
    zipCode = Text(max_length=10, source="zip_code")
    primary = Flag(source="is_primary", required=False)

    def read(self, member: Member, value: object, place: str, found: Reading) -> None:
        """Read one member. What is wrong with a recipient is kept beside it, in
        `recipient_problems`: it counts only where the address turns out to be for parcels.
        """
        if member.source != "recipient":
            super().read(member, value, place, found)
            return
        name: Reading = Submission({})
        super().read(member, value, place, name)
        found.values |= name.values
        found.values["recipient_problems"] = name.problems


class ContactBody(Body[ContactValues]):
    """A contact of a business or group; with a known `id` it merges, without it is added."""

    spellings = frozenset({"primaryPhonenumber"})

    id = serializers.UUIDField(required=False)
    firstName = Text(max_length=40, source="first_name")
    middleName = Text(max_length=40, source="middle_name", required=False)
    lastName = Text(max_length=40, source="last_name")
    primary = Flag(source="is_primary", required=False)
    primaryPhoneNumber = PhoneNumber(source="phone", required=False)
    primaryPhonenumber = PhoneNumber(source="phone_alias", required=False)
    primaryEmail = Email(source="email", required=False)
    contactPoints = ContactPointBody(many=True, source="contact_points", required=False)
    customAttributes = Pairs(
        source="attributes", required=False, help_text="Name to value; null removes the value."
    )


class Relationship(Body[RelationshipValues]):
    """What the customer is to the company."""

    role = Choice(Customer.Role.choices, required=False)
    level = Text(max_length=120, required=False, help_text="Of the account's list, if it has one.")
    industry = Text(max_length=120, required=False, help_text="Likewise.")
    marketSegment = Text(max_length=50, source="market_segment", required=False)
    entitlements = Text(max_length=1024, required=False)
    howReferred = Choice(Customer.Referral.choices, source="how_referred", required=False)
    preferredAgentId = serializers.UUIDField(
        source="preferred_agent_id",
        required=False,
        help_text="An employee of the business account or of one above it.",
    )
    pin = Text(max_length=255, required=False, help_text="Empty means unchanged, null clears it.")


class BirthPlace(Body[BirthPlaceValues]):
    """Where an individual was born."""

    city = Text(max_length=60, source="birth_city", required=False)
    countryCode = Text(
        min_length=3, max_length=3, source="birth_country", required=False, help_text=COUNTRY
    )


class CustomerBody(Body[CustomerValues]):
    """A customer on its way in, of either type."""

    ignored = frozenset(
        {"id", "businessAccountId", "createdBy", "createdAt", "updatedBy", "updatedAt"}
    )
    spellings = frozenset({"primaryPhonenumber"})

    type = Choice(Customer.Type.choices)
    status = Choice(
        Customer.Status.choices, required=False, help_text="Only accepted when it does not change."
    )
    externalId = OpaqueId(
        max_length=120,
        source="external_id",
        required=False,
        help_text="Your own id, unique in the business account, kept as it is; given at creation"
        " only.",
    )
    addresses = AddressBody(many=True, required=False)
    metadata = Pairs(required=False, help_text="At most 5 pairs; a null value removes its key.")
    customAttributes = Pairs(
        source="attributes", required=False, help_text="Name to value; null removes the value."
    )
    prefix = Text(max_length=40, required=False)
    firstName = Text(max_length=40, source="first_name", required=False)
    middleName = Text(max_length=40, source="middle_name", required=False)
    lastName = Text(max_length=40, source="last_name", required=False)
    suffix = Text(max_length=40, required=False)
    sex = Choice(Contact.Sex.choices, required=False)
    gender = Text(max_length=255, required=False)
    pronoun = Text(max_length=255, required=False)
    securityQuestion = Text(max_length=255, source="security_question", required=False)
    securityAnswer = Text(max_length=255, source="security_answer", required=False)
    primaryPhoneNumber = PhoneNumber(source="phone", required=False)
    primaryPhonenumber = PhoneNumber(source="phone_alias", required=False)
    primaryEmail = Email(source="email", required=False)
    dateOfBirth = Day(source="date_of_birth", required=False)
    placeOfBirth = BirthPlace(source="birth_place", required=False)
    socialId = Text(max_length=50, source="social_id", required=False)
    socialIdCountryCode = Text(
        min_length=3, max_length=3, source="social_id_country", required=False, help_text=COUNTRY
    )
    citizenshipCountryCode = Text(
        min_length=3, max_length=3, source="citizenship_country", required=False, help_text=COUNTRY
    )
    businessName = Text(max_length=40, source="business_name", required=False)
    doingBusinessAsName = Text(max_length=40, source="business_name_alias", required=False)
    contacts = ContactBody(many=True, required=False)
    contactPoints = ContactPointBody(many=True, source="contact_points", required=False)
    department = Text(
        max_length=120,
        required=False,
        help_text="Name of a department of the business account; empty for none.",
    )
    relationship = Relationship(required=False)


class CustomerUpdate(CustomerBody):
    """What an update may send: everything is optional, absent means unchanged."""

    type = Choice(Customer.Type.choices, required=False, help_text="Must be the customer's.")


class ReasonBody(Body[ReasonValues]):
    """Why something is done, for the customer's history."""

    reason = Text(max_length=255)


class ActivityBody(Body[ActivityValues]):
    """One interaction with a customer."""

    ignored = frozenset({"id"})

    type = Choice(Activity.Type.choices)
    mode = Choice(Activity.Mode.choices)
    isRead = Flag(source="is_read", required=False)
    isSecure = Flag(source="is_secure", required=False)
    sentDate = Moment(source="sent_date", help_text="Any ISO 8601 offset.")
    subject = Text(max_length=255, required=False)


class ActivityUpdate(Body[ActivityUpdateValues]):
    """What may be changed of an activity; its other members may be sent back as they came."""

    ignored = frozenset({"id", "type", "mode", "isSecure", "sentDate", "subject"})

    isRead = Flag(source="is_read")


def activity_object(activity: Activity) -> dict[str, object]:
    """An activity as it leaves."""
    return {
        "id": activity.id,
        "type": activity.type,
        "mode": activity.mode,
        "isRead": activity.is_read,
        "isSecure": activity.is_secure,
        "sentDate": activity.sent_date,
        "subject": activity.subject,
    }

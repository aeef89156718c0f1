"""What `/v1/customers`, `/v1/business-accounts` and the token exchange answer with.

For the API documentation only: the customer object is made by SQL (`customers.representation`), and
a test holds it to these members.
"""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers

from config.api.actors import ActorType
from config.openapi import OneOf
from customers.change_log import Via
from customers.history import ENTITIES
from customers.models import Activity, Address, Change, Contact, ContactPoint, Customer


class WordOptions(TypedDict, total=False):
    """What a word of a list may be declared with."""

    required: bool
    allow_null: bool
    help_text: str


def word(
    choices: Sequence[str | tuple[str, str]], **options: Unpack[WordOptions]
) -> serializers.ChoiceField:
    """A word of a list."""
    return serializers.ChoiceField(choices, **options)


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class Texts(serializers.DictField):
    """Names with texts."""


@extend_schema_field({})
class Anything(serializers.JSONField):
    """Any JSON value."""


class ActorObject(serializers.Serializer[object]):
    """Who did something."""

    id = serializers.CharField(help_text="Empty for `internal`, otherwise a UUID.")
    type = word([(kind.value, kind.value) for kind in ActorType])


class RecipientObject(serializers.Serializer[object]):
    """Whom a parcel is for."""

    firstName = serializers.CharField()
    middleName = serializers.CharField()
    lastName = serializers.CharField()


class AddressObject(serializers.Serializer[object]):
    """An address; exactly one of each type that is there is primary."""

    id = serializers.UUIDField()
    type = word(Address.Type.choices)
    name = RecipientObject(required=False, help_text="Of SHIPPING addresses only.")
    streetLine1 = serializers.CharField()
    streetLine2 = serializers.CharField()
    streetLine3 = serializers.CharField()
    streetLine4 = serializers.CharField()
    streetLine5 = serializers.CharField()
    cityName = serializers.CharField()
    stateCode = serializers.CharField(allow_null=True)
    countryCode = serializers.CharField(allow_null=True)
    zipCode = serializers.CharField()
    primary = serializers.BooleanField()


class PhoneObject(serializers.Serializer[object]):
    """A phone number."""

    number = serializers.CharField(help_text="E.164")
    type = word(ContactPoint.PhoneType.choices, allow_null=True)
    provider = serializers.CharField()
    extension = serializers.CharField()
    verified = serializers.BooleanField()


class EmailObject(serializers.Serializer[object]):
    """An e-mail address."""

    value = serializers.CharField()
    verified = serializers.BooleanField()


class ContactPointObject(serializers.Serializer[object]):
    """A way to reach a contact."""

    id = serializers.UUIDField()
    kind = word(ContactPoint.Kind.choices)
    value = serializers.CharField(help_text="Of a phone number E.164.")
    type = word(
        ContactPoint.PhoneType.choices, required=False, allow_null=True, help_text="Of phones."
    )
    provider = serializers.CharField(required=False, help_text="Of phones.")
    extension = serializers.CharField(required=False, help_text="Of phones.")
    verified = serializers.BooleanField()
    primary = serializers.BooleanField(
        required=False, help_text="Of phone numbers and e-mail addresses."
    )


class RelationshipObject(serializers.Serializer[object]):
    """What the customer is to the company."""

    role = word(Customer.Role.choices, allow_null=True)
    level = serializers.CharField()
    industry = serializers.CharField()
    marketSegment = serializers.CharField()
    entitlements = serializers.CharField()
    howReferred = word(Customer.Referral.choices, allow_null=True)
    preferredAgentId = serializers.UUIDField(allow_null=True)
    pin = serializers.CharField(help_text="Empty without `customers.sensitive`.")


class Place(serializers.Serializer[object]):
    """Where an individual was born."""

    city = serializers.CharField()
    countryCode = serializers.CharField(allow_null=True)


class CommonObject(serializers.Serializer[object]):
    """What customers of all types have, in front."""

    id = serializers.UUIDField()
    status = word([choice for choice in Customer.Status.choices if choice[0] != "DELETED"])
    externalId = serializers.CharField()
    businessAccountId = serializers.UUIDField()
    addresses = AddressObject(many=True)
    metadata = Texts()
    customAttributes = Texts(help_text="Encrypted ones are empty without `customers.sensitive`.")
    createdBy = ActorObject()
    createdAt = serializers.DateTimeField()
    updatedBy = ActorObject()
    updatedAt = serializers.DateTimeField()


class Individual(CommonObject):
    """A person."""

    type = word(["INDIVIDUAL"])
    prefix = serializers.CharField()
    firstName = serializers.CharField()
    middleName = serializers.CharField()
    lastName = serializers.CharField()
    suffix = serializers.CharField()
    sex = word(Contact.Sex.choices, allow_null=True)
    gender = serializers.CharField()
    pronoun = serializers.CharField()
    securityQuestion = serializers.CharField()
    securityAnswer = serializers.CharField(help_text="Empty without `customers.sensitive`.")
    primaryPhoneNumber = PhoneObject(allow_null=True)
    primaryEmail = EmailObject(allow_null=True)
    dateOfBirth = serializers.DateField(allow_null=True)
    placeOfBirth = Place(allow_null=True)
    socialId = serializers.CharField(
        help_text="Its last characters, at most four; whole with `customers.sensitive`."
    )
    socialIdCountryCode = serializers.CharField(allow_null=True)
    citizenshipCountryCode = serializers.CharField(allow_null=True)
    contactPoints = ContactPointObject(many=True)
    department = serializers.CharField()
    relationship = RelationshipObject()


class ContactObject(serializers.Serializer[object]):
    """A person of a business or group; exactly one is primary."""

    id = serializers.UUIDField()
    firstName = serializers.CharField()
    middleName = serializers.CharField()
    lastName = serializers.CharField()
    primary = serializers.BooleanField()
    primaryPhoneNumber = PhoneObject(allow_null=True)
    primaryEmail = EmailObject(allow_null=True)
    contactPoints = ContactPointObject(many=True)
    customAttributes = Texts(help_text="Encrypted ones are empty without `customers.sensitive`.")


class Business(CommonObject):
    """A business, or a group, which is shaped like one."""

    type = word(["BUSINESS", "GROUP"])
    businessName = serializers.CharField()
    doingBusinessAsName = serializers.CharField(help_text="The same, under its other name.")
    contacts = ContactObject(many=True)
    department = serializers.CharField()
    relationship = RelationshipObject()


class CustomerObject(OneOf):
    """A customer."""

    kinds = {"INDIVIDUAL": Individual, "BUSINESS": Business, "GROUP": Business}


class ActivityObject(serializers.Serializer[object]):
    """One interaction with a customer."""

    id = serializers.UUIDField()
    type = word(Activity.Type.choices)
    mode = word(Activity.Mode.choices)
    isRead = serializers.BooleanField()
    isSecure = serializers.BooleanField()
    sentDate = serializers.DateTimeField()
    subject = serializers.CharField()


class ChangeObject(serializers.Serializer[object]):
    """What one request did to one thing of a customer."""

    at = serializers.DateTimeField()
    operation = word(Change.Operation.choices)
    entity = word(list(ENTITIES))
    entityId = serializers.UUIDField()
    actor = ActorObject()
    via = serializers.CharField(
        help_text=f"Through what: {', '.join(f'`{via}`' for via in Via)}, or `database`."
    )
    requestId = serializers.CharField(help_text="The `X-Request-Id` of the request.")
    reason = serializers.CharField()
    changes = inline_serializer(
        "FieldChange",
        {
            "field": serializers.CharField(help_text="By its name in the API."),
            "from": Anything(help_text='`"***"` for a sensitive value.'),
            "to": Anything(help_text="Likewise."),
        },
        many=True,
    )


class BusinessAccountObject(serializers.Serializer[object]):
    """A tenant: a company that owns customers."""

    id = serializers.UUIDField()
    parentId = serializers.UUIDField(
        allow_null=True, help_text="Null for the token's own account, whatever is above it."
    )
    name = serializers.CharField()
    description = serializers.CharField()


class DepartmentObject(serializers.Serializer[object]):
    """A part of a business account that customers and employees can belong to."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class Session(serializers.Serializer[object]):
    """An API key and its secret."""

    clientId = serializers.CharField()
    secret = serializers.CharField()


class SessionToken(serializers.Serializer[object]):
    """An access token."""

    sessionToken = serializers.CharField()
    expiresIn = serializers.IntegerField(help_text="Seconds.")


class Token(serializers.Serializer[object]):
    """An access token."""

    access_token = serializers.CharField()
    token_type = word(["Bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds.")

"""The members of `/v1/customers` that a load may carry."""

from config.api.bodies import Body, Choice, Flag, Text
from customers.models import Customer
from customers.serializers import (
    AddressBody,
    ContactBody,
    ContactPointBody,
    Email,
    Pairs,
    PhoneNumber,
    Relationship,
)
from customers.values import CustomerValues, PrimaryPointValues


def primary_flag() -> Flag:
    """`primary`, of one of several ways to reach somebody."""
    return Flag(
        source="is_primary",
        required=False,
        help_text="The first one is, unless another was already.",
    )


class PhoneEntry(PhoneNumber):
    """A phone number of the customer, or of its primary contact."""

    primary = primary_flag()


class EmailEntry(Email):
    """An e-mail address of the customer, or of its primary contact."""

    primary = primary_flag()


class ProfileValues(CustomerValues, total=False):
    """What `ProfileBody` gives."""

    emails: list[PrimaryPointValues | None] | None
    phones: list[PrimaryPointValues | None] | None


class ProfileBody(Body[ProfileValues]):
    """Who a customer is. What is left out stays as it is."""

    looks_for_card_numbers = False

    type = Choice(Customer.Type.choices, required=False)
    firstName = Text(max_length=40, source="first_name", required=False)
    middleName = Text(max_length=40, source="middle_name", required=False)
    lastName = Text(max_length=40, source="last_name", required=False)
    businessName = Text(max_length=40, source="business_name", required=False)
    emails = EmailEntry(many=True, required=False)
    phones = PhoneEntry(many=True, required=False)
    addresses = AddressBody(many=True, required=False)
    contacts = ContactBody(many=True, required=False)
    contactPoints = ContactPointBody(many=True, source="contact_points", required=False)
    department = Text(
        max_length=120, required=False, help_text="Name of a department of the business account."
    )
    relationship = Relationship(required=False)
    metadata = Pairs(required=False, help_text="At most 5 pairs; a null value removes its key.")
    customAttributes = Pairs(
        source="attributes", required=False, help_text="Name to value; null removes the value."
    )


MEMBERS = frozenset(ProfileBody().fields)

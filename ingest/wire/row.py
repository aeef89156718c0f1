"""A row of a table on its way in: the cells of a customer, by the names of their columns."""

from datetime import date
from typing import TypedDict

from config.api.bodies import AnyText, Body, Choice, Day, OpaqueId, Text
from customers.models import Address, ContactPoint, Customer
from customers.values import Pairs


class CellValues(TypedDict, total=False):
    """What `RowBody` gives."""

    external_id: str | None
    type: str | None
    first_name: str | None
    middle_name: str | None
    last_name: str | None
    business_name: str | None
    email: str | None
    phone: str | None
    phone_type: str | None
    date_of_birth: date | None
    address_type: str | None
    street_line_1: str | None
    street_line_2: str | None
    city: str | None
    state: str | None
    country: str | None
    zip_code: str | None
    department: str | None


class RowValues(CellValues, total=False):
    """All that a row says."""

    metadata: Pairs
    attributes: Pairs


class RowBody(Body[CellValues]):
    """The cells of one row; what is left out stays as it is, and ``None`` clears."""

    looks_for_card_numbers = False

    externalId = OpaqueId(max_length=120, source="external_id")
    type = Choice(Customer.Type.choices)
    firstName = Text(max_length=40, source="first_name")
    middleName = Text(max_length=40, source="middle_name")
    lastName = Text(max_length=40, source="last_name")
    businessName = Text(max_length=40, source="business_name")
    email = Text(max_length=320)
    phone = AnyText(max_length=40)
    phoneType = Choice(ContactPoint.PhoneType.choices, source="phone_type")
    dateOfBirth = Day(source="date_of_birth")
    addressType = Choice(Address.Type.choices, source="address_type")
    streetLine1 = Text(max_length=50, source="street_line_1")
    streetLine2 = Text(max_length=50, source="street_line_2")
    cityName = Text(max_length=25, source="city")
    stateCode = Text(max_length=3, source="state")
    countryCode = Text(max_length=60, source="country")
    zipCode = Text(max_length=10, source="zip_code")
    department = Text(max_length=120)

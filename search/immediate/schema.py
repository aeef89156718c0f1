"""What `/core` answers with.

For the API documentation only: the answers are made in `search.immediate.representation`.
"""

from collections.abc import Iterable, Mapping
from typing import cast

from rest_framework import serializers

from search.immediate.labels import (
    ADDRESS_TYPES,
    PHONE_TYPES,
    REFERRALS,
    ROLES,
    SOCIAL_TYPES,
    TYPES,
)


class Link(serializers.Serializer[object]):
    """A path with its query."""

    rel = serializers.CharField()
    href = serializers.CharField()


Answer = type[serializers.Serializer[object]]


def answer_of(name: str, description: str, members: Mapping[str, object]) -> Answer:
    """An object with these members, as the component `name`."""
    made = type(name, (serializers.Serializer,), {"__doc__": description, **members})
    return cast("Answer", made)


def word(
    name: str, values: Iterable[str] | None, description: str
) -> serializers.Serializer[object]:
    """A word of a list with its label: `values` are all that there are, None if it is open."""
    value = serializers.CharField() if values is None else serializers.ChoiceField(list(values))
    members = {"value": value, "displayValue": serializers.CharField(help_text="In the language.")}
    return answer_of(name, description, members)(required=False)


def lists_of(name: str, members: Mapping[str, object]) -> Answer:
    """An object around a list, as XML has it."""
    return answer_of(name, "A list.", members)


class AttributeValueEntry(serializers.Serializer[object]):
    """A value."""

    value = serializers.CharField()


class CoreCustomAttribute(serializers.Serializer[object]):
    """A custom attribute with its value."""

    attribName = serializers.CharField()
    attribValues = lists_of("AttributeValues", {"attribValue": AttributeValueEntry(many=True)})()


CustomAttributes = lists_of(
    "CoreCustomAttributes", {"customAttribute": CoreCustomAttribute(many=True)}
)


class PointObject(serializers.Serializer[object]):
    """What every contact point has, behind its own members."""

    lastModified = serializers.DateTimeField()
    id = serializers.UUIDField()

    def get_fields(self) -> dict[str, "serializers.Field[object, object, object, object]"]:
        """The members in the order in which they are written."""
        fields = dict(super().get_fields())
        return fields | {name: fields.pop(name) for name in ("lastModified", "id")}


class CoreEmail(PointObject):
    """An e-mail address."""

    emailAddress = serializers.CharField()


class CorePhone(PointObject):
    """A phone number."""

    type = word("CorePhoneType", PHONE_TYPES, "A kind of phone.")
    phoneNo = serializers.CharField()
    countryCode = serializers.CharField(required=False)
    areaCode = serializers.CharField(required=False)
    extension = serializers.CharField(required=False)


class CorePostal(PointObject):
    """A postal address."""

    type = word("CorePostalType", ADDRESS_TYPES, "A kind of address.")
    address_1 = serializers.CharField(required=False)
    address_2 = serializers.CharField(required=False)
    address_3 = serializers.CharField(required=False)
    address_4 = serializers.CharField(required=False)
    address_5 = serializers.CharField(required=False)
    city = serializers.CharField(required=False)
    state = serializers.CharField(required=False)
    zip = serializers.CharField(required=False)
    country = serializers.CharField(required=False, help_text="ISO 3166-1 alpha-3")


class CoreWebsite(PointObject):
    """A website; Kith keeps none."""

    url = serializers.CharField()


class CoreSocial(PointObject):
    """An id in a social network."""

    type = word("CoreSocialType", SOCIAL_TYPES, "A social network.")
    socialId = serializers.CharField()


class CoreContact(serializers.Serializer[object]):
    """A person of a customer, with the ways to reach it."""

    systemCreated = serializers.BooleanField()
    salutation = serializers.CharField(required=False)
    firstName = serializers.CharField(required=False)
    middleName = serializers.CharField(required=False)
    lastName = serializers.CharField(required=False)
    loginId = serializers.CharField(required=False)
    lastModified = serializers.DateTimeField()
    customAttributes = CustomAttributes(required=False)
    email = CoreEmail(many=True)
    postal = CorePostal(many=True)
    phone = CorePhone(many=True)
    website = CoreWebsite(many=True)
    social = CoreSocial(many=True)
    id = serializers.UUIDField()


class CoreDepartment(serializers.Serializer[object]):
    """A department."""

    name = serializers.CharField()
    id = serializers.UUIDField()


class CoreUser(serializers.Serializer[object]):
    """Somebody who works for the company, or a program."""

    name = serializers.CharField(required=False)
    id = serializers.UUIDField()


class CoreCustomer(serializers.Serializer[object]):
    """A customer. The members from `role` on are there when `$attribute` asks for them."""

    link = Link(many=True)
    cases = lists_of("Cases", {"link": Link(many=True)})()
    customerName = serializers.CharField(allow_blank=True)
    department = CoreDepartment(required=False)
    type = word("CoreType", TYPES, "A kind of customer.")
    lastModified = serializers.DateTimeField()
    role = word("CoreRole", ROLES, "The customer's role.")
    pin = serializers.CharField(required=False, help_text="Only with `customers.sensitive`.")
    industry = word("CoreIndustry", None, "An industry.")
    marketSegment = serializers.CharField(required=False)
    entitlements = serializers.CharField(required=False)
    level = word("CoreLevel", None, "A level.")
    preferredAgent = CoreUser(required=False)
    howReferred = word("CoreReferral", REFERRALS, "How the customer came.")
    created = serializers.DateTimeField(required=False)
    createdBy = CoreUser(required=False)
    customAttributes = CustomAttributes(required=False)
    contacts = lists_of("CoreContacts", {"contact": CoreContact(many=True)})()
    id = serializers.UUIDField()


class PaginationInfo(serializers.Serializer[object]):
    """Where in the list this is; page or range, as it was asked for."""

    count = serializers.IntegerField(help_text="All that match.")
    countIsEstimate = serializers.BooleanField(required=False, help_text="Beyond 10,000.")
    pagenum = serializers.IntegerField(required=False)
    pagesize = serializers.IntegerField(required=False)
    rangestart = serializers.IntegerField(required=False)
    rangesize = serializers.IntegerField(required=False)
    link = Link(many=True, required=False)


class CoreCustomers(serializers.Serializer[object]):
    """Customers by id."""

    customer = CoreCustomer(many=True)


class CorePage(serializers.Serializer[object]):
    """A page of a search."""

    link = Link(many=True)
    customer = CoreCustomer(many=True)
    paginationInfo = PaginationInfo()


class Word(serializers.Serializer[object]):
    """A word of a list."""

    value = serializers.CharField()
    displayValue = serializers.CharField()


class ContactLists(serializers.Serializer[object]):
    """The kinds of contact points."""

    phoneType = Word(many=True)
    postalType = Word(many=True)
    socialType = Word(many=True)


class SearchableAttribute(serializers.Serializer[object]):
    """A custom attribute that can be searched."""

    object = serializers.ChoiceField(["customer", "contactPerson"])
    attribName = serializers.CharField()


class CoreLists(serializers.Serializer[object]):
    """The lists that were asked for."""

    link = Link(many=True)
    type = Word(many=True, required=False)
    country = Word(many=True, required=False)
    industry = Word(many=True, required=False)
    level = Word(many=True, required=False)
    contacts = ContactLists(required=False)
    custom = lists_of("SearchableAttributes", {"customAttribute": SearchableAttribute(many=True)})(
        required=False
    )

"""How the API documentation shows `/core`."""

from collections.abc import Iterable, Mapping
from typing import cast

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from config.api.dialects import JSON, XML
from config.api.translation import LANGUAGES
from config.openapi import Answers, answer, operation
from config.openapi.refusals import XML_TEXT
from search.immediate import refusals
from search.immediate.labels import (
    ADDRESS_TYPES,
    PHONE_TYPES,
    REFERRALS,
    ROLES,
    SOCIAL_TYPES,
    TYPES,
)
from search.immediate.links import BASE
from search.immediate.parameters import (
    ALL,
    ATTRIBUTES,
    DEFAULT_SIZE,
    MAX_IDS,
    MAX_SIZE,
    ORDERS,
    SORTS,
    STAFF_ATTRIBUTES,
)
from search.immediate.xml import to_xml

CUSTOMER_ID = "01993a61-5d20-7c09-8e10-9f8e7d6c5b4a"
CONTACT_ID = "01993a61-5d21-7b1a-9c20-0e1f2a3b4c5d"
EMAIL_ID = "01993a61-5d22-7e2b-8d30-1f2a3b4c5d6e"
PHONE_ID = "01993a61-5d23-7f3c-9e40-2a3b4c5d6e7f"
AT = "2026-03-01T12:00:00.123Z"
CUSTOMER: dict[str, object] = {
    "link": [{"rel": "self", "href": f"{BASE}/{CUSTOMER_ID}"}],
    "cases": {"link": [{"rel": "case", "href": f"/core/casemgr/v3/case?customer={CUSTOMER_ID}"}]},
    "customerName": "Ada Lovelace",
    "type": {"value": "individual", "displayValue": "Individual"},
    "lastModified": AT,
    "contacts": {
        "contact": [
            {
                "systemCreated": False,
                "firstName": "Ada",
                "lastName": "Lovelace",
                "lastModified": AT,
                "email": [{"emailAddress": "ada@example.com", "lastModified": AT, "id": EMAIL_ID}],
                "postal": [],
                "phone": [
                    {
                        "type": {"value": "mobile", "displayValue": "Mobile"},
                        "phoneNo": "5550142",
                        "countryCode": "1",
                        "areaCode": "415",
                        "extension": "31",
                        "lastModified": AT,
                        "id": PHONE_ID,
                    }
                ],
                "website": [],
                "social": [],
                "id": CONTACT_ID,
            }
        ]
    },
    "id": CUSTOMER_ID,
}
PAGE = {
    "link": [{"rel": "self", "href": f"{BASE}?email=ada%40example.com"}],
    "customer": [CUSTOMER],
    "paginationInfo": {"count": 1, "pagenum": 1, "pagesize": 25},
}
LISTS = {
    "link": [{"rel": "self", "href": f"{BASE}/attributes?$attribute=type%2Ccustom"}],
    "type": [{"value": "individual", "displayValue": "Individual"}],
    "custom": {"customAttribute": [{"object": "customer", "attribName": "tier"}]},
}


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


def query(
    name: str, description: str, schema: type[str] | dict[str, object] = str
) -> OpenApiParameter:
    """A query parameter."""
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=description)


HEADERS = [
    OpenApiParameter(
        "Accept",
        {"type": "string", "default": JSON},
        OpenApiParameter.HEADER,
        description=f"`{JSON}` or `{XML}`; quality lists and `*/*` are understood.",
    ),
    OpenApiParameter(
        "Accept-Language",
        {"type": "string", "default": LANGUAGES[0]},
        OpenApiParameter.HEADER,
        description=f"The language of labels and errors: {', '.join(LANGUAGES)}.",
    ),
    OpenApiParameter(
        "Content-Language",
        {"type": "string", "enum": list(LANGUAGES)},
        OpenApiParameter.HEADER,
        response=True,
        required=True,
        description="The language of the answer.",
    ),
]
SHOW = query(
    "$attribute",
    f"What to show beyond the summary, separated by commas: `{ALL}`, "
    + ", ".join(f"`{name}`" for name in (*ATTRIBUTES, *STAFF_ATTRIBUTES))
    + ", `custom.<name>`.",
)
ORDER = [
    query("$sort", f"{', '.join(f'`{name}`' for name in SORTS)} or `custom.<name>`."),
    query("$order", "Needs `$sort`; `asc` unless given.", {"type": "string", "enum": list(ORDERS)}),
]
POSITIVE: dict[str, object] = {"type": "integer", "minimum": 1}
# Without defaults: generated clients would send them, for the page and the range at once.
SIZE = POSITIVE | {"maximum": MAX_SIZE}
PAGING = [
    query("$pagenum", "Number of the page, from 1; the first one unless given.", POSITIVE),
    query("$pagesize", f"Customers on a page; {DEFAULT_SIZE} unless given.", SIZE),
    query("$rangestart", "In place of a page: the first customer, from 1.", POSITIVE),
    query("$rangesize", "How many customers from there on.", SIZE),
]
CRITERIA = [
    query(
        "phone",
        "The digits of country code, number and extension; a number is also found without its "
        "extension.",
        {"type": "string", "pattern": "^[0-9]+$"},
    ),
    OpenApiParameter(
        "email",
        str,
        OpenApiParameter.QUERY,
        description="The whole e-mail address, without regard to case.",
        examples=[OpenApiExample("An address", "ada@example.com")],
    ),
    *(
        query(name, "The whole id; case counts.")
        for name in ("facebookId", "twitterId", "instagramId", "appleOpaqueId", "youTubeId")
    ),
    query(
        "custom",
        "Custom attributes, as a JSON array of objects of `object` (`customer`, `contactPerson`), "
        "`name` and `value`; those of `contactPerson` must hold for one and the same contact.",
    ),
    query(
        "activity",
        "What one activity must satisfy, as a JSON object of `type`, `mode`, `isRead`, `isSecure`, "
        "`sentDate`.",
    ),
    query("created", "When the customer was created: `[start,end]`, `[start,]` or `[,end]`, UTC."),
    query("type", "Not alone.", {"type": "string", "enum": list(TYPES)}),
    query("customerName", "A part of the name, without regard to case and accents."),
    query(
        "department",
        "Client applications only: the name of a department; required when departmentalization is "
        "on.",
    ),
]


def both(serializer: Answer, description: str, root: str, example: Mapping[str, object]) -> Answers:
    """The body of a 200 in both formats."""
    document = to_xml(root, example).decode()
    return {
        (200, JSON): answer(serializer, description, an_example=example),
        (200, XML): OpenApiResponse(
            XML_TEXT, description, [OpenApiExample("An example", document, media_type=XML)]
        ),
    }


NOTHING = OpenApiResponse(description="Nothing matches, or the page is past the end.")
NOT_ACCEPTABLE = refusals.unsupported_language(LANGUAGES)

search_customers = operation(
    "searchCustomers",
    "Search customers",
    description="All criteria must hold. At least one is needed, and `type` alone is not enough; a "
    "signed-in customer sends none, and gets its own record. An employee needs the permission View "
    "Agent Console.",
    parameters=[*CRITERIA, SHOW, *ORDER, *PAGING, *HEADERS],
    answers={**both(CorePage, "A page of customers.", "customers", PAGE), 204: NOTHING},
    errors=[
        NOT_ACCEPTABLE,
        refusals.type_alone(),
        refusals.not_a_positive_integer("$pagenum"),
        refusals.one_of("type", TYPES),
        refusals.no_permission(),
    ],
    gives=dict.fromkeys(("customerId", "customerIds"), "$response.body#/customer/0/id"),
)
customers_by_id = operation(
    "readCustomersById",
    "Read customers by id",
    description=f"1 to {MAX_IDS} ids, separated by commas; when one is unknown, the answer is 404.",
    parameters=[SHOW, *ORDER, *HEADERS],
    answers=both(CoreCustomers, "The customers.", "customers", {"customer": [CUSTOMER]}),
    errors=[NOT_ACCEPTABLE, refusals.bad_ids(MAX_IDS), refusals.unknown_ids([CUSTOMER_ID])],
)
attribute_lists = operation(
    "listCustomerAttributes",
    "List attributes",
    description="The values of lists with their labels, and the custom attributes that can be "
    "searched.",
    parameters=[
        OpenApiParameter(
            "$attribute",
            str,
            OpenApiParameter.QUERY,
            required=True,
            examples=[OpenApiExample("Two lists", "type,custom")],
            description="Which lists, separated by commas: `type`, `country`, `industry`, `level`, "
            "`contacts`, `custom`, `all`.",
        ),
        *HEADERS,
    ],
    answers=both(CoreLists, "The lists.", "attributes", LISTS),
    errors=[NOT_ACCEPTABLE, refusals.missing("$attribute")],
)

"""How the API documentation shows `/core`."""

from collections.abc import Mapping

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from config.api.dialects import JSON, XML
from config.api.translation import LANGUAGES
from config.openapi import Answers, answer, operation
from config.openapi.refusals import XML_TEXT
from search.immediate import refusals
from search.immediate.labels import TYPES
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
from search.immediate.schema import Answer, CoreCustomers, CoreLists, CorePage
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

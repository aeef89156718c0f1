"""How the API documentation tells of the calls of `customers.urls`."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import django_filters
from drf_spectacular.utils import OpenApiParameter

from config.api.bodies import Choice
from config.api.errors import NO_CREDENTIALS, WRONG_KEY, Conflict, NotAuthenticated, Problem
from config.openapi import (
    ETAG,
    GONE,
    IF_MATCH,
    IF_NONE_MATCH,
    LOCATION,
    NOT_MODIFIED,
    OneOf,
    answer,
    body,
    operation,
    page_of,
)
from customers import examples
from customers.filters import CustomerFilter, DayFilter
from customers.rules.customer import OF_BUSINESSES, OF_INDIVIDUALS
from customers.schema import (
    ActivityObject,
    BusinessAccountObject,
    ChangeObject,
    CustomerObject,
    DepartmentObject,
    Session,
    SessionToken,
    Token,
)
from customers.serializers import (
    ActivityBody,
    ActivityUpdate,
    CustomerBody,
    CustomerUpdate,
    ReasonBody,
)

Fields = dict[str, Any]  # fields of all kinds, each with types of its own

# --- Requests -------------------------------------------------------------------------------------


class NewIndividual(CustomerBody):
    """A person."""

    def get_fields(self) -> Fields:
        """Without the members of a business."""
        names = ("firstName", "lastName", "primaryPhoneNumber", "primaryEmail")
        return narrowed(super().get_fields(), ["INDIVIDUAL"], OF_BUSINESSES.values(), names)


class NewBusiness(CustomerBody):
    """A business, or a group, which is shaped like one."""

    def get_fields(self) -> Fields:
        """Without the members of an individual."""
        names = ("businessName", "contacts")
        return narrowed(super().get_fields(), ["BUSINESS", "GROUP"], OF_INDIVIDUALS.values(), names)


def narrowed(
    fields: Fields, types: list[str], unwanted: Iterable[str], needed: Iterable[str]
) -> Fields:
    """The members of a new customer of some types."""
    fields = {name: field for name, field in fields.items() if name not in set(unwanted)}
    fields["type"] = Choice(types)
    for name in needed:
        fields[name].required = True
    return fields


class NewCustomer(OneOf):
    """A customer to be created."""

    kinds = {"INDIVIDUAL": NewIndividual, "BUSINESS": NewBusiness, "GROUP": NewBusiness}


def filter_parameter(name: str, one: django_filters.Filter) -> OpenApiParameter:
    """A query parameter, as its filter declares it."""
    schema: dict[str, object] = {"type": "string"}
    if "max_length" in one.extra:
        schema["maxLength"] = one.extra["max_length"]
    if "choices" in one.extra:
        words = [value for value, _ in one.extra["choices"]]
        schema = {"type": "boolean"} if words == ["true", "false"] else schema | {"enum": words}
    if isinstance(one, DayFilter):
        schema["format"] = "date"
    if isinstance(one, django_filters.UUIDFilter):
        schema["format"] = "uuid"
    return OpenApiParameter(name, schema, description=one.extra.get("help_text", ""))


# --- Operations -----------------------------------------------------------------------------------

FILTERS = [filter_parameter(name, one) for name, one in CustomerFilter.base_filters.items()]
MERGE = """What the body does not name stays as it is; what it names is merged, objects member by
member. `null` or `""` clears an optional member.

An address or contact with the `id` of one that is there is merged into it. One without is added;
an address that equals one which is there updates that one instead. Those that are not named stay.

To send back what a GET gave changes nothing. A `socialId` in its shortened form and an empty
`securityAnswer` mean "unchanged"; only `null` clears these two.
"""
TAKEN = f"Customer {examples.ADA_ID} of this business account has this external id."
EXTERNAL_ID_TAKEN = Conflict(
    TAKEN,
    code="EXTERNAL_ID_TAKEN",
    problems=[Problem("externalId", TAKEN, "EXTERNAL_ID_TAKEN", {"id": examples.ADA_ID})],
)
EXTERNAL_ID_IMMUTABLE = Conflict(
    "The external id is given at creation and never changes.",
    code="EXTERNAL_ID_IMMUTABLE",
    problems=[Problem("externalId", "This never changes.", "EXTERNAL_ID_IMMUTABLE")],
)
# What a customer's id is called in the paths of the dialects.
CUSTOMER_IDS = ("customerId", "customerIds")
# Of the first of each.
PARTS = {
    "addressId": "$response.body#/addresses/0/id",
    "pointId": "$response.body#/contactPoints/0/id",
    "contactId": "$response.body#/contacts/0/id",
}
CUSTOMER = answer(
    CustomerObject,
    "The customer.",
    an_individual=examples.INDIVIDUAL,
    little_is_known=examples.SPARSE,
    a_business=examples.BUSINESS,
)

exchange_key = operation(
    "exchangeApiKey",
    "Get an access token",
    description="`Authorization: Basic base64(key:secret)`. The body is not read.",
    answers={200: answer(Token, "The token.", a_token=examples.TOKEN)},
    security=[{"apiKey": []}],
    errors=[NotAuthenticated(NO_CREDENTIALS), NotAuthenticated(WRONG_KEY, code="INVALID_KEY")],
)
start_session = operation(
    "startSession",
    "Start a session",
    description="The published way to a token for `/v2`: send it as `X-CDLX-Session-Token`, or as "
    "a bearer token. `clientId` and `secret` are those of an API key; other members are ignored.",
    body=body(Session, a_key={"clientId": examples.KEY_ID, "secret": examples.KEY_SECRET}),
    answers={200: answer(SessionToken, "The token.", a_token=examples.SESSION)},
    security=[{}],
    errors=[NotAuthenticated(WRONG_KEY, code="INVALID_KEY")],
)
list_customers = operation(
    "listCustomers",
    "List customers",
    description="All filters have to hold. Without `businessAccountId` and `includeChildren` these "
    "are the customers of the token's own business account. Deleted ones are never listed.",
    parameters=FILTERS,
    answers={200: page_of("CustomerPage", CustomerObject, examples.INDIVIDUAL, examples.BUSINESS)},
    gives=dict.fromkeys(CUSTOMER_IDS, "$response.body#/content/0/id"),
)
create_customer = operation(
    "createCustomer",
    "Create a customer",
    description="It belongs to the token's business account. `type` says what it is, and never "
    "changes. Exactly one address of each type that is there is primary: the marked one, or the "
    "first. Of the contacts of a business exactly one is marked as primary.",
    body=body(
        NewCustomer,
        the_least=examples.THE_LEAST,
        an_individual=examples.NEW_INDIVIDUAL,
        a_business=examples.NEW_BUSINESS,
    ),
    parameters=[LOCATION, ETAG],
    answers={201: CUSTOMER},
    errors=[EXTERNAL_ID_TAKEN],
    gives=dict.fromkeys(CUSTOMER_IDS, "$response.body#/id") | PARTS,
)
read_customer = operation(
    "readCustomer",
    "Read a customer",
    parameters=[IF_NONE_MATCH, ETAG],
    answers={200: CUSTOMER, 304: NOT_MODIFIED},
    gives=PARTS,
)
update_customer = operation(
    "updateCustomer",
    "Update a customer",
    description=MERGE,
    body=body(
        CustomerUpdate(partial=True),
        change_one_thing=examples.NEW_EXTENSION,
        add_an_address=examples.NEW_ADDRESS,
        add_a_contact_point=examples.NEW_CONTACT_POINT,
        clear_members=examples.FORGET,
    ),
    parameters=[IF_MATCH, ETAG],
    answers={200: CUSTOMER},
    errors=[EXTERNAL_ID_IMMUTABLE],
)
delete_customer = operation(
    "deleteCustomer",
    "Delete a customer",
    description="It no longer exists, for anybody but a search for `DELETED` customers. Its "
    "`externalId` stays taken, and `restore` brings it back.",
    parameters=[IF_MATCH],
    answers={204: GONE},
)
suspend_customer = operation(
    "suspendCustomer", "Suspend a customer", parameters=[IF_MATCH, ETAG], answers={200: CUSTOMER}
)
activate_customer = operation(
    "activateCustomer", "Activate a customer", parameters=[IF_MATCH, ETAG], answers={200: CUSTOMER}
)
restore_customer = operation(
    "restoreCustomer",
    "Restore a deleted customer",
    description="It is there again with all that it had, and its `externalId` finds it. The reason "
    "stands in its history.",
    body=body(ReasonBody, a_mistake=examples.RESTORE),
    parameters=[IF_MATCH, ETAG],
    answers={200: CUSTOMER},
    errors=[Conflict("This customer is not deleted.", code="NOT_DELETED")],
    after={"deleteCustomer": ""},
)
remove_address = operation(
    "removeAddress", "Remove an address", parameters=[IF_MATCH], answers={204: GONE}
)
remove_contact_point = operation(
    "removeContactPoint",
    "Remove a way to reach a contact",
    description="The oldest remaining of its kind becomes primary.",
    parameters=[IF_MATCH],
    answers={204: GONE},
    errors=[
        Conflict(
            "This is the last one of kind EMAIL, and this contact needs one.",
            code="LAST_CONTACT_POINT",
        )
    ],
)
remove_contact = operation(
    "removeContact",
    "Remove a contact",
    description="Of a business or group, with all that hangs on the contact.",
    parameters=[
        IF_MATCH,
        OpenApiParameter(
            "primary",
            UUID,
            OpenApiParameter.QUERY,
            description="The contact that becomes the primary one; needed when the primary one is "
            "removed.",
        ),
    ],
    answers={204: GONE},
    errors=[
        Conflict("A business or group has at least one contact.", code="LAST_CONTACT"),
        Conflict(
            "This is the primary contact. Name the next one in ?primary=.",
            code="PRIMARY_REQUIRED",
        ),
    ],
)
list_activities = operation(
    "listActivities",
    "List a customer's activities",
    answers={200: page_of("ActivityPage", ActivityObject, examples.ACTIVITY)},
    gives={"activityId": "$response.body#/content/0/id"},
)
record_activity = operation(
    "recordActivity",
    "Record an activity",
    body=body(ActivityBody, a_call=examples.NEW_ACTIVITY),
    answers={201: answer(ActivityObject, "The activity.", a_call=examples.ACTIVITY)},
    gives={"activityId": "$response.body#/id"},
)
mark_activity = operation(
    "markActivity",
    "Mark an activity as read or unread",
    body=body(ActivityUpdate, read={"isRead": True}),
    answers={200: answer(ActivityObject, "The activity.", a_call=examples.ACTIVITY)},
)
list_changes = operation(
    "listChanges",
    "List a customer's changes",
    answers={200: page_of("ChangePage", ChangeObject, examples.CHANGE)},
)
read_business_account = operation(
    "readBusinessAccount",
    "Read a business account",
    answers={
        200: answer(BusinessAccountObject, "The business account.", an_account=examples.ACCOUNT)
    },
    gives={"accountId": "$response.body#/id"},
)
list_children = operation(
    "listChildren",
    "List an account's children",
    answers={200: page_of("BusinessAccountPage", BusinessAccountObject, examples.CHILD)},
    gives={"accountId": "$response.body#/content/0/id"},
)
list_departments = operation(
    "listDepartments",
    "List an account's departments",
    answers={200: page_of("DepartmentPage", DepartmentObject, examples.DEPARTMENT)},
)

"""Who may see what, in one table: the calls of each type of actor, and what customers are shown.

A scope opens a call to a token; this table says which types of actors may hold such a token. A
signed-in customer reads itself and nothing else: no lists, searches or bulk work, no other account,
and never who works for the company or why something was done.
"""

from collections.abc import Mapping

from config.api.actors import Actor, ActorType

STAFF = frozenset({ActorType.EMPLOYEE, ActorType.SERVICE_ACCOUNT, ActorType.INTERNAL})
EVERYONE = STAFF | {ActorType.CUSTOMER}

# Method and pattern of the URL table -> who may make the call, given the scope. The download link
# is signed and needs no token; who sends one all the same must be one of these.
CALLS: Mapping[str, frozenset[ActorType]] = {
    "POST v1/api-keys/exchange": EVERYONE,
    "GET v1/customers": STAFF,
    "POST v1/customers": STAFF,
    "GET v1/customers/<id:customer_id>": EVERYONE,
    "PUT v1/customers/<id:customer_id>": STAFF,
    "DELETE v1/customers/<id:customer_id>": STAFF,
    "PUT v1/customers/<id:customer_id>/suspend": STAFF,
    "PUT v1/customers/<id:customer_id>/activate": STAFF,
    "PUT v1/customers/<id:customer_id>/restore": STAFF,
    "DELETE v1/customers/<id:customer_id>/addresses/<id:address_id>": STAFF,
    "DELETE v1/customers/<id:customer_id>/contact-points/<id:point_id>": STAFF,
    "DELETE v1/customers/<id:customer_id>/contacts/<id:contact_id>": STAFF,
    "GET v1/customers/<id:customer_id>/activities": EVERYONE,
    "POST v1/customers/<id:customer_id>/activities": STAFF,
    "PUT v1/customers/<id:customer_id>/activities/<id:activity_id>": STAFF,
    "GET v1/customers/<id:customer_id>/history": EVERYONE,
    "GET v1/business-accounts/self": EVERYONE,
    "GET v1/business-accounts/self/children": STAFF,
    "GET v1/business-accounts/<id:account_id>": EVERYONE,
    "GET v1/business-accounts/<id:account_id>/children": STAFF,
    "GET v1/business-accounts/self/departments": STAFF,
    "GET v1/business-accounts/<id:account_id>/departments": STAFF,
    "GET v1/search/customer-accounts": STAFF,
    "POST v1/search/customer-accounts": STAFF,
    "GET v1/search/customer-accounts/<id:search_id>": STAFF,
    "DELETE v1/search/customer-accounts/<id:search_id>": STAFF,
    "GET v1/search/results/<id:search_id>/<str:signature>/<str:file_name>": STAFF,
    "GET core/customermgr/v3/customer": EVERYONE,
    "GET core/customermgr/v3/customer/attributes": STAFF,
    "GET core/customermgr/v3/customer/<str:customer_ids>": STAFF,
    "POST v2/session/startSession": EVERYONE,
    "POST v2/data/customers": STAFF,
    "PUT v2/data/customers": STAFF,
    "PUT v2/data/customers/<opaque:source_customer_id>/accounts": STAFF,
    "PUT v2/data/customers/<opaque:source_customer_id>/accounts/<opaque:source_account_id>/cards": (
        STAFF
    ),
    "POST v2/data/files": STAFF,
    "GET v2/data/requests": STAFF,
    "GET v2/data/requests/<id:request_id>": STAFF,
    "POST v2/data/requests/<id:request_id>/retry": STAFF,
    "POST v2/data/requests/<id:request_id>/undo": STAFF,
    "GET v2/data/requests/<id:request_id>/failed": STAFF,
    "GET v2/data/requests/<id:request_id>/results": STAFF,
}


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# What a signed-in customer sees of each kind of object. Any other member leaves blank.
SHOWN: Mapping[str, frozenset[str]] = {
    "customer": words(
        "id status type externalId businessAccountId addresses createdBy createdAt updatedBy"
        " updatedAt prefix firstName middleName lastName suffix sex gender pronoun"
        " securityQuestion securityAnswer primaryPhoneNumber primaryEmail dateOfBirth"
        " placeOfBirth socialId socialIdCountryCode citizenshipCountryCode businessName"
        " doingBusinessAsName contacts contactPoints"
    ),
    "contact": words(
        "id firstName middleName lastName primary primaryPhoneNumber primaryEmail contactPoints"
    ),
    "relationship": frozenset(),
    "businessAccount": frozenset({"id", "name"}),
}
# Members that are words of a list: what says nothing there is null.
WORDS = frozenset({"role", "howReferred"})
# Likewise of the change log: entities with their published fields. Other changes are left out.
RECORDED: Mapping[str, frozenset[str]] = {
    "customer": frozenset({"type", "status", "externalId", "businessName"}),
    "contact": words(
        "primary prefix firstName middleName lastName suffix sex gender pronoun"
        " securityQuestion securityAnswer dateOfBirth placeOfBirth.city"
        " placeOfBirth.countryCode socialId socialIdCountryCode citizenshipCountryCode"
    ),
    "contactPoint": words("contactId kind value type provider extension primary verified"),
    "address": words(
        "type name.firstName name.middleName name.lastName streetLine1 streetLine2 streetLine3"
        " streetLine4 streetLine5 cityName stateCode countryCode zipCode primary"
    ),
}


def is_open(actor_type: ActorType, method: str, pattern: str) -> bool:
    """Whether actors of this type may make a call; one that is not declared is for staff only."""
    return actor_type in CALLS.get(f"{method} {pattern}", STAFF)


def shown(actor: Actor, kind: str, whole: dict[str, object]) -> dict[str, object]:
    """An object of `kind` as the actor may see it."""
    if actor.type != ActorType.CUSTOMER:
        return whole
    return {name: _member(actor, kind, name, value) for name, value in whole.items()}


def _member(actor: Actor, kind: str, name: str, value: object) -> object:
    """One member of an object of `kind`, as a customer may see it."""
    if name == "relationship" and isinstance(value, dict):
        return shown(actor, "relationship", value)
    if name not in SHOWN[kind]:
        return blank(name, value)
    if name in {"createdBy", "updatedBy"} and isinstance(value, dict):
        return named(actor, value)
    if name == "contacts" and isinstance(value, list):
        return [shown(actor, "contact", contact) for contact in value]
    return value


def named(actor: Actor, other: Mapping[str, object]) -> Mapping[str, object]:
    """`id` and `type` of who did something: to a customer, the id of nobody but itself."""
    is_known = actor.type != ActorType.CUSTOMER or other["id"] == actor.id
    return other if is_known else {**other, "id": ""}


def blank(name: str, value: object) -> object:
    """A value of the same kind that says nothing."""
    if name in WORDS:
        return None
    return type(value)() if isinstance(value, str | dict | list) else None

"""The names of what the document says in many places: lists of words, and maps of texts.

Written out where they stand, generators would name each of them after its place, as in
``CustomerUpdateStatusType2Type1``. `with_names` makes them components that are referred to.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, get_args

from pydantic import BaseModel

from config.openapi.serializers import Json

# By name: where the words are declared, as ``module:member``, or the words themselves.
WORDS: dict[str, str | tuple[str, ...]] = {
    "AccountStatus": "ingest.wire.schema:AccountBody.status",
    "AccountType": "ingest.wire.schema:AccountBody.type",
    "ActivityMode": "customers.models:Activity.Mode",
    "ActivityType": "customers.models:Activity.Type",
    "ActorType": "config.api.actors:ActorType",
    "AddressType": "customers.models:Address.Type",
    "AlertOptIn": "ingest.wire.schema:CustomerBody.alertOptInStatus",
    "AttributeOwner": ("customer", "contactPerson"),
    "BusinessType": ("BUSINESS", "GROUP"),
    "CardStatus": "ingest.wire.schema:CardBody.status",
    "CardType": "ingest.wire.schema:CardBody.cardType",
    "ChangeOperation": "customers.models:Change.Operation",
    "ChangedEntity": "customers.history:ENTITIES",
    "ContactPointKind": "customers.models:ContactPoint.Kind",
    "CoreCustomerType": "search.immediate.labels:TYPES",
    "CorePhoneKind": "search.immediate.labels:PHONE_TYPES",
    "CorePostalKind": "search.immediate.labels:ADDRESS_TYPES",
    "CoreSocialNetwork": "search.immediate.labels:SOCIAL_TYPES",
    "CustomerRole": "customers.models:Customer.Role",
    "CustomerStatus": "customers.models:Customer.Status",
    "CustomerType": "customers.models:Customer.Type",
    "ItemOutcome": "ingest.models:BulkItem.Outcome",
    "Language": "config.api.translation:LANGUAGES",
    "ListedStatus": ("ACTIVE", "SUSPENDED"),
    "MatchMode": "customers.criteria:Match",
    "OptInStatus": "ingest.wire.schema:CustomerBody.enrollmentOptInStatus",
    "PhoneType": "customers.models:ContactPoint.PhoneType",
    "RedemptionEligibility": "ingest.wire.schema:CustomerBody.redemptionEligibility",
    "ReferralSource": "customers.models:Customer.Referral",
    "RequestAction": "ingest.models:BulkRequest.Action",
    "RequestStatus": "ingest.wire.ledger:STATUSES",
    "ResultFormat": "search.models:CustomerSearch.Format",
    "SearchState": "search.models:CustomerSearch.Status",
    "Sex": "customers.models:Contact.Sex",
    "SortOrder": "search.immediate.parameters:ORDERS",
    "TargetingIndicator": "ingest.wire.schema:CustomerBody.targetingIndicator",
}
TEXTS: Json = {"type": "object", "additionalProperties": {"type": "string"}}
TEXT_CHANGES: Json = {
    "type": "object",
    "additionalProperties": {"type": ["string", "null"], "maxLength": 1024},
}
MAPS = {
    "Texts": TEXTS | {"description": "Names with texts."},
    "TextChanges": TEXT_CHANGES | {"description": "Names with texts; null takes a name away."},
}


@cache
def names_of_words() -> Mapping[frozenset[str], tuple[str, list[str]]]:
    """Name and words, in their order, of each list of words."""
    found = {}
    for name, source in WORDS.items():
        words = list(declared(source) if isinstance(source, str) else source)
        found[frozenset(words)] = name, words
    return found


def declared(source: str) -> list[str]:
    """The words that are declared at ``module:member``."""
    module, _, path = source.partition(":")
    found: object = import_module(module)
    for name in path.split("."):
        if isinstance(found, type) and issubclass(found, BaseModel):
            found = found.model_fields[name].annotation
        else:
            found = getattr(found, name)
    return list(texts(found))


def texts(source: object) -> Iterator[str]:
    """The texts of an enumeration, a list, or a type of literals."""
    if isinstance(source, str):
        yield str(source)
        return
    values = getattr(source, "values", None)
    if isinstance(source, type) and isinstance(values, list):
        yield from values
        return
    for part in get_args(source) or (source if hasattr(source, "__iter__") else ()):
        yield from texts(part)


def with_names(document: Json) -> Json:
    """The document with references to lists of words and maps of texts, which become components."""
    used: Json = {}
    named: Json = replaced(document, used)
    named["components"]["schemas"] = dict(sorted((named["components"]["schemas"] | used).items()))
    return named


def replaced(node: object, used: Json) -> Any:  # noqa: ANN401 -- whatever the part is
    """A part of the document with references; what they refer to is put into `used`."""
    if isinstance(node, list):
        return [replaced(each, used) for each in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("enum"), list):
        return word(node, used)
    if "additionalProperties" in node and "properties" not in node and (found := map_of(node)):
        name, is_nullable = found
        used[name] = MAPS[name]
        return reference(name, node, is_nullable=is_nullable)
    return {
        name: value if name in {"example", "examples"} else replaced(value, used)
        for name, value in node.items()
    }


def map_of(node: Json) -> tuple[str, bool] | None:
    """Which map of texts a schema is, and whether it may be null."""
    kinds = node["type"] if isinstance(node.get("type"), list) else [node.get("type")]
    for name, schema in MAPS.items():
        if "object" in kinds and node["additionalProperties"] == schema["additionalProperties"]:
            return name, "null" in kinds
    return None


def word(node: Json, used: Json) -> Json:
    """A list of words as a reference, a single one as a constant; never with an empty one."""
    node = {name: value for name, value in node.items() if name != "x-spec-enum-id"}
    words = [each for each in node["enum"] if each not in {"", None}]
    is_nullable = None in node["enum"]
    if len(words) == 1:
        return {"type": "string", "const": words[0]} | without(node, "type", "enum")
    if frozenset(words) not in names_of_words():
        return node
    name, ordered = names_of_words()[frozenset(words)]
    used[name] = {"type": "string", "enum": ordered}
    return reference(name, without(node, "enum"), is_nullable=is_nullable)


def reference(name: str, node: Json, *, is_nullable: bool) -> Json:
    """A reference to a component, with what the place itself says."""
    ref = {"$ref": f"#/components/schemas/{name}"}
    said = {key: node[key] for key in ("description", "default") if key in node}
    return ({"oneOf": [ref, {"type": "null"}]} if is_nullable else ref) | said


def without(node: Json, *names: str) -> Json:
    """A copy without these members."""
    return {name: value for name, value in node.items() if name not in names}

"""Handles in bodies: members that are ids, as the API's document declares them."""

import copy
from collections.abc import Iterator, Mapping

from config.api.json import Json
from config.api.routes import Route
from config.openapi.calls import JSON_TYPE
from customers.isolation.asking import document_of, paths

# What the ids of a body lead to, by their place in it; `[]` is any entry of a list.
LEADS = {
    "addresses.[].id": "address_id",
    "contactPoints.[].id": "point_id",
    "contacts.[].id": "contact_id",
    "contacts.[].contactPoints.[].id": "point_id",
    "relationship.preferredAgentId": "agent_id",
    "businessAccountIds.[]": "account_id",
}
# Bodies of several customers have the same in each of them.
EACH = "customers.[]."


def members(route: Route, method: str) -> list[str]:
    """The places of all ids in the body of a call; none where it has no body."""
    operation = paths().get(route.path, {}).get(method.lower(), {})
    body = resolved(operation.get("requestBody", {}))
    schema = body.get("content", {}).get(JSON_TYPE, {}).get("schema", {})
    return sorted(set(ids_in(schema, (), frozenset())))


def ids_in(schema: Json, place: tuple[str, ...], seen: frozenset[str]) -> Iterator[str]:
    """The places of ids below a schema, each component looked at once on the way down."""
    if (reference := schema.get("$ref")) is not None:
        if reference not in seen:
            yield from ids_in(resolved(schema), place, seen | {reference})
        return
    if schema.get("format") == "uuid":
        yield ".".join(place)
    for name, member in schema.get("properties", {}).items():
        yield from ids_in(member, (*place, name), seen)
    if "items" in schema:
        yield from ids_in(schema["items"], (*place, "[]"), seen)
    for word in ("anyOf", "oneOf", "allOf"):
        for choice in schema.get(word, ()):
            yield from ids_in(choice, place, seen)


def resolved(node: Json) -> Json:
    """A part of the document, or what it refers to."""
    if "$ref" not in node:
        return node
    found: Json = document_of()
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return resolved(found)


def handle_key(member: str) -> str | None:
    """By which name a holding has what an id leads to; None where nobody has said it."""
    return LEADS.get(member.removeprefix(EACH))


def with_member(body: object, member: str, value: str) -> object:
    """A body with an id at a place; of a list on the way there the first entry alone is kept."""
    return _put(copy.deepcopy(body), member.split("."), value)


def _put(node: object, steps: list[str], value: str) -> object:
    if not steps:
        return value
    first, *rest = steps
    if first == "[]":
        entry = node[0] if isinstance(node, list) and node else None
        return [_put(entry, rest, value)]
    known = dict(node) if isinstance(node, Mapping) else {}
    return known | {first: _put(known.get(first), rest, value)}

"""The names of what the document says in many places: lists of words, and maps of texts.

Written out where they stand, generators would name each of them after its place, as in
``CustomerUpdateStatusType2Type1``. `with_names` makes them components that are referred to.
"""

from collections.abc import Iterator
from typing import cast, get_args

from django.utils.module_loading import autodiscover_modules

from config.api.actors import ActorType
from config.api.json import Json
from config.api.translation import LANGUAGES

TEXTS: Json = {"type": "object", "additionalProperties": {"type": "string"}}
TEXT_CHANGES: Json = {
    "type": "object",
    "additionalProperties": {"type": ["string", "null"], "maxLength": 1024},
}
MAPS = {
    "Texts": TEXTS | {"description": "Names with texts."},
    "TextChanges": TEXT_CHANGES | {"description": "Names with texts; null takes a name away."},
}


# Names and words by the set of the words.
_named: dict[frozenset[str], tuple[str, list[str]]] = {}


def name_words(**lists: object) -> None:
    """Name lists of words: each an enumeration, a type of literals, or texts. Apps do so in a
    module `openapi_names`. Raises `ValueError` where the same words have two names.
    """
    for name, source in lists.items():
        words = list(texts(source))
        if _named.setdefault(frozenset(words), (name, words))[0] != name:
            raise ValueError(f"{name} has the words of {_named[frozenset(words)][0]}")


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
    autodiscover_modules("openapi_names")
    used: Json = {}
    named = cast("Json", replaced(document, used))
    named["components"]["schemas"] = dict(sorted((named["components"]["schemas"] | used).items()))
    return named


def replaced(node: object, used: Json) -> object:
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
    if frozenset(words) not in _named:
        return node
    name, ordered = _named[frozenset(words)]
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


name_words(ActorType=ActorType, Language=LANGUAGES)

"""How the objects of requests are documented: `config.api.bodies.Body`, and `OneOf` of several."""

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import Direction

from config.api.bodies import Body
from config.api.json import Json
from config.openapi.serializers import OneOf


class BodyDocumentation(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A request's object as `Body` reads it: no unknown members, `null` and `""` for "not given".

    One declared with ``partial=True`` is a merge: nothing in it is required. What is read besides
    is not documented: other spellings, members that an answer has and that are ignored, and `""`
    for a word of a list.
    """

    target_class = Body
    match_subclasses = True

    @property
    def is_merge(self) -> bool:
        """Whether the whole body is merged into something."""
        return bool(self.target.root.partial)

    def get_name(self, *_args: object, **_kwargs: object) -> str:
        """The class's name; parts of a merge are components of their own."""
        name = type(self.target).__name__
        if not self.is_merge or self.target.root is self.target:
            return name
        return f"{name.removesuffix('Body')}Update"

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Json:
        """The schema."""
        schema = mapped(auto_schema, self.target, direction, bypass_extensions=True)
        members = schema.setdefault("properties", {})
        for name, field in self.target.fields.items():
            is_required = field.required and not self.is_merge
            members[name] = required(members[name]) if is_required else optional(members[name])
        if self.is_merge:
            schema.pop("required", None)
        for name in self.target.spellings:
            members.pop(name, None)
        rules = {} if self.is_merge else self.target.rules
        return schema | rules | {"additionalProperties": False}


def mapped(
    auto_schema: AutoSchema,
    serializer: object,
    direction: Direction,
    *,
    bypass_extensions: bool = False,
) -> Json:
    """The schema of a serializer itself, as the library makes those of components."""
    made: Json = auto_schema._map_serializer(  # type: ignore[no-untyped-call] # noqa: SLF001 -- there is no public way
        serializer, direction, bypass_extensions
    )
    return made


def required(schema: Json) -> Json:
    """A member that has to be there: an empty text is none."""
    return schema | {"minLength": 1} if is_text(schema) and "enum" not in schema else schema


def optional(schema: Json) -> Json:
    """A member that may be `null` or, if it is a text, empty."""
    if schema.get("type") == "array":
        return schema
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    schema = schema | {"type": [schema["type"], "null"]}
    schema.pop("minLength", None)
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def is_text(schema: Json) -> bool:
    """Whether it is the schema of a string."""
    return schema.get("type") == "string"


class OneOfDocumentation(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """`OneOf`: the kinds, told apart by `type`."""

    target_class = OneOf
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Json:
        """The schema."""
        refs = {
            word: auto_schema.resolve_serializer(kind, direction).ref
            for word, kind in self.target.kinds.items()
        }
        return {
            "oneOf": [dict(ref) for ref in {ref["$ref"]: ref for ref in refs.values()}.values()],
            "discriminator": {
                "propertyName": "type",
                "mapping": {word: ref["$ref"] for word, ref in refs.items()},
            },
        }

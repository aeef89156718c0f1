"""How the API documentation shows wire objects: as components, by their own JSON schemas."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction
from pydantic import Field, create_model
from pydantic.json_schema import models_json_schema

from config.openapi.bodies import mapped
from ingest.payload import MOST_CUSTOMERS, MOST_OTHERS
from ingest.wire.profile import ProfileBody
from ingest.wire.schema import AccountUpdate, CardUpdate, CustomerBody, CustomerUpdate, Wire


def listing(name: str, description: str, member: str, item: type[Wire]) -> type[Wire]:
    """The body of a request: a list of items as its one `member`."""
    most = MOST_CUSTOMERS if member == "customers" else MOST_OTHERS
    members: dict[str, Any] = {  # as `create_model` takes them
        member: (list.__class_getitem__(item), Field(min_length=1, max_length=most))
    }
    return create_model(name, __base__=Wire, __doc__=description, **members)


CustomersToCreate = listing(
    "CustomersToCreate", "Customers to create, or to replace.", "customers", CustomerBody
)
CustomersToUpdate = listing(
    "CustomersToUpdate",
    "Customers to update; what is left out stays.",
    "customers",
    CustomerUpdate,
)
AccountsToUpdate = listing(
    "AccountsToUpdate",
    "Accounts of a customer to add or to update; what is left out stays.",
    "accounts",
    AccountUpdate,
)
CardsToUpdate = listing(
    "CardsToUpdate",
    "Cards on an account to add or to update; what is left out stays.",
    "cards",
    CardUpdate,
)
# `/v1` has components of the same names.
PREFIX = "Data"


class WireDocumentation(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Wire objects by their own JSON schema; customers have the members of `ProfileBody` beside."""

    target_class = Wire
    match_subclasses = True
    priority = 1
    with_profile: ClassVar[set[str]] = {CustomerBody.__name__, CustomerUpdate.__name__}

    def get_name(self, *_: object) -> str:
        """The class's name."""
        return PREFIX + str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, object]:
        """The schema; its parts become components."""
        _modes, schemas = models_json_schema(
            [(self.target, "validation")], ref_template=f"#/components/schemas/{PREFIX}{{model}}"
        )
        profile = mapped(auto_schema, ProfileBody(), direction)["properties"]
        parts = schemas["$defs"]
        for name in self.with_profile & parts.keys():
            parts[name]["properties"] |= profile
        made: Callable[..., ResolvedComponent] = ResolvedComponent
        for name, part in parts.items():
            if name != self.target.__name__:
                component = made(
                    PREFIX + name, ResolvedComponent.SCHEMA, plain(part), object=PREFIX + name
                )
                auto_schema.registry.register_on_missing(component)
        return plain(parts[self.target.__name__])


def plain(part: Mapping[str, object]) -> dict[str, object]:
    """A JSON schema of Pydantic's without its titles and its word for "not given"."""
    return {
        name: plain_value(value)
        for name, value in part.items()
        if not (name == "title" and isinstance(value, str))
        and not (name == "default" and value is None)
    }


def plain_value(value: object) -> object:
    """The same of whatever stands in a schema."""
    if isinstance(value, list):
        return [plain_value(each) for each in value]
    return plain(value) if isinstance(value, dict) else value

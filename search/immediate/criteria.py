"""What an immediate search looks for, as it was understood."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers.models import AttributeDefinition

# What a column is compared with, as it goes to PostgreSQL.
Value = str | bool | int | datetime | UUID | list[str]


class Point(NamedTuple):
    """A way to reach a contact: a kind of `ContactPoint` and its `value_key`.

    Of a phone number these are its digits, with or without those of the extension.
    """

    kind: str
    key: str


class Span(NamedTuple):
    """A range of moments, both ends inclusive; None is open."""

    start: datetime | None
    end: datetime | None


class Custom(NamedTuple):
    """An entry of `custom`: a custom attribute of the customer or of one contact, and its value."""

    target: AttributeDefinition.Target
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityCriterion:
    """What one and the same activity must satisfy; None and ``""`` ask for nothing."""

    type: str = ""
    mode: str = ""
    is_read: bool | None = None
    is_secure: bool | None = None
    sent: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Criteria that must all hold. `name` is folded; `type` is one of `Customer.Type`."""

    points: tuple[Point, ...] = ()
    custom: tuple[Custom, ...] = ()
    activity: ActivityCriterion | None = None
    created: Span | None = None
    type: str = ""
    name: str = ""
    department: str = ""


class Sort(NamedTuple):
    """An order: ``id``, ``type``, ``customerName`` or ``custom``, then by id.

    `attribute` is the name of the custom attribute.
    """

    name: str = "id"
    is_descending: bool = False
    attribute: str = ""


class Window(NamedTuple):
    """The rows to answer with: how many to leave out, and how many there may be.

    `is_range` tells by which pair of parameters it was asked for.
    """

    offset: int = 0
    size: int = 25
    is_range: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """The attributes to show beyond the summary: their names, and those of custom attributes.

    `every_custom` stands for all custom attributes, of contacts too.
    """

    names: frozenset[str] = frozenset()
    custom: tuple[str, ...] = ()
    every_custom: bool = False


class Definitions(NamedTuple):
    """The ids of the custom attributes that a query names, by target and name."""

    by_name: dict[tuple[str, str], list[UUID]]

    def ids(self, target: str, name: str) -> list[UUID]:
        """Those of one name, in the business accounts of the tree."""
        return self.by_name[target, name]

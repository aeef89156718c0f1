"""Request bodies: serializers that read what is there and name every wrong place at once.

DRF's own `is_valid` stops before object-level rules when a field is wrong. A `Body` keeps going: it
gives the members that are right and the problems of those that are not, so that the rules of a
service can be checked in the same breath and a client is told everything in one answer.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, cached_property
from typing import Generic, Protocol, Self, TypedDict, TypeVar, Unpack, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.api import text, times
from config.api.card_numbers import CARD_NUMBER, may_hold_card_numbers, path_of, redact
from config.api.errors import Invalid, Problem, problems
from config.api.json import to_json

# Of a list within an object; no person has more addresses than this.
MAX_ENTRIES = 100


V = TypeVar("V", bound=Mapping[str, object])


@dataclass
class Submission(Generic[V]):
    """A request body as understood.

    `values` has the members that were sent and are right, by their Python names; `V` is a
    `TypedDict` of them. An empty text is ``""``; ``None`` stands for ``null``, and for ``""`` where
    no text belongs. `problems` has every wrong place found so far.
    """

    values: V
    problems: list[Problem] = field(default_factory=list)


# While its members are read one by one.
Reading = Submission[dict[str, object]]


class Member(Protocol):
    """A field of a `Body`, of any kind."""

    field_name: str | None
    source: str | None

    def run_validation(self, data: object) -> object:
        """The value. Raises `ValidationError`."""


class TextOptions(TypedDict, total=False):
    """What a field of `AnyText` may be declared with."""

    allow_null: bool
    help_text: str
    max_length: int
    min_length: int
    required: bool
    source: str


class WithoutValidators:
    """A field that is validated by `to_internal_value` alone, several times faster than by DRF.

    What is left out are defaults, read-only fields and validators, none of which a `Body` has.
    """

    to_internal_value: Callable[[object], object]

    def run_validation(self, data: object = serializers.empty) -> object:
        """The value. Raises `ValidationError`."""
        return self.to_internal_value(data)


def is_plain(value: str, shortest: int, longest: int) -> bool:
    """Whether a text needs no second look: in ASCII, with nothing to trim, of good length.

    Nearly all are; such a text is not empty, on one line, and kept as it is.
    """
    return (
        shortest <= len(value) <= longest
        and value.isascii()
        and value.isprintable()
        and value[:1] > " " < value[-1:]
    )


class AnyText(serializers.CharField):
    """A string, trimmed; numbers and booleans are not quietly made into one.

    It is kept as it is spelled, unless only its decomposed form is too long: then in NFC.
    """

    default_error_messages = {"invalid_type": "Not a string."}

    def __init__(self, **options: Unpack[TextOptions]) -> None:
        super().__init__(trim_whitespace=False, **options)

    def run_validation(self, data: object = serializers.empty) -> str | None:
        """The string as it is kept; None for None where the field allows it.

        Fast path: a printable string within the length limits cannot be refused by DRF's
        validators, so they are not run. Raises `ValidationError`.
        """
        if isinstance(data, str) and data.isprintable():
            value = self.to_internal_value(data)
            if (self.min_length or 0) <= len(value) <= (self.max_length or sys.maxsize):
                return value
        checked: str | None = super().run_validation(data)
        return checked

    def is_empty(self, value: str) -> bool:
        """Whether a string says nothing: one in which nothing is visible counts as not given."""
        return not text.is_visible(value)

    def to_internal_value(self, data: object) -> str:
        """The string as it is kept."""
        if not isinstance(data, str):
            self.fail("invalid_type")
        return self.shaped(data)

    def shaped(self, value: str) -> str:
        """The string without outer white space, unless it is nothing else."""
        value = text.trimmed(value) or value
        return value if self.max_length is None else text.fitted(value, self.max_length)


class Text(AnyText):
    """A string on one line, such as a name."""

    default_error_messages = {
        "invalid_character": "Control characters, line breaks, characters that override the"
        " direction of writing, and noncharacters are not allowed."
    }

    def to_internal_value(self, data: object) -> str:
        """The string."""
        value = super().to_internal_value(data)
        if not text.is_one_line(value):
            self.fail("invalid_character")
        return value


class OpaqueId(AnyText):
    """An id of the client's own, which is kept and compared as it is."""

    def is_empty(self, value: str) -> bool:
        """Whether it is blank; an invisible character makes an id."""
        return not value.strip()

    def shaped(self, value: str) -> str:
        """The id as it is."""
        return value


@extend_schema_field({"type": "string", "format": "date"})
class Day(WithoutValidators, serializers.Field[date, object, date, object]):
    """A date, `yyyy-MM-dd`."""

    # The errors' codes, of what is no string and of what is no day.
    wrong_type = "invalid"
    wrong_day = "invalid"

    def to_internal_value(self, data: object) -> date:
        """The date."""
        if not isinstance(data, str):
            raise serializers.ValidationError(times.BAD_DAY, code=self.wrong_type)
        try:
            return times.parse_day(text.trimmed(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error), code=self.wrong_day) from None


@extend_schema_field({"type": "string", "format": "date-time"})
class Moment(WithoutValidators, serializers.Field[datetime, object, datetime, object]):
    """A date or date-time of ISO 8601 with any offset; without one it is read as UTC."""

    def to_internal_value(self, data: object) -> datetime:
        """The moment, in UTC."""
        if not isinstance(data, str):
            raise serializers.ValidationError(times.BAD_MOMENT)
        try:
            return times.parse_moment(text.trimmed(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class Flag(WithoutValidators, serializers.BooleanField):
    """`true` or `false`, nothing that merely looks like it."""

    default_error_messages = {"invalid": "This must be true or false."}

    def to_internal_value(self, data: object) -> bool:
        """The boolean."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return bool(data)


class Choice(WithoutValidators, serializers.ChoiceField):
    """One of some words, case counts."""

    default_error_messages = {"invalid_choice": "{input} is none of {words}."}

    def to_internal_value(self, data: object) -> str:
        """The word."""
        if not isinstance(data, str) or data not in self.choices:
            given = json.dumps(data, ensure_ascii=False)[:40]
            self.fail("invalid_choice", input=given, words=", ".join(self.choices))
        return str(data)


class Body(serializers.Serializer[object], Generic[V]):
    """An object of a request; its fields are declared with their wire names and a `source`.

    `V` is a `TypedDict` with the same members, by their sources; a test compares the two.
    """

    # Members that a client may echo from an answer; they are not read.
    ignored: frozenset[str] = frozenset()
    # Members that are read, but only because one published page spells them so.
    spellings: frozenset[str] = frozenset()
    # What JSON Schema says of several members at once, for the documentation.
    rules: Mapping[str, object] = {}
    # Off where they were taken out of the body before.
    looks_for_card_numbers: bool = True

    @classmethod
    @cache
    def reader(cls) -> Self:
        """The one instance that reads all bodies of this kind: making one costs 2 ms."""
        return cls()

    @cached_property
    def texts(self) -> Mapping[str, tuple[str, int, int]]:
        """Of members that are texts, by their names: source, and least and greatest length."""
        return {
            name: (member.source or name, member.min_length or 0, member.max_length or sys.maxsize)
            for name, member in self.members.items()
            if isinstance(member, AnyText) and name not in self.ignored
        }

    @cached_property
    def members(self) -> Mapping[str, Member]:
        """The fields by their names; those of REST framework take far longer to be found."""
        return dict(self.fields)

    def parse(self, data: object, path: str = "") -> Submission[V]:
        """Read an object found at `path`; unknown members and wrong values become problems.

        So do full card numbers, which are looked for in the whole body first. Raises `Invalid` when
        it is no object at all.
        """
        if not path and self.looks_for_card_numbers and may_hold_card_numbers(to_json(data)):
            found = self.parse_redacted(data)
        else:
            found = self.parse_object(data, path)
        return cast("Submission[V]", found)

    def parse_redacted(self, data: object) -> Reading:
        """Read a body without the card numbers in it, each of which is the problem of its place."""
        clean, places = redact(data)
        found = self.parse_object(clean, "")
        paths = [path_of(place) for place in places]
        for name in self.fields.keys() & set(paths):
            found.values.pop(self.fields[name].source or name, None)
        found.problems = [Problem(path, *CARD_NUMBER) for path in paths] + [
            problem for problem in found.problems if problem.path not in paths
        ]
        return found

    def parse_object(self, data: object, path: str) -> Reading:
        """Read an object; unknown members and wrong values become problems."""
        # The abstract class is asked last, for it takes long to answer.
        if type(data) is not dict and not isinstance(data, Mapping):
            raise Invalid([Problem(path, "This must be a JSON object.", "INVALID_TYPE")])
        found: Reading = Submission({})
        values, texts = found.values, self.texts
        for name, value in data.items():
            # Nearly all members are such.
            if type(value) is str and name in texts:
                source, shortest, longest = texts[name]
                if is_plain(value, shortest, longest):
                    values[source] = value
                    continue
            if name in self.ignored:
                continue
            place = f"{path}.{name}" if path else str(name)
            if (member := self.members.get(name)) is None:
                message = "This field does not exist. Check the spelling."
                found.problems.append(Problem(place, message, "UNKNOWN_FIELD"))
            else:
                self.read(member, value, place, found)
        return found

    def is_empty(self, member: object, value: str) -> bool:
        """Whether a string counts as not given."""
        return member.is_empty(value) if isinstance(member, AnyText) else not value.strip()

    def read(self, member: Member, value: object, place: str, found: Reading) -> None:
        """Read one member into `found`."""
        name = member.source or str(member.field_name)
        if value is None or (isinstance(value, str) and self.is_empty(member, value)):
            is_text = value is not None and isinstance(member, AnyText | Choice)
            found.values[name] = "" if is_text else None
        elif isinstance(member, Body):
            found.values[name] = self.read_part(member, value, place, found)
        elif isinstance(member, serializers.ListSerializer) and isinstance(member.child, Body):
            found.values[name] = self.read_list(member.child, value, place, found)
        else:
            try:
                found.values[name] = member.run_validation(value)
            except serializers.ValidationError as error:
                found.problems += problems(error.detail, place)

    def read_list(
        self, entry: "Part", value: object, place: str, found: Reading
    ) -> list[Mapping[str, object] | None] | None:
        """Read a list of objects; each keeps its place, None stands for one that is no object."""
        if not isinstance(value, list):
            found.problems.append(Problem(place, "This must be a list.", "INVALID_TYPE"))
            return None
        if len(value) > MAX_ENTRIES:
            message = f"At most {MAX_ENTRIES} entries are allowed."
            found.problems.append(Problem(place, message, "TOO_MANY"))
            return None
        return [
            self.read_part(entry, item, f"{place}[{index}]", found)
            for index, item in enumerate(value)
        ]

    def read_part(
        self, member: "Part", value: object, place: str, found: Reading
    ) -> Mapping[str, object] | None:
        """Read an object within this one; None if it is none."""
        try:
            part = member.parse(value, place)
        except Invalid as error:
            found.problems += error.problems
            return None
        found.problems += part.problems
        return part.values


# An object within another one.
Part = Body[Mapping[str, object]]

"""Values of query parameters: text to criteria. Each raises `BadQuery`, which names the rule."""

import re
from datetime import UTC, datetime
from typing import TypeGuard

import orjson
from django.utils.translation import gettext_noop as _

from config.api.translation import Message
from customers import normalize
from customers.models import Activity, AttributeDefinition
from search.immediate.criteria import ActivityCriterion, Custom, Span
from search.immediate.refusals import one_of, unsupported_value

DIGITS = re.compile(r"[0-9]+", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)
SPAN = re.compile(r"\[([^,\[\]]*),([^,\[\]]*)\]")
SHORTEST_NAME = 2
CUSTOM_KEYS = frozenset({"object", "name", "value"})
ACTIVITY_KEYS = frozenset({"type", "mode", "isRead", "isSecure", "sentDate"})
FLAGS = {"true": True, "false": False, True: True, False: False}


def read_phone(name: str, text: str) -> str:
    """The digits of a phone number."""
    if DIGITS.fullmatch(text) is None:
        template = _(
            "The value of %(name)s must be the digits of country code, number and extension,"
            " without formatting."
        )
        raise unsupported_value(name, Message(template, name=name))
    return text


def read_customer_name(name: str, text: str) -> str:
    """The part of a customer's name, as names are compared; `*` at the ends means nothing."""
    folded = normalize.fold(text.strip().strip("*"))
    if len(folded) < SHORTEST_NAME:
        template = _("The value of %(name)s must have at least two characters besides *.")
        raise unsupported_value(name, Message(template, name=name))
    return folded


def read_span(name: str, text: str) -> Span:
    """A range ``[start,end]``; one of the ends may be left out."""
    match = SPAN.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        template = _("The value of %(name)s must be [start,end], [start,] or [,end].")
        raise unsupported_value(name, Message(template, name=name))
    start, end = (read_moment(name, each.strip()) if each else None for each in match.groups())
    if start and end and start > end:
        template = _("The start of the range in %(name)s is after its end.")
        raise unsupported_value(name, Message(template, name=name))
    return Span(start, end)


def read_moment(name: str, text: str) -> datetime:
    """A date-time in UTC, ``2026-03-01T00:00:00.000Z``; the fraction may be left out."""
    if MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except ValueError:
            pass
    template = _("The dates in %(name)s must be UTC date-times such as %(example)s.")
    example = "2026-03-01T00:00:00.000Z"
    raise unsupported_value(name, Message(template, name=name, example=example))


def read_json(name: str, text: str) -> object:
    """The value of a JSON text."""
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        template = _("The value of %(name)s is not valid JSON.")
        raise unsupported_value(name, Message(template, name=name)) from None
    return value


def read_custom(name: str, text: str) -> tuple[Custom, ...]:
    """The entries of `custom`."""
    given = read_json(name, text)
    if not is_list_of_entries(given):
        template = _(
            "The value of %(name)s must be a JSON array of one or more objects with the keys"
            " object, name and value, all of them strings."
        )
        raise unsupported_value(name, Message(template, name=name))
    targets = AttributeDefinition.Target.values
    for entry in given:
        if entry["object"] not in targets:
            raise one_of(f"{name}.object", targets)
    return tuple(
        Custom(AttributeDefinition.Target(each["object"]), each["name"], each["value"])
        for each in given
    )


def is_list_of_entries(given: object) -> TypeGuard[list[dict[str, str]]]:
    """Whether a JSON value is a list of one or more entries."""
    return isinstance(given, list) and bool(given) and all(map(is_custom_entry, given))


def is_custom_entry(entry: object) -> bool:
    """Whether a JSON value has the three keys of an entry, with texts."""
    return (
        isinstance(entry, dict)
        and entry.keys() == CUSTOM_KEYS
        and all(isinstance(value, str) and "\0" not in value for value in entry.values())
    )


def read_activity(name: str, text: str) -> ActivityCriterion:
    """The object of `activity`."""
    given = read_json(name, text)
    if not isinstance(given, dict) or not given or not given.keys() <= ACTIVITY_KEYS:
        template = _(
            "The value of %(name)s must be a JSON object with at least one of these keys and no"
            " others: %(allowed)s."
        )
        allowed = ", ".join(sorted(ACTIVITY_KEYS))
        raise unsupported_value(name, Message(template, name=name, allowed=allowed))
    for key, allowed_words in (("type", Activity.Type.values), ("mode", Activity.Mode.values)):
        if key in given and given[key] not in allowed_words:
            raise one_of(f"{name}.{key}", allowed_words)
    flags = {
        key: read_flag(f"{name}.{key}", given[key])
        for key in ("isRead", "isSecure")
        if key in given
    }
    sent = given.get("sentDate")
    if sent is not None and not isinstance(sent, str):
        sent = ""
    return ActivityCriterion(
        type=given.get("type", ""),
        mode=given.get("mode", ""),
        is_read=flags.get("isRead"),
        is_secure=flags.get("isSecure"),
        sent=read_span(f"{name}.sentDate", sent or "") if "sentDate" in given else None,
    )


def read_flag(name: str, value: object) -> bool:
    """``"true"``, ``true``, ``"false"`` or ``false``."""
    if isinstance(value, str | bool) and value in FLAGS:
        return FLAGS[value]
    raise one_of(name, ["true", "false"])

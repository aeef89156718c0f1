"""The query string of `/core/customermgr/v3/customer`: which parameters there are for whom.

What is wrong is told one kind at a time, in this order: parameters that are not supported, repeated
or empty; their values; combinations; what is missing.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.http import QueryDict
from django.utils.translation import gettext_noop as _

from config.api.actors import Actor, ActorType
from config.api.translation import Message
from customers import normalize
from customers.models import ContactPoint, Customer
from search.immediate import refusals
from search.immediate.criteria import Attributes, Criteria, Point, Sort, Window
from search.immediate.values import (
    read_activity,
    read_custom,
    read_customer_name,
    read_phone,
    read_span,
)

AnyCriterion = TypeVar("AnyCriterion")
SOCIAL_IDS = {
    "facebookId": ContactPoint.Kind.FACEBOOK,
    "twitterId": ContactPoint.Kind.TWITTER,
    "instagramId": ContactPoint.Kind.INSTAGRAM,
    "appleOpaqueId": ContactPoint.Kind.APPLE,
    "youTubeId": ContactPoint.Kind.YOUTUBE,
}
CRITERIA = (
    "phone",
    "email",
    *SOCIAL_IDS,
    "custom",
    "activity",
    "created",
    "type",
    "customerName",
)
ORDER = ("$sort", "$order")
PAGE = ("$pagenum", "$pagesize")
RANGE = ("$rangestart", "$rangesize")
EVERYBODY = ("$attribute",)
STAFF = (*CRITERIA, *EVERYBODY, *ORDER, *PAGE, *RANGE)
EVERY = (*CRITERIA, "department", *EVERYBODY, *ORDER, *PAGE, *RANGE)
# What each kind of actor may send to the search.
SEARCH: Mapping[ActorType, tuple[str, ...]] = {
    ActorType.EMPLOYEE: STAFF,
    ActorType.SERVICE_ACCOUNT: EVERY,
    ActorType.CUSTOMER: EVERYBODY,
}
BY_ID = (*EVERYBODY, *ORDER)

TYPES = {
    "individual": Customer.Type.INDIVIDUAL,
    "corporate": Customer.Type.BUSINESS,
    "group": Customer.Type.GROUP,
}
SORTS = ("id", "type", "customerName")
ORDERS = ("asc", "desc")
CUSTOM = "custom."
ATTRIBUTES = ("role", "pin", "industry", "marketSegment", "entitlements")
STAFF_ATTRIBUTES = ("level", "preferredAgent", "howReferred", "created", "createdBy")
ALL = "all"

NUMBER = re.compile(r"[0-9]+", re.ASCII)
MOST_DIGITS = 15
# Further than any list goes.
ENDLESS = 10**MOST_DIGITS
DEFAULT_SIZE = 25
MAX_SIZE = 75
MAX_IDS = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A request to the search, as it was understood, with its `parameters` as they came."""

    parameters: Mapping[str, str]
    criteria: Criteria
    attributes: Attributes
    sort: Sort
    window: Window


def read_lookup(query: QueryDict, actor: Actor) -> Lookup:
    """The whole query of a search. Raises `BadQuery`."""
    values = single_values(query, SEARCH.get(actor.type, STAFF))
    lookup = Lookup(
        parameters=values,
        criteria=read_criteria(values),
        attributes=read_attributes(values, actor),
        sort=read_sort(values),
        window=read_window(values),
    )
    if actor.type != ActorType.CUSTOMER:
        check_criteria(values, actor)
    return lookup


def single_values(query: QueryDict, allowed: Collection[str]) -> dict[str, str]:
    """The parameters, each of which is allowed, sent once, and not empty."""
    if unsupported := [name for name in query if name not in allowed]:
        raise refusals.unsupported_parameters(unsupported, allowed)
    values = {}
    for name, given in query.lists():
        if len(given) > 1:
            raise refusals.repeated(name)
        if not given[0].strip():
            raise refusals.empty(name)
        if "\0" in given[0] or "\N{REPLACEMENT CHARACTER}" in given[0]:
            template = _("The value of %(name)s is not valid UTF-8 text.")
            raise refusals.unsupported_value(name, Message(template, name=name))
        values[name] = given[0]
    return values


def check_criteria(values: Mapping[str, str], actor: Actor) -> None:
    """There is a criterion, not `type` alone; a department where the switch asks for one."""
    is_client = actor.type == ActorType.SERVICE_ACCOUNT
    if is_client and actor.is_departmental and "department" not in values:
        raise refusals.missing("department")
    given = [name for name in CRITERIA if name in values]
    if not given:
        raise refusals.missing_criterion(name for name in CRITERIA if name != "type")
    if given == ["type"]:
        raise refusals.type_alone()


def read_criteria(values: Mapping[str, str]) -> Criteria:
    """The criteria."""
    kind = values.get("type", "")
    if kind and kind not in TYPES:
        raise refusals.one_of("type", TYPES)
    return Criteria(
        points=tuple(
            Point(kind, read(name, values[name])) for name, kind, read in POINTS if name in values
        ),
        custom=given(values, "custom", read_custom) or (),
        activity=given(values, "activity", read_activity),
        created=given(values, "created", read_span),
        type=TYPES[kind] if kind else "",
        name=given(values, "customerName", read_customer_name) or "",
        department=values.get("department", ""),
    )


def given(
    values: Mapping[str, str], name: str, read: Callable[[str, str], AnyCriterion]
) -> AnyCriterion | None:
    """A parameter by its reader; None when it was not sent."""
    return read(name, values[name]) if name in values else None


def read_email(_name: str, text: str) -> str:
    """The form in which e-mail addresses are compared."""
    return normalize.email_key(text)


def read_opaque(_name: str, text: str) -> str:
    """A social id, in which case counts."""
    return text


POINTS: tuple[tuple[str, str, Callable[[str, str], str]], ...] = (
    ("phone", ContactPoint.Kind.PHONE, read_phone),
    ("email", ContactPoint.Kind.EMAIL, read_email),
    *((name, kind, read_opaque) for name, kind in SOCIAL_IDS.items()),
)


def read_attributes(values: Mapping[str, str], actor: Actor) -> Attributes:
    """`$attribute`: a comma list of names."""
    text = values.get("$attribute")
    if text is None:
        return Attributes()
    is_customer = actor.type == ActorType.CUSTOMER
    allowed = ATTRIBUTES if is_customer else (*ATTRIBUTES, *STAFF_ATTRIBUTES)
    names = [name.strip() for name in text.split(",")]
    custom = [name for name in names if name.startswith(CUSTOM) and name != CUSTOM]
    if any(name not in {*allowed, *custom, ALL} for name in names):
        raise refusals.one_of("$attribute", [ALL, *allowed, f"{CUSTOM}<name>"])
    is_all = ALL in names
    return Attributes(
        names=frozenset(allowed if is_all else {*names} - {*custom}),
        custom=tuple(dict.fromkeys(name.removeprefix(CUSTOM) for name in custom)),
        every_custom=is_all,
    )


def read_sort(values: Mapping[str, str]) -> Sort:
    """`$sort` and `$order`."""
    name, order = values.get("$sort"), values.get("$order")
    if name is None:
        if order is not None:
            raise refusals.order_without_sort()
        return Sort()
    attribute = name.removeprefix(CUSTOM) if name.startswith(CUSTOM) else ""
    if name not in SORTS and not attribute:
        raise refusals.one_of("$sort", [*SORTS, f"{CUSTOM}<name>"])
    if order is not None and order not in ORDERS:
        raise refusals.one_of("$order", ORDERS)
    return Sort("custom" if attribute else name, order == "desc", attribute)


def read_window(values: Mapping[str, str]) -> Window:
    """`$pagenum` and `$pagesize`, or `$rangestart` and `$rangesize`."""
    is_range = any(name in values for name in RANGE)
    if is_range and any(name in values for name in PAGE):
        raise refusals.mixed_paging()
    first_name, size_name = RANGE if is_range else PAGE
    first = positive(values, first_name, 1)
    size = positive(values, size_name, DEFAULT_SIZE)
    if size > MAX_SIZE:
        template = _("The value of %(name)s must be from 1 to %(limit)s.")
        message = Message(template, name=size_name, limit=MAX_SIZE)
        raise refusals.unsupported_value(size_name, message)
    offset = first - 1 if is_range else (first - 1) * size
    return Window(offset, size, is_range)


def positive(values: Mapping[str, str], name: str, default: int) -> int:
    """A positive integer of any size; beyond `ENDLESS` they are all the same."""
    if name not in values:
        return default
    digits = values[name].strip()
    if NUMBER.fullmatch(digits) is None or not (digits := digits.lstrip("0")):
        raise refusals.not_a_positive_integer(name)
    return int(digits) if len(digits) <= MOST_DIGITS else ENDLESS

"""Every way to reach a contact: the entries of `contactPoints`.

The primary phone number and e-mail address of a contact are views of two of them (`rules.contact`).
Of phone numbers, as of e-mail addresses, one is primary as soon as a contact has any.
"""

from collections.abc import Collection
from typing import Final, Literal
from uuid import UUID

from config.api.actors import Actor
from config.api.card_numbers import CARD_NUMBER, holds_card_number
from customers import normalize, phones
from customers.bulk import blank
from customers.models import Contact, ContactPoint
from customers.profile import Profile
from customers.rules.parts import Problems, set_texts
from customers.rules.verified import merge_verified
from customers.values import ContactPointValues, PointValues

PHONE, EMAIL = ContactPoint.Kind.PHONE, ContactPoint.Kind.EMAIL
WITH_PRIMARY = (PHONE, EMAIL)
# What only phone numbers have, by column.
OF_PHONES: Final[dict[Literal["phone_type", "provider", "extension"], str]] = {
    "phone_type": "type",
    "provider": "provider",
    "extension": "extension",
}


def merge_contact_points(
    profile: Profile,
    contact: Contact,
    entries: list[ContactPointValues | None] | None,
    actor: Actor,
    problems: Problems,
) -> None:
    """Merge the entries of `contactPoints`; points that are not named stay."""
    if entries is None:
        problems.add("", "Contact points are removed one by one, by DELETE.", "INVALID")
        return
    named: set[UUID] = set()
    marked: dict[str, ContactPoint] = {}
    unmarked: dict[UUID, str] = {}
    region = profile.account.default_region
    for index, values in enumerate(entries):
        place = problems.at(f"[{index}]")
        point = point_meant(profile, contact, values, place) if values is not None else None
        if values is None or point is None:
            continue
        if point.id in named:
            place.add("id", "Another entry is about the same contact point.", "DUPLICATE")
            continue
        named.add(point.id)
        if is_echo(point, values, region):
            continue
        merge_point(point, values, region, actor, place)
        twins = [each for each in points_of(profile, contact, point.kind) if is_twin(each, point)]
        if twins:
            message = "This contact has this contact point already."
            place.add("value", message, "DUPLICATE")
        if values.get("is_primary"):
            mark(point, marked, place)
        elif values.get("is_primary") is False and point.is_primary:
            unmarked[point.id] = point.kind
    for kind in {*marked, *unmarked.values()}:
        settle_primary_point(profile, contact, kind, marked.get(kind), unmarked)


def is_twin(one: ContactPoint, other: ContactPoint) -> bool:
    """Whether two points of a contact and kind are the same."""
    return one is not other and one.value_key == other.value_key


def mark(point: ContactPoint, marked: dict[str, ContactPoint], problems: Problems) -> None:
    """Note that an entry wants this point to be the primary one of its kind."""
    if point.kind not in WITH_PRIMARY:
        message = "Only phone numbers and e-mail addresses have a primary one."
        problems.add("primary", message, "NOT_FOR_THIS_KIND")
    elif marked.setdefault(point.kind, point) is not point:
        message = f"Another contact point of kind {point.kind} is marked as primary."
        problems.add("primary", message, "DUPLICATE_PRIMARY")


def is_echo(point: ContactPoint, values: ContactPointValues, region: str) -> bool:
    """Whether an entry says nothing but what is stored: it counts as not sent."""
    sent = {name: value or "" for name, value in values.items() if name not in {"id", "kind"}}
    if given := values.get("value"):
        try:
            sent["value"], _ = read_value(point.kind, given, region)
        except ValueError:
            return False
    return all((getattr(point, name) or "") == value for name, value in sent.items())


def point_meant(
    profile: Profile, contact: Contact, values: ContactPointValues, problems: Problems
) -> ContactPoint | None:
    """The point that an entry is about, a new one if need be; None where it cannot be told."""
    own = points_of(profile, contact)
    if point_id := values.get("id"):
        point = next((each for each in own if each.id == point_id), None)
        if point is None:
            message = "This contact has no such contact point."
            problems.add("id", message, "UNKNOWN_CONTACT_POINT")
        elif values.get("kind") not in {None, "", point.kind}:
            problems.add("kind", f"This is of kind {point.kind}; that never changes.", "IMMUTABLE")
            return None
        return point
    kind, value = values.get("kind"), values.get("value")
    if not kind:
        problems.require("kind")
    if not value:
        problems.require("value")
    if not kind or not value:
        return None
    key = key_of(kind, value, profile.account.default_region)
    for each in own:
        if each.kind == kind and each.value_key == key:
            return each
    point = blank(ContactPoint)
    point.contact_id, point.kind = contact.id, kind
    profile.add(point)
    return point


def points_of(profile: Profile, contact: Contact, kind: str = "") -> list[ContactPoint]:
    """The points of a contact, oldest first; of one kind, or all."""
    rows: list[ContactPoint] = profile.rows[ContactPoint]
    return [each for each in rows if each.contact_id == contact.id and kind in {"", each.kind}]


def key_of(kind: str, value: str, region: str) -> str | None:
    """By what a value is compared; None when it is no value of this kind."""
    try:
        return read_value(kind, value, region)[1]
    except ValueError:
        return None


def read_value(kind: str, value: str, region: str) -> tuple[str, str]:
    """A value as it is kept, and by what it is compared. ValueError for a wrong one."""
    if kind == PHONE:
        number = phones.parse(value, region)
        return number, phones.digits_of(number)
    if kind == EMAIL:
        address = normalize.parse_email(value)
        return address, normalize.email_key(address)
    return value, value


def merge_point(
    point: ContactPoint, values: ContactPointValues, region: str, actor: Actor, problems: Problems
) -> None:
    """Merge an entry, member by member."""
    before = point.value_key
    merge_value(point, values, region, problems, "value")
    if point.kind != PHONE and holds_card_number(point.value):
        problems.add("value", *CARD_NUMBER)
    if point.kind == PHONE:
        set_texts(point, values, OF_PHONES)
    else:
        for name, member in OF_PHONES.items():
            if values.get(name):
                problems.add(member, "Only phone numbers have this.", "NOT_FOR_THIS_KIND")
    merge_verified(point, values, actor, problems, is_changed=point.value_key != before)


def merge_value(
    point: ContactPoint,
    values: PointValues,
    region: str,
    problems: Problems,
    member: str,
    *,
    is_needed: bool = False,
) -> None:
    """Merge the number, address or id itself, which `member` is on the wire.

    It cannot be cleared; where it `is_needed`, it has to be sent, too.
    """
    if given := values.get("value"):
        try:
            point.value, point.value_key = read_value(point.kind, given, region)
        except ValueError as error:
            problems.add(member, str(error), "INVALID")
    elif "value" in values or is_needed:
        problems.require(member)


def settle_primary_point(
    profile: Profile,
    contact: Contact,
    kind: str,
    marked: ContactPoint | None = None,
    unmarked: Collection[UUID] = (),
) -> None:
    """One point of a kind is primary where there is any.

    The marked one takes over; otherwise the one there is stays, unless it was unmarked and there is
    another; otherwise the oldest.
    """
    own = points_of(profile, contact, kind)
    if not own:
        return
    staying = [each for each in own if each.is_primary and each.id not in unmarked]
    others = [each for each in own if each.id not in unmarked]
    chosen = marked or (staying or others or [each for each in own if each.is_primary] or own)[0]
    for each in own:
        each.is_primary = each is chosen

"""The contacts of a business or group, and the phone number and e-mail address of any contact."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from config.api.actors import Actor
from customers import normalize, phones
from customers.bulk import blank
from customers.models import Contact, ContactPoint
from customers.profile import Profile
from customers.rules.attributes import merge_attributes
from customers.rules.parts import Problems, set_texts
from customers.rules.person import merge_names
from customers.rules.points import (
    EMAIL,
    PHONE,
    key_of,
    merge_contact_points,
    points_of,
    settle_primary_point,
)
from customers.rules.verified import merge_verified


def merge_contacts(
    profile: Profile, entries: list[dict[str, Any] | None] | None, actor: Actor, problems: Problems
) -> None:
    """Merge the entries of `contacts`: exactly one is primary in the end."""
    if entries is None:
        problems.require("")
        return
    known = {contact.id: contact for contact in profile.contacts}
    named: set[UUID] = set()
    marked: list[Contact] = []
    for index, values in enumerate(entries):
        if values is None:
            continue
        place = problems.at(f"[{index}]")
        contact_id: UUID | None = values.get("id")
        if contact_id is None:
            contact = blank(Contact)
            profile.add(contact)
        elif contact_id in named:
            place.add("id", "Another entry has this id.", "DUPLICATE")
            continue
        elif contact_id in known:
            named.add(contact_id)
            contact = known[contact_id]
        else:
            place.add("id", "This customer has no such contact.", "UNKNOWN_CONTACT")
            continue
        is_marked = bool(values.get("is_primary", contact.is_primary))
        is_new = contact_id is None or (is_marked and not contact.is_primary)
        if values.get("is_primary"):
            marked.append(contact)
        contact.is_primary = is_marked
        merge_names(contact, values, place, is_new=contact_id is None)
        merge_reach(profile, contact, values, actor, place, needed=is_marked, is_new=is_new)
        if "attributes" in values:
            own = place.at("customAttributes")
            merge_attributes(profile, values["attributes"], own, contact)
        if len(marked) > 1 and marked[-1] is contact:
            place.add("primary", "Another contact is marked as primary.", "DUPLICATE_PRIMARY")
    settle_primary(profile, marked, problems)


def settle_primary(profile: Profile, marked: list[Contact], problems: Problems) -> None:
    """The contact that a request marks takes over from the primary one; one there has to be."""
    for contact in profile.contacts if marked else []:
        contact.is_primary = contact is marked[0]
    if not profile.contacts:
        problems.add("", "At least one contact is required.", "REQUIRED")
    elif not any(contact.is_primary for contact in profile.contacts):
        problems.add("", "Exactly one contact has to be the primary one.", "PRIMARY_REQUIRED")


def merge_reach(
    profile: Profile,
    contact: Contact,
    values: Mapping[str, Any],
    actor: Actor,
    problems: Problems,
    *,
    needed: bool,
    is_new: bool,
) -> None:
    """The primary phone number and e-mail address of a contact.

    Whom it is `needed` of must have both when it is new, and cannot clear them later; one that was
    loaded without them may stay so.
    """
    region = profile.account.default_region
    before: dict[str, dict[str, Any] | None] = {}
    if "contact_points" in values:
        kinds = (PHONE, EMAIL)
        before = {kind: shown(profile.primary_point(contact, kind)) for kind in kinds}
        place = problems.at("contactPoints")
        merge_contact_points(profile, contact, values["contact_points"], actor, place)
        values = without_echoes(values, before, region)
        for kind, names in VIEWS.items():
            if not any(name in values for name in names):
                settle_primary_point(profile, contact, kind)
    phone = values.get("phone", values.get("phone_alias"))
    if "phone" in values and "phone_alias" in values:
        one, other = (normalised_phone(values[name], region) for name in ("phone", "phone_alias"))
        if one != other:
            message = "This contradicts primaryPhoneNumber, which is the same member."
            problems.add("primaryPhonenumber", message, "CONTRADICTION")
    given = "phone" in values or "phone_alias" in values
    place = problems.at("primaryPhoneNumber")
    rule = {"needed": needed, "is_new": is_new}
    claimed = claims(profile, contact, PHONE, before)
    if phone:
        adopt(profile, contact, PHONE, phone.get("number"), region)
    if point := reach(profile, contact, PHONE, phone, place, given=given, **rule):
        merge_phone(point, phone or {}, region, actor, place)
    check_claims(profile, contact, PHONE, claimed, place)
    place = problems.at("primaryEmail")
    email, given = values.get("email"), "email" in values
    claimed = claims(profile, contact, EMAIL, before)
    if email:
        adopt(profile, contact, EMAIL, email.get("value"), region)
    if point := reach(profile, contact, EMAIL, email, place, given=given, **rule):
        merge_email(point, email or {}, actor, place)
    check_claims(profile, contact, EMAIL, claimed, place)


VIEWS = {PHONE: ("phone", "phone_alias"), EMAIL: ("email",)}
# The members of the two views, by column.
VIEWED = ("value", "phone_type", "provider", "extension", "is_verified")


def adopt(profile: Profile, contact: Contact, kind: str, given: str | None, region: str) -> None:
    """Where a view names another point that the contact has, that one becomes the primary one."""
    own = points_of(profile, contact, kind) if given else []
    primary = profile.primary_point(contact, kind)
    if not given or len(own) <= (primary is not None):
        return
    key = key_of(kind, given, region)
    twin = next((each for each in own if each.value_key == key), None)
    if twin is not None and twin is not primary:
        settle_primary_point(profile, contact, kind, twin)


def shown(point: ContactPoint | None) -> dict[str, Any] | None:
    """What a view shows of a point; None without one."""
    return None if point is None else {name: getattr(point, name) for name in VIEWED}


def without_echoes(
    values: Mapping[str, Any], before: Mapping[str, dict[str, Any] | None], region: str
) -> Mapping[str, Any]:
    """The values without those members of the views that equal what is stored: they count as not
    sent.
    """
    left = dict(values)
    for kind, names in VIEWS.items():
        stored = before[kind]
        for name in names:
            if stored and left.get(name) is not None:
                left[name] = changed_members(left[name], stored, region)
                if not left[name]:
                    del left[name]
    return left


def changed_members(
    view: Mapping[str, Any], stored: Mapping[str, Any], region: str
) -> dict[str, Any]:
    """The members of a view that differ from what is stored.

    Whether it is verified is said of the value that comes with it.
    """
    compared = dict(normalised_phone(view, region) or {}) if "number" in view else dict(view)
    changed = {
        name: view[name]
        for name, value in compared.items()
        if (value or "") != (stored["value" if name == "number" else name] or "")
    }
    if changed.keys() & {"number", "value"} and "is_verified" in view:
        changed["is_verified"] = view["is_verified"]
    return changed


def claims(
    profile: Profile,
    contact: Contact,
    kind: str,
    before: Mapping[str, dict[str, Any] | None],
) -> dict[str, Any]:
    """What the entries of `contactPoints` have changed of a primary point."""
    now = shown(profile.primary_point(contact, kind)) if before else None
    if now is None:
        return {}
    stored = before[kind] or dict.fromkeys(VIEWED, "")
    return {name: value for name, value in now.items() if (value or "") != (stored[name] or "")}


def check_claims(
    profile: Profile, contact: Contact, kind: str, claimed: Mapping[str, Any], problems: Problems
) -> None:
    """Two different changes of one thing, in a view and in an entry, are wrong."""
    now = shown(profile.primary_point(contact, kind)) or {}
    if any((now.get(name) or "") != (value or "") for name, value in claimed.items()):
        message = "This contradicts the primary one among contactPoints, which is the same thing."
        problems.add("", message, "CONTRADICTION")


def normalised_phone(values: Mapping[str, Any] | None, region: str) -> dict[str, Any] | None:
    """The members of a phone number as they are compared, in whatever form the number is."""
    if values is None:
        return None
    compared = {name: None if value == "" else value for name, value in values.items()}
    try:
        number = phones.parse(values.get("number") or "", region)
    except ValueError:
        return compared
    return compared | {"number": number}


def reach(
    profile: Profile,
    contact: Contact,
    kind: str,
    values: Mapping[str, Any] | None,
    problems: Problems,
    *,
    given: bool,
    needed: bool,
    is_new: bool,
) -> ContactPoint | None:
    """The contact point that the values are to be merged into; None when there is none to be."""
    point = profile.primary_point(contact, kind)
    if values is not None:
        if point is None:
            point = blank(ContactPoint)
            point.contact_id, point.kind, point.is_primary = contact.id, kind, True
            profile.add(point)
        return point
    if needed and (is_new if point is None else given):
        for member in ("number", "type") if kind == PHONE else ("value",):
            problems.require(member)
    elif given and point is not None:
        profile.remove(point)
        settle_primary_point(profile, contact, kind)
    return None


def merge_phone(
    point: ContactPoint,
    values: Mapping[str, Any],
    region: str,
    actor: Actor,
    problems: Problems,
) -> None:
    """Merge a phone number, member by member."""
    before = point.value
    if values.get("number"):
        number = problems.read("number", phones.parse, values["number"], region)
        if number is not None:
            point.value, point.value_key = number, phones.digits_of(number)
    elif "number" in values or not before:
        problems.require("number")
    if values.get("phone_type"):
        point.phone_type = values["phone_type"]
    elif not before or ("phone_type" in values and point.phone_type):
        problems.require("type")
    set_texts(point, values, ["provider", "extension"])
    merge_verified(point, values, actor, problems, is_changed=point.value != before)


def merge_email(
    point: ContactPoint, values: Mapping[str, Any], actor: Actor, problems: Problems
) -> None:
    """Merge an e-mail address."""
    before = point.value_key
    if values.get("value"):
        address = problems.read("value", normalize.parse_email, values["value"])
        if address is not None:
            point.value, point.value_key = address, normalize.email_key(address)
    elif "value" in values or not before:
        problems.require("value")
    merge_verified(point, values, actor, problems, is_changed=point.value_key != before)

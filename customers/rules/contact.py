"""The contacts of a business or group, and the phone number and e-mail address of any contact."""

from collections.abc import Mapping
from typing import Final, Literal
from uuid import UUID

from config.api.actors import Actor
from customers import phones
from customers.bulk import blank
from customers.models import Contact, ContactPoint
from customers.profile import Profile
from customers.rules.attributes import merge_attributes
from customers.rules.parts import Problems, known_row, set_texts
from customers.rules.person import merge_names
from customers.rules.points import (
    EMAIL,
    PHONE,
    key_of,
    merge_contact_points,
    merge_value,
    points_of,
    settle_primary_point,
)
from customers.rules.verified import merge_verified
from customers.values import ContactValues, PointValues, ReachValues

View = Literal["phone", "phone_alias", "email"]
VIEWS: Final[dict[str, tuple[View, ...]]] = {PHONE: ("phone", "phone_alias"), EMAIL: ("email",)}
Viewed = Literal["value", "phone_type", "provider", "extension", "is_verified"]
REACH: Final = frozenset({"contact_points", *VIEWS[PHONE], *VIEWS[EMAIL]})
MEMBERS: Final[dict[str, str]] = {PHONE: "primaryPhoneNumber", EMAIL: "primaryEmail"}
# What their values are called.
VALUES: Final[dict[str, str]] = {PHONE: "number", EMAIL: "value"}
# The members of the two views, which are columns.
VIEWED: Final[tuple[Viewed, ...]] = (
    "value",
    "phone_type",
    "provider",
    "extension",
    "is_verified",
)


def merge_contacts(
    profile: Profile, entries: list[ContactValues | None] | None, actor: Actor, problems: Problems
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
        contact_id = values.get("id")
        if contact_id is None:
            contact = blank(Contact)
            profile.add(contact)
        elif row := known_row(contact_id, known, named, place, "contact"):
            contact = row
        else:
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
    values: ReachValues,
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
    if values.keys().isdisjoint(REACH) and not (needed and is_new):
        return
    region = profile.account.default_region
    before: dict[str, PointValues | None] = {}
    if "contact_points" in values:
        before = {kind: shown(profile.primary_point(contact, kind)) for kind in VIEWS}
        place = problems.at("contactPoints")
        merge_contact_points(profile, contact, values["contact_points"], actor, place)
        values = without_echoes(values, before, region)
        for kind, names in VIEWS.items():
            if not any(name in values for name in names):
                settle_primary_point(profile, contact, kind)
    if "phone" in values and "phone_alias" in values:
        one, other = values["phone"], values["phone_alias"]
        if (one and normalised_phone(one, region)) != (other and normalised_phone(other, region)):
            message = "This contradicts primaryPhoneNumber, which is the same member."
            problems.add("primaryPhonenumber", message, "CONTRADICTION")
    for kind, names in VIEWS.items():
        sent = [values[name] for name in names if name in values]
        place = problems.at(MEMBERS[kind])
        claimed = claims(profile, contact, kind, before)
        view = sent[0] if sent else None
        if view:
            adopt(profile, contact, kind, view.get("value"), region)
        point = reach(
            profile, contact, kind, view, place, given=bool(sent), needed=needed, is_new=is_new
        )
        if point is not None:
            merge_view(point, view or {}, region, actor, place)
        check_claims(profile, contact, kind, claimed, place)


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


def shown(point: ContactPoint | None) -> PointValues | None:
    """What a view shows of a point; None without one."""
    if point is None:
        return None
    return {
        "value": point.value,
        "phone_type": point.phone_type,
        "provider": point.provider,
        "extension": point.extension,
        "is_verified": point.is_verified,
    }


def without_echoes(
    values: ReachValues, before: Mapping[str, PointValues | None], region: str
) -> ReachValues:
    """The values without those members of the views that equal what is stored: they count as not
    sent.
    """
    left = values.copy()
    for kind, names in VIEWS.items():
        stored = before[kind]
        for name in names:
            if stored and (view := left.get(name)) is not None:
                left[name] = changed_members(kind, view, stored, region)
                if not left[name]:
                    del left[name]
    return left


def changed_members(kind: str, view: PointValues, stored: PointValues, region: str) -> PointValues:
    """The members of a view that differ from what is stored.

    Whether it is verified is said of the value that comes with it.
    """
    compared = normalised_phone(view, region) if kind == PHONE else view
    changed = view.copy()
    for name in VIEWED:
        if name in view and (compared.get(name) or "") == (stored.get(name) or ""):
            del changed[name]
    if "value" in changed and "is_verified" in view:
        changed["is_verified"] = view["is_verified"]
    return changed


def claims(
    profile: Profile,
    contact: Contact,
    kind: str,
    before: Mapping[str, PointValues | None],
) -> dict[str, object]:
    """What the entries of `contactPoints` have changed of a primary point."""
    now = shown(profile.primary_point(contact, kind)) if before else None
    if now is None:
        return {}
    stored: Mapping[str, object] = before[kind] or {}
    return {name: value for name, value in now.items() if (value or "") != (stored.get(name) or "")}


def check_claims(
    profile: Profile,
    contact: Contact,
    kind: str,
    claimed: Mapping[str, object],
    problems: Problems,
) -> None:
    """Two different changes of one thing, in a view and in an entry, are wrong."""
    if not claimed:
        return
    now: Mapping[str, object] = shown(profile.primary_point(contact, kind)) or {}
    if any((now.get(name) or "") != (value or "") for name, value in claimed.items()):
        message = "This contradicts the primary one among contactPoints, which is the same thing."
        problems.add("", message, "CONTRADICTION")


def normalised_phone(view: PointValues, region: str) -> Mapping[str, object]:
    """The members of a phone number as they are compared, in whatever form the number is."""
    compared = {name: None if value == "" else value for name, value in view.items()}
    try:
        return compared | {"value": phones.parse(view.get("value") or "", region)}
    except ValueError:
        return compared


def reach(
    profile: Profile,
    contact: Contact,
    kind: str,
    values: PointValues | None,
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
        problems.require(VALUES[kind])
        if kind == PHONE:
            problems.require("type")
    elif given and point is not None:
        profile.remove(point)
        settle_primary_point(profile, contact, kind)
    return None


def merge_view(
    point: ContactPoint, values: PointValues, region: str, actor: Actor, problems: Problems
) -> None:
    """Merge a phone number or an e-mail address, member by member."""
    before = point.value_key
    merge_value(point, values, region, problems, VALUES[point.kind], is_needed=not before)
    if point.kind == PHONE:
        if kind := values.get("phone_type"):
            point.phone_type = kind
        elif not before or ("phone_type" in values and point.phone_type):
            problems.require("type")
        set_texts(point, values, ["provider", "extension"])
    merge_verified(point, values, actor, problems, is_changed=point.value_key != before)

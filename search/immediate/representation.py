"""The customer object of `/core` as a tree: what JSON and XML are written from.

Members stand in the order of the dialect's samples. What has no value is left out; a kind of
contact point without entries is ``[]``. Labels are in the active language.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import orjson
import phonenumbers

from config.api.actors import Actor, ActorType, Scope
from config.api.json import wire_time
from config.db.crypto import associated_data, unseal_if_possible
from customers.models import ContactPoint, Customer
from search.immediate import labels
from search.immediate.criteria import Attributes
from search.immediate.labels import labelled
from search.immediate.links import BASE, CASES, link
from search.immediate.rows import Row

Tree = dict[str, object]

TYPES = {
    Customer.Type.INDIVIDUAL: "individual",
    Customer.Type.BUSINESS: "corporate",
    Customer.Type.GROUP: "group",
}
PHONE_TYPES = {
    ContactPoint.PhoneType.WORK: "office",
    ContactPoint.PhoneType.HOME: "home",
    ContactPoint.PhoneType.MOBILE: "mobile",
}
SOCIAL_TYPES = {
    ContactPoint.Kind.FACEBOOK: "Facebook",
    ContactPoint.Kind.TWITTER: "Twitter",
    ContactPoint.Kind.INSTAGRAM: "Instagram",
    ContactPoint.Kind.APPLE: "Apple",
    ContactPoint.Kind.YOUTUBE: "YouTube",
}


class Number(NamedTuple):
    """The parts of a phone number, each its digits; the area code may be ``""``."""

    country_code: str
    area_code: str
    number: str


class Reader:
    """Makes customer objects for one actor and one request."""

    def __init__(self, actor: Actor, attributes: Attributes) -> None:
        self.actor = actor
        self.attributes = attributes
        is_own = actor.type == ActorType.CUSTOMER
        self.sees_pin = "pin" in attributes.names and (
            is_own or actor.may(Scope.CUSTOMERS_SENSITIVE)
        )

    def customer(self, row: Row) -> Tree:
        """A customer."""
        customer_id = str(row.id)
        tree: Tree = {
            "link": [link("self", f"{BASE}/{customer_id}")],
            "cases": {"link": [link("case", CASES.format(customer_id))]},
            "customerName": row.name,
        }
        if self.actor.is_departmental and row.department:
            department_id, name = orjson.loads(row.department)
            tree["department"] = {"name": name, "id": department_id}
        tree["type"] = labelled(TYPES[Customer.Type(row.type)], labels.TYPES)
        tree["lastModified"] = wire_time(row.updated_at)
        custom = custom_attributes(row)
        tree |= self.asked_for(row, custom[None])
        tree["contacts"] = {"contact": contacts(row, custom)}
        tree["id"] = customer_id
        return tree

    def asked_for(self, row: Row, custom: list[tuple[str, str]]) -> Tree:
        """What `$attribute` asks for and has a value."""
        pin = None
        if self.sees_pin and row.pin:
            pin = unseal_if_possible(
                bytes(row.pin), associated_data(Customer, "pin_sealed", row.id)
            )
        agent = orjson.loads(row.agent) if row.agent else None
        known: Tree = {
            "role": row.role and labelled(row.role, labels.ROLES),
            "pin": pin,
            "industry": row.industry and labelled(row.industry, {}),
            "marketSegment": row.market_segment,
            "entitlements": row.entitlements,
            "level": row.level and labelled(row.level, {}),
            "preferredAgent": agent and {"name": agent[1], "id": agent[0]},
            "howReferred": row.how_referred and labelled(row.how_referred, labels.REFERRALS),
            "created": wire_time(row.created_at),
            "createdBy": row.created_by_id and {"id": row.created_by_id},
        }
        tree = {
            name: value for name, value in known.items() if value and name in self.attributes.names
        }
        return tree | custom_tree(custom)


def custom_attributes(row: Row) -> dict[str | None, list[tuple[str, str]]]:
    """The custom attributes that were read, as names and values: by contact, None the customer."""
    found: dict[str | None, list[tuple[str, str]]] = defaultdict(list)
    for contact_id, name, value in orjson.loads(row.custom) if row.custom else ():
        found[contact_id].append((name, value))
    return found


def custom_tree(custom: Iterable[tuple[str, str]]) -> Tree:
    """`customAttributes`; nothing without any."""
    entries = [
        {"attribName": name, "attribValues": {"attribValue": [{"value": value}]}}
        for name, value in custom
    ]
    return {"customAttributes": {"customAttribute": entries}} if entries else {}


def contacts(row: Row, custom: Mapping[str | None, list[tuple[str, str]]]) -> list[Tree]:
    """The contacts of a customer, the primary one first; the addresses stand under that one."""
    points: dict[str, list[list[str]]] = defaultdict(list)
    for contact_id, *point in orjson.loads(row.points) if row.points else ():
        points[contact_id].append(point)
    addresses = orjson.loads(row.addresses) if row.addresses else []
    trees: list[Tree] = []
    for contact in orjson.loads(row.contacts) if row.contacts else ():
        contact_id, salutation, first, middle, last, login_id, modified = contact
        own = points[contact_id]
        tree = present(
            systemCreated=False,
            salutation=salutation,
            firstName=first,
            middleName=middle,
            lastName=last,
            loginId=login_id,
            lastModified=modified,
        )
        tree |= custom_tree(custom.get(contact_id, ()))
        tree["email"] = [email(point) for point in own if point[1] == ContactPoint.Kind.EMAIL]
        tree["postal"] = [] if trees else [postal(address) for address in addresses]
        tree["phone"] = [phone(point) for point in own if point[1] == ContactPoint.Kind.PHONE]
        tree["website"] = []
        tree["social"] = [social(point) for point in own if point[1] in SOCIAL_TYPES]
        tree["id"] = contact_id
        trees.append(tree)
    return trees


def present(**members: object) -> Tree:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value not in {"", None}}


def email(point: list[str]) -> Tree:
    """An e-mail address."""
    point_id, _, value, _, _, modified = point
    return {"emailAddress": value, "lastModified": modified, "id": point_id}


def phone(point: list[str]) -> Tree:
    """A phone number."""
    point_id, _, value, kind, extension, modified = point
    parts = parts_of(value)
    tree = (
        {"type": labelled(PHONE_TYPES[ContactPoint.PhoneType(kind)], labels.PHONE_TYPES)}
        if kind
        else {}
    )
    return tree | present(
        phoneNo=parts.number,
        countryCode=parts.country_code,
        areaCode=parts.area_code,
        extension=extension,
        lastModified=modified,
        id=point_id,
    )


@lru_cache(maxsize=16_384)
def parts_of(e164: str) -> Number:
    """The parts of a number in E.164; whole in `number` where they cannot be told."""
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return Number("", "", e164.removeprefix("+"))
    national = phonenumbers.national_significant_number(parsed)
    length = phonenumbers.length_of_geographical_area_code(parsed)
    return Number(str(parsed.country_code), national[:length], national[length:])


def social(point: list[str]) -> Tree:
    """An id in a social network."""
    point_id, kind, value, _, _, modified = point
    name = SOCIAL_TYPES[ContactPoint.Kind(kind)]
    return {
        "type": labelled(name, labels.SOCIAL_TYPES),
        "socialId": value,
        "lastModified": modified,
        "id": point_id,
    }


def postal(address: list[str]) -> Tree:
    """A postal address."""
    address_id, kind, *lines, city, state, zip_code, country, modified = address
    numbered = {f"address_{number}": line for number, line in enumerate(lines, 1)}
    return {"type": labelled(kind.lower(), labels.ADDRESS_TYPES)} | present(
        **numbered,
        city=city,
        state=state,
        zip=zip_code,
        country=country,
        lastModified=modified,
        id=address_id,
    )

"""What the tests of immediate search share: how to ask, and XML read as a tree."""

import json
from typing import Any
from xml.etree import ElementTree as ET

from django.utils import timezone

from config.api.dialects import CORE_NAMESPACE
from config.db.crypto import associated_data, seal
from customers.models import (
    Activity,
    AttributeDefinition,
    AttributeValue,
    BusinessAccount,
    Contact,
    Customer,
)
from tests import factories
from tests.factories import Client

SEARCH = "/core/customermgr/v3/customer"
# Members that are lists, and what is no text: XML alone does not tell.
LISTS = {"link", "customer", "contact", "email", "postal", "phone", "website", "social"}
LISTS |= {"customAttribute", "attributeValue", "attribValue"}
NUMBERS = {"count", "pagenum", "pagesize", "rangestart", "rangesize"}
FLAGS = {"systemCreated", "countIsEstimate"}


def search(api: Client, **query: Any) -> Any:
    """The answer to a search; `_attribute="all"` is `$attribute=all`, objects become JSON."""
    return api.get(SEARCH, parameters(**query))


def parameters(**query: Any) -> dict[str, str]:
    return {
        name.replace("_", "$", 1) if name.startswith("_") else name: (
            json.dumps(value) if isinstance(value, list | dict) else str(value)
        )
        for name, value in query.items()
    }


def found(api: Client, **query: Any) -> list[str]:
    """The ids of the customers that a search finds, in order."""
    answer = search(api, **query)
    if answer.status_code == 204:
        assert answer.content == b""
        return []
    assert answer.status_code == 200, answer.content
    return [each["id"] for each in answer.json()["customer"]]


def refused(answer: Any, code: str) -> str:
    """The message of a refusal with this code."""
    assert answer.json()["code"] == code, answer.content
    assert answer.status_code == int(code.partition("-")[0])
    return answer.json()["developerMessage"]


def make_attribute(account: Any, name: str, *, target: str = "customer", **fields: Any) -> Any:
    return AttributeDefinition.objects.create(
        business_account=account, name=name, target=target, **fields
    )


def give(definition: AttributeDefinition, owner: Customer | Contact, value: str) -> None:
    """Give a customer, or a contact, a value of a custom attribute."""
    now = timezone.now()
    is_contact = isinstance(owner, Contact)
    row = AttributeValue(
        customer_id=owner.customer_id if is_contact else owner.pk,
        contact_id=owner.id if is_contact else None,
        definition=definition,
        created_at=now,
        updated_at=now,
    )
    if definition.is_encrypted:
        row.value_sealed = seal(value, associated_data(AttributeValue, "value_sealed", row.id))
    else:
        row.value = value
    row.save()


def make_activity(customer: Customer, **fields: Any) -> Activity:
    now = timezone.now()
    values = {"type": "email", "mode": "inbound", "sent_date": now} | fields
    return Activity.objects.create(customer=customer, created_at=now, **values)


def tree_of(document: bytes) -> Any:
    """The tree that an XML document stands for; lists without entries are not in it."""
    return _member(ET.fromstring(document))


def _member(element: ET.Element) -> Any:
    name = element.tag.removeprefix(f"{{{CORE_NAMESPACE}}}")
    if not len(element) and not element.attrib:
        if name in NUMBERS:
            return int(element.text or "")
        return element.text == "true" if name in FLAGS else element.text or ""
    tree: dict[str, Any] = dict(element.attrib)
    for child in element:
        child_name = child.tag.removeprefix(f"{{{CORE_NAMESPACE}}}")
        if child_name in LISTS:
            tree.setdefault(child_name, []).append(_member(child))
        else:
            tree[child_name] = _member(child)
    return tree


def without_empty_lists(tree: Any) -> Any:
    """A JSON tree without the members that XML does not show."""
    if isinstance(tree, list):
        return [without_empty_lists(each) for each in tree]
    if isinstance(tree, dict):
        return {name: without_empty_lists(value) for name, value in tree.items() if value != []}
    return tree


def make_ada(account: BusinessAccount) -> Customer:
    """An individual with an address and a number to be found by."""
    return factories.make_customer(account, email="Ada@Example.com", phone="+14082343456")


def make_acme(account: BusinessAccount) -> Customer:
    """A business with two contacts."""
    customer = factories.make_customer(
        account, business_name="Acme Trading", email="", phone="+442079460958"
    )
    other = factories.make_contact(customer, is_primary=False, first_name="Eva", last_name="Lund")
    factories.make_contact_point(other, "EMAIL", "eva@acme.example")
    return customer


def make_whole_ada(account: BusinessAccount) -> Customer:
    """An individual with a contact point of each sort and an address."""
    customer = factories.make_customer(account, prefix="Countess", phone="+14082343456")
    customer.contact_points.filter(kind="PHONE").update(extension="102", phone_type="WORK")
    factories.make_contact_point(customer.contacts.get(), "TWITTER", "ada1815", is_primary=False)
    factories.make_address(customer, street_line_2="Flat 7")
    return customer


def make_crowd(account: BusinessAccount) -> list[Customer]:
    """Seven customers named Bob, of all types, two of them of one name."""
    kinds = ["INDIVIDUAL", "BUSINESS", "GROUP", "INDIVIDUAL", "BUSINESS", "GROUP", "BUSINESS"]
    return [
        factories.make_customer(
            account, business_name=f"Bob {name}", type=kind, email=f"{number}@bob.example"
        )
        for number, (name, kind) in enumerate(zip("DACBBEF", kinds, strict=True))
    ]

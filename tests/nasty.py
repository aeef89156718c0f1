"""Customers whose values are hard to write down, and hard to read back."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from config.db.crypto import associated_data, seal
from customers.models import (
    Address,
    AttributeDefinition,
    AttributeValue,
    Contact,
    ContactPoint,
    Customer,
)
from customers.normalize import uuid7
from tests.factories import Speaker, make_address, make_contact, make_contact_point, make_customer

EVERY_STATUS = tuple(Customer.Status.values)
# What has a meaning in JSON, in CSV, to COPY, to a spreadsheet or to a reader of missing values.
NASTY = [
    'say "hi", she said',
    '"',
    '""',
    "a,b;c\td|e",
    "two\nlines",
    "two\r\nlines",
    "lone\rreturn",
    "  spaces around  ",
    "back\\slash\\",
    "\\.",
    "\\N",
    "NULL",
    "NA",
    "nan",
    "0012",
    "1e5",
    "=1+1",
    "+1",
    "-1",
    "@a",
    "'apostrophe",
    "\ttab first",
    "\x01\x02\x07\x1b\x7f",
    "\u0085\u2028\u2029\ufeff",
    "<b>&amp;</b>",
    "Zoë Ünï e\u0301",
    "שלום \u202eabc",
    "田中\U0001f600\U00010348",
]


def text_columns(model: Any, *but: str) -> Iterator[tuple[str, int]]:
    """The free texts of a model: names of columns and how many characters they hold."""
    for field in model._meta.local_concrete_fields:
        if (
            field.get_internal_type() == "CharField"
            and not field.choices
            and field.name not in but
            and not field.name.endswith("_folded")
        ):
            yield field.name, field.max_length


def nasty_texts(model: Any, turn: int, *but: str) -> dict[str, str]:
    """Another nasty text in each of them."""
    return {
        name: NASTY[(turn + index) % len(NASTY)][:length]
        for index, (name, length) in enumerate(text_columns(model, *but))
    }


def give_attributes(customer: Customer, plain: str) -> None:
    """An attribute in clear and an encrypted one."""
    now = timezone.now()
    for name, is_encrypted in (('loyalty "card"', False), ("secret", True)):
        definition, _ = AttributeDefinition.objects.get_or_create(
            business_account=customer.business_account, name=name, is_encrypted=is_encrypted
        )
        value_id = uuid7()
        sealed = seal(plain, associated_data(AttributeValue, "value_sealed", value_id))
        AttributeValue.objects.create(
            id=value_id,
            customer=customer,
            definition=definition,
            value="" if is_encrypted else plain,
            value_sealed=sealed if is_encrypted else None,
            created_at=now,
            updated_at=now,
        )


def nasty_customer(account, turn: int, kind: str) -> Customer:
    """A customer with every field set, all texts nasty."""
    customer = make_customer(
        account,
        type=kind,
        business_name="" if kind == "INDIVIDUAL" else "x",
        status=EVERY_STATUS[turn % 3],
        created_at=datetime(2020, 1, 1 + turn % 28, 23, 59, 59, 999_999, tzinfo=UTC),
        metadata={text: text for text in NASTY},
        created_by_type="employee",
        updated_by_type="customer",
        sex=Contact.Sex.values[turn % 3],
        date_of_birth=date(1 if turn == 0 else 1990, 2, 3),
    )
    Customer.objects.filter(pk=customer.pk).update(**nasty_texts(Customer, turn, "name_key"))
    for number in range(2):
        if kind != "INDIVIDUAL":
            other = make_contact(customer, is_primary=False, first_name=f"Person {number}")
            make_contact_point(other, "EMAIL", f"{number}@example.com", is_primary=number == 0)
    contacts = Contact.objects.filter(customer=customer)
    contacts.update(**nasty_texts(Contact, turn + 7))
    points = ContactPoint.objects.filter(customer=customer)
    points.update(**nasty_texts(ContactPoint, turn + 3, "value", "value_key"))
    points.filter(kind="PHONE").update(is_verified=True)
    for address_type in Address.Type.values:
        for is_primary in (True, False):
            make_address(customer, address_type, is_primary=is_primary)
    Address.objects.filter(customer=customer).update(**nasty_texts(Address, turn + 11))
    give_attributes(customer, NASTY[turn])
    return customer


def bare_customer(account, **fields) -> Customer:
    """A customer of whom nothing is known."""
    names = {"first_name": "", "last_name": "", "name": ""}
    return make_customer(account, email="", phone="", **names | fields)


def make_everybody(owner: Speaker) -> None:
    """Every kind of customer, for the owner."""
    call_command("generate_customers", 90, business_account=owner.account.pk, businesses=0.4)
    turns = count()
    for kind in Customer.Type.values:
        for _ in NASTY[::3]:
            nasty_customer(owner.account, next(turns) % len(NASTY), kind)
    bare_customer(owner.account)
    bare_customer(owner.account, business_name="y", type="GROUP")
    lonely = bare_customer(owner.account, type="BUSINESS")
    Contact.objects.filter(customer=lonely).delete()

"""Result files of all kinds of customers: the objects of the API, and cells that read back."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.utils import timezone

from config.db.crypto import associated_data, seal
from customers.criteria import Criteria
from customers.models import (
    Address,
    AttributeDefinition,
    AttributeValue,
    Contact,
    ContactPoint,
    Customer,
)
from customers.normalize import uuid7
from customers.representation import CustomerObject
from search import columns, runner, services
from search.models import CustomerSearch
from tests.factories import Speaker, make_address, make_contact, make_contact_point, make_customer

pytestmark = pytest.mark.django_db(transaction=True)
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
    Customer.objects.filter(pk=customer.pk).update(**nasty_texts(Customer, turn))
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


@pytest.fixture
def everybody(owner) -> Speaker:
    """The owner, with every kind of customer."""
    call_command("generate_customers", 90, business_account=owner.account.pk, businesses=0.4)
    turns = count()
    for kind in Customer.Type.values:
        for _ in NASTY[::3]:
            nasty_customer(owner.account, next(turns) % len(NASTY), kind)
    bare_customer(owner.account)
    bare_customer(owner.account, business_name="y", type="GROUP")
    lonely = bare_customer(owner.account, type="BUSINESS")
    Contact.objects.filter(customer=lonely).delete()
    return owner


def file_of(speaker, storage, result_format: str, kind: str) -> bytes:
    search = services.submit_search(
        actor=speaker.actor,
        criteria=Criteria(customer_account_type=kind, customer_account_status=EVERY_STATUS),
        result_format=result_format,
    )
    runner.run(search.pk)
    done = CustomerSearch.objects.get(pk=search.pk)
    assert (done.status, done.error_code) == ("FINISHED", "")
    return (storage / done.storage_name).read_bytes()


def in_order(kind: str) -> list[Customer]:
    return list(Customer.objects.filter(type=kind).order_by("created_at", "id"))


def object_of(speaker, customer: Customer) -> bytes:
    """What the API shows of a customer; it shows no deleted one, and a file does when asked."""
    if customer.status == Customer.Status.DELETED:
        (text,) = Customer.objects.filter(pk=customer.pk).values_list(CustomerObject(), flat=True)
        return text.encode()
    answer = speaker.api.get(f"/v1/customers/{customer.pk}")
    assert answer.status_code == 200
    return answer.content


@pytest.mark.parametrize("kind", Customer.Type.values)
def test_every_customer_is_the_same_in_a_file_and_in_the_api(everybody, storage, kind):
    objects = [object_of(everybody, customer) for customer in in_order(kind)]
    assert len(objects) > 10
    data = file_of(everybody, storage, "JSON", kind)
    assert data == b"[\n" + b"\n,".join(objects) + b"\n]\n"
    assert orjson.loads(data) == [orjson.loads(one) for one in objects]
    assert file_of(everybody, storage, "NDJSON", kind) == b"".join(one + b"\n" for one in objects)


# --- CSV ------------------------------------------------------------------------------------------

# RFC 4180: a field is quoted, with its quotes doubled, or has none of what would need quotes.
FIELD = re.compile(r'"((?:[^"]|"")*)"|([^",\r\n]*)')


def rfc_4180(text: str) -> list[list[str]]:
    """The cells as the grammar of RFC 4180 has them; anything else fails."""
    rows: list[list[str]] = [[]]
    at = 0
    while at < len(text):
        field = FIELD.match(text, at)
        assert field is not None
        rows[-1].append(field[2] if field[1] is None else field[1].replace('""', '"'))
        at = field.end()
        if text.startswith("\r\n", at):
            rows.append([])
            at += 2
        else:
            assert text.startswith(",", at), text[at - 20 : at + 20]
            at += 1
    assert rows.pop() == []
    return rows


def tolerant(text: str) -> list[list[str]]:
    """As pandas, polars and LibreOffice read: any line end ends a row, quotes open a cell."""
    rows: list[list[str]] = [[""]]
    quoted = closed = False
    previous = ""
    for char in text:
        cell = rows[-1][-1]
        if quoted and not closed:
            closed = char == '"'
            rows[-1][-1] += "" if closed else char
        elif closed and char == '"':
            closed = False
            rows[-1][-1] += char
        elif char in ",\r\n":
            quoted = closed = False
            if char == ",":
                rows[-1].append("")
            elif (previous, char) != ("\r", "\n"):
                rows.append([""])
        elif char == '"' and not cell:
            quoted = True
        else:
            rows[-1][-1] += char
        previous = char
    assert rows.pop() == [""]
    return rows


@pytest.mark.parametrize("kind", Customer.Type.values)
def test_a_csv_reads_back_the_same_by_every_reader(everybody, storage, kind):
    data = file_of(everybody, storage, "CSV", kind)
    assert b"\0" not in data
    text = data.decode()
    header, *rows = rfc_4180(text)
    assert header == list(columns.COLUMN_NAMES)
    assert {len(row) for row in rows} == {len(header)}
    assert tolerant(text) == [header, *rows]
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == [header, *rows]
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    for customer, row in zip(in_order(kind), cells, strict=True):
        person = Contact.objects.filter(customer=customer, is_primary=True).first() or Contact()
        home = Address.objects.filter(customer=customer, type="MAILING", is_primary=True).first()
        assert row["id"] == str(customer.pk)
        assert row["businessName"] == customer.business_name
        assert (row["firstName"], row["suffix"]) == (person.first_name, person.suffix)
        assert row["mailingStreetLine1"] == (home.street_line_1 if home else "")
        assert orjson.loads(row["metadata"] or "{}") == customer.metadata


@pytest.mark.parametrize("kind", Customer.Type.values)
def test_the_excel_form_differs_by_the_mark_and_the_apostrophes_alone(everybody, storage, kind):
    plain = rfc_4180(file_of(everybody, storage, "CSV", kind).decode())
    data = file_of(everybody, storage, "CSV_EXCEL", kind).decode()
    assert data.startswith("\ufeff")
    for row, disarmed in zip(plain, rfc_4180(data[1:]), strict=True):
        for (_, _, is_text), cell, shown in zip(columns.COLUMNS, row, disarmed, strict=True):
            is_misread = is_text and re.match(r"[-=+@\t\r]|0\d", cell)
            assert shown == (f"'{cell}" if is_misread else cell)

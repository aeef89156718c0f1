"""Result files of all kinds of customers: the objects of the API, and cells that read back."""

import csv
import io
import re

import orjson
import pytest

from customers.criteria import Criteria
from customers.models import Address, Contact, Customer
from customers.representation import CustomerObject
from search import columns, runner, services
from search.models import CustomerSearch
from tests.factories import Speaker
from tests.nasty import EVERY_STATUS, make_everybody

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def everybody(owner) -> Speaker:
    """The owner, with every kind of customer."""
    make_everybody(owner)
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

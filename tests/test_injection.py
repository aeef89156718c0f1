"""Texts stay texts: in SQL, COPY, XML, CSV, headers, pages and logs, whatever they look like there.

What a spreadsheet takes for a formula in result files is tested with those
(`tests.test_search_formats`), requests of all kinds in `tests.test_nasty_requests`.
"""

import csv
import io
import json
import logging
import re
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

import pytest
from django.db import connection

from config.logging import JSONFormatter
from customers.models import AttributeDefinition, Customer
from ingest.sheets.writing import FORMULA, results
from search.columns import MISREAD
from tests import bulk, factories
from tests.lookups import SEARCH, found, give, make_attribute, search, tree_of
from tests.nasty_input import TEXTS
from tests.searches import content
from tests.searches import search as file_search

pytestmark = pytest.mark.django_db

# What would be something else where a text is pasted into code, a file, a header or a line.
HOSTILE = [
    *("x'; DROP TABLE customers_customer; --", 'x"; SELECT 1; --', "x\\'", "$$;$$", "%s %(a)s %"),
    *("{0} {a.b} {{", "\\.", "\\N", "?1 :a $1", "/* x */", "a.b[0]->>'c'", "<b a='\"'>&amp;</b>"),
    *("]]>", "<!ENTITY a SYSTEM 'file:///etc/passwd'>", "&a;", "{% now %}{{ x }}", "=1+1"),
    "é\u2028'--",
]


@pytest.fixture
def registry(owner):
    """Customers that would be gone, or seen by others, if a text became SQL."""
    for number in range(3):
        factories.make_customer(owner.account, email=f"{number}@example.com", last_name="Bystander")
    return owner


def bystanders():
    """How many of them there are still."""
    return Customer.objects.filter(contacts__last_name="Bystander").count()


# --- SQL ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_names_and_values_of_attributes_are_no_sql(registry, storage, text):
    definition = make_attribute(registry.account, text[:40])
    customer = factories.make_customer(registry.account, email="own@example.com")
    give(definition, customer, text)
    wanted = [{"object": "customer", "name": definition.name, "value": text}]
    assert found(registry.api, custom=wanted) == [str(customer.pk)]
    wanted[0]["value"] = text + "' OR '1'='1"
    assert found(registry.api, custom=wanted) == []
    shown = {"_attribute": f"custom.{definition.name}", "_sort": f"custom.{definition.name}"}
    assert search(registry.api, email="own@example.com", **shown).status_code < 500
    for result_format in ("JSON", "CSV", "CSV_EXCEL"):
        done = file_search(registry, result_format)
        assert done.status == "FINISHED"
    assert bystanders() == 3
    assert AttributeDefinition.objects.get(pk=definition.pk).name == text[:40]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_ids_names_and_metadata_of_a_load_are_no_sql(registry, text):
    name = text.replace("\u2028", "")[:40]
    sent = bulk.customer(
        text, type="INDIVIDUAL", firstName=name, lastName=name, metadata={text[:40]: text}
    )
    loaded = bulk.load(registry, sent)
    assert bulk.outcomes(loaded) == ["CREATED"], loaded
    customer = registry.api.get(f"/v1/customers/{loaded['items'][0]['customerId']}").json()
    assert (customer["externalId"], customer["firstName"]) == (text, name)
    assert customer["metadata"] == {text[:40]: text}
    listed = registry.api.get("/v1/customers", {"externalId": text}).json()
    assert [each["id"] for each in listed["content"]] == [customer["id"]]
    assert bystanders() == 3


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_criteria_of_searches_are_no_sql(registry, storage, text):
    asked = dict.fromkeys(("first_name", "city", "address_line_1", "postal_code"), text)
    for match in ("EXACT", "PREFIX", "CONTAINS", "FUZZY"):
        done = file_search(registry, "JSON", match=match, external_ids=[text], **asked)
        assert json.loads(content(storage, done)) == []
    for query in ({"search": text}, {"name": text}, {"cityName": text}, {"externalId": text}):
        answer = registry.api.get("/v1/customers", query)
        assert answer.status_code == 400 or answer.json()["content"] == [], query
    for name in ("customerName", "facebookId", "email"):
        assert found(registry.api, **{name: text * 2}) == []
    assert bystanders() == 3


# --- XML ------------------------------------------------------------------------------------------


def test_no_text_becomes_markup_in_xml(owner):
    """Each text is read back by a parser, but for characters that XML has no form for."""
    for number, text in enumerate([*HOSTILE, *TEXTS.values()]):
        name = text.replace("\0", "")[:100]
        factories.make_customer(
            owner.account, business_name="B", name=name, email=f"{number}@x.example"
        )
        answer = owner.api.get(
            SEARCH, {"email": f"{number}@x.example"}, HTTP_ACCEPT="application/xml"
        )
        shown = tree_of(answer.content)["customer"][0]["customerName"]
        assert len(shown) == len(name), text
        assert all(b in {a, "\ufffd"} for a, b in zip(name, shown, strict=True)), text
        assert b"<!" not in answer.content.replace(b"<?xml", b""), text


@pytest.mark.parametrize("text", [*HOSTILE, *TEXTS.values()], ids=lambda text: ascii(text[:20]))
def test_no_text_becomes_markup_in_a_refusal(owner, text):
    asked = f"{SEARCH}?{quote(text[:500])}={quote(text[:500])}&type={quote(text[:500])}"
    answer = owner.api.get(asked, HTTP_ACCEPT="application/xml")
    names = {element.tag.partition("}")[2] for element in ET.fromstring(answer.content).iter()}
    assert names <= {"error", "code", "developerMessage", "details", "detail", "key", "value"}


# --- Tables ---------------------------------------------------------------------------------------


def test_results_of_a_load_are_no_formulas():
    for mark in (*FORMULA, "=cmd|' /C calc'!A0"):
        line = {
            "line": 1,
            "sourceCustomerId": f"{mark}1",
            "outcome": "FAILED",
            "customerId": None,
            "errors": [{"pointer": f"/{mark}", "code": "INVALID", "message": "No."}],
        }
        table = b"".join(results([json.dumps(line).encode() + b"\n"], None))
        _, row = csv.reader(io.StringIO(table.decode("utf-8-sig"), newline=""))
        assert row[1] == f"'{mark}1"
        assert not any(cell.startswith(FORMULA) for cell in row)


def test_tables_of_searches_and_of_loads_guard_against_the_same_beginnings():
    with connection.cursor() as cursor:
        for mark in FORMULA:
            cursor.execute(f"SELECT %s ~ '{MISREAD}'", [mark + "a"])
            assert cursor.fetchone() == (True,), ascii(mark)


# --- Headers and addresses ------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a\r\nX-Injected: yes", "a\nb", "a\0b", "\x1b[31m", "a\u2028b"])
def test_no_text_ends_a_header(owner, text):
    headers = {"X-Request-Id": text, "X-CDLX-Request-Id": text, "Idempotency-Key": text}
    for path in (f"/v1/{quote(text)}", f"/v2/data/customers/{quote(text)}/accounts", "/docs/?a"):
        answer = owner.api.get(path, headers=headers)
        for value in answer.headers.values():
            assert not set("\r\n\0\x1b") & set(value)
        assert "X-Injected" not in answer


@pytest.mark.parametrize(
    "target",
    [
        *("//evil.example", "https://evil.example/", "/\\evil.example", "\thttps://evil.example"),
        *("javascript:alert(1)", "/admin/\r\nX-Injected: yes", "%0d%0aX-Injected:%20yes"),
    ],
)
def test_a_sign_in_leads_nowhere_else(account, client, target):
    person = factories.make_employee(account, role="Owner", is_staff=True)
    form = {"username": person.email, "password": factories.PASSWORD, "next": target}
    answer = client.post(f"/admin/login/?next={quote(target)}", form)
    assert answer.status_code == 302, answer.content
    assert urlsplit(answer["Location"])[:2] == ("", "")
    assert not answer["Location"].startswith(("//", "/\\"))
    assert answer["Location"].isprintable()
    assert "X-Injected" not in answer


# --- Logs -----------------------------------------------------------------------------------------


FAKE = '{"level":"INFO","message":"request","status":200}'
LINES = [
    *("\n" + FAKE, "\r\n" + FAKE, '"},' + FAKE, "\u2028" + FAKE, "\u2029" + FAKE, "\x85" + FAKE),
    *("\x1b[2K\x1b[1A", "\x9b1A", "\x7f\x08", "\0", "a\u202eb\u2066", "\U000e0001"),
]


@pytest.fixture
def log():
    """What the product logs meanwhile, as it is written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONFormatter())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def check_lines(text, written):
    """Fail unless each line is one object, without what moves a terminal's cursor."""
    lines = text.splitlines()
    assert len(lines) == written, text
    for line in lines:
        assert isinstance(json.loads(line), dict)
        assert line.isprintable(), ascii(line)


@pytest.mark.parametrize("text", LINES, ids=ascii)
def test_no_value_makes_a_line_of_its_own_in_the_log(text, log):
    logger = logging.getLogger("tests")
    logger.warning("said %s", text, extra={"value": text, text: text, "deep": {text: [text]}})
    logger.error("failed", exc_info=RuntimeError(text))
    check_lines(log.getvalue(), 2)


@pytest.mark.parametrize("text", LINES, ids=ascii)
def test_no_request_makes_a_line_of_its_own_in_the_log(text, log, owner, caplog):
    caplog.set_level(logging.INFO)
    owner.api.get(f"/v1/{quote(text)}", headers={"X-Request-Id": text, "User-Agent": text})
    owner.api.generic("GET" + re.sub(r"\W", "", text), f"/v1/customers?{quote(text)}={quote(text)}")
    owner.api.generic("POST", "/v2/data/customers", text, content_type=text)
    check_lines(log.getvalue(), 3)

"""No value that a client may send is too large for an index, by whichever door it comes.

PostgreSQL refuses a row whose entry in a B-tree is larger than 2,704 bytes, and with it every
other row of the statement.
"""

import random
import re
import zlib
from functools import cache
from typing import Any

import pytest
from django.db import connection

from customers import normalize
from customers.models import AttributeDefinition, AttributeValue
from tests import bulk
from tests.customers import ACME, create
from tests.documented import document, documented_routes, examples, resolved, send
from tests.inventory import make_inventory

pytestmark = pytest.mark.django_db

BTREE_BYTES = 2704
ENTRY_HEADER = 16
# Columns without a length whose content is made here, with a hash of so many bytes.
HASHES = {"social_id_digest": 32}
# What `normalize.fold` makes of one character, where it has declared 18 for one.
FOLDED_CHARACTERS = 18

INDEXED = """
    SELECT heap.relname, entry.relname, method.amname, part.attname, kind.typname, kind.typlen,
           part.atttypmod, pg_get_indexdef(entry.oid, part.attnum, true)
    FROM pg_index i
    JOIN pg_class entry ON entry.oid = i.indexrelid
    JOIN pg_class heap ON heap.oid = i.indrelid
    JOIN pg_am method ON method.oid = entry.relam
    JOIN pg_namespace space ON space.oid = heap.relnamespace
    JOIN pg_attribute part ON part.attrelid = entry.oid
    JOIN pg_type kind ON kind.oid = part.atttypid
    WHERE space.nspname = 'public'"""
COLUMNS = """
    SELECT heap.relname, part.attname, kind.typname, kind.typlen, part.atttypmod
    FROM pg_class heap
    JOIN pg_namespace space ON space.oid = heap.relnamespace
    JOIN pg_attribute part ON part.attrelid = heap.oid AND part.attnum > 0
    JOIN pg_type kind ON kind.oid = part.atttypid
    WHERE space.nspname = 'public' AND heap.relkind = 'r'"""


def incompressible(length: int, seed: int = 1) -> str:
    """Chinese characters of four bytes in no order, which PostgreSQL cannot compress."""
    source = random.Random(seed)
    return "".join(chr(source.randrange(0x20000, 0x2A6DF)) for _ in range(length))


# --- Every index, by the lengths of its columns ---------------------------------------------------


@cache
def folded_bytes() -> int:
    """The most bytes that one character becomes when it is folded."""
    characters = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    return max(len(normalize.fold(character).encode()) for character in characters)


def most_bytes(column: str, kind: str, size: int, modifier: int) -> float:
    """The most that a column's value takes; infinite where nothing bounds it."""
    if size > 0:
        return size
    if column in HASHES:
        return HASHES[column] + 4
    if kind not in {"varchar", "bpchar"} or modifier < 0:
        return float("inf")
    length = modifier - 4
    if column.endswith("_folded"):
        return length // FOLDED_CHARACTERS * folded_bytes() + 4
    return length * 4 + 4


def entry_sizes() -> dict[str, float]:
    """The largest entry that each index can be asked to hold, in bytes."""
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        columns: dict[str, dict[str, float]] = {}
        for table, column, *shape in cursor.fetchall():
            columns.setdefault(table, {})[column] = most_bytes(column, *shape)
        cursor.execute(INDEXED)
        sizes: dict[str, float] = {}
        for table, index, _, _, _, size, _, source in cursor.fetchall():
            # The key of an operator class that hashes, such as of trigrams, has a size of its own.
            if size > 0:
                part: float = size
            else:
                # An expression of texts is at most as long as all of them together.
                words = set(re.findall(r"\w+", source))
                part = sum(most for name, most in columns[table].items() if name in words)
            sizes[index] = sizes.get(index, ENTRY_HEADER) + -(-part // 8) * 8
    return sizes


def test_no_index_can_be_asked_for_an_entry_that_it_cannot_hold():
    sizes = entry_sizes()
    assert sizes["contact_point_value"] > 2560
    assert {index: size for index, size in sizes.items() if size > BTREE_BYTES} == {}


# --- Custom attributes ----------------------------------------------------------------------------


@pytest.fixture
def story(account) -> AttributeDefinition:
    """A custom attribute that is not encrypted."""
    return AttributeDefinition.objects.create(business_account=account, name="story")


def found(speaker, name: str, value: str) -> list[str]:
    answer = speaker.api.get("/v1/customers", {"customAttribute": f"{name}:{value}"})
    assert answer.status_code == 200, answer.content
    return [customer["id"] for customer in answer.json()["content"]]


@pytest.mark.usefixtures("story")
def test_the_longest_attribute_is_stored_changed_and_found_through_v1(owner):
    first, second = incompressible(1024), incompressible(1024, seed=2)
    ada = create(owner, customAttributes={"story": first})
    assert ada["customAttributes"] == {"story": first}
    url = f"/v1/customers/{ada['id']}"
    changed = owner.api.put(url, {"customAttributes": {"story": second}})
    assert changed.status_code == 200, changed.content
    assert owner.api.get(url).json()["customAttributes"] == {"story": second}
    assert found(owner, "story", second) == [ada["id"]]
    assert found(owner, "story", first) == []
    assert found(owner, "story", second[:-1]) == []


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize("method", ["post", "put"])
def test_the_longest_attribute_is_loaded_and_takes_no_neighbour_with_it(owner, method):
    people = [
        bulk.customer(firstName="Ada", lastName="Lovelace", customAttributes={"story": "short"})
        for _ in range(50)
    ]
    if method == "put":
        bulk.load(owner, *people)
    longest = incompressible(1024)
    people[25]["customAttributes"] = {"story": longest}
    ledger = bulk.done(owner, bulk.send(owner, *people, method=method))
    assert "FAILED" not in bulk.outcomes(ledger)
    assert found(owner, "story", longest) == [
        str(bulk.id_of(owner, people[25]["sourceCustomerId"]))
    ]
    assert len(found(owner, "story", "short")) == 25  # one page of 49


@pytest.mark.usefixtures("story")
def test_a_filter_by_attribute_names_one_that_can_be_searched(owner, account):
    AttributeDefinition.objects.create(business_account=account, name="secret", is_encrypted=True)
    for wrong in ("unknown:1", "secret:1", "story", "story:", ":1"):
        answer = owner.api.get("/v1/customers", {"customAttribute": wrong})
        assert answer.status_code == 400, wrong
        assert [error["path"] for error in answer.json()["errors"]] == ["customAttribute"]


@pytest.mark.usefixtures("story")
def test_a_filter_by_attribute_compares_every_character(owner, account):
    AttributeDefinition.objects.create(business_account=account, name="story:end")
    ada = create(owner, customAttributes={"story": " Happy: End ", "story:end": "x"})
    assert found(owner, "story", " Happy: End ") == [ada["id"]]
    assert found(owner, "story", "happy: end") == []
    assert found(owner, "story:end", "x") == [ada["id"]]


def test_a_filter_by_attribute_stays_within_the_tenant(owner, child, parent, story, child_account):
    AttributeDefinition.objects.create(business_account=child_account, name="story")
    ada = create(owner, customAttributes={"story": "x"})
    grandchild = create(child, customAttributes={"story": "x"})
    assert found(owner, "story", "x") == [ada["id"]]
    assert found(child, "story", "x") == [grandchild["id"]]
    query = {"customAttribute": "story:x", "includeChildren": "true"}
    both = parent.api.get("/v1/customers", query).json()["content"]
    assert {customer["id"] for customer in both} == {ada["id"], grandchild["id"]}
    assert parent.api.get("/v1/customers", query | {"includeChildren": "false"}).status_code == 400


def test_attributes_are_found_by_their_index(account, story):
    """Not by a walk over all values, however many of them are the same attribute's."""
    # The planner would rather begin with customers as long as there are none.
    query = AttributeValue.objects.equal_to("x").filter(definition=story).query
    sql, parameters = query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "attribute_value_equality" in plan
    assert re.search(r"Index Cond: .*definition_id = .*hashtextextended", plan), plan


# --- Everything else, at its longest --------------------------------------------------------------


def longest_email() -> str:
    return incompressible(300) + "@mail.example.com"


def longest_person(external_id: str) -> dict[str, object]:
    """An individual whose every text is as long as it may be."""
    return {
        "type": "INDIVIDUAL",
        "externalId": external_id,
        "metadata": {incompressible(40, n): incompressible(1024, n) for n in range(5)},
        "customAttributes": {"story": incompressible(1024)},
        "addresses": [
            {"type": "PHYSICAL", "countryCode": "GBR", "zipCode": incompressible(10)}
            | {f"streetLine{n}": incompressible(50, n) for n in range(1, 6)}
            | {"cityName": incompressible(25)}
        ],
        **{name: incompressible(40) for name in ("prefix", "suffix")},
        **{name: incompressible(40) for name in ("firstName", "middleName", "lastName")},
        **{name: incompressible(255) for name in ("gender", "pronoun", "securityQuestion")},
        "primaryPhoneNumber": {
            "number": "+4915112345678",
            "type": "MOBILE",
            "provider": incompressible(40),
            "extension": "1234567890",
        },
        "primaryEmail": {"value": longest_email()},
    }


@pytest.mark.usefixtures("story")
def test_a_customer_whose_every_text_is_the_longest_is_stored_and_found(owner):
    person = longest_person(incompressible(120))
    customer = create(owner, person)
    url = f"/v1/customers/{customer['id']}"
    assert owner.api.put(url, customer | {"middleName": "K"}).status_code == 200
    for query in (
        {"externalId": person["externalId"]},
        {"primaryEmail": longest_email()},
        {"name": person["lastName"]},
        {"cityName": person["addresses"][0]["cityName"], "zipCode": incompressible(10)},
        {"search": person["firstName"]},
    ):
        page = owner.api.get("/v1/customers", query).json()
        assert [each["id"] for each in page["content"]] == [customer["id"]], query
    acme = create(owner, ACME | {"businessName": incompressible(40)})
    page = owner.api.get("/v1/customers", {"name": incompressible(40)}).json()
    assert acme["id"] in [each["id"] for each in page["content"]]


@pytest.mark.usefixtures("story")
def test_a_load_whose_every_text_is_the_longest_is_stored(owner):
    person = longest_person("")
    profile = {
        name: value
        for name, value in person.items()
        if name in {"type", "firstName", "middleName", "lastName", "addresses", "metadata"}
    }
    sent = bulk.customer(
        incompressible(120),
        **profile,
        emails=[longest_email()],
        organizationId=incompressible(120),
        accounts=[],
        customAttributes=person["customAttributes"],
    )
    neighbour = bulk.customer(firstName="Ada", lastName="Lovelace")
    ledger = bulk.load(owner, sent, neighbour)
    assert bulk.outcomes(ledger) == ["CREATED", "CREATED"], bulk.errors(ledger)
    assert AttributeValue.objects.get().value == person["customAttributes"]["story"]


def test_the_longest_ligatures_fit_when_they_are_folded(owner):
    """One of these becomes 33 bytes."""
    name = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 40
    customer = create(owner, firstName=name, lastName=name)
    page = owner.api.get("/v1/customers", {"search": name[:1]}).json()
    assert [each["id"] for each in page["content"]] == [customer["id"]]


# --- Every documented body, at its longest --------------------------------------------------------

STEPS = re.compile(r"[^.\[\]]+")
# Of these the schema says more than a length.
BOUND = {"enum", "const", "format", "pattern"}
WRITES = {
    f"{method} {route.pattern} {number}": (route, method, schema, value)
    for route in documented_routes().values()
    if route.pattern.startswith("v1/customers")
    for method in ("POST", "PUT")
    if method.lower() in document()["paths"][route.path]
    for number, (_, schema, value) in enumerate(
        examples(document()["paths"][route.path][method.lower()].get("requestBody", {}))
    )
}


def members_of(schema: dict[str, Any]) -> dict[str, Any]:
    """The members of an object, of whichever kind it is."""
    found = dict(schema.get("properties", {}))
    for word in ("oneOf", "anyOf", "allOf"):
        for part in schema.get(word, ()):
            found |= members_of(resolved(part))
    return found


def stretched(value: Any, schema: dict[str, Any], way: str = "") -> Any:
    """An example with each text as long as its schema lets it be, no two of them the same."""
    schema = resolved(schema)
    if isinstance(value, dict):
        members = members_of(schema)
        return {
            name: stretched(each, members.get(name, {}), f"{way}.{name}")
            for name, each in value.items()
        }
    if isinstance(value, list):
        items = schema.get("items", {})
        return [stretched(each, items, f"{way}.{place}") for place, each in enumerate(value)]
    if isinstance(value, str) and "maxLength" in schema and not BOUND & schema.keys():
        return incompressible(schema["maxLength"], zlib.crc32(way.encode()))
    return value


def put_back(body: Any, value: Any, path: str) -> bool:
    """Give a place of the body what the example has there; whether it was something else."""
    *steps, last = [int(step) if step.isdigit() else step for step in STEPS.findall(path)]
    for step in steps:
        body, value = body[step], value[step]
    was, body[last] = body[last], value[last]
    return bool(was != body[last])


def test_every_documented_body_of_a_customer_is_stored_at_its_longest(owner, each_alone, storage):
    ids, longest = make_inventory(owner), set()

    def stored(route, method, schema, value):
        body = stretched(value, schema)
        while (
            answer := send(owner.api, method, route.url(ids), "application/json", body)
        ).status_code == 400:
            for error in answer.json()["errors"]:
                # What has a meaning, such as a code, is not any text.
                assert error["errorCode"] != "TOO_LONG", error
                assert put_back(body, value, error["path"]), error
        assert answer.status_code < 300, answer.content
        longest.update(name for name in body if body[name] != value[name])

    each_alone(stored, WRITES)
    assert {"firstName", "relationship", "addresses", "subject"} <= longest

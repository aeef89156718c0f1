"""A refused item leaves nothing: the registry is as if it had not been sent."""

import copy
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import models, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from config.db.crypto import associated_data, unseal_bytes
from customers.change_log import recorded
from customers.models import (
    Account,
    Address,
    AttributeDefinition,
    AttributeValue,
    BusinessAccount,
    Card,
    Change,
    Contact,
    ContactPoint,
    Customer,
    Enrollment,
)
from customers.services.customers import delete_customer
from ingest import runner
from ingest.batch.apply import apply
from ingest.files.lines import apart, items_of
from ingest.files.upload import Block, take_out_card_numbers
from ingest.models import BulkRequest
from tests import bulk, factories
from tests.bulk import account, card, customer, errors, load, outcomes

ADA = {"type": "INDIVIDUAL", "firstName": "Ada", "lastName": "Lovelace"}
EVE = {"type": "INDIVIDUAL", "firstName": "Eve", "lastName": "Evil", "metadata": {"a": "b"}}
WHOLE = {
    "emails": ["eve@example.com"],
    "phones": [{"number": "+14155550199", "type": "MOBILE"}],
    "addresses": [
        {"type": "PHYSICAL", "streetLine1": "1 Dark Lane", "zipCode": "1", "countryCode": "GBR"}
    ],
    "customAttributes": {"tier": "gold", "pin": "9999"},
}
LUHN = "4111111111111111"


@pytest.fixture
def definitions(account: BusinessAccount) -> None:
    for name, is_encrypted in (("tier", False), ("pin", True)):
        AttributeDefinition.objects.create(
            business_account=account, name=name, is_encrypted=is_encrypted
        )


# --- What the registry holds ----------------------------------------------------------------------

TABLES: tuple[type[models.Model], ...] = (
    Customer,
    Contact,
    ContactPoint,
    Address,
    AttributeValue,
    Enrollment,
    Account,
    Card,
)
# Made anew each time: the clock, and ids that are not made of the sender's.
INCIDENTAL = {"created_at", "updated_at"}
RECORDED = (
    *("customer_id", "entity", "entity_id", "operation", "before", "after"),
    *("actor_type", "actor_id", "via", "request_id", "reason"),
)
RANDOM = {Contact, ContactPoint, Address, AttributeValue}


def registry() -> dict[str, list[str]]:
    """All rows of customers and the change log, without what is different each time."""
    names: dict[str, str] = {}
    for model in (Contact, Address, ContactPoint, AttributeValue):
        for row in model._default_manager.all():
            names[str(row.id)] = described(row, names)
    found = {
        model.__name__: sorted(described(row, names) for row in model._default_manager.all())
        for model in TABLES
    }
    found["Change"] = sorted(
        renamed({name: getattr(change, name) for name in RECORDED}, names)
        for change in Change.objects.all()
    )
    return found


def described(row: models.Model, names: dict[str, str]) -> str:
    """A row by its values; sealed ones in clear."""
    values: dict[str, Any] = {}
    for field in row._meta.concrete_fields:
        name = field.attname
        if name in INCIDENTAL or (name == "id" and type(row) in RANDOM and row.id.version == 7):
            continue
        value = getattr(row, name)
        if isinstance(value, bytes | memoryview) and name.endswith("_sealed"):
            value = unseal_bytes(bytes(value), associated_data(type(row), name, row.id)).decode()
        values[name] = value
    return renamed(values, names)


def renamed(value: object, names: dict[str, str]) -> str:
    """As JSON, with rows called by what they hold instead of their ids."""
    text = json.dumps(value, default=str, sort_keys=True)
    for row_id, name in names.items():
        text = text.replace(row_id, f"<{hash(name)}>")
    return text


# --- One kind of refusal after the other ----------------------------------------------------------


@pytest.mark.django_db
def test_a_second_item_of_the_same_customer_changes_nothing_of_the_first(owner, definitions):
    found = load(owner, customer("c1", **ADA), customer("c1", **EVE, **WHOLE))
    assert outcomes(found) == ["CREATED", "FAILED"]
    assert errors(found, 1) == {("/customers/1/sourceCustomerId", "DUPLICATE")}
    shown = owner.api.get(f"/v1/customers/{bulk.id_of(owner, 'c1')}").json()
    assert (shown["firstName"], shown["lastName"], shown["metadata"]) == ("Ada", "Lovelace", {})
    assert not ContactPoint.objects.exists()
    assert not AttributeValue.objects.exists()


REFUSALS: dict[str, dict[str, Any]] = {
    "of an invalid name": {"lastName": "x" * 41},
    "of an invalid profile": {"emails": ["no address"]},
    "of an unknown attribute": {"customAttributes": {"nobody knows": "x"}},
    "of another type": {"businessName": "Engines Ltd"},
    "of itself as its parent": {"sourceParentCustomerId": "c1"},
    "of its parent's parent": {"sourceParentCustomerId": "below"},
    "of an unknown country": {"country": "?"},
    "of a missing organization": {"organizationId": None},
    "of an account twice": {"accounts": [account("c1", "a"), account("c1", "a")]},
    "of an account of others": {"accounts": [account("c2", "a")]},
    "of a closed account without a day": {"accounts": [account("c1", status="CLOSED")]},
    "of a wrong card": {
        "accounts": [account("c1", "a", cards=[card("c1", "a", last4="x")])],
    },
    "of a card of nobody": {"accounts": [account("c1", "a", cards=[card("c9", "a")])]},
    "of a card number": {"accounts": [], "note": LUHN},
    "of a card number as its name": {"firstName": LUHN},
}


@pytest.mark.django_db
@pytest.mark.parametrize("refused", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "known"])
def test_an_item_that_is_refused_leaves_nothing(owner, definitions, refused, is_known):
    load(owner, customer("below", sourceParentCustomerId="c1"))
    if is_known:
        load(owner, customer("c1", **ADA))
    before = registry()
    found = load(owner, customer("c1", **EVE | WHOLE | {"postalCode": "99999"} | refused))
    assert outcomes(found) == ["FAILED"]
    assert registry() == before


@pytest.mark.django_db
def test_a_deleted_customer_stays_as_it_was_deleted(owner, definitions):
    load(owner, customer("c1", **ADA))
    delete_customer(actor=owner.actor, customer_id=bulk.id_of(owner, "c1"), via="v1")
    before = registry()
    found = load(owner, customer("c1", **EVE, **WHOLE))
    assert errors(found) == {("/customers/0/sourceCustomerId", "CUSTOMER_DELETED")}
    found = bulk.done(owner, bulk.put(owner, {"sourceCustomerId": "c1"} | EVE | WHOLE))
    assert errors(found) == {("/customers/0/sourceCustomerId", "CUSTOMER_DELETED")}
    assert registry() == before


@pytest.mark.django_db
def test_every_error_of_the_profile_is_told_also_of_a_customer_without_an_id(owner):
    nameless = customer("c1", firstName="x" * 41, emails=["no address"], country="?")
    found = load(owner, nameless | {"sourceCustomerId": ""})
    assert errors(found) == {
        ("/customers/0/sourceCustomerId", "REQUIRED"),
        ("/customers/0/country", "UNKNOWN_VALUE"),
        ("/customers/0/firstName", "TOO_LONG"),
        ("/customers/0/emails/0/value", "INVALID"),
    }
    unknown = {"sourceCustomerId": "nobody", "firstName": "x" * 41}
    found = bulk.done(owner, bulk.put(owner, unknown))
    assert errors(found) >= {
        ("/customers/0/sourceCustomerId", "UNKNOWN_CUSTOMER"),
        ("/customers/0/firstName", "TOO_LONG"),
    }


@pytest.mark.django_db
def test_a_dry_run_leaves_nothing(owner, definitions):
    load(owner, customer("c1", **ADA))
    before = registry()
    sent = [customer("c1", **EVE, **WHOLE), customer("c1", **ADA), customer("c2", **EVE, **WHOLE)]
    answer = owner.api.post(f"{bulk.CUSTOMERS}?dryRun=true", {"customers": sent})
    assert outcomes(answer.json()) == ["UPDATED", "FAILED", "CREATED"]
    assert registry() == before


# --- Whatever is sent -----------------------------------------------------------------------------

IDS = ["c1", "c2", "c3", "gone"]
NAMES = st.sampled_from(["Ada", "Eve", "Eva", "Ida", "", "x" * 41])
PROFILE = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["INDIVIDUAL", "INDIVIDUAL", "INDIVIDUAL", "BUSINESS"]),
        "firstName": NAMES,
        "lastName": NAMES,
        "businessName": st.sampled_from(["", "", "", "Engines Ltd"]),
        "emails": st.lists(
            st.sampled_from(["ada@example.com", "eve@example.com", "eva@example.com", "no"]),
            max_size=2,
        ),
        "phones": st.lists(
            st.fixed_dictionaries(
                {
                    "number": st.sampled_from(["+14155550123", "4155550123", "12"]),
                    "type": st.sampled_from(["MOBILE", "HOME"]),
                }
            ),
            max_size=2,
        ),
        "addresses": st.lists(
            st.fixed_dictionaries(
                {
                    "type": st.sampled_from(["MAILING", "PHYSICAL"]),
                    "zipCode": st.sampled_from(["1", "2"]),
                    "countryCode": st.sampled_from(["GBR", "DEU", "FRA", "XYZ"]),
                },
                optional={
                    "streetLine1": st.sampled_from(["1 Main Street", "PO Box 7"]),
                    "primary": st.booleans(),
                },
            ),
            max_size=2,
        ),
        "contacts": st.lists(
            st.fixed_dictionaries({"firstName": NAMES, "lastName": NAMES}), max_size=2
        ),
        "metadata": st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", None, 7])),
        "customAttributes": st.dictionaries(
            st.sampled_from(["tier", "pin", "pin", "nobody"]), st.sampled_from(["gold", "", None])
        ),
    },
)


@st.composite
def accounts(draw: Callable[..., Any], holder: str) -> list[bulk.Body]:
    """Accounts that may be others', joint, closed, wrong."""
    found = []
    for name in draw(st.lists(st.sampled_from(["a1", "a2", "a3"]), max_size=2)):
        others = draw(st.lists(st.sampled_from(IDS), max_size=1))
        holders = draw(st.sampled_from([[holder, *others], [holder], others or [holder]]))
        status = draw(st.sampled_from(["OPEN", "OPEN", "CLOSED"]))
        cards = [
            card(draw(st.sampled_from(holders)), name, last4)
            for last4 in draw(st.lists(st.sampled_from(["1111", "2222", "x"]), max_size=2))
        ]
        found.append(account(holder, name, sourceCustomerIds=holders, status=status, cards=cards))
    return found


@st.composite
def items(draw: Callable[..., Any]) -> bulk.Body:
    """A customer with or without a profile, right or wrong."""
    name = draw(st.sampled_from(IDS))
    body = customer(name, accounts=draw(accounts(name)))
    if draw(st.booleans()):
        body |= draw(PROFILE)
    if draw(st.booleans()):
        body["sourceParentCustomerId"] = draw(st.sampled_from(IDS))
    return body | draw(
        st.sampled_from([{}, {}, {}, {"postalCode": "2"}, {"country": "?"}, {"note": LUHN}])
    )


# What a registry holds at first, and what is sent to it.
BATCHES = st.tuples(st.lists(items(), max_size=3), st.lists(items(), min_size=2, max_size=8))
SETTINGS = settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
Doer = Callable[[factories.Speaker, Sequence[bulk.Body]], list[str]]


def as_a_request(speaker: factories.Speaker, sent: Sequence[bulk.Body]) -> list[str]:
    """One request, with an item for each."""
    if not sent:
        return []
    return outcomes(bulk.done(speaker, bulk.send(speaker, *sent, **{"X-Request-Id": "trace-1"})))


def as_a_group(speaker: factories.Speaker, sent: Sequence[bulk.Body]) -> list[str]:
    """A request for each item, done together where they may be."""
    public_ids = [
        bulk.send(speaker, each, **{"X-Request-Id": f"trace-{each['trace']}"}) for each in sent
    ]
    waiting = BulkRequest.objects.filter(status__in=BulkRequest.OPEN).order_by("number")
    while request := waiting.first():
        runner.run(request.pk)
    return [outcomes(bulk.ledger(speaker, each))[0] for each in public_ids]


def as_a_block(speaker: factories.Speaker, sent: Sequence[bulk.Body]) -> list[str]:
    """A block of a file."""
    block = Block(1, [json.dumps(each).encode() for each in sent])
    take_out_card_numbers(block)
    items = list(items_of(block))
    with recorded(speaker.actor, via="v2"):
        for some in apart(items):
            apply(some, actor=speaker.actor)
    return [item.outcome for item in items]


def check(do: Doer, owner: factories.Speaker, batches: Any) -> None:
    """What failed may as well not have been sent."""
    first, sent = copy.deepcopy(batches)
    for index, each in enumerate(sent):
        each["trace"] = index
    with transaction.atomic():
        if first:
            load(owner, *first)
        load(owner, customer("gone", **ADA))
        delete_customer(actor=owner.actor, customer_id=bulk.id_of(owner, "gone"), via="v1")
        with transaction.atomic():
            found = do(owner, sent)
            with_all = registry()
            transaction.set_rollback(True)
        with transaction.atomic():
            good = [each for each, outcome in zip(sent, found, strict=True) if outcome != "FAILED"]
            assert "FAILED" not in do(owner, good)
            without_failed = registry()
            transaction.set_rollback(True)
        transaction.set_rollback(True)
    assert with_all == without_failed


# What it runs is measured where it is tested by itself: measuring takes twice the time.
@pytest.mark.no_cover
@pytest.mark.django_db
@SETTINGS
@given(batches=BATCHES)
def test_a_request_without_its_failed_items_makes_the_same_registry(owner, definitions, batches):
    check(as_a_request, owner, batches)


@pytest.mark.no_cover
@pytest.mark.django_db
@SETTINGS
@given(batches=BATCHES)
def test_requests_done_together_without_the_failed_ones_make_the_same_registry(
    owner, definitions, batches
):
    check(as_a_group, owner, batches)


@pytest.mark.no_cover
@pytest.mark.django_db
@SETTINGS
@given(batches=BATCHES)
def test_a_file_without_its_failed_lines_makes_the_same_registry(owner, definitions, batches):
    check(as_a_block, owner, batches)


# --- Which request did what -----------------------------------------------------------------------


@pytest.mark.django_db
def test_a_card_that_goes_with_its_holder_is_on_record_as_the_doing_of_its_request(owner):
    cards = [card("c1", "joint", "1111"), card("c2", "joint", "2222")]
    joint = account("c1", "joint", sourceCustomerIds=["c1", "c2"], cards=cards)
    load(owner, customer("c1", accounts=[joint]))
    alone_again = account("c1", "joint", cards=[])
    sent = [customer("c9"), customer("c1", accounts=[alone_again]), customer("c2")]
    as_a_group(owner, [each | {"trace": index} for index, each in enumerate(sent)])
    gone = Change.objects.get(entity="card", operation="deleted")
    assert (gone.customer_id, gone.request_id) == (bulk.id_of(owner, "c2"), "trace-1")

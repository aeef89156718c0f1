"""Whatever is in a file or a body: a dry run tells what the load then does, line by line."""

import csv
import io
import json
import random
from typing import Any

import pytest
from django.db.models.functions import Now

from config.jobs.lease import ClaimLost
from customers.models import AttributeDefinition, Change, Customer
from ingest.files import blocks, upload
from ingest.models import BulkRequest
from tests import bulk, factories
from tests.bulk import account, card, customer
from tests.uploads import FILES, NDJSON, ended, lines, results

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]
# Few, so that most of them come again and again.
IDS = [f"c{number}" for number in range(8)]
ACCOUNTS = ["a0", "a1", "a2"]
LAST4 = [[], ["1111"], ["2222"], ["1111", "2222"]]
OTHERS = ["1", "2", "", "(clear)"]
CELLS = {
    "externalId": [*IDS, ""],
    "firstName": ["Ada", "Grace", "", "(clear)"],
    "lastName": ["Lovelace", "Hopper", "", "(clear)"],
    "email": ["ada@example.com", "grace@example.com", "", "(clear)"],
    "phone": ["+14155550123", "+442079460958", "", "(clear)"],
    "streetLine1": ["1 Main St", "2 Main St"],
    "countryCode": ["US", "FR"],
    "zipCode": ["94105", "75001"],
    "department": ["North", "", "Nowhere"],
    "metadata.crm": OTHERS,
    "attribute.tier": OTHERS,
    "attribute.secret": OTHERS,
}


@pytest.fixture(autouse=True)
def small_blocks(storage, monkeypatch, owner):
    monkeypatch.setattr(upload, "BLOCK_LINES", 10)
    factories.make_department(owner.account, "North")
    for name, is_encrypted in (("tier", False), ("secret", True)):
        AttributeDefinition.objects.create(
            business_account=owner.account, name=name, is_encrypted=is_encrypted
        )


def person(chance: random.Random) -> bulk.Body:
    """A customer, perhaps with joint accounts, a parent, a profile, or something wrong."""
    source_id = chance.choice(IDS)
    accounts = []
    for name in chance.sample(ACCOUNTS, chance.randrange(3)):
        holders = list(dict.fromkeys([source_id, *chance.sample(IDS, chance.randrange(3))]))
        cards = [card(chance.choice(holders), name, last4) for last4 in chance.choice(LAST4)]
        members = {"sourceCustomerIds": holders, "sourcePortfolioId": chance.choice("pq")}
        accounts.append(account(source_id, name, cards=cards, **members))
    optional: dict[str, Any] = {
        "firstName": chance.choice(["Ada", "Grace"]),
        "emails": [chance.choice(["a@example.com", "B@example.com"])],
        "phones": [{"number": "+14155550123", "type": "MOBILE"}],
        "addresses": [{"type": "PHYSICAL", "streetLine1": "1 Main St", "countryCode": "USA"}],
        "metadata": {"a": chance.choice(["1", "2", None])},
        "customAttributes": {chance.choice(["tier", "secret"]): chance.choice(["1", "2", None])},
        "type": chance.choice(["INDIVIDUAL", "INDIVIDUAL", "VENDOR"]),
        "sourceParentCustomerId": chance.choice(IDS),
    }
    members = {name: value for name, value in optional.items() if chance.random() < 0.3}
    return customer(
        source_id,
        accounts=accounts,
        postalCode=chance.choice(["78753", "10001"]),
        country=chance.choice(["US", "CA", "US", "?"]),
        **members,
    )


def json_lines(chance: random.Random) -> bytes:
    return b"".join(json.dumps(person(chance)).encode() + b"\n" for _ in range(30))


def rows(chance: random.Random) -> bytes:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(CELLS)
    for _ in range(30):
        table.writerow(map(chance.choice, CELLS.values()))
    return text.getvalue().encode()


def outcome_of(speaker, body: bytes, content_type: str, query: str = "") -> tuple[Any, Any]:
    """The counts of a file, and what is told of each line; who is new without an id has any."""
    answer = speaker.api.post(f"{FILES}{query}", body, content_type=content_type)
    found = ended(speaker, bulk.accepted(answer))
    assert found["status"] == "FINISHED", found
    told = results(speaker, found["requestId"])
    for line in told:
        if line["sourceCustomerId"] is None:
            del line["customerId"]
    return found["counts"], told


@pytest.mark.parametrize(
    ("made", "content_type"), [(json_lines, NDJSON), (rows, "text/csv")], ids=["lines", "table"]
)
def test_a_dry_run_of_a_file_tells_what_its_load_does(owner, made, content_type):
    chance = random.Random(20)
    for number in range(6):
        body = made(chance)
        before = Customer.objects.count(), Change.objects.count()
        trial = outcome_of(owner, body, content_type, "?dryRun=true")
        assert (Customer.objects.count(), Change.objects.count()) == before
        loaded = outcome_of(owner, body, content_type)
        assert trial == loaded
        if number == 0:
            # Customers that are new, and came again.
            assert all(loaded[0][name] for name in ("created", "updated", "failed"))


def test_a_dry_run_of_a_body_tells_what_its_load_does(owner):
    chance = random.Random(20)
    for _ in range(15):
        sent = [person(chance) for _ in range(6)]
        trial = owner.api.post(f"{bulk.CUSTOMERS}?dryRun=true", {"customers": sent}).json()
        loaded = bulk.load(owner, *sent)
        assert trial["counts"] == loaded["counts"]
        assert trial["items"] == loaded["items"]


def test_a_dry_run_that_was_stopped_begins_again(owner, monkeypatch):
    """What came of the first lines was known to a process that is gone."""
    body = lines(*(customer(f"c{number % 12}", organizationId=str(number)) for number in range(36)))
    answer = owner.api.post(f"{FILES}?dryRun=true", body, content_type=NDJSON)
    public_id = bulk.accepted(answer)
    write = blocks.write_blocks

    def stops(target, some, read, *, is_next):
        if some[-1][0] < 2:
            return write(target, some, read, is_next=is_next)
        raise ClaimLost

    with monkeypatch.context() as patch:
        patch.setattr(blocks, "write_blocks", stops)
        bulk.run(public_id)
    request = bulk.request_of(public_id)
    assert (request.status, request.created) == ("STARTED", 12)
    BulkRequest.objects.update(lease_until=Now())
    found = ended(owner, public_id)
    assert found["status"] == "FINISHED", found
    assert (found["counts"]["created"], found["counts"]["updated"]) == (12, 24)
    assert len(results(owner, public_id)) == 36

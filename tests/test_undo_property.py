"""Whatever a load does to whatever registry: undone, all is as before; undone again, as after."""

from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import AttributeDefinition
from tests import bulk
from tests.bulk import account, card, customer, outcomes
from tests.undoing import registry, undo

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
IDS = [f"c{number}" for number in range(4)]
ACCOUNTS = ["a0", "a1", "a2"]
some = partial(st.lists, unique=True)
last4 = st.sampled_from(["1111", "2222"])
word = st.sampled_from(["Ada", "Grace", "Łukasz", "x", ""])


@st.composite
def accounts(draw, holder):
    """Accounts of a customer, some of them joint, with cards of any holder."""
    found = []
    for source_id in draw(some(st.sampled_from(ACCOUNTS), max_size=2)):
        holders = [holder, *draw(some(st.sampled_from(IDS), max_size=2))]
        is_closed = draw(st.booleans())
        cards = [
            card(draw(st.sampled_from(holders)), source_id, number, iin=draw(iins))
            for number in draw(some(last4, max_size=2))
        ]
        found.append(
            account(
                holder,
                source_id,
                sourceCustomerIds=list(dict.fromkeys(holders)),
                status="CLOSED" if is_closed else "OPEN",
                accountCloseDate="2024-01-01T00:00:00Z" if is_closed else None,
                sourcePortfolioId=draw(st.sampled_from(["p", "q"])),
                cards=cards,
            )
        )
    return found


iins = st.sampled_from(["123456", "654321"])
profile_members = st.fixed_dictionaries(
    {},
    optional={
        "firstName": word,
        "lastName": word,
        "emails": st.lists(st.sampled_from(["a@example.com", "B@example.com"]), max_size=2),
        "phones": st.lists(
            st.sampled_from(
                [{"number": "+14155550123", "type": "MOBILE"}, {"number": "+442079460958"}]
            ),
            max_size=2,
        ),
        "addresses": st.lists(
            st.sampled_from(
                [
                    {"type": "PHYSICAL", "streetLine1": "1 Main St", "countryCode": "USA"},
                    {"type": "MAILING", "streetLine1": "2 Élan Rd", "countryCode": "FRA"},
                ]
            ),
            max_size=2,
        ),
        "metadata": st.dictionaries(
            st.sampled_from(["a", "b"]), st.sampled_from(["1", "2", None]), max_size=2
        ),
        "customAttributes": st.dictionaries(
            st.sampled_from(["tier", "secret"]), st.sampled_from(["1", "2", None]), max_size=2
        ),
        "relationship": st.fixed_dictionaries(
            {}, optional={"pin": st.sampled_from(["11", "22", ""]), "level": word}
        ),
        "sourceParentCustomerId": st.sampled_from(IDS),
    },
)


@st.composite
def customers(draw):
    """Some customers, each once."""
    return [
        customer(
            source_id,
            accounts=draw(accounts(source_id)),
            postalCode=draw(st.sampled_from(["78753", "10001"])),
            country=draw(st.sampled_from(["US", "CA", "?"])),
            organizationId=draw(st.sampled_from(["1", "2"])),
            alertOptInStatus=draw(some(st.sampled_from(["NEW", "EXPIRING"]))),
            **draw(profile_members),
        )
        for source_id in draw(some(st.sampled_from(IDS), min_size=1, max_size=4))
    ]


@st.composite
def requests(draw):
    """A request of any kind: what sends it."""
    match draw(st.sampled_from(["post", "put", "accounts", "cards"])):
        case "accounts":
            holder = draw(st.sampled_from(IDS))
            sent = draw(accounts(holder).filter(bool))
            return lambda speaker: bulk.put_accounts(speaker, holder, *sent)
        case "cards":
            holder, source_id = draw(st.sampled_from(IDS)), draw(st.sampled_from(ACCOUNTS))
            numbers = draw(some(last4, min_size=1))
            sent = [card(holder, source_id, number, iin=draw(iins)) for number in numbers]
            return lambda speaker: bulk.put_cards(speaker, holder, source_id, *sent)
        case method:
            sent = draw(customers())
            return lambda speaker: bulk.send(speaker, *sent, method=method)


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(before=st.lists(requests(), min_size=1, max_size=3), request=requests())
def test_undone_all_is_as_before_and_undone_again_as_after(owner, before, request):
    with transaction.atomic():
        for name, is_encrypted in (("tier", False), ("secret", True)):
            AttributeDefinition.objects.create(
                business_account=owner.account, name=name, is_encrypted=is_encrypted
            )
        for each in before:
            bulk.done(owner, each(owner))
        was = registry()
        load = bulk.done(owner, request(owner))
        became = registry()
        first = undo(owner, load["requestId"])
        assert "FAILED" not in outcomes(first)
        assert registry() == was
        second = undo(owner, first["requestId"])
        assert "FAILED" not in outcomes(second)
        assert registry() == became
        undo(owner, second["requestId"])
        assert registry() == was
        transaction.set_rollback(True)

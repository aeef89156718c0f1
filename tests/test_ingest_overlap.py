"""Requests that overlap end as if each had come when the one before was done, in both modes."""

import random
import threading

import pytest
from django.db.models import Q

from customers.models import Account, Address, Card, Change, Contact, Customer, Enrollment
from ingest import runner
from ingest.models import BulkItem, BulkRequest
from tests import bulk
from tests.bulk import account, card, customer
from tests.modes import MODES
from tests.threads import in_threads

Requests = list[tuple[str, list[bulk.Body]]]


def random_requests(count: int, seed: int) -> Requests:
    """Requests about few customers, with joint accounts, parents, mistakes and updates."""
    chance = random.Random(seed)
    people = [f"c{number}" for number in range(12)]
    requests = []
    for number in range(count):
        items = []
        for name in chance.sample(people, chance.randint(1, 4)):
            holders = sorted({name, *chance.sample(people, chance.randint(0, 2))})
            joint = account(
                name,
                f"a{chance.randint(0, 8)}",
                sourceCustomerIds=holders,
                sourcePortfolioId=str(number),
                cards=[],
            )
            joint["cards"] = [
                card(chance.choice(holders), joint["sourceAccountId"], f"000{chance.randint(0, 3)}")
            ]
            item = customer(name, organizationId=str(number), accounts=[joint])
            if chance.random() < 0.4:
                item["sourceParentCustomerId"] = chance.choice(people)
            if chance.random() < 0.1:
                item["country"] = "??"
            if chance.random() < 0.2:
                item |= {"firstName": f"First {number}", "metadata": {"n": str(number)}}
            items.append(item)
        requests.append((chance.choice(["post", "post", "put"]), items))
    return requests


def contents() -> list[list[tuple[object, ...]]]:
    """Everything that a load writes, without times and chosen ids."""
    volatile = {"created_at", "updated_at", "updated_by_id", "created_by_id", "id"}
    tables = []
    for model in (Customer, Contact, Address, Enrollment, Account, Card):
        keep = volatile - ({"id"} if model in (Customer, Account, Card, Address) else set())
        names = [field.attname for field in model._meta.concrete_fields]
        names = [name for name in names if name not in keep]
        tables.append(sorted(model.objects.values_list(*names), key=repr))
    ledgers = BulkItem.objects.order_by("request__number", "index")
    tables.append(list(ledgers.values_list("index", "outcome", "customer_id", "errors")))
    return tables


def remove_all() -> None:
    """Leave the registry without customers, and the queue without requests."""
    for model in (Card, Account, Enrollment, Address, Contact):
        model.objects.all().delete()
    Customer.objects.all().delete()
    Change.objects.all().delete()
    BulkRequest.objects.all().delete()


def work(number: int) -> None:
    """Run requests until all are done, in an order of this worker's own."""
    chance = random.Random(number)
    open_ones = BulkRequest.objects.filter(status__in=BulkRequest.OPEN).order_by("number")
    queued = open_ones.filter(status="SUBMITTED", queued_at__isnull=False)
    while True:
        # What has a message, and now and then what has none, as if it came twice or too early.
        is_stray = chance.random() < 0.25
        next_ones = list((open_ones if is_stray else queued).values_list("pk", flat=True)[:6])
        if next_ones:
            runner.run(chance.choice(next_ones))
        elif is_stray:
            return
        else:
            threading.Event().wait(0.02)


# What it runs is measured where it is tested by itself: measuring takes twice the time.
@pytest.mark.no_cover
@pytest.mark.long
@pytest.mark.busy
@pytest.mark.django_db(transaction=True)
def test_500_overlapping_requests_by_two_workers_end_as_one_after_the_other(owner, settings):
    owner.account.max_running_jobs = 4
    owner.account.save()
    requests = random_requests(500, seed=7)
    for method, items in requests:
        bulk.run(bulk.send(owner, *items, method=method))
    assert BulkItem.objects.filter(~Q(outcome="FAILED")).exists()
    one_by_one = contents()
    for settings.DISTRIBUTED in MODES:
        remove_all()
        ids = [bulk.send(owner, *items, method=method) for method, items in requests]
        in_threads(2, work)
        assert {bulk.request_of(each).status for each in ids} == {"FINISHED"}
        for apart, beside in zip(one_by_one, contents(), strict=True):
            assert [row for row in apart if row not in beside] == []
            assert apart == beside

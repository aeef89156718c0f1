"""The change log has the changes of a customer in the order in which they were made."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from config.db.locks import hold
from customers.models import Customer
from tests import bulk
from tests.bulk import customer
from tests.factories import Speaker
from tests.threads import in_threads, waiting_for_a_lock
from tests.uploads import lines, send
from tests.workers import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("each_mode")]


def update(owner: Speaker, customer_id: str) -> Callable[[], object]:
    """A change by `/v1`."""
    url = f"/v1/customers/{customer_id}"
    return lambda: owner.api.put(url, {"metadata": {"who": "late"}})


def load(owner: Speaker, _customer_id: str) -> Callable[[], object]:
    """A change by a bulk request."""
    request = bulk.send(owner, customer("c1", organizationId="late"))
    return lambda: bulk.run(request)


def load_file(owner: Speaker, _customer_id: str) -> Callable[[], object]:
    """A change by a file."""
    request = send(owner, lines(json.dumps(customer("c1", organizationId="late")).encode()))
    return lambda: bulk.run(request)


@pytest.mark.parametrize("kind", [update, load, load_file])
def test_a_change_that_waited_for_another_one_comes_after_it(owner, kind):
    """It began before the other, and waited for the customer's row."""
    bulk.load(owner, customer("c1"))
    row = Customer.objects.get(external_id="c1")
    work = kind(owner, str(row.pk))
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            hold([row.pk])
            Customer.objects.select_for_update(no_key=True).get(pk=row.pk)
            waiting = pool.submit(in_threads, 1, lambda _: work())
            until(lambda: in_threads(1, lambda _: waiting_for_a_lock()) == [True])
            answer = owner.api.put(f"/v1/customers/{row.pk}", {"metadata": {"who": "first"}})
            assert answer.status_code == 200, answer.content
        waiting.result()
    before, row = row.updated_at, Customer.objects.get(pk=row.pk)
    told = owner.api.get(f"/v1/customers/{row.pk}/history").json()["content"]
    assert told[0]["requestId"] != answer["X-Request-Id"]
    assert told[1]["requestId"] == answer["X-Request-Id"]
    assert row.updated_at > before

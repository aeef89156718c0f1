"""A dry run tells what the outcome of a request would be, and is in nobody's way."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections

from customers.models import AttributeDefinition, Change, Customer
from customers.models.attributes import HOLD_ALONE, LOCK
from ingest import services
from tests import bulk, factories
from tests.bulk import CUSTOMERS, account, customer, load, outcomes
from tests.factories import Speaker
from tests.workers import locked

pytestmark = pytest.mark.django_db(transaction=True)
IDS = [f"c{number}" for number in range(8)]
HELD = """
    SELECT FROM customers_customer c
    LEFT JOIN customers_enrollment e ON e.customer_id = c.id FOR UPDATE OF c;
    UPDATE customers_enrollment SET organization_id = 'not yet';
    UPDATE customers_account SET status = 'FRAUD';
    UPDATE customers_card SET status = 'CLOSED'"""


def person(source_id: str, organization: str = "50004", **members: Any) -> bulk.Body:
    """A customer with a profile, and an account that it shares with the next one."""
    joint = account("c0", "joint", sourceCustomerIds=IDS)
    own = account(source_id)
    profile = {"firstName": "Ada", "emails": [f"{source_id}@example.com"], "metadata": {"a": "b"}}
    accounts = [own, joint] if source_id == "c0" else [own]
    return customer(source_id, organizationId=organization, accounts=accounts, **profile) | members


def try_out(speaker: Speaker, *customers: bulk.Body, **headers: str) -> Any:
    body = {"customers": list(customers)}
    return speaker.api.post(f"{CUSTOMERS}?dryRun=true", body, headers=headers)


def another_session() -> "AbstractContextManager[Any]":
    return closing(connections.create_connection("default"))


def test_a_dry_run_does_not_wait_for_those_who_hold_the_customers(owner):
    load(owner, *map(person, IDS))
    with another_session() as other:
        other.set_autocommit(False)
        other.cursor().execute(HELD)
        answer = try_out(owner, *(person(each, "9", firstName="Eve") for each in IDS), person("c9"))
        assert answer.status_code == 200, answer.content
        assert outcomes(answer.json()) == ["UPDATED"] * len(IDS) + ["CREATED"]
        other.rollback()


def test_a_dry_run_holds_nothing_that_a_profile_names(owner):
    """It finds departments and attributes as they are while others delete or switch them."""
    factories.make_department(owner.account, "Retail")
    AttributeDefinition.objects.create(
        business_account=owner.account, name="size", target=AttributeDefinition.Target.CUSTOMER
    )
    ada = customer("c1", firstName="Ada", department="Retail", customAttributes={"size": "9"})
    eve = customer("c2", firstName="Eve", department="Nowhere")
    with another_session() as other:
        other.set_autocommit(False)
        other.cursor().execute("DELETE FROM customers_department")
        other.cursor().execute(HOLD_ALONE, [LOCK.format(owner.account.pk)])
        answer = try_out(owner, ada, eve)
        other.rollback()
    assert answer.status_code == 200, answer.content
    assert outcomes(answer.json()) == ["CREATED", "FAILED"]


def test_nobody_waits_for_a_dry_run(owner, monkeypatch):
    load(owner, *map(person, IDS))
    prepare = services.prepare
    updated = []

    def slow(*arguments: Any, **options: Any) -> Any:
        plan = prepare(*arguments, **options)
        with another_session() as other:
            cursor = other.cursor()
            cursor.execute("SET lock_timeout = '5s'")
            cursor.execute("UPDATE customers_customer SET version = version + 1")
            updated.append(cursor.rowcount)
        return plan

    monkeypatch.setattr(services, "prepare", slow)
    assert try_out(owner, *map(person, IDS)).status_code == 200
    assert updated == [len(IDS)]


def test_dry_runs_beside_writers_of_the_same_customers_are_all_answered(owner):
    """Customers come into being, and change, while a dry run looks at them."""
    is_over = threading.Event()

    def write() -> None:
        try:
            for number in range(12):
                bulk.run(bulk.send(owner, *(person(each, str(number)) for each in IDS)))
                Customer.objects.filter(external_id__in=IDS[:2]).update(version=number + 2)
                bulk.run(bulk.send(owner, customer(f"new-{number}", firstName="Eve")))
        finally:
            is_over.set()
            connections.close_all()

    def read() -> list[int]:
        answers = []
        try:
            while not is_over.is_set():
                number = len(answers) % 12
                sent = [person(each, str(number), firstName="Eve") for each in IDS]
                answer = try_out(owner, *sent, customer(f"new-{number}", firstName="Ada"))
                assert "FAILED" not in outcomes(answer.json()), answer.json()
                answers.append(answer.status_code)
        finally:
            connections.close_all()
        return answers

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        pool.submit(write).result()
        statuses = {status for reader in readers for status in reader.result()}
    assert statuses == {200}
    assert not Customer.objects.filter(name="Eve", external_id__in=IDS).exists()


def test_a_dry_run_that_cannot_read_says_so_in_time(owner, monkeypatch):
    monkeypatch.setattr(services, "DRY_RUN_SECONDS", 0.3)
    load(owner, customer("c1"))
    with locked("customers_enrollment"):
        answer = try_out(owner, customer("c1", organizationId="9"))
        again = try_out(owner, customer("c1"), **{"Idempotency-Key": str(uuid4())})
    for found in (answer, again):
        assert (found.status_code, found["Retry-After"]) == (503, "5")
        assert found.json()["title"] == "The dry run took too long; nothing was stored."
        (error,) = found.json()["validationErrors"]
        assert error.startswith("/dryRun: DRY_RUN_TIMED_OUT: ")
    assert try_out(owner, customer("c1")).status_code == 200


def test_a_dry_run_writes_nothing_even_where_its_answer_is_kept(owner):
    load(owner, *map(person, IDS))
    before = Change.objects.count()
    key = {"Idempotency-Key": str(uuid4())}
    sent = [person("c1", "9"), person("c9")]
    first, second = try_out(owner, *sent, **key), try_out(owner, *sent, **key)
    assert (first.status_code, first.content) == (200, second.content)
    assert outcomes(first.json()) == ["UPDATED", "CREATED"]
    assert (Change.objects.count(), Customer.objects.count()) == (before, len(IDS))
    assert outcomes(load(owner, *sent)) == ["UPDATED", "CREATED"]

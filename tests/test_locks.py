"""Advisory locks of customers and accounts: bounded, in one order, and the same at every door."""

import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.api.errors import NotFound
from config.db import locks
from customers.change_log import Via
from customers.distribution import layout
from customers.models import AttributeDefinition, BusinessAccount
from customers.normalize import uuid7
from customers.serializers import ReasonBody
from customers.services.attributes import convert_attribute
from customers.services.business import delete_business_account
from customers.services.employees import managed
from customers.services.passwords import choose_password
from customers.services.reveals import reveal_customer
from customers.services.second_factor import begin_setup
from tests import bulk
from tests.bulk import customer
from tests.factories import make_business_account, make_employee, make_employee_speaker
from tests.threads import in_threads, waiting_for_a_lock
from tests.undoing import ask
from tests.workers import until

pytestmark = pytest.mark.django_db(transaction=True)
HELD = """
    SELECT objid::int FROM pg_locks
    WHERE locktype = 'advisory' AND classid = 1263096904 AND pid = pg_backend_pid()
    ORDER BY objid"""


def held() -> list[int]:
    """The keys that the current transaction holds."""
    with connection.cursor() as cursor:
        cursor.execute(HELD)
        return [key for (key,) in cursor.fetchall()]


@pytest.fixture
def _distributed(settings) -> None:
    settings.DISTRIBUTED = True


def test_keys_come_sorted_and_are_the_same_for_a_text_and_an_id():
    ids = [uuid7() for _ in range(50)]
    keys = locks.keys_of(ids)
    assert keys == sorted(set(keys)) == locks.keys_of(map(str, reversed(ids)))
    assert locks.keys_of([UUID(int=0xFFF), UUID(int=0x3FF)]) == [0x3FF]


@pytest.mark.usefixtures("_distributed")
def test_a_transaction_that_holds_any_number_of_rows_has_a_bounded_number_of_locks():
    with transaction.atomic():
        locks.hold(uuid7() for _ in range(100_000))
        assert held() == list(range(locks.KEYS))
        # And again, without waiting for itself.
        locks.hold([uuid7()])
    assert held() == []


def test_on_one_server_rows_are_locked_and_nothing_else():
    with transaction.atomic():
        locks.hold([uuid7()])
        assert held() == []


@pytest.mark.usefixtures("_distributed")
def test_two_that_name_the_same_rows_in_other_orders_both_come_through():
    ids = [uuid7() for _ in range(300)]

    def work(number):
        for _ in range(20):
            with transaction.atomic():
                locks.hold(ids if number % 2 else reversed(ids))
        return number

    assert in_threads(4, work) == [0, 1, 2, 3]


def update(owner):
    customer_id = bulk.id_of(owner, "c1")
    return lambda: owner.api.put(f"/v1/customers/{customer_id}", {"metadata": {"who": "late"}})


def suspend(owner):
    customer_id = bulk.id_of(owner, "c1")
    return lambda: owner.api.put(f"/v1/customers/{customer_id}/suspend")


def load(owner):
    request = bulk.send(owner, customer("c1", organizationId="late"))
    return lambda: bulk.run(request)


def undo_load(owner):
    request = bulk.send(owner, customer("c1", organizationId="wrong"))
    bulk.run(request)
    undo = bulk.accepted(ask(owner, request))
    return lambda: bulk.run(undo)


# --- Rows of which each node has a copy -----------------------------------------------------------


def choose(owner, person):
    with pytest.raises(NotFound):
        choose_password(person_id=person.pk, token="none", password="none")


def manage(owner, person):
    with managed(make_employee(owner.account, role="Owner"), person):
        pass


def set_up(owner, person):
    begin_setup(person)


def look(owner, person):
    reason = ReasonBody().parse({"reason": "a call"})
    actor = make_employee_speaker(owner.account, role="Owner").actor
    with pytest.raises(NotFound):
        reveal_customer(actor=actor, customer_id=uuid7(), submission=reason, via=Via.BACK_OFFICE)


def convert(owner, person):
    definition = AttributeDefinition.objects.create(business_account=owner.account, name="tier")
    convert_attribute(actor=owner.actor, definition=definition, to_encrypted=True)


def delete(owner, person):
    delete_business_account(business_account=make_business_account())


@pytest.mark.usefixtures("_distributed")
@pytest.mark.parametrize("work", [choose, manage, set_up, look, convert, delete])
def test_a_distributed_engine_is_not_asked_to_lock_a_whole_table(owner, work):
    person = make_employee(owner.account)
    with CaptureQueriesContext(connection) as captured:
        work(owner, person)
    asked = [query["sql"] for query in captured]
    assert sum("'row:'" in sql for sql in asked) == 1
    locking = [sql for sql in asked if re.search(r"FOR (NO KEY )?UPDATE", sql)]
    assert not [sql for sql in locking if any(table in sql for table in layout.references())]


@pytest.mark.parametrize("is_on", [False, True])
def test_who_holds_such_a_row_holds_it_alone(owner, settings, is_on):
    settings.DISTRIBUTED = is_on

    def hold_it(_):
        with transaction.atomic():
            return locks.held(BusinessAccount.objects.all(), owner.account.pk).get().name

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            locks.held(BusinessAccount.objects.all(), owner.account.pk).get()
            waiting = pool.submit(in_threads, 1, hold_it)
            until(lambda: in_threads(1, lambda _: waiting_for_a_lock()) == [True])
            BusinessAccount.objects.filter(pk=owner.account.pk).update(name="Another")
        assert waiting.result() == ["Another"]


# --- Doors ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_distributed")
@pytest.mark.parametrize("kind", [update, suspend, load, undo_load])
def test_each_door_waits_for_who_holds_the_customer(owner, kind):
    bulk.load(owner, customer("c1"))
    before = stored(owner)
    work = kind(owner)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            locks.hold([bulk.id_of(owner, "c1")])
            waiting = pool.submit(in_threads, 1, lambda _: work())
            until(lambda: in_threads(1, lambda _: waiting_for_a_lock()) == [True])
            found = stored(owner)
        waiting.result()
    assert found == before or kind is undo_load
    assert stored(owner) != found


def stored(owner):
    """The customer's version, by which every change of it is seen."""
    return bulk.stored(owner, "c1").version, bulk.changes(owner, "c1")

"""Requests apply in the order of their acceptance, whatever the number of workers."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import psycopg
import pytest
from django.db import OperationalError, connection, connections, transaction
from psycopg.types.json import Jsonb

from config.jobs.reaper import reap
from customers.change_log import Via, recorded
from customers.models import Customer, Enrollment
from customers.tables import written
from ingest import coalescing, ordering, runner
from ingest.batch import apply as applying
from ingest.batch.apply import apply
from ingest.batch.items import Action, read_items
from ingest.models import BulkContent, BulkRequest
from ingest.models.request import LOOKED_AT
from tests import bulk, factories
from tests.bulk import account, card, customer, outcomes
from tests.customers import ADA, create
from tests.threads import in_threads, waiting_for_a_lock
from tests.workers import locked, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("each_mode")]


# --- Who waits for whom ---------------------------------------------------------------------------


def test_a_request_waits_for_an_earlier_one_that_shares_a_customer(owner):
    first = bulk.send(owner, customer("c1"), customer("c2"))
    second = bulk.send(owner, customer("c2", organizationId="2"))
    third = bulk.send(owner, customer("c3"))
    bulk.run(second)
    assert bulk.request_of(second).status == "SUBMITTED"
    bulk.run(third)
    assert bulk.request_of(third).status == "FINISHED"
    bulk.run(first, second)
    assert Enrollment.objects.get(customer=bulk.id_of(owner, "c2")).organization_id == "2"


def test_a_request_waits_for_an_earlier_one_that_shares_an_account(owner):
    joint = account("c1", "joint", sourceCustomerIds=["c1", "c2"])
    first = bulk.send(owner, customer("c1", accounts=[joint]))
    second = bulk.put_accounts(owner, "c2", joint)
    third = bulk.put_cards(owner, "c3", "joint", card("c3", "joint"))
    bulk.run(second, third)
    assert {bulk.request_of(each).status for each in (second, third)} == {"SUBMITTED"}
    bulk.run(first, third)
    assert bulk.request_of(third).status == "SUBMITTED"


def test_requests_that_name_parents_wait_for_each_other(owner):
    bulk.send(owner, customer("a", sourceParentCustomerId="b"))
    second = bulk.send(owner, customer("c", sourceParentCustomerId="d"))
    bulk.run(second)
    assert bulk.request_of(second).status == "SUBMITTED"


def test_tenants_do_not_wait_for_each_other(owner, outsider):
    bulk.send(owner, customer("c1"))
    other = bulk.send(outsider, customer("c1"))
    bulk.run(other)
    assert bulk.request_of(other).status == "FINISHED"


def test_the_end_of_a_request_brings_those_that_waited_for_it(owner, published):
    first, second, third = (bulk.send(owner, customer("c1", organizationId=n)) for n in "123")
    bulk.run(third, second)
    published.clear()
    bulk.run(first)
    assert sent_to(published) == [second]
    bulk.run(second)
    assert sent_to(published) == [second, third]


def test_one_that_need_not_wait_overtakes_those_that_do(owner, published):
    first = bulk.send(owner, customer("c1"))
    assert BulkRequest.claim(bulk.request_of(first).pk, worker="busy") is not None
    waits = bulk.send(owner, customer("c1"))
    free = bulk.send(owner, customer("c2"))
    assert free in sent_to(published)
    bulk.run(waits, free)
    assert bulk.request_of(waits).status == "SUBMITTED"
    assert bulk.request_of(free).status == "FINISHED"


def sent_to(published) -> list[str]:
    ids = [arguments[0] for _, arguments in published]
    names = dict(BulkRequest.objects.values_list("pk", "public_id"))
    return [str({str(pk): public for pk, public in names.items()}[pk]) for pk in ids]


def test_a_message_that_came_too_early_is_sent_again(owner, published):
    """The first one's worker died; nobody else brings the second one back."""
    first = bulk.send(owner, customer("c1"))
    held = BulkRequest.claim(bulk.request_of(first).pk, worker="dies")
    second = bulk.send(owner, customer("c1"))
    bulk.run(second)
    held.hand_back()
    reap()
    bulk.run(first, second)
    assert bulk.request_of(second).status == "FINISHED"


def test_a_verdict_that_depends_on_earlier_requests_waits_for_all_of_them(owner):
    """The first one takes a parent away; what looks like a circle before it is none after it."""
    bulk.load(owner, customer("a", sourceParentCustomerId="b"), customer("b"))
    first = bulk.send(owner, customer("a"))
    held = BulkRequest.claim(bulk.request_of(first).pk, worker="slow")
    second = bulk.send(owner, customer("b", sourceParentCustomerId="a"))
    for _ in range(3):
        bulk.run(second)
        assert bulk.ledger(owner, second)["items"] == []
    held.hand_back()
    bulk.run(first, second)
    assert outcomes(bulk.ledger(owner, second)) == ["UPDATED"]


# --- Beside each other ----------------------------------------------------------------------------


def test_an_earlier_request_that_ends_after_the_look_counts(owner, colleague, monkeypatch):
    """The later one saw a circle that was not there any more when it asked who came earlier."""
    bulk.run(bulk.send(owner, customer("c5", sourceParentCustomerId="c1")))
    earlier = bulk.send(colleague, customer("c5"))
    later = bulk.send(owner, customer("c1", sourceParentCustomerId="c5"))
    prepare, looks = runner.prepare, []

    def look(items, *, actor):
        plan = prepare(items, actor=actor)
        looks.append([item.source_customer_id for item in items])
        if len(looks) == 1:
            in_threads(1, lambda _: bulk.run(earlier))
        return plan

    monkeypatch.setattr(runner, "prepare", look)
    bulk.run(later)
    assert looks[:2] == [["c1"], ["c5"]]
    assert outcomes(bulk.ledger(colleague, earlier)) == ["UPDATED"]
    assert outcomes(bulk.ledger(owner, later)) == ["CREATED"]


@contextmanager
def being_accepted(owner, *customers: bulk.Body) -> Iterator[str]:
    """A request that has its number, and is not committed before the end; its public id."""
    with ThreadPoolExecutor(1) as pool:
        try:
            commit = pool.submit(ExitStack).result()
            pool.submit(commit.enter_context, transaction.atomic()).result()
            yield pool.submit(bulk.send, owner, *customers).result()
            pool.submit(commit.close).result()
        finally:
            pool.submit(connections.close_all).result()


def test_requests_are_accepted_beside_each_other(owner):
    with being_accepted(owner, customer("c1")):
        bulk.send(owner, customer("c1"))


def test_a_request_that_is_just_being_accepted_counts_as_an_earlier_one(owner):
    """Whoever judges whether a later one must wait waits for its commit."""
    with ThreadPoolExecutor(1) as pool:
        with being_accepted(owner, customer("c1", organizationId="1")) as first:
            second = bulk.send(owner, customer("c1", organizationId="2"))
            done = pool.submit(in_threads, 1, lambda _: bulk.run(second))
            until(waiting_for_a_lock)
        done.result()
    assert bulk.request_of(first).number < bulk.request_of(second).number
    assert bulk.request_of(second).status == "SUBMITTED"
    bulk.run(first, second)
    assert Enrollment.objects.get(customer=bulk.id_of(owner, "c1")).organization_id == "2"


def test_what_is_accepted_after_the_look_is_done_together_with_nothing(owner, monkeypatch):
    """One that it may not overtake may not be seen yet."""
    held = BulkRequest.claim(bulk.request_of(bulk.send(owner, customer())).pk, worker="tester")
    held.start()
    seen = bulk.request_of(bulk.send(owner, customer()))
    latest = ordering.latest
    with ExitStack() as stack:

        def late(request_id):
            number = latest(request_id)
            stack.enter_context(being_accepted(owner, customer("c1")))
            bulk.send(owner, customer("c1"))
            return number

        monkeypatch.setattr(coalescing, "latest", late)
        together = coalescing.claim_together(held)
    assert [part.id for part in together] == [held.pk, seen.pk]


def test_one_far_back_is_compared_with_no_other(owner, django_assert_num_queries):
    """What ends brings the next; it would be looked at by `ready` no sooner."""
    for _ in range(LOOKED_AT):
        last = bulk.request_of(bulk.send(owner, customer()))
    assert not last.is_far_back()
    last = bulk.request_of(bulk.send(owner, customer()))
    with django_assert_num_queries(1):
        assert last.is_far_back()


def test_the_same_request_sent_many_times_at_once_happens_once(owner):
    mine, other = str(uuid4()), str(uuid4())
    bodies = [customer("c1", organizationId=str(number // 4)) for number in range(8)]

    def post(number: int) -> int:
        headers = {"X-CDLX-Request-Id": mine if number < 4 else other}
        answer = owner.api.post(bulk.CUSTOMERS, {"customers": [bodies[number]]}, headers=headers)
        return int(answer.status_code)

    assert in_threads(8, post) == [200] * 8
    found = BulkRequest.objects.order_by("number")
    assert {str(request.public_id) for request in found} == {mine, other}
    assert BulkContent.objects.count() == found.count() == 2


def test_a_customer_that_comes_into_being_meanwhile_is_updated(owner):
    """Somebody creates it through `/v1` between the look and the write."""
    public_id = bulk.send(owner, customer("c1"))
    model = factories.make_customer(owner.account)
    settings = connection.get_connection_params()
    keys = ("dbname", "user", "password", "host", "port")
    columns = ", ".join(str(field.column) for field in written(Customer))
    with psycopg.connect(**{key: settings[key] for key in keys if settings.get(key)}) as other:
        other.execute(
            f"INSERT INTO customers_customer ({columns}) SELECT {columns} FROM ("
            " SELECT (jsonb_populate_record(c, %s)).* FROM customers_customer c WHERE c.id = %s) r",
            [Jsonb({"id": str(bulk.id_of(owner, "c1")), "external_id": "c1"}), model.pk],
        )
        worker = threading.Thread(target=lambda: in_threads(1, lambda _: bulk.run(public_id)))
        worker.start()
        until(waiting_for_a_lock)
        other.commit()
        worker.join()
    assert outcomes(bulk.ledger(owner, public_id)) == ["UPDATED"]


def test_a_customer_that_comes_into_being_between_two_reads_is_updated(owner, monkeypatch):
    """Somebody creates it through `/v1` before its profile is looked for, and after itself was."""
    public_id = bulk.send(owner, customer("c1", firstName="Eva"))
    load_profiles = applying.load_profiles
    body = {"type": "INDIVIDUAL", "externalId": "c1", "firstName": "Ada"}

    def late(*of_batch, **options):
        if not Customer.objects.exists():
            in_threads(1, lambda _: create(owner, ADA | body))
        return load_profiles(*of_batch, **options)

    monkeypatch.setattr(applying, "load_profiles", late)
    bulk.run(public_id)
    assert outcomes(bulk.ledger(owner, public_id)) == ["UPDATED"]


def test_nobody_changes_a_request_while_a_worker_judges_whether_it_must_wait(owner):
    """Else it could be handed back meanwhile, to wait for all, and be done before them."""
    request = bulk.request_of(bulk.send(owner, customer("c1")))
    with ThreadPoolExecutor(1) as pool:
        with locked("customers_businessaccount"):
            claim = pool.submit(in_threads, 1, lambda _: BulkRequest.claim(request.pk, worker="a"))
            until(waiting_for_a_lock)
            with pytest.raises(OperationalError, match="lock"), transaction.atomic():
                BulkRequest.objects.select_for_update(nowait=True).get(pk=request.pk)
        (held,) = claim.result()
    assert held.pk == request.pk


# --- How many statements --------------------------------------------------------------------------


def statements(owner, items: list[bulk.Body], monkeypatch) -> int:
    """How many statements, COPY included, a batch takes in its transaction."""
    count = 0
    execute, copy = psycopg.Cursor.execute, psycopg.Cursor.copy

    def counted_execute(*args, **kwargs):
        nonlocal count
        count += 1
        return execute(*args, **kwargs)

    def counted_copy(*args, **kwargs):
        nonlocal count
        count += 1
        return copy(*args, **kwargs)

    read = read_items(Action.CREATE_CUSTOMERS, items)
    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", counted_execute)
        patch.setattr(psycopg.Cursor, "copy", counted_copy)
        with recorded(owner.actor, via=Via.V2):
            apply(read, actor=owner.actor)
    assert not any(item.problems for item in read)
    return count


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("items", [1, 10, 50])
def test_a_batch_takes_the_same_statements_whatever_its_size(
    owner, each_mode, monkeypatch, items, whole
):
    profile = {
        "firstName": "Ada",
        "emails": ["ada@example.com"],
        "phones": [{"number": "+14155550123", "type": "MOBILE"}],
        "metadata": {"a": "b"},
    }
    extra = profile if whole else {}
    new = [customer(f"c{n}", sourceParentCustomerId="p", **extra) for n in range(items)]
    changed = [
        each | {"organizationId": "9", "postalCode": "1", "firstName": "Eve" if whole else ""}
        for each in copy_with(new, sourcePortfolioId="9", iin="654321")
    ]
    taken = [statements(owner, each, monkeypatch) for each in (new, new, changed)]
    # The actor and its moment, five looks (for cards only where an account is known), the end; then
    # five tables. A profile has six looks, of which a new one needs that for its account alone, a
    # lock on its attributes, and two tables more. A distributed engine is told actor and moment by
    # statements of their own, and has one for locks.
    more = 3 * each_mode
    assert [count - more for count in taken] == ([16, 15, 21] if whole else [13, 9, 14])


def copy_with(items: list[bulk.Body], *, sourcePortfolioId: str, iin: str) -> list[bulk.Body]:  # noqa: N803
    return [
        each
        | {
            "accounts": [
                one
                | {"sourcePortfolioId": sourcePortfolioId}
                | {"cards": [held | {"iin": iin} for held in one["cards"]]}
                for one in each["accounts"]
            ]
        }
        for each in items
    ]

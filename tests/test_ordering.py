"""Which bulk work may overtake which: the rules themselves, without a database."""

import random

from hypothesis import given
from hypothesis import strategies as st

from ingest.ordering import (
    PARENTS,
    SharedTransaction,
    key_of,
    keys_of_entries,
    may_be_written,
    runnable,
)

KEYS = st.none() | st.frozensets(st.sampled_from([PARENTS, 1, 2, 3, 4]), max_size=3)


def conflict(one, other) -> bool:
    return one is None or other is None or not one.isdisjoint(other)


@given(queue=st.lists(KEYS, max_size=12), seed=st.integers(0, 99))
def test_requests_that_share_something_are_done_in_the_order_of_their_acceptance(queue, seed):
    """However many run at a time, whichever ends first, and whatever is done together."""
    chance = random.Random(seed)
    waiting, running, started = dict(enumerate(queue)), {}, []
    while waiting or running:
        unended = sorted((waiting | running).items())
        free = [number for number in runnable(unended) if number in waiting]
        if running and (not free or chance.random() < 0.5):
            del running[chance.choice(sorted(running))]
            continue
        first = chance.choice(free)
        together = [first]
        if queue[first] is not None:
            shared = SharedTransaction(queue[first])
            for number, keys in unended:
                if keys is None:
                    break
                if number != first and shared.takes(keys, is_wanted=number in waiting):
                    together.append(number)
        for number in sorted(together):
            for earlier, keys in unended:
                if earlier < number and earlier not in together:
                    assert not conflict(keys, queue[number])
            running[number] = waiting.pop(number)
        started += together
    assert sorted(started) == list(range(len(queue)))


def test_one_that_may_change_everything_waits_for_all_and_all_wait_for_it():
    assert runnable([(1, None), (2, {7})]) == [1]
    assert runnable([(1, {7}), (2, None), (3, {8})]) == [1]
    assert runnable([(1, set()), (2, None)]) == [1]


def test_what_shares_nothing_overtakes():
    assert runnable([(1, {7}), (2, {7, 8}), (3, {8}), (4, {9})]) == [1, 4]


def test_requests_that_name_parents_may_share_a_transaction_but_not_run_beside_each_other():
    assert runnable([(1, {PARENTS, 7}), (2, {PARENTS, 8})]) == [1]
    assert SharedTransaction({PARENTS, 7}).takes({PARENTS, 8}, is_wanted=True)


def test_nobody_joins_past_one_that_is_passed_over():
    shared = SharedTransaction({7})
    assert not shared.takes({8}, is_wanted=False)
    assert not shared.takes({8, 9}, is_wanted=True)
    assert shared.takes({10}, is_wanted=True)


def test_a_block_is_written_once_all_before_it_are_known_to_share_nothing():
    assert may_be_written({7}, [])
    assert may_be_written({7}, [{8}, set()])
    assert not may_be_written({7}, [{8}, {7}])
    assert not may_be_written({7}, [None])


def test_the_keys_of_a_body_are_what_it_names_as_far_as_it_can_be_read():
    customer = {
        "sourceCustomerId": "c",
        "sourceParentCustomerId": "p",
        "accounts": [{"sourceAccountId": "a"}, {"sourceAccountId": 5}, None],
    }
    found = {key_of("customer", "c"), key_of("account", "a")}
    assert keys_of_entries([customer, 7, {"accounts": "b"}]) == sorted({PARENTS} | found)
    account = {"sourceAccountId": "a"}
    keys = keys_of_entries([account], are_accounts=True, source_customer_id="c")
    assert keys == sorted(found)


def test_stored_keys_are_those_of_earlier_releases():
    assert key_of("customer", "c1") == 244467873485658388

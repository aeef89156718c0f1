"""Whose customers are in a result file, and which of their values."""

import pytest

from customers.criteria import Criteria
from customers.models import BusinessAccount
from search import runner, services
from tests.factories import make_business_account, make_customer
from tests.searches import content, rows, search

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_search_sees_the_tree_as_it_is_when_the_worker_starts(
    owner, storage, child_account, outsider, parent_account
):
    mine = make_customer(owner.account)
    make_customer(parent_account)
    stranger = make_customer(outsider.account)
    moved = make_customer(child_account)
    submitted = services.submit_search(
        actor=owner.actor,
        criteria=Criteria(customer_account_type="INDIVIDUAL"),
        result_format="CSV",
    )
    BusinessAccount.objects.filter(pk=child_account.pk).update(parent=None)
    new = make_business_account("New Branch", parent=owner.account)
    theirs = make_customer(new)
    runner.run(submitted.pk)
    submitted.refresh_from_db()
    found = {row["id"] for row in rows(storage, submitted)}
    assert found == {str(mine.pk), str(theirs.pk)}
    assert str(stranger.pk) not in found
    assert str(moved.pk) not in found
    assert submitted.accounts == sorted([owner.account.pk, new.pk])


def test_a_search_can_be_narrowed_to_a_branch_and_all_below_it(owner, storage, child_account):
    grandchild = make_business_account("Desk", parent=child_account)
    make_customer(owner.account)
    below = [make_customer(child_account), make_customer(grandchild)]
    done = search(owner, business_account_ids=(child_account.pk,))
    assert {row["id"] for row in rows(storage, done)} == {str(c.pk) for c in below}


def test_a_branch_that_was_moved_away_meanwhile_is_not_searched(owner, storage, child_account):
    make_customer(child_account)
    submitted = services.submit_search(
        actor=owner.actor,
        criteria=Criteria(
            customer_account_type="INDIVIDUAL", business_account_ids=(child_account.pk,)
        ),
        result_format="CSV",
    )
    BusinessAccount.objects.filter(pk=child_account.pk).update(parent=None)
    runner.run(submitted.pk)
    submitted.refresh_from_db()
    assert (submitted.status, submitted.rows, submitted.accounts) == ("FINISHED", 0, [])


def test_sensitive_values_are_in_no_file(owner, storage):
    secret = b"sealed-123-45-6789"
    make_customer(
        owner.account,
        social_id_sealed=secret,
        social_id_digest=b"digest",
        social_id_last4="6789",
        security_answer_sealed=secret,
    )
    for result_format in ("CSV", "CSV_EXCEL", "JSON", "NDJSON"):
        data = content(storage, search(owner, result_format))
        assert b"6789" in data
        assert b"sealed" not in data
        assert secret.hex().encode() not in data

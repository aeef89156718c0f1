"""The tree of business accounts has no circle, and who decides what of an account."""

import logging
import threading

import pytest
from django.db import IntegrityError, connection, transaction

from customers.authentication import actor_of
from customers.models import BusinessAccount
from tests import factories
from tests.factories import browser_of

pytestmark = pytest.mark.django_db
EMPTY = {
    "departments-TOTAL_FORMS": 0,
    "departments-INITIAL_FORMS": 0,
    "attribute_definitions-TOTAL_FORMS": 0,
    "attribute_definitions-INITIAL_FORMS": 0,
}


@pytest.fixture
def superuser(account):
    return browser_of(account, is_superuser=True)


def save(browser, account, **changes):
    """Press Save on an account's page, as the browser fills the form in."""
    url = f"/admin/customers/businessaccount/{account.pk}/change/"
    form = browser.get(url).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    filled = {
        name: value for name, value in (values | changes).items() if value not in (None, "", [])
    }
    return browser.post(url, EMPTY | {k: v for k, v in filled.items() if v is not False})


def errors_of(response):
    assert response.status_code == 200
    return response.context["adminform"].form.errors


def test_the_back_office_refuses_an_account_as_its_own_ancestor(superuser, account, child_account):
    for parent in (account, child_account):
        response = save(superuser, account, parent=str(parent.pk))
        assert "parent" in errors_of(response)
    account.refresh_from_db()
    assert account.parent.name == "Parent Holding"


def test_a_superuser_still_moves_an_account_elsewhere(superuser, child_account, parent_account):
    assert save(superuser, child_account, parent=str(parent_account.pk)).status_code == 302
    child_account.refresh_from_db()
    assert child_account.parent_id == parent_account.pk


def test_the_database_refuses_an_account_as_its_own_ancestor(parent_account, child_account):
    with pytest.raises(IntegrityError, match="ancestor"), transaction.atomic():
        BusinessAccount.objects.filter(pk=parent_account.pk).update(parent=child_account)


def test_the_database_refuses_a_circle_that_one_statement_makes(parent_account, account):
    with pytest.raises(IntegrityError), transaction.atomic():
        BusinessAccount.objects.filter(pk=parent_account.pk).update(parent=account)
    first, second = factories.make_business_account(), factories.make_business_account()
    with connection.cursor() as cursor, pytest.raises(IntegrityError), transaction.atomic():
        cursor.execute(
            "UPDATE customers_businessaccount SET parent_id = CASE id WHEN %s THEN %s::uuid"
            " ELSE %s::uuid END WHERE id IN (%s, %s)",
            [first.pk, second.pk, first.pk, first.pk, second.pk],
        )


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_cannot_make_a_circle_together():
    first, second = factories.make_business_account(), factories.make_business_account()
    both_moved = threading.Barrier(2, timeout=30)
    refused = []

    def move(account, parent):
        try:
            with transaction.atomic():
                both_moved.wait()
                BusinessAccount.objects.filter(pk=account.pk).update(parent=parent)
        except IntegrityError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=move, args=pair) for pair in ((first, second), (second, first))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert BusinessAccount.objects.filter(parent=None).count() == 1


def test_a_circle_that_is_there_all_the_same_ends_the_walk_and_is_logged(
    owner, parent_account, account, child_account, caplog
):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20s'")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE customers_businessaccount SET parent_id = %s WHERE id = %s",
            [child_account.pk, parent_account.pk],
        )
    whole = {parent_account.pk, account.pk, child_account.pk}
    with caplog.at_level(logging.ERROR):
        actor = actor_of(owner.token)
    assert set(actor.tree) == whole
    assert "its own ancestor" in caplog.text
    assert str(account.pk) in caplog.text
    found = BusinessAccount.objects.tree_of(account.pk)
    assert set(found.values_list("pk", flat=True)) == whole
    assert owner.api.get("/v1/customers?includeChildren=true").status_code == 200


@pytest.mark.parametrize("role", ["Owner", "Admin"])
def test_nobody_raises_the_own_account_s_limits(account, role):
    save(browser_of(account, role), account, max_running_jobs=32767, description="ours")
    account.refresh_from_db()
    assert (account.max_running_jobs, account.description) == (2, "ours")


def test_the_parent_and_superusers_set_an_account_s_limits(
    superuser, account, parent_account, child_account
):
    assert save(browser_of(parent_account), account, max_running_jobs=5).status_code == 302
    assert save(superuser, child_account, max_running_jobs=6).status_code == 302
    account.refresh_from_db()
    child_account.refresh_from_db()
    assert (account.max_running_jobs, child_account.max_running_jobs) == (5, 6)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("default_region", "QQ"),
        ("default_region", "U"),
        ("name", "\u200b"),
        ("max_running_jobs", 0),
        ("max_running_jobs", 32767),
    ],
)
def test_the_form_of_an_account_checks_what_the_command_checks(superuser, account, field, value):
    assert field in errors_of(save(superuser, account, **{field: value}))


def test_an_owner_gives_the_own_account_a_region_that_exists(account):
    browser = browser_of(account)
    assert "default_region" in errors_of(save(browser, account, default_region="QQ"))
    assert save(browser, account, default_region="FR").status_code == 302
    account.refresh_from_db()
    assert account.default_region == "FR"

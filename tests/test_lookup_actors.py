"""Immediate search: who may send what, and whom it finds for whom."""

import pytest

from config.api.actors import Scope
from customers.models import Customer
from tests import factories
from tests.lookups import (
    SEARCH,
    found,
    make_acme,
    make_ada,
    parameters,
    refused,
    search,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(account) -> Customer:
    return make_ada(account)


@pytest.fixture
def acme(account) -> Customer:
    return make_acme(account)


@pytest.fixture
def agent(account):
    """An employee of the house with the permission View Agent Console."""
    return factories.make_employee_speaker(account, role="Clerk")


# --- Who may send what ----------------------------------------------------------------------------


def test_a_criterion_is_required(owner, agent):
    for speaker in (owner, agent):
        refused(search(speaker.api), "400-112")
        refused(search(speaker.api, _attribute="all", _pagenum="1"), "400-112")


def test_type_alone_is_not_enough(owner):
    assert "type" in refused(search(owner.api, type="individual"), "400-112")


def test_a_client_must_name_a_department_when_departmentalization_is_on(owner, account, ada):
    department = factories.make_department(account, "Returns")
    assert found(owner.api, email="ada@example.com") == [str(ada.pk)]
    assert found(owner.api, email="ada@example.com", department="Returns") == []
    account.departmentalization = True
    account.save()
    assert "department" in refused(search(owner.api, email="ada@example.com"), "400-112")
    Customer.objects.filter(pk=ada.pk).update(department=department)
    assert found(owner.api, email="ada@example.com", department="Returns") == [str(ada.pk)]


def test_department_is_no_criterion(owner, account):
    factories.make_department(account, "Returns")
    refused(search(owner.api, department="Returns"), "400-112")
    refused(search(owner.api, department="Returns", type="group"), "400-112")


def test_an_unknown_department_is_refused(owner, outsider):
    factories.make_department(outsider.account, "Theirs")
    for name in ("Nowhere", "Theirs"):
        assert name in refused(search(owner.api, email="a@b.example", department=name), "400-102")


def test_departments_of_accounts_below_count(parent, account, ada):
    department = factories.make_department(account, "Returns")
    Customer.objects.filter(pk=ada.pk).update(department=department)
    assert found(parent.api, email="ada@example.com", department="Returns") == [str(ada.pk)]


def test_an_employee_cannot_name_a_department(agent, account):
    factories.make_department(account, "Returns")
    answer = search(agent.api, email="a@b.example", department="Returns")
    assert "department" in refused(answer, "400-101")


def test_an_employee_sees_home_and_foreign_departments_when_the_switch_is_on(account, agent):
    home, foreign, other = (factories.make_department(account) for _ in range(3))
    people = {
        each: factories.make_customer(account, department=each)
        for each in (home, foreign, other, None)
    }
    agent.user.department = home
    agent.user.save()
    agent.user.foreign_departments.add(foreign)
    everybody = sorted(str(customer.pk) for customer in people.values())
    assert found(agent.api, email="ada@example.com") == everybody
    account.departmentalization = True
    account.save()
    seen = sorted(str(people[each].pk) for each in (home, foreign))
    assert found(agent.api, email="ada@example.com") == seen
    for each, customer in people.items():
        answer = agent.api.get(f"{SEARCH}/{customer.pk}")
        assert answer.status_code == (200 if each in {home, foreign} else 404)


def test_an_employee_without_a_home_department_sees_all(account, agent):
    account.departmentalization = True
    account.save()
    customer = factories.make_customer(account)
    assert found(agent.api, email="ada@example.com") == [str(customer.pk)]


@pytest.mark.parametrize("role", ["Owner", "Admin", "Manager", "Clerk"])
def test_these_roles_may_search(account, ada, role):
    speaker = factories.make_employee_speaker(account, role=role)
    assert found(speaker.api, email="ada@example.com") == [str(ada.pk)]


@pytest.mark.parametrize("role", ["Finance", "View Only"])
def test_these_roles_lack_the_permission_view_agent_console(account, ada, role):
    speaker = factories.make_employee_speaker(account, role=role)
    message = refused(search(speaker.api, email="ada@example.com"), "403-178")
    assert "View Agent Console" in message


def test_a_token_without_the_scope_is_refused(reader, ada):
    assert Scope.CORE_READ in refused(search(reader.api, email="ada@example.com"), "403-197")


def test_a_signed_in_customer_gets_its_own_record_and_sends_attribute_only(account, ada):
    factories.make_customer(account, email="ada@example.com")
    speaker = factories.make_customer_speaker(ada)
    assert found(speaker.api) == [str(ada.pk)]
    assert found(speaker.api, _attribute="all") == [str(ada.pk)]
    for query in ({"email": "ada@example.com"}, {"_sort": "id"}, {"_pagenum": "1"}):
        refused(search(speaker.api, **query), "400-101")


def test_a_signed_in_customer_cannot_read_by_id_or_lists(ada):
    speaker = factories.make_customer_speaker(ada)
    refused(speaker.api.get(f"{SEARCH}/{ada.pk}"), "403-105")
    refused(speaker.api.get(f"{SEARCH}/attributes", parameters(_attribute="all")), "403-105")


def test_a_signed_in_customer_cannot_ask_for_what_is_about_the_company(ada):
    speaker = factories.make_customer_speaker(ada)
    for name in ("level", "preferredAgent", "howReferred", "created", "createdBy"):
        refused(search(speaker.api, _attribute=name), "400-102")


# --- Tenancy and status ---------------------------------------------------------------------------


def test_customers_of_other_tenants_are_not_found(ada, child, sibling, outsider, parent, owner):
    query = {"email": "ada@example.com"}
    assert found(owner.api, **query) == found(parent.api, **query) == [str(ada.pk)]
    for speaker in (child, sibling, outsider):
        assert found(speaker.api, **query) == []
        refused(speaker.api.get(f"{SEARCH}/{ada.pk}"), "404-100")


def test_suspended_customers_are_found_and_deleted_ones_are_not(owner, ada):
    Customer.objects.filter(pk=ada.pk).update(status="SUSPENDED")
    assert found(owner.api, email="ada@example.com") == [str(ada.pk)]
    Customer.objects.filter(pk=ada.pk).update(status="DELETED")
    assert found(owner.api, email="ada@example.com") == []
    refused(owner.api.get(f"{SEARCH}/{ada.pk}"), "404-100")

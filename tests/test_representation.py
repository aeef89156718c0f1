"""The customer object is the same, byte for byte, on one server and on a distributed engine."""

import importlib.util
import re

import pytest
from django.test import override_settings

from config.db.statements import Statement
from customers import representation
from customers.models import Customer
from tests.nasty import make_everybody

pytestmark = pytest.mark.django_db
WITHOUT_TABLE = re.compile(r"FROM \((SELECT|VALUES)", re.IGNORECASE)


@pytest.fixture
def as_distributed(settings):
    """The module as a process with `KITH_DISTRIBUTED` has it."""
    spec = importlib.util.spec_from_file_location("of_an_engine", representation.__file__)
    module = importlib.util.module_from_spec(spec)
    settings.DISTRIBUTED = True
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def everybody(owner, db):
    """Customers of all kinds and their objects as one server makes them."""
    make_everybody(owner)
    with override_settings(DISTRIBUTED=False):
        customers = Customer.objects.values_list("pk", representation.CustomerObject())
        found = dict(customers)
    assert len(found) > 10
    return found


def test_every_object_is_the_same_text(everybody, as_distributed):
    assert dict(as_distributed.OBJECTS.rows(list(everybody))) == everybody
    customers = Customer.objects.values_list("pk", as_distributed.CustomerObject())
    assert dict(customers) == everybody


def test_an_object_that_is_found_by_a_given_id_is_the_same_text(everybody, as_distributed):
    one = Statement(
        lambda slot: Customer.objects.filter(pk=slot).values_list(
            as_distributed.CustomerObject(slot)
        )
    )
    for customer_id, text in everybody.items():
        assert one.rows(customer_id) == [(text,)]


def test_a_distributed_engine_gets_no_subquery_without_a_table(as_distributed):
    assert WITHOUT_TABLE.search(representation.CUSTOMER_OBJECT)
    assert not WITHOUT_TABLE.search(as_distributed.CUSTOMER_OBJECT)


def test_wherever_rows_of_a_customer_are_looked_for_its_id_is_given(as_distributed):
    slot = representation.Slot(0)
    sql = as_distributed.CustomerObject(slot).sql
    looked_for = re.findall(r"customer_id = (\S+)", sql)
    assert len(looked_for) > 10
    assert set(looked_for) == {"%s::uuid"}

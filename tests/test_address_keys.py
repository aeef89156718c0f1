"""What customers are found by for the cities and countries of their addresses."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.db.online import rows
from customers.models import Address, Change, Customer
from tests import bulk, factories
from tests.customers import HOME, SHIPPING, create, listed, put
from tests.undoing import undo, wrong_keys

pytestmark = pytest.mark.django_db

LYON = HOME | {"cityName": "Lyón", "countryCode": "FRA", "stateCode": None, "zipCode": "69001"}
GREENVILLE = ["city:greenville", "country:USA"]


def keys(customer_id):
    return Customer.objects.get(pk=customer_id).address_keys


def test_they_follow_every_change_of_an_address(owner):
    customer = create(owner, addresses=[HOME, SHIPPING])
    assert keys(customer["id"]) == GREENVILLE
    customer = put(owner, customer, {"addresses": [LYON]})
    assert keys(customer["id"]) == sorted([*GREENVILLE, "city:lyon", "country:FRA"])
    home, parcel, _ = sorted(customer["addresses"], key=lambda each: each["cityName"])
    put(owner, customer, {"addresses": [{"id": home["id"], "cityName": "Springfield"}]})
    assert "city:springfield" in keys(customer["id"])
    for address in (home, parcel):
        url = f"/v1/customers/{customer['id']}/addresses/{address['id']}"
        assert owner.api.delete(url).status_code == 204
    assert keys(customer["id"]) == ["city:lyon", "country:FRA"]


def test_a_change_of_something_else_leaves_them(owner):
    customer = create(owner, addresses=[HOME])
    put(owner, customer, {"lastName": "Byron"})
    assert keys(customer["id"]) == GREENVILLE


def test_both_values_have_to_be_those_of_one_address(owner):
    create(owner, addresses=[HOME, LYON])
    for found, query in (
        (1, {"cityName": "lyon"}),
        (1, {"countryCode": "FRA"}),
        (1, {"cityName": "Lyon", "countryCode": "FRA"}),
        (0, {"cityName": "Lyon", "countryCode": "USA"}),
        (0, {"cityName": "Lyon", "zipCode": HOME["zipCode"]}),
        (1, {"countryCode": "USA", "zipCode": HOME["zipCode"]}),
        (0, {"countryCode": "FRA", "zipCode": HOME["zipCode"]}),
        (0, {"cityName": "lyo"}),
    ):
        assert listed(owner, **query)["totalElements"] == found, query


@pytest.mark.parametrize("query", [{"cityName": "Greenville"}, {"countryCode": "USA"}])
def test_no_address_is_looked_at_for_one_of_them(owner, query):
    customer = create(owner, addresses=[HOME])
    with CaptureQueriesContext(connection) as asked:
        page = listed(owner, **query)
    assert [each["id"] for each in page["content"]] == [customer["id"]]
    conditions = [each["sql"] for each in asked if "address_keys" in each["sql"]]
    assert conditions
    assert not [sql for sql in conditions if "customers_address" in sql]


def test_a_load_keeps_them_for_whom_it_knows_by_country_alone(owner):
    bulk.load(owner, bulk.customer("new"), bulk.customer("moves"))
    customer = bulk.stored(owner, "moves")
    assert customer.address_keys == ["country:USA"]
    factories.make_address(customer, "PHYSICAL", city="Austin")
    moved = bulk.load(owner, bulk.customer("moves", country="CA", postalCode="K1A 0B1"))
    assert bulk.outcomes(moved) == ["UPDATED"]
    # It has one there still.
    assert keys(customer.pk) == ["city:austin", "country:CAN", "country:USA"]
    undo(owner, moved["requestId"])
    assert keys(customer.pk) == ["city:austin", "country:USA"]
    assert wrong_keys() == []


def test_a_load_of_profiles_keeps_them(owner):
    bulk.load(owner, bulk.customer("ada", firstName="Ada", addresses=[LYON]))
    # The country of the load makes an address of its own beside it.
    assert bulk.stored(owner, "ada").address_keys == ["city:lyon", "country:FRA", "country:USA"]


def test_those_of_customers_that_were_there_are_filled_without_a_trace(account, monkeypatch):
    migration = import_module("customers.migrations.0035_address_keys")
    for name in ("FIRST_BATCH", "LARGEST_BATCH", "SMALLEST_BATCH"):
        monkeypatch.setattr(rows, name, 3)
    cities = [
        "Zürich",
        "Ankara",
        "",
        "{Quote\"s, 'and' \\ commas}",
        "東京",
        "ångström",
        "Zürich",
    ]
    for city in cities:
        customer = factories.make_customer(account)
        factories.make_address(customer, city=city)
        factories.make_address(customer, "PHYSICAL", city="Oslo", country="")
    columns = ("address_keys", "version", "updated_at")
    wanted = list(Customer.objects.order_by("id").values_list(*columns))
    recorded = Change.objects.count()
    Customer.objects.update(address_keys=[])
    migration.fill(apps, connection.schema_editor())
    assert list(Customer.objects.order_by("id").values_list(*columns)) == wanted
    assert Change.objects.count() == recorded
    assert Address.objects.count() == 2 * len(cities)

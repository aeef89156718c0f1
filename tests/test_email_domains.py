"""The migration that gives e-mail addresses keys with the domain in ASCII."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from customers.models import Change, ContactPoint, Customer
from tests.customers import ACME, create, listed, put

pytestmark = pytest.mark.django_db

migration = import_module("customers.migrations.0010_email_domains_in_ascii")


def migrate():
    with connection.schema_editor(atomic=False) as editor:
        migration.renew_keys(apps, editor)


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_addresses_that_are_there_get_keys_with_the_domain_in_ascii(owner, monkeypatch, batch):
    monkeypatch.setattr(migration, "BATCH", batch)
    contact = ACME["contacts"][0] | {"primaryEmail": {"value": "Jörg@Bücher.example"}}
    second = {"firstName": "Jo", "lastName": "Ex", "primaryEmail": {"value": "jo@例子.example"}}
    made = [
        create(owner, primaryEmail={"value": "A@bücher.example"}),
        create(owner, primaryEmail={"value": "b@xn--bcher-kva.example"}),
        create(owner, primaryEmail={"value": "ö@example.com"}),
        create(owner, primaryEmail={"value": "plain@example.com"}),
        create(owner, ACME | {"contacts": [contact, second]}),
    ]
    points = {point.id: point.value_key for point in ContactPoint.objects.all()}
    texts = dict(Customer.objects.values_list("pk", "search_text"))
    for point in ContactPoint.objects.filter(kind="EMAIL"):
        old_key = point.value.casefold()
        ContactPoint.objects.filter(pk=point.pk).update(value_key=old_key)
        customer = Customer.objects.get(pk=point.customer_id)
        words = [word for word in customer.search_text.split() if "@" not in word]
        customer.search_text = " ".join(words)
        customer.save(update_fields=["search_text"])
    plain = Customer.objects.filter(pk=made[3]["id"])
    plain.update(search_text="as it was")
    before = Change.objects.count()
    for _ in range(2):
        migrate()
        assert {point.id: point.value_key for point in ContactPoint.objects.all()} == points
        assert plain.get().search_text == "as it was"
        left = Customer.objects.exclude(pk=plain.get().pk)
        assert dict(left.values_list("pk", "search_text")) == {
            key: text for key, text in texts.items() if key != plain.get().pk
        }
    assert Change.objects.count() == before
    (found,) = listed(owner, primaryEmail="a@XN--bcher-kva.example")["content"]
    assert put(owner, found, found) == found == made[0]

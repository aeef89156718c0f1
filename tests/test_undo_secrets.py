"""Undo of sealed values: they come back as they were, and nobody reads them on the way."""

import json
import secrets
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F

from config.db import crypto
from config.db.crypto import SealError, active_header, associated_data, unseal
from customers.change_log import unrecorded
from customers.models import AttributeDefinition, AttributeValue, Change, Contact, Customer
from customers.services.changes import forget_old_secrets
from ingest.undo import runner
from tests import bulk
from tests.bulk import customer, outcomes
from tests.conversions import convert, tables_with
from tests.undoing import registry, undo

pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = "old secret", "new secret"


@pytest.fixture
def definition(account):
    return AttributeDefinition.objects.create(
        business_account=account, name="pin", is_encrypted=True
    )


def secretive(value, **members):
    return customer("c1", customAttributes={"pin": value}, relationship={"pin": value}, **members)


def opened():
    """The attribute and the customer's pin, in clear."""
    row = AttributeValue.objects.get()
    holder = Customer.objects.get()
    return [
        unseal(row.value_sealed, associated_data(AttributeValue, "value_sealed", row.id)),
        unseal(holder.pin_sealed, associated_data(Customer, "pin_sealed", holder.id)),
    ]


@pytest.fixture
def load(owner, definition):
    """A load that replaced sealed values, after one that made them."""
    assert outcomes(bulk.load(owner, secretive(OLD))) == ["CREATED"]
    return bulk.load(owner, secretive(NEW))


def test_sealed_values_come_back_without_being_opened(owner, load, monkeypatch):
    assert opened() == [NEW, NEW]
    after = registry()

    def refuse(*_):
        raise AssertionError("a sealed value was opened")

    with monkeypatch.context() as patch:
        patch.setattr(crypto, "unseal_bytes", refuse)
        patch.setattr(crypto, "seal_bytes", refuse)
        done = undo(owner, load["requestId"])
    assert outcomes(done) == ["UPDATED"]
    assert opened() == [OLD, OLD]
    assert tables_with(OLD) == tables_with(NEW) == []
    undo(owner, done["requestId"])
    assert registry() == after


def test_a_customer_that_went_returns_with_its_secrets(owner, definition):
    load = bulk.load(owner, secretive(OLD))
    after = registry()
    first = undo(owner, load["requestId"])
    assert not AttributeValue.objects.exists()
    assert outcomes(undo(owner, first["requestId"])) == ["CREATED"]
    assert registry() == after
    assert opened() == [OLD, OLD]


def test_social_ids_come_back_with_what_they_are_found_by(owner, account):
    contact = {"firstName": "Ada", "lastName": "Lovelace"}
    bulk.load(owner, customer("c1", **contact))
    person = f"/v1/customers/{bulk.id_of(owner, 'c1')}"
    answer = owner.api.put(person, {"socialId": "123-45-6789", "socialIdCountryCode": "USA"})
    assert answer.status_code == 200, answer.content
    before = registry()
    found = Contact.objects.get()
    assert found.social_id_digest
    with unrecorded():
        pass
    load = bulk.load(owner, customer("c1", firstName="Augusta"))
    assert registry() != before
    assert outcomes(undo(owner, load["requestId"])) == ["UPDATED"]
    assert registry() == before


def test_what_changed_before_the_log_kept_sealed_values_is_not_undoable(owner, load):
    Change.objects.update(sealed=None, kept=None)
    done = undo(owner, load["requestId"])
    assert outcomes(done) == ["FAILED"]
    assert {each["code"] for each in done["items"][0]["errors"]} == {"NOT_UNDOABLE"}
    assert opened() == [NEW, NEW]


@pytest.mark.parametrize("to_encrypted", [True, False])
def test_what_was_converted_since_is_not_undoable(owner, account, to_encrypted):
    made = AttributeDefinition.objects.create(
        business_account=account, name="pin", is_encrypted=not to_encrypted
    )
    bulk.load(owner, customer("c1", customAttributes={"pin": OLD}), customer("c2"))
    load = bulk.load(
        owner, customer("c1", customAttributes={"pin": NEW}), customer("c2", country="CA")
    )
    convert(owner, made, to_encrypted=to_encrypted)
    done = undo(owner, load["requestId"])
    assert outcomes(done) == ["FAILED", "UPDATED"]
    assert done["items"][0]["errors"][0]["code"] == "NOT_UNDOABLE"


def test_a_value_of_an_attribute_that_was_deleted_does_not_come_back(owner, load, definition):
    with unrecorded():
        AttributeValue.objects.all().delete()
        AttributeDefinition.objects.filter(pk=definition.pk).delete()
    done = undo(owner, load["requestId"])
    assert [each["code"] for each in done["items"][0]["errors"]] == ["CHANGED_SINCE"]


def test_key_rotation_seals_what_the_change_log_keeps_anew(owner, load, settings):
    settings.ENCRYPTION_KEYS = {"new": secrets.token_bytes(32), **settings.ENCRYPTION_KEYS}
    call_command("rotate_encryption_keys", stdout=StringIO())
    settings.ENCRYPTION_KEYS = {"new": settings.ENCRYPTION_KEYS["new"]}
    for change in Change.objects.filter(sealed__isnull=False):
        for text in change.sealed.values():
            assert bytes.fromhex(text.removeprefix("\\x")).startswith(active_header())
    assert outcomes(undo(owner, load["requestId"])) == ["UPDATED"]
    assert opened() == [OLD, OLD]


def test_rotation_names_what_the_change_log_keeps_and_does_not_open(owner, load, settings):
    settings.ENCRYPTION_KEYS = {"new": secrets.token_bytes(32)}
    messages = StringIO()
    with pytest.raises(Exception, match="4 values cannot be opened"):
        call_command("rotate_encryption_keys", stdout=StringIO(), stderr=messages)
    with pytest.raises(SealError):
        opened()


def test_sealed_values_are_forgotten_when_nobody_can_undo_any_more(owner, load, settings):
    assert Change.objects.filter(sealed__isnull=False).count() == 2
    assert forget_old_secrets() == 0
    Change.objects.update(at=F("at") - timedelta(days=settings.UNDO_DAYS + 1))
    assert forget_old_secrets() == 2
    assert not Change.objects.filter(sealed__isnull=False).exists()


def test_the_history_shows_nothing_of_what_is_kept(owner, load):
    url = f"/v1/customers/{bulk.id_of(owner, 'c1')}/history"
    body = owner.api.get(url).content.decode()
    kept = Change.objects.filter(sealed__isnull=False).values_list("sealed", flat=True)
    assert kept
    for sealed in kept:
        assert not [text for text in sealed.values() if json.dumps(text).strip('"') in body]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_change WHERE before::text LIKE '%secret%'")
        assert cursor.fetchone() == (0,)
    assert runner.reason_of(bulk.request_of(load["requestId"])) not in body

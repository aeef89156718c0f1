"""What is encrypted and hashed at rest, and the change from one key to the next."""

import json
import secrets
from io import StringIO

import pytest
from django.contrib.auth.hashers import check_password, get_hasher, make_password
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from config.db.crypto import SealError, active_header, associated_data, blind_index, seal, unseal
from customers.fields import Digest, HashedField
from customers.management.commands import rotate_encryption_keys
from customers.models import AttributeDefinition, AttributeValue, Change, Contact, Customer
from tests import factories

HERE = "customers_contact.social_id_sealed:1"


@pytest.fixture
def new_key_first(settings):
    settings.ENCRYPTION_KEYS = {"new": secrets.token_bytes(32), **settings.ENCRYPTION_KEYS}


# --- Sealing --------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_opens_in_its_place(text):
    assert unseal(seal(text, HERE), HERE) == text


def test_the_same_text_is_never_sealed_the_same():
    assert seal("123-45-6789", HERE) != seal("123-45-6789", HERE)


def test_the_text_cannot_be_seen():
    assert b"123-45-6789" not in seal("123-45-6789", HERE)


def test_a_value_moved_elsewhere_does_not_open():
    with pytest.raises(SealError, match="another column or row"):
        unseal(seal("123-45-6789", HERE), "customers_contact.social_id_sealed:2")


def test_a_value_with_any_byte_changed_does_not_open():
    sealed = seal("123-45-6789", HERE)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealError):
            unseal(bytes(changed), HERE)


@given(st.binary(max_size=60))
def test_rubbish_does_not_open(rubbish):
    for value in (rubbish, active_header() + rubbish):
        with pytest.raises(SealError):
            unseal(value, HERE)


@pytest.mark.usefixtures("new_key_first")
def test_the_first_key_seals_and_all_of_them_open(settings):
    new = seal("x", HERE)
    assert new.startswith(active_header())
    newest = settings.ENCRYPTION_KEYS.pop("new")
    old = seal("x", HERE)
    with pytest.raises(SealError, match="no key"):
        unseal(new, HERE)
    settings.ENCRYPTION_KEYS["new"] = newest
    assert unseal(new, HERE) == unseal(old, HERE) == "x"


def test_a_blind_index_finds_by_value_in_any_spelling():
    assert blind_index("123-45-6789") == blind_index(" 123 45 6789") == blind_index("123456789")
    assert blind_index("AB12") == blind_index("ab12")
    assert blind_index("123-45-6789") != blind_index("123-45-6780")


def test_a_blind_index_is_of_no_use_without_its_key(settings):
    before = blind_index("123-45-6789")
    settings.BLIND_INDEX_KEY = secrets.token_bytes(32)
    assert blind_index("123-45-6789") != before


# --- Hashing --------------------------------------------------------------------------------------


def test_a_machine_s_secret_is_hashed_with_a_salt_and_recognised():
    first, second = (make_password("s3cret", hasher="machine_secret") for _ in range(2))
    assert first != second
    assert "s3cret" not in first
    assert check_password("s3cret", first)
    assert not check_password("S3cret", first)
    assert not check_password("", first)
    assert get_hasher("machine_secret").safe_summary(first) == {"algorithm": "machine_secret"}


def test_people_s_passwords_get_a_slow_hash():
    assert make_password("correct horse battery staple").startswith("scrypt$")


def test_a_hashed_column_hashes_once():
    field = HashedField()
    digest = field.get_prep_value("code")
    assert len(digest) == 64
    assert field.get_prep_value(Digest(digest)) == digest
    assert field.get_prep_value(None) is None
    assert field.from_db_value(None) is None


# --- rotate_encryption_keys -----------------------------------------------------------------------

SEALED = {
    "social_id_sealed": "123-45-6789",
    "security_answer_sealed": "Rosebud",
}


def make_secretive_customer(account) -> Customer:
    """A customer with something in every sealed column."""
    customer = factories.make_customer(account)
    contact = Contact.objects.get(customer=customer)
    for column, text in SEALED.items():
        sealed = seal(text, associated_data(Contact, column, contact.id))
        Contact.objects.filter(pk=contact.pk).update(**{column: sealed})
    definition, _ = AttributeDefinition.objects.get_or_create(
        business_account=account, name="secret", is_encrypted=True
    )
    value = AttributeValue(
        customer=customer,
        definition=definition,
        created_at=customer.created_at,
        updated_at=customer.created_at,
    )
    value.value_sealed = seal("blue", associated_data(AttributeValue, "value_sealed", value.id))
    value.save()
    return customer


def opened(customer: Customer) -> list[str]:
    contact = Contact.objects.get(customer=customer)
    value = AttributeValue.objects.get(customer=customer)
    return [
        *(
            unseal(getattr(contact, name), associated_data(Contact, name, contact.id))
            for name in SEALED
        ),
        unseal(value.value_sealed, associated_data(AttributeValue, "value_sealed", value.id)),
    ]


def rotate() -> dict[str, object]:
    out = StringIO()
    call_command("rotate_encryption_keys", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


@pytest.mark.django_db
@pytest.mark.usefixtures("new_key_first")
def test_rotation_seals_everything_under_the_new_key(account, settings, monkeypatch):
    monkeypatch.setattr(rotate_encryption_keys, "BATCH", 2)
    new_key = settings.ENCRYPTION_KEYS.pop("new")
    customers = [make_secretive_customer(account) for _ in range(5)]
    plain = factories.make_customer(account)
    old = dict(settings.ENCRYPTION_KEYS)
    settings.ENCRYPTION_KEYS = {"new": new_key, **old}
    assert rotate() == {"activeKey": "new", "resealed": 15, "failed": 0}
    settings.ENCRYPTION_KEYS = {"new": new_key}
    for customer in customers:
        assert opened(customer) == [*SEALED.values(), "blue"]
    assert Contact.objects.get(customer=plain).social_id_sealed is None
    # Again, there is nothing to do.
    assert rotate() == {"activeKey": "new", "resealed": 0, "failed": 0}


@pytest.mark.django_db
def test_rotation_leaves_no_trace_in_the_record(account, settings):
    customer = make_secretive_customer(account)
    before = list(Change.objects.values_list("id", flat=True))
    stamp = Customer.objects.values_list("version", "updated_at").get(pk=customer.pk)
    settings.ENCRYPTION_KEYS = {"new": secrets.token_bytes(32), **settings.ENCRYPTION_KEYS}
    assert rotate()["resealed"] == 3
    assert list(Change.objects.values_list("id", flat=True)) == before
    assert Customer.objects.values_list("version", "updated_at").get(pk=customer.pk) == stamp
    # And the change log goes on afterwards.
    Customer.objects.filter(pk=customer.pk).update(industry="Banking")
    assert Change.objects.count() == len(before) + 1


@pytest.mark.django_db
def test_what_does_not_open_is_named_and_does_not_stop_the_rest(account, settings):
    good, bad = make_secretive_customer(account), make_secretive_customer(account)
    contact = Contact.objects.get(customer=bad)
    # The change log keeps what was there before.
    Contact.objects.filter(pk=contact.pk).update(social_id_sealed=seal("x", "elsewhere"))
    settings.ENCRYPTION_KEYS = {"new": secrets.token_bytes(32), **settings.ENCRYPTION_KEYS}
    messages = StringIO()
    with pytest.raises(CommandError, match=r"1 values cannot be opened.*6 others"):
        call_command("rotate_encryption_keys", stdout=StringIO(), stderr=messages)
    assert associated_data(Contact, "social_id_sealed", contact.id) in messages.getvalue()
    assert opened(good) == [*SEALED.values(), "blue"]

"""While an attribute is converted, everything reads, writes and searches as before."""

import secrets

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connections

from customers import conversion
from customers.models import AttributeConversion, AttributeDefinition, Change
from tests import bulk
from tests.conversions import (
    BOTH,
    Status,
    color,
    convert,
    finish,
    forms,
    halfway,
    history,
    listed,
    put,
    submit,
    tables_with,
)
from tests.customers import create
from tests.searches import content, rows, search

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def five(owner, confidant, define, small_batches):
    """Five customers with a color each, by id, whose conversion was left after two."""

    def make(*, to_encrypted: bool) -> tuple[dict[str, str], AttributeConversion]:
        definition = define(is_encrypted=not to_encrypted)
        values = {}
        for n in range(5):
            customer = create(confidant, customAttributes={"color": f"azure-{n}"})
            values[customer["id"]] = f"azure-{n}"
        job = halfway(owner, definition, to_encrypted=to_encrypted)
        assert sorted(forms().values()) == sorted([to_encrypted] * 2 + [not to_encrypted] * 3)
        return values, job

    return make


@BOTH
def test_meanwhile_both_forms_read_alike(owner, confidant, five, storage, to_encrypted):
    values, job = five(to_encrypted=to_encrypted)
    for customer_id, value in values.items():
        assert color(owner, customer_id) == ""
        assert color(confidant, customer_id) == value
        for speaker in (owner, confidant):
            assert history(speaker, customer_id) == [("created", None, "***")]
    assert listed(owner) == dict.fromkeys(values, "")
    assert listed(confidant) == values
    for speaker in (owner, confidant):
        page = speaker.api.get("/v1/customers", {"customAttribute": "color:azure-1"})
        assert page.status_code == 400
        for result_format in ("CSV", "CSV_EXCEL", "JSON", "NDJSON"):
            done = search(speaker, result_format)
            assert done.rows == 5
            assert b"azure" not in content(storage, done)
        cells = {row["id"]: row["customAttributes"] for row in rows(storage, search(speaker))}
        assert cells == dict.fromkeys(values, '{"color": ""}')
    finish(job)
    assert listed(confidant) == values


@BOTH
def test_what_is_written_meanwhile_lands_in_the_new_form(owner, confidant, five, to_encrypted):
    values, job = five(to_encrypted=to_encrypted)
    old = [pk for pk, sealed in forms().items() if sealed is not to_encrypted]
    new = [pk for pk, sealed in forms().items() if sealed is to_encrypted]
    # Of those that are converted and those that are not: changed, removed, sent back, left alone.
    for pks, name in ((old, "old"), (new, "new")):
        put(owner, pks[0], color=f"indigo-{name}")
        values[pks[0]] = f"indigo-{name}"
        assert color(confidant, pks[0]) == values[pks[0]]
        assert color(owner, pks[0]) == ""
        assert forms()[pks[0]] is to_encrypted
        assert history(confidant, pks[0])[-1] == ("updated", "***", "***")
    before = Change.objects.count()
    put(owner, old[1], color="")
    put(confidant, old[1], color=values[old[1]])
    put(confidant, new[1], color=values[new[1]])
    assert Change.objects.count() == before
    put(owner, old[2], color=None)
    del values[old[2]]
    fresh = create(owner, customAttributes={"color": "indigo-fresh"})["id"]
    assert forms()[fresh] is to_encrypted
    values[fresh] = "indigo-fresh"
    loaded = bulk.customer(firstName="Ada", customAttributes={"color": "indigo-bulk"})
    bulk.load(owner, loaded)
    pk = str(bulk.id_of(owner, loaded["sourceCustomerId"]))
    assert forms()[pk] is to_encrypted
    bulk.done(owner, bulk.put(owner, loaded | {"customAttributes": {"color": "indigo-2"}}))
    values[pk] = "indigo-2"

    finish(job)

    assert set(forms().values()) == {to_encrypted}
    shown = {pk: value for pk, value in listed(confidant).items() if value}
    assert shown == values
    if to_encrypted:
        assert tables_with("azure") == tables_with("indigo") == []
        assert {value for value in listed(owner).values() if value} == set()
    else:
        assert {pk: value for pk, value in listed(owner).items() if value} == values


@BOTH
def test_keys_can_be_rotated_meanwhile(owner, confidant, five, settings, to_encrypted):
    values, job = five(to_encrypted=to_encrypted)
    new = secrets.token_bytes(32)
    settings.ENCRYPTION_KEYS = {"new": new, **settings.ENCRYPTION_KEYS}
    call_command("rotate_encryption_keys")
    settings.ENCRYPTION_KEYS = {"new": new}
    assert listed(confidant) == values
    finish(job)
    assert listed(confidant) == values


@BOTH
def test_a_conversion_that_was_left_can_be_turned_round(owner, confidant, five, to_encrypted):
    values, job = five(to_encrypted=to_encrypted)
    job.abort("CANCELLED", "It was cancelled.")
    definition = AttributeDefinition.objects.get()
    assert listed(confidant) == values
    assert convert(owner, definition, to_encrypted=not to_encrypted).status == Status.FINISHED
    assert definition.is_encrypted is not to_encrypted
    assert set(forms().values()) == {not to_encrypted}
    assert listed(confidant) == values


def test_values_that_somebody_is_writing_are_waited_for(owner, confidant, five, monkeypatch):
    """But not for their locks, lest each wait for the other."""
    values, job = five(to_encrypted=True)
    writer = connections.create_connection("default")
    left = [pk for pk, sealed in forms().items() if not sealed]
    passes = []

    class Pause:
        def wait(self, _seconds):
            passes.append(forms()[left[0]])
            writer.commit()

    monkeypatch.setattr(conversion, "PAUSE", Pause())
    try:
        writer.set_autocommit(False)
        with writer.cursor() as cursor:
            cursor.execute(
                "SELECT FROM customers_attributevalue WHERE customer_id = %s FOR UPDATE", [left[0]]
            )
        finish(job)
    finally:
        writer.close()
    assert passes == [False]
    assert set(forms().values()) == {True}
    assert listed(confidant) == values


def test_a_long_conversion_hands_itself_back_and_goes_on(owner, confidant, five, monkeypatch):
    values, job = five(to_encrypted=True)
    with monkeypatch.context() as patch:
        patch.setattr(conversion, "MOST_SECONDS", -1)
        for _ in range(5):
            conversion.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.attempts) == (Status.STARTED, 1)
    finish(job)
    assert listed(confidant) == values


def test_an_attribute_is_not_deleted_meanwhile(owner, five):
    _, job = five(to_encrypted=True)
    with pytest.raises(IntegrityError, match="being converted"):
        AttributeDefinition.objects.get().delete()
    finish(job)
    AttributeDefinition.objects.get().delete()
    job.refresh_from_db()
    assert job.definition is None


def test_a_conversion_of_an_attribute_that_was_deleted_before_says_so(owner, define):
    definition = define(is_encrypted=False)
    job = submit(owner, definition, to_encrypted=True)
    definition.delete()
    conversion.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "ATTRIBUTE_DELETED")

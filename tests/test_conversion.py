"""Encrypting the values of a custom attribute, and decrypting them: before, meanwhile and after.

What is halfway is made by a real job that was left after its first batch.
"""

import importlib
import json
import secrets
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction
from django.db.models.functions import Now

from config.crypto import place, seal, unseal
from config.errors import Conflict
from config.jobs import Job
from customers import conversion
from customers.conversion import NOWHERE
from customers.models import (
    AttributeConversion,
    AttributeDefinition,
    AttributeValue,
    Change,
    Contact,
    Customer,
)
from customers.profile import Profile
from customers.services.attributes import convert_attribute
from tests import bulk
from tests.test_customers_api import create
from tests.test_search_files import content, rows, search

pytestmark = pytest.mark.django_db(transaction=True)

Status = Job.Status
BOTH = pytest.mark.parametrize("to_encrypted", [True, False], ids=["encrypting", "decrypting"])


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(conversion, "BATCH", 2)
    monkeypatch.setattr(conversion, "CHANGES", 3)


@pytest.fixture
def define(account):
    def make(*, is_encrypted: bool) -> AttributeDefinition:
        return AttributeDefinition.objects.create(
            business_account=account, name="color", is_encrypted=is_encrypted
        )

    return make


def submit(speaker, definition: AttributeDefinition, *, to_encrypted: bool) -> AttributeConversion:
    return convert_attribute(actor=speaker.actor, definition=definition, to_encrypted=to_encrypted)


def convert(speaker, definition: AttributeDefinition, *, to_encrypted: bool) -> AttributeConversion:
    """A conversion that was submitted and done."""
    job = submit(speaker, definition, to_encrypted=to_encrypted)
    conversion.run(job.pk)
    job.refresh_from_db()
    definition.refresh_from_db()
    return job


def halfway(speaker, definition: AttributeDefinition, *, to_encrypted: bool) -> AttributeConversion:
    """A conversion whose worker has died after two values."""
    job = submit(speaker, definition, to_encrypted=to_encrypted)
    held = AttributeConversion.claim(job.pk, worker="dead")
    assert held is not None
    held.start()
    conversion.switch(held, lambda: None)
    conversion.convert_batch(held, (NOWHERE, NOWHERE))
    AttributeConversion.objects.filter(pk=job.pk).update(lease_until=Now())
    definition.refresh_from_db()
    return held


def finish(job: AttributeConversion) -> AttributeConversion:
    conversion.run(job.pk)
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FINISHED, "")
    return job


def color(speaker, customer_id: str) -> str:
    return speaker.api.get(f"/v1/customers/{customer_id}").json()["customAttributes"]["color"]


def listed(speaker) -> dict[str, str]:
    page = speaker.api.get("/v1/customers", {"size": 200}).json()
    return {each["id"]: each["customAttributes"].get("color") for each in page["content"]}


def put(speaker, customer_id: str, **attributes: str | None):
    answer = speaker.api.put(f"/v1/customers/{customer_id}", {"customAttributes": attributes})
    assert answer.status_code == 200, answer.content
    return answer.json()


def history(speaker, customer_id: str) -> list[tuple[str, str | None, str | None]]:
    """The changes of attribute values, oldest first."""
    page = speaker.api.get(f"/v1/customers/{customer_id}/history", {"size": 200}).json()
    return [
        (change["operation"], field["from"], field["to"])
        for change in reversed(page["content"])
        if change["entity"] == "attributeValue"
        for field in change["changes"]
        if field["field"] == "value"
    ]


def forms() -> dict[str, bool]:
    """Whether a customer's value is sealed."""
    found = AttributeValue.objects.values_list("customer_id", "value", "value_sealed")
    assert all((value == "") == (sealed is not None) for _, value, sealed in found)
    return {str(customer_id): sealed is not None for customer_id, _, sealed in found}


def tables_with(text: str) -> list[str]:
    """The tables that have a row with this text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in cursor.fetchall()]
        found = []
        for name in names:
            cursor.execute(
                f"SELECT count(*) FROM {name} stored WHERE stored::text LIKE %s", [f"%{text}%"]
            )
            if cursor.fetchone()[0]:
                found.append(name)
    return found


# --- The switch -----------------------------------------------------------------------------------


@BOTH
def test_the_switch_is_refused_in_place_by_the_model_and_by_the_database(define, to_encrypted):
    definition = define(is_encrypted=not to_encrypted)
    definition.is_encrypted = to_encrypted
    with pytest.raises(ValidationError, match="Encrypt values"):
        definition.full_clean()
    with pytest.raises(IntegrityError, match="by a conversion only"):
        definition.save()
    with pytest.raises(IntegrityError, match="by a conversion only"):
        AttributeDefinition.objects.update(is_encrypted=to_encrypted)
    definition.refresh_from_db()
    assert definition.is_encrypted is not to_encrypted
    definition.name = "colour"
    definition.full_clean()
    definition.save()


def test_an_attribute_is_converted_by_one_job_at_a_time(owner, define):
    definition = define(is_encrypted=False)
    with pytest.raises(Conflict, match="in clear already"):
        submit(owner, definition, to_encrypted=False)
    submit(owner, definition, to_encrypted=True)
    with pytest.raises(Conflict, match="being converted"):
        submit(owner, definition, to_encrypted=True)
    assert AttributeConversion.objects.count() == 1


def test_the_job_is_the_attribute_s_account_s(parent, define):
    job = convert(parent, define(is_encrypted=False), to_encrypted=True)
    assert job.business_account_id != parent.account.pk
    assert job.business_account_id == job.definition.business_account_id


def test_the_switch_waits_for_whoever_read_the_attribute_as_it_was(owner, define):
    definition = define(is_encrypted=False)
    job = submit(owner, definition, to_encrypted=True)
    held = AttributeConversion.claim(job.pk, worker="here")
    writer = connections.create_connection("default")
    looks = []

    def check():
        looks.append(1)
        definition.refresh_from_db()
        assert not definition.is_encrypted
        if len(looks) == 2:
            writer.rollback()

    try:
        writer.set_autocommit(False)
        with writer.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))",
                [f"attributes:{definition.business_account_id}"],
            )
        held.start()
        conversion.switch(held, check)
    finally:
        writer.close()
    assert len(looks) == 2
    definition.refresh_from_db()
    assert (definition.is_encrypted, definition.conversion) == (True, "ENCRYPTING")


def test_a_writer_holds_the_attributes_until_its_transaction_ends(customer, define):
    define(is_encrypted=False)
    with transaction.atomic():
        assert list(Profile.load(Customer.objects.get(pk=customer.pk)).definitions) == ["color"]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'"
                " AND pid = pg_backend_pid()"
            )
            assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("is_encrypted", [True, False])
def test_the_database_refuses_a_value_in_the_wrong_form(customer, define, is_encrypted):
    definition = define(is_encrypted=is_encrypted)
    now = datetime.now(UTC)
    stored = {"value": "blue"} if is_encrypted else {"value_sealed": b"\1"}
    with pytest.raises(IntegrityError, match="must be sealed"):
        AttributeValue.objects.create(
            customer=customer, definition=definition, created_at=now, updated_at=now, **stored
        )


def test_a_value_is_never_there_in_both_forms(customer, define):
    now = datetime.now(UTC)
    with pytest.raises(IntegrityError, match="attribute_value_sealed_or_clear"):
        AttributeValue.objects.create(
            customer=customer,
            definition=define(is_encrypted=True),
            value="blue",
            value_sealed=b"\1",
            created_at=now,
            updated_at=now,
        )


# --- Afterwards -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_batches")
def test_after_encrypting_no_value_is_left_in_clear_anywhere(owner, confidant, define):
    definition = define(is_encrypted=False)
    ids = [create(owner, customAttributes={"color": f"azure-{n}"})["id"] for n in range(5)]
    put(owner, ids[0], color="azure-new")
    put(owner, ids[1], color=None)
    assert history(owner, ids[1]) == [("created", None, "azure-1"), ("deleted", "azure-1", None)]
    before = {pk: len(history(owner, pk)) for pk in ids}
    stamps = list(Customer.objects.order_by("id").values_list("version", "updated_at"))

    job = convert(owner, definition, to_encrypted=True)

    assert (job.status, job.converted, job.masked) == (Status.FINISHED, 4, 7)
    assert (definition.is_encrypted, definition.conversion) == (True, "")
    assert set(forms().values()) == {True}
    assert tables_with("azure") == []
    whole = {ids[0]: "azure-new", ids[1]: None} | {ids[n]: f"azure-{n}" for n in (2, 3, 4)}
    assert listed(confidant) == whole
    assert listed(owner) == {pk: value and "" for pk, value in whole.items()}
    assert history(confidant, ids[0]) == [("created", None, "***"), ("updated", "***", "***")]
    assert history(owner, ids[1]) == [("created", None, "***"), ("deleted", "***", None)]
    assert {pk: len(history(owner, pk)) for pk in ids} == before
    assert list(Customer.objects.order_by("id").values_list("version", "updated_at")) == stamps


@pytest.mark.usefixtures("small_batches")
def test_other_attributes_keep_their_values_and_their_history(owner, account, define):
    definition = define(is_encrypted=False)
    AttributeDefinition.objects.create(business_account=account, name="tier")
    ada = create(owner, customAttributes={"color": "azure", "tier": "golden"})
    convert(owner, definition, to_encrypted=True)
    assert owner.api.get(f"/v1/customers/{ada['id']}").json()["customAttributes"] == {
        "color": "",
        "tier": "golden",
    }
    assert set(history(owner, ada["id"])) == {("created", None, "***"), ("created", None, "golden")}


@pytest.mark.usefixtures("small_batches")
def test_after_decrypting_everybody_sees_and_finds_the_values(owner, confidant, define):
    definition = define(is_encrypted=True)
    ids = [create(confidant, customAttributes={"color": f"azure-{n}"})["id"] for n in range(5)]
    job = convert(owner, definition, to_encrypted=False)
    assert (job.status, job.converted) == (Status.FINISHED, 5)
    assert (definition.is_encrypted, definition.conversion) == (False, "")
    assert set(forms().values()) == {False}
    expected = {pk: f"azure-{n}" for n, pk in enumerate(ids)}
    assert listed(owner) == listed(confidant) == expected
    found = owner.api.get("/v1/customers", {"customAttribute": "color:azure-3"}).json()
    assert [each["id"] for each in found["content"]] == [ids[3]]
    # What was masked when it was recorded stays so.
    put(owner, ids[0], color="indigo")
    assert history(owner, ids[0]) == [("created", None, "***"), ("updated", "azure-0", "indigo")]


def test_there_and_back_again_changes_no_value(owner, define):
    definition = define(is_encrypted=False)
    ada = create(owner, customAttributes={"color": "azure"})["id"]
    convert(owner, definition, to_encrypted=True)
    convert(owner, definition, to_encrypted=False)
    assert color(owner, ada) == "azure"
    assert history(owner, ada) == [("created", None, "***")]


# --- Meanwhile ------------------------------------------------------------------------------------


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


# --- Values that cannot be read -------------------------------------------------------------------


@pytest.fixture
def broken(confidant, define, storage):
    """A customer whose sealed values no key opens, beside one that is well."""
    define(is_encrypted=True)
    sensitive = {
        "socialId": "123-45-6789",
        "socialIdCountryCode": "USA",
        "securityAnswer": "Rosebud",
    }
    bad, good = (
        create(confidant, **sensitive, customAttributes={"color": "azure"})["id"] for _ in range(2)
    )
    elsewhere = seal("x", "elsewhere")
    Contact.objects.filter(customer=bad).update(
        social_id_sealed=elsewhere, security_answer_sealed=elsewhere
    )
    AttributeValue.objects.filter(customer=bad).update(value_sealed=elsewhere)
    return bad, good


def test_what_cannot_be_read_is_masked_and_takes_no_page_down(
    owner, confidant, broken, storage, caplog
):
    bad, good = broken
    page = confidant.api.get("/v1/customers").json()["content"]
    shown = {each["id"]: each for each in page}
    for pk, expected in (
        (bad, ("6789", "", "")),
        (good, ("123-45-6789", "Rosebud", "azure")),
    ):
        one = confidant.api.get(f"/v1/customers/{pk}").json()
        assert one == shown[pk]
        assert (
            one["socialId"],
            one["securityAnswer"],
            one["customAttributes"]["color"],
        ) == expected
        assert history(confidant, pk)
    problems = [record for record in caplog.records if record.levelname == "ERROR"]
    assert {record.name for record in problems} == {"config.crypto"}
    # Two requests, three values each.
    assert len(problems) == 6
    assert search(confidant, "JSON").rows == 2
    assert confidant.api.put(f"/v1/customers/{bad}", shown[bad]).status_code == 200


def test_what_cannot_be_read_can_be_replaced(confidant, broken):
    bad, _ = broken
    fresh = {
        "socialId": "987-65-4321",
        "securityAnswer": "Xanadu",
        "customAttributes": {"color": "indigo"},
    }
    assert confidant.api.put(f"/v1/customers/{bad}", fresh).status_code == 200
    changed = confidant.api.get(f"/v1/customers/{bad}").json()
    assert {name: changed[name] for name in fresh} == fresh


def test_an_attribute_with_an_unreadable_value_stays_masked(owner, confidant, broken):
    bad, good = broken
    definition = AttributeDefinition.objects.get()
    job = convert(owner, definition, to_encrypted=False)
    assert (job.status, job.error_code, job.unreadable) == (
        Status.FAILED,
        "UNREADABLE_VALUES",
        1,
    )
    assert "1 values cannot be opened" in job.error_message
    assert definition.is_encrypted
    assert color(owner, good) == color(owner, bad) == color(confidant, bad) == ""
    assert color(confidant, good) == "azure"
    # It goes on where it was left once nothing stands in its way.
    put(confidant, bad, color="indigo")
    assert convert(owner, definition, to_encrypted=False).status == Status.FINISHED
    assert (color(owner, good), color(owner, bad)) == ("azure", "indigo")


# --- What was switched in place before ------------------------------------------------------------


def test_attributes_that_were_switched_in_place_are_handed_to_a_conversion(
    owner, confidant, account, define
):
    """As the migration finds them: un-ticked with sealed values, ticked with values in clear."""
    unticked = define(is_encrypted=True)
    ticked = AttributeDefinition.objects.create(business_account=account, name="tier")
    AttributeDefinition.objects.create(business_account=account, name="plain")
    ada = create(confidant, customAttributes={"color": "azure", "tier": "golden", "plain": "dull"})[
        "id"
    ]
    migration = importlib.import_module("customers.migrations.0012_attribute_guards")
    with connection.cursor() as cursor:
        guard = "ALTER TABLE customers_attributedefinition {} TRIGGER guarded"
        cursor.execute(guard.format("DISABLE"))
        cursor.execute(
            "UPDATE customers_attributedefinition SET is_encrypted = NOT is_encrypted"
            " WHERE id IN (%s, %s)",
            [unticked.pk, ticked.pk],
        )
        cursor.execute(migration.UNCONVERTED)
        cursor.execute(guard.format("ENABLE"))
    seen = {"color": "azure", "tier": "golden", "plain": "dull"}
    url = f"/v1/customers/{ada}"
    assert confidant.api.get(url).json()["customAttributes"] == seen
    assert owner.api.get(url).json()["customAttributes"] == seen | {"color": "", "tier": ""}
    jobs = list(AttributeConversion.objects.all())
    assert {(job.definition_id, job.to_encrypted) for job in jobs} == {
        (unticked.pk, False),
        (ticked.pk, True),
    }
    for job in jobs:
        finish(job)
    assert confidant.api.get(url).json()["customAttributes"] == seen
    assert owner.api.get(url).json()["customAttributes"] == seen | {"tier": ""}
    assert tables_with("golden") == []
    value = AttributeValue.objects.get(definition=ticked)
    where = place(AttributeValue, "value_sealed", UUID(str(value.id)))
    assert unseal(value.value_sealed, where) == "golden"


# --- The command ----------------------------------------------------------------------------------


def test_the_command_queues_a_conversion_and_says_what_became_of_it(owner, account, define, capsys):
    definition = define(is_encrypted=False)
    create(owner, customAttributes={"color": "azure"})
    arguments = ["convert_attribute", "color", "--business-account", str(account.pk)]
    call_command(*arguments, "--encrypted")
    said = json.loads(capsys.readouterr().out)
    job = AttributeConversion.objects.get()
    assert said == {
        "id": str(job.pk),
        "status": "SUBMITTED",
        "converted": 0,
        "masked": 0,
        "unreadable": 0,
    }
    finish(job)
    definition.refresh_from_db()
    assert definition.is_encrypted

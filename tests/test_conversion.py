"""Encrypting the values of a custom attribute, and decrypting them: before, meanwhile and after.

What is halfway is made by a real job that was left after its first batch.
"""

import importlib
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction

from config.api.errors import Conflict
from config.db.crypto import associated_data, seal, unseal
from customers import conversion
from customers.models import (
    AttributeConversion,
    AttributeDefinition,
    AttributeValue,
    Contact,
    Customer,
)
from customers.profile import Profile
from tests.conversions import (
    BOTH,
    Status,
    color,
    convert,
    finish,
    forms,
    history,
    listed,
    put,
    submit,
    tables_with,
)
from tests.customers import create
from tests.searches import search

pytestmark = pytest.mark.django_db(transaction=True)


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
        assert list(Profile.load(Customer.objects.get(pk=customer.pk)).facts.definitions) == [
            ("customer", "color")
        ]
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
    assert {record.name for record in problems} == {"config.db.crypto"}
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
    bound_to = associated_data(AttributeValue, "value_sealed", UUID(str(value.id)))
    assert unseal(value.value_sealed, bound_to) == "golden"


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

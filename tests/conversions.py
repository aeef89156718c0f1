"""Attributes that are converted, for tests: made, switched, left halfway, and read back."""

import pytest
from django.db import connection
from django.db.models.functions import Now

from config.jobs.models import Job
from customers import conversion
from customers.conversion import NOWHERE
from customers.models import AttributeConversion, AttributeDefinition, AttributeValue
from customers.services.attributes import convert_attribute

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

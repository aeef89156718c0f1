"""A conversion whose worker is killed in the middle: no value is lost, shown, or left behind."""

import os
import secrets
import signal
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connections

from config.jobs.reaper import reap
from customers.models import AttributeConversion, AttributeDefinition, AttributeValue
from customers.services.attributes import convert_attribute
from tests import bulk
from tests.conversions import color, forms, history, put, tables_with
from tests.workers import kill, until, worker

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover, pytest.mark.long]

COUNT = 1200
ENDED = ("FINISHED", "FAILED", "ABORTED")


@contextmanager
def being_written(customer_ids: list[str]) -> Iterator[None]:
    """While it is entered, somebody else is writing these values: no conversion can end."""
    writer = connections.create_connection("default")
    try:
        writer.set_autocommit(False)
        with writer.cursor() as cursor:
            cursor.execute(
                "SELECT FROM customers_attributevalue WHERE customer_id = ANY(%s::uuid[])"
                " FOR UPDATE",
                [customer_ids],
            )
        yield
    finally:
        writer.close()


def keys_of(settings) -> str:
    return ",".join(
        f"{name}:{b64encode(key).decode()}" for name, key in settings.ENCRYPTION_KEYS.items()
    )


@pytest.mark.parametrize("to_encrypted", [True, False], ids=["encrypting", "decrypting"])
def test_a_killed_conversion_goes_on_and_loses_no_value(
    owner, confidant, account, own_queue, tmp_path, settings, to_encrypted
):
    definition = AttributeDefinition.objects.create(
        business_account=account, name="color", is_encrypted=not to_encrypted
    )
    people = [
        bulk.customer(
            f"c{n}", firstName="Ada", accounts=[], customAttributes={"color": f"azure-{n}"}
        )
        for n in range(COUNT)
    ]
    for first in range(0, COUNT, 50):
        bulk.load(owner, *people[first : first + 50])
    values = {str(bulk.id_of(owner, f"c{n}")): f"azure-{n}" for n in range(COUNT)}
    ids = sorted(values)
    written = [ids[0], ids[600], ids[-1]]
    job = convert_attribute(actor=owner.actor, definition=definition, to_encrypted=to_encrypted)

    def state() -> AttributeConversion:
        return AttributeConversion.objects.get(pk=job.pk)

    with being_written(written):
        with worker(own_queue, tmp_path, processes=1, KITH_ENCRYPTION_KEYS=keys_of(settings)) as it:
            until(lambda: (reap(), state().converted == COUNT - len(written))[1])
            os.kill(int(state().worker.rpartition(":")[2]), signal.SIGKILL)
            kill(it)
        # Nobody works on it now, and both forms are there.
        assert state().status == "STARTED"
        assert sorted(pk for pk, sealed in forms().items() if sealed is not to_encrypted) == written
        for pk in (written[0], written[1], ids[1]):
            assert color(owner, pk) == ""
            assert color(confidant, pk) == values[pk]
            assert history(owner, pk) == [("created", None, "***")]
        put(owner, ids[1], color="indigo-1")
        values[ids[1]] = "indigo-1"
        fresh = bulk.customer("fresh", accounts=[], customAttributes={"color": "indigo-2"})
        bulk.load(owner, fresh)
        values[str(bulk.id_of(owner, "fresh"))] = "indigo-2"
        settings.ENCRYPTION_KEYS = {"new": secrets.token_bytes(32)} | settings.ENCRYPTION_KEYS
    call_command("rotate_encryption_keys")
    settings.ENCRYPTION_KEYS = {"new": settings.ENCRYPTION_KEYS["new"]}
    with worker(own_queue, tmp_path, processes=1, KITH_ENCRYPTION_KEYS=keys_of(settings)):
        until(lambda: (reap(), state().status in ENDED)[1])
    assert (state().status, state().error_code) == ("FINISHED", "")
    definition.refresh_from_db()
    assert (definition.is_encrypted, definition.conversion) == (to_encrypted, "")
    assert set(forms().values()) == {to_encrypted}
    shown = {}
    for page in range(-(-len(values) // 200)):
        found = confidant.api.get("/v1/customers", {"size": 200, "page": page}).json()
        shown |= {each["id"]: each["customAttributes"]["color"] for each in found["content"]}
    assert shown == values
    assert AttributeValue.objects.count() == len(values)
    if to_encrypted:
        assert tables_with("azure") == tables_with("indigo") == []
        assert color(owner, ids[5]) == ""
    else:
        assert color(owner, ids[5]) == values[ids[5]]

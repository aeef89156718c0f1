"""Undo by real workers: killed half way, and beside people who change the same customers."""

import json
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import connections

from config.jobs import reaper
from config.jobs.reaper import reap
from customers.models import Change, Customer
from ingest.files import upload
from ingest.models import BulkPart, BulkRequest
from tests import bulk
from tests.bulk import customer
from tests.undoing import ask, registry
from tests.uploads import lines, results, send
from tests.workers import kill, until, worker

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover, pytest.mark.long]
LINES = 6_000
BLOCK_LINES = 200


@pytest.fixture
def data(settings, tmp_path, monkeypatch):
    """The data folder that this process and the workers share; messages are sent again soon."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "results"},
        }
    }
    monkeypatch.setattr(reaper, "REQUEUE_AFTER", timedelta(seconds=3))
    monkeypatch.setattr(upload, "BLOCK_LINES", BLOCK_LINES)
    return tmp_path


def all_ended():
    reap()
    return not BulkRequest.objects.filter(status__in=BulkRequest.OPEN).exists()


def undone_blocks():
    reap()
    return BulkPart.objects.filter(request__action="UNDO").count()


def test_an_undo_whose_worker_is_killed_is_done_once_and_what_people_change_stays(
    owner, employee, own_queue, data
):
    bulk.load(owner, customer("known"))
    before = registry()
    sent = (json.dumps(customer(f"c{number}")).encode() for number in range(LINES))
    loaded = send(owner, lines(*sent))
    with worker(own_queue, data):
        until(all_ended)
    public_id = bulk.accepted(ask(owner, loaded))
    changed, stop = [], Event()

    def change() -> None:
        """Change one customer after the other, from the last one, as long as there are any."""
        for number in range(LINES - 1, 0, -7):
            if stop.is_set():
                break
            url = f"/v1/customers/{bulk.id_of(owner, f'c{number}')}"
            if employee.api.put(url, {"metadata": {"a": "b"}}).status_code == 200:
                changed.append(f"c{number}")
        connections.close_all()

    person = Thread(target=change)
    person.start()
    for blocks in (2, 6):
        with worker(own_queue, data) as process:
            until(lambda least=blocks: undone_blocks() >= least)
            kill(process)
    assert undone_blocks() < LINES // BLOCK_LINES
    stop.set()
    person.join()
    with worker(own_queue, data):
        until(all_ended)
    found = bulk.ledger(owner, public_id)
    assert changed
    assert (found["status"], found["progress"]["percent"]) == ("FINISHED", 100)
    assert found["counts"]["failed"] == len(changed)
    assert found["counts"]["removed"] == LINES - len(changed)
    left = set(Customer.objects.values_list("external_id", flat=True))
    assert left == {"known", *changed}
    told = results(owner, public_id)
    assert [each["line"] for each in told] == list(range(1, LINES + 1))
    assert {each["sourceCustomerId"] for each in told if each["errors"]} == set(changed)
    removed = Change.objects.filter(operation="deleted")
    assert removed.filter(entity="customer").count() == LINES - len(changed)
    assert all(row in registry()["enrollment"] for row in before["enrollment"])

"""Undo of files: block by block, with progress and results, and once only however often killed."""

from datetime import timedelta

import pytest
from django.db.models import Count, F
from django.db.models.functions import Now
from django.test import Client as Browser
from django.urls import reverse

from config.jobs.models import MAX_ATTEMPTS
from config.jobs.reaper import reap
from customers.models import AttributeDefinition, Change, Customer
from ingest.cleanup import delete_old_content
from ingest.files import upload
from ingest.files.frames import folder_of
from ingest.models import BulkFile, BulkPart, BulkRequest
from ingest.undo import runner
from tests import bulk, factories
from tests.bulk import REQUESTS, account, customer
from tests.storage import little_space
from tests.undoing import ask, registry, undo
from tests.uploads import lines, results, send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers_forks]


@pytest.fixture(autouse=True)
def small_blocks(storage, monkeypatch):
    monkeypatch.setattr(upload, "BLOCK_LINES", 3)


def load(speaker, *customers):
    return bulk.done(speaker, send(speaker, lines(*customers)))


def outcomes(found):
    return [each["outcome"] for each in found]


def test_a_file_is_undone_block_by_block(owner, employee):
    bulk.load(owner, customer("known"))
    before = registry()
    sent = [customer(f"c{number}") for number in range(7)]
    loaded = load(owner, *sent, customer("bad", country="?"), customer("known", country="CA"))
    url = f"/v1/customers/{bulk.id_of(owner, 'c4')}"
    assert employee.api.put(url, {"metadata": {"a": "b"}}).status_code == 200
    public_id = bulk.accepted(ask(owner, loaded["requestId"]))
    waiting = bulk.ledger(owner, public_id)
    assert (waiting["progress"]["totalLines"], waiting["progress"]["percent"]) == (9, 0)
    done = bulk.done(owner, public_id)
    assert done["counts"] == {
        "created": 0,
        "updated": 1,
        "unchanged": 1,
        "removed": 6,
        "failed": 1,
    }
    assert (done["progress"]["lines"], done["progress"]["percent"]) == (9, 100)
    told = results(owner, public_id)
    assert [each["line"] for each in told] == list(range(1, 10))
    assert outcomes(told) == [*["REMOVED"] * 4, "FAILED", *["REMOVED"] * 2, "UNCHANGED", "UPDATED"]
    assert told[4]["errors"][0]["code"] == "CHANGED_SINCE"
    after = registry()
    assert {row["external_id"] for row in after["customer"]} == {"known", "c4"}
    assert [row in after["enrollment"] for row in before["enrollment"]] == [True]
    assert owner.api.get(f"{REQUESTS}/{public_id}/failed").status_code == 404


def test_the_undo_of_a_file_can_be_undone(owner):
    before = registry()
    load_ = load(owner, *(customer(f"c{number}", firstName="Ada") for number in range(7)))
    after = registry()
    first = undo(owner, load_["requestId"])
    assert registry() == before
    second = undo(owner, first["requestId"])
    assert second["counts"]["created"] == 7
    assert registry() == after


def test_a_customer_of_several_lines_is_put_back_once(owner):
    bulk.load(owner, customer("c1", organizationId="0"))
    before = registry()
    sent = [customer("c1", organizationId=str(number)) for number in range(1, 8)]
    loaded = load(owner, *sent, customer("c2"), customer("c2", organizationId="1"))
    changes = Change.objects.count()
    done = undo(owner, loaded["requestId"])
    assert registry() == before
    assert done["counts"]["failed"] == 0
    assert outcomes(results(owner, done["requestId"]))[-1] == "REMOVED"
    assert (
        Change.objects.filter(reason__startswith="Undo").count() == Change.objects.count() - changes
    )
    twice = Change.objects.filter(reason__startswith="Undo").values(
        "entity", "entity_id", "customer_id"
    )
    assert not twice.annotate(times=Count("id")).filter(times__gt=1).exists()


def test_holders_of_an_account_in_different_blocks_share_their_fate(owner, employee):
    joint = account("c0", "joint", sourceCustomerIds=["c0", "c8"])
    other = account("c1", "other", sourceCustomerIds=["c1", "c7"])
    sent = [customer(f"c{number}") for number in range(9)]
    sent[0]["accounts"].append(joint)
    sent[1]["accounts"].append(other)
    loaded = load(owner, *sent)
    url = f"/v1/customers/{bulk.id_of(owner, 'c8')}"
    assert employee.api.put(url, {"metadata": {"a": "b"}}).status_code == 200
    done = undo(owner, loaded["requestId"])
    told = outcomes(results(owner, done["requestId"]))
    assert told == ["FAILED", *["REMOVED"] * 7, "FAILED"]
    assert set(Customer.objects.values_list("external_id", flat=True)) == {"c0", "c8"}


def test_a_table_is_undone_also_of_customers_without_an_id(owner, account):
    factories.make_department(account, "North")
    AttributeDefinition.objects.create(business_account=account, name="tier")
    AttributeDefinition.objects.create(business_account=account, name="pin", is_encrypted=True)
    first = (
        b"externalId,firstName,email,department,attribute.tier,attribute.pin,cityName,stateCode,zipCode,countryCode\n"
        b"c1,Ada,ada@example.com,North,gold,1234,Fresno,CA,94105,USA\n"
    )
    bulk.done(owner, send(owner, first, "text/csv"))
    before = registry()
    second = (
        b"externalId,firstName,email,attribute.tier,attribute.pin\n"
        b"c1,Eve,eve@example.com,(clear),5678\nc2,Bob,,,\n,Cy,cy@example.com,silver,\n"
    )
    loaded = bulk.done(owner, send(owner, second, "text/csv"))
    after = registry()
    assert loaded["counts"] == {"created": 2, "updated": 1, "unchanged": 0, "failed": 0}
    done = undo(owner, loaded["requestId"])
    assert outcomes(results(owner, done["requestId"])) == ["UPDATED", "REMOVED", "REMOVED"]
    assert registry() == before
    undo(owner, done["requestId"])
    assert registry() == after


def test_the_back_office_shows_an_undo_and_what_failed(owner, employee, account):
    loaded = load(owner, customer("c1"), customer("c2"))
    url = f"/v1/customers/{bulk.id_of(owner, 'c1')}"
    assert employee.api.put(url, {"metadata": {"a": "b"}}).status_code == 200
    small = bulk.load(owner, customer("c3"))
    for public_id, failed in ((loaded["requestId"], True), (small["requestId"], False)):
        done = undo(owner, public_id)
        browser = Browser()
        browser.force_login(factories.make_employee(account, role="Owner", is_staff=True))
        pk = bulk.request_of(done["requestId"]).pk
        shown = browser.get(reverse("admin:ingest_bulkrequest_change", args=[pk])).content.decode()
        assert "Undo of a load" in shown
        assert ("Metadata of the customer was changed" in shown) == failed
        assert (
            "Undo of a load"
            in browser.get(reverse("admin:ingest_bulkrequest_changelist")).content.decode()
        )


def test_an_undo_that_is_killed_goes_on_where_it_ended(owner, monkeypatch):
    before = registry()
    loaded = load(owner, *(customer(f"c{number}") for number in range(10)))
    public_id = bulk.accepted(ask(owner, loaded["requestId"]))
    seen = []
    undo_block = runner.undo_block

    def die(request, load_, number, actor):
        seen.append(number)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return undo_block(request, load_, number, actor)

    with monkeypatch.context() as patch:
        patch.setattr(runner, "undo_block", die)
        with pytest.raises(KeyboardInterrupt):
            bulk.run(public_id)
    assert Customer.objects.count() == 4
    assert bulk.ledger(owner, public_id)["progress"]["lines"] == 6
    changes = Change.objects.count()
    done = bulk.done(owner, public_id)
    assert done["counts"]["removed"] == 10
    assert Change.objects.count() == changes + 4 * 5
    assert registry() == before


def test_what_killed_attempts_left_goes_with_the_end_of_the_undo(owner, storage):
    loaded = load(owner, customer("c1"))
    public_id = bulk.accepted(ask(owner, loaded["requestId"]))
    folder = storage / folder_of(bulk.request_of(public_id).pk)
    (folder / "dead-claim").mkdir(parents=True)
    (folder / "dead-claim/results.ndjson").write_bytes(b"all results")
    bulk.done(owner, public_id)
    file = BulkFile.objects.get(request__public_id=public_id)
    assert list(folder.rglob("*.ndjson")) == [storage / file.result_name]


def test_an_undo_whose_results_find_no_space_tells_what_was_put_back(owner, storage):
    loaded = load(owner, *(customer(f"c{number}") for number in range(10)))
    public_id = bulk.accepted(ask(owner, loaded["requestId"]))
    with little_space(10):
        bulk.run(public_id)
    found = bulk.ledger(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "STORAGE_FULL")
    assert (found["counts"]["removed"], Customer.objects.count()) == (10, 0)


def test_an_undo_that_is_given_up_tells_what_was_put_back(owner, monkeypatch):
    """Its worker died each time before it had noted how far it was."""
    loaded = load(owner, *(customer(f"c{number}") for number in range(10)))
    public_id = bulk.accepted(ask(owner, loaded["requestId"]))
    undo_block = runner.undo_block

    def die(request, load_, number, actor):
        undo_block(request, load_, number, actor)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runner, "undo_block", die)
        patch.setattr(runner, "settle_counts", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            bulk.run(public_id)
    request = BulkRequest.objects.filter(public_id=public_id)
    request.update(attempts=MAX_ATTEMPTS, lease_until=Now())
    reap()
    found = bulk.ledger(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "WORKER_LOST")
    assert found["counts"]["removed"] == 10 - Customer.objects.count() > 0


def test_the_dry_run_of_a_file_is_a_request_that_writes_nothing_else(owner):
    loaded = load(owner, *(customer(f"c{number}") for number in range(4)))
    before = registry(), Change.objects.count()
    told = bulk.done(owner, bulk.accepted(ask(owner, loaded["requestId"], "?dryRun=true")))
    assert (told["dryRun"], told["counts"]["removed"]) == (True, 4)
    assert outcomes(results(owner, told["requestId"])) == ["REMOVED"] * 4
    assert (registry(), Change.objects.count()) == before
    assert ask(owner, told["requestId"]).status_code == 409
    assert undo(owner, loaded["requestId"])["counts"]["removed"] == 4


def test_what_an_undo_needs_is_kept_longer_than_the_results(owner, settings):
    loaded = load(owner, customer("c1"))
    old = timedelta(seconds=settings.RESULT_SECONDS)
    age_requests(old)
    delete_old_content()
    assert owner.api.get(f"{REQUESTS}/{loaded['requestId']}/results").status_code == 410
    assert bulk.ledger(owner, loaded["requestId"])["resultUrl"] is None
    assert BulkPart.objects.exists()
    assert undo(owner, loaded["requestId"])["counts"]["removed"] == 1
    age_requests(timedelta(days=settings.UNDO_DAYS + 1))
    delete_old_content()
    assert not BulkPart.objects.exists()
    assert not BulkFile.objects.exclude(result_name="").exists()


def age_requests(age):
    """Let everything have begun and ended so long ago."""
    BulkRequest.objects.update(started_at=F("started_at") - age, finished_at=F("finished_at") - age)
    Change.objects.update(at=F("at") - age)

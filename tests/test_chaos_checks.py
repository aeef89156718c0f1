"""What `./kith chaos` compares at its end: all is well as it is, and whatever is wrong is found."""

from uuid import uuid4

import pytest
from django.db import connection

from customers.change_log import unrecorded
from customers.models import Activity, Change, Contact, Customer, Enrollment
from ingest.files.frames import upload_name
from ingest.models import BulkContent, BulkFile, BulkItem, BulkRequest
from search import results
from search.models import CustomerSearch
from tests import bulk, factories
from tests.bulk import customer
from tests.chaos import check_files, check_history, check_jobs, check_people
from tests.chaos.customers import person_of
from tests.chaos.journal import Journal, Load, Person, Search, Shared
from tests.inventory import make_finished_search
from tests.uploads import lines, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def journal():
    return Journal()


@pytest.fixture
def person(journal):
    """A customer that was created, changed once, and has an activity."""
    speaker = factories.make_speaker(factories.make_business_account("customers"))
    person = Person("ada-1", steps=[1], activities=["called"])
    person.id = speaker.api.post("/v1/customers", person_of(person.ref, 1)).json()["id"]
    url = f"/v1/customers/{person.id}"
    step = {"metadata": {"step": "1"}, "middleName": "Step 1"}
    assert speaker.api.put(url, step).status_code == 200
    called = {"type": "email", "mode": "inbound", "sentDate": "2026-11-01T10:00:00Z"}
    called["subject"] = "called"
    assert speaker.api.post(f"{url}/activities", called).status_code == 201
    journal.people.append(person)
    return person


@pytest.fixture
def loads(journal):
    """Two loads of one customer, and of one that is bad."""
    speaker = factories.make_speaker(factories.make_business_account("bulk"))
    for mark in ("first", "second"):
        request = str(uuid4())
        people = [
            customer("c1", organizationId=mark),
            customer("c2", organizationId=mark, country="?"),
        ]
        bulk.run(bulk.send(speaker, *people, X_CDLX_Request_Id=request))
        load = Load(request, "bulk", ["c1", "c2"], [1], mark, is_accepted=True)
        journal.loads.append(load)
    return journal.loads


def all_findings(journal):
    """Whatever any of the checks of rows says."""
    return [
        *check_people.findings(journal),
        *check_people.shared(journal),
        *check_history.findings(journal),
        *check_jobs.loads(journal),
        *check_jobs.searches(journal),
    ]


def test_nothing_is_found_where_all_is_as_it_was_promised(journal, person, loads):
    assert all_findings(journal) == []


def lose_customer():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET metadata = '{}' WHERE external_id = ''")


def double_activity():
    row = Activity.objects.get()
    row.pk = (row.customer_id, uuid4())
    row.save(force_insert=True)


def forget_change():
    Change.objects.filter(entity="enrollment", operation="updated").delete()


def change_without_the_log():
    with unrecorded():
        Contact.objects.filter(first_name="Ada").update(prefix="Dr")


def swap_order():
    first, second = Change.objects.filter(entity="enrollment").order_by("id")
    Change.objects.filter(id=first.id).update(at=second.at)
    Change.objects.filter(id=second.id).update(at=first.at)


def half_a_step():
    Contact.objects.filter(first_name="Ada").update(middle_name="Step 0")


def old_mark():
    Enrollment.objects.update(organization_id="first")


BROKEN = {
    "a customer is lost": (lose_customer, "is there 0 times"),
    "an activity is doubled": (double_activity, "is there 2 times"),
    "a change is not in the log": (forget_change, "by the history"),
    "a change went by the log": (change_without_the_log, "by the history"),
    "changes are in another order": (swap_order, "was not there"),
    "half of a change is stored": (half_a_step, "half of step 1"),
    "a load was overtaken": (old_mark, "is at first instead of second"),
    "a load tells of too many": (
        lambda: BulkRequest.objects.update(created=5),
        "tells of (5, ",
    ),
    "a load was lost": (BulkRequest.objects.all().delete, "is there 0 times"),
    "a load does not say why it failed": (
        lambda: BulkRequest.objects.update(status="FAILED", error_code="INTERNAL_ERROR"),
        "INTERNAL_ERROR",
    ),
    "an item has another outcome": (
        lambda: BulkItem.objects.update(outcome="FAILED"),
        "failed instead of",
    ),
}


def test_whatever_is_broken_is_found(journal, person, loads, each_alone):
    def attempt(spoil, text):
        spoil()
        assert any(text in finding for finding in all_findings(journal))

    each_alone(attempt, BROKEN)


def test_a_customer_that_nobody_sent_is_found(journal, person):
    journal.people.clear()
    assert "nobody has sent 1 customers" in "".join(all_findings(journal))


def test_a_member_that_somebody_else_has_overwritten_is_found(journal, loads):
    row = Customer.objects.get(external_id="c1")
    factories.make_contact(row, prefix="sharer1 3")
    journal.shared.append(Shared(str(row.pk), "prefix", "sharer1 4"))
    assert any("instead of 'sharer1 4'" in each for each in all_findings(journal))


def test_a_body_that_is_kept_without_need_is_found(journal, loads):
    BulkRequest.objects.update(failed=0)
    assert BulkContent.objects.exists()
    assert any("its body is kept" in each for each in all_findings(journal))


def test_files_that_are_damaged_missing_or_nobody_s_are_found(journal, owner, storage):
    search = CustomerSearch.objects.get(pk=make_finished_search(owner).pk)
    results.store_manifest(search.storage_name, b'{"complete": true}')
    journal.searches.append(Search(str(search.pk), "CSV", "NONE", [], status="FINISHED"))
    assert list(check_jobs.searches(journal)) == []
    assert list(check_files.findings(storage)) == []
    path = storage / search.storage_name
    path.write_bytes(path.read_bytes() + b"more")
    path.with_name("other.part").touch()
    manifest = path.with_name(path.name + ".manifest.json")
    manifest.unlink()
    found = " ".join(check_files.findings(storage))
    assert "is not what its search says" in found
    assert "other.part is nobody's" in found
    assert ".manifest.json is missing" in found


@pytest.mark.django_db(transaction=True)
def test_an_upload_that_is_kept_after_its_load_is_found(owner, storage):
    public_id = send(owner, lines(customer("c1")))
    assert list(check_files.findings(storage)) == []
    bulk.run(public_id)
    assert list(check_files.findings(storage)) == []
    name = upload_name(bulk.request_of(public_id).pk)
    (storage / name).write_bytes(b"what was sent")
    BulkFile.objects.update(storage_name=name)
    assert list(check_files.findings(storage)) == [f"file {name} is nobody's"]


def test_lines_of_logs_that_tell_of_a_bug_are_found(tmp_path):
    (tmp_path / "web.log").write_text(
        'no JSON\n{"level": "ERROR", "message": "unhandled error"}\n'
        '{"level": "INFO", "message": "unhandled error"}\n'
    )
    assert len(list(check_files.logs(tmp_path))) == 1

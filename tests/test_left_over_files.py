"""What jobs leave in storage that nobody needs: found and deleted, however they came to their end.

A worker may be killed before its job's end is committed, or after it; and it may never learn that
it was committed, because its way to the database broke.
"""

import os
import signal
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from config import files as stored_files
from config.jobs.models import MAX_ATTEMPTS
from config.jobs.reaper import reap
from ingest import runner
from ingest.cleanup import delete_left_over_files
from ingest.files.frames import folder_of
from ingest.models import BulkFile, BulkPart, BulkRequest
from search.models import CustomerSearch
from search.results import name_for
from search.services import delete_dead_files
from tests import bulk
from tests.bulk import customer
from tests.cable import cable
from tests.jobs import submit
from tests.undoing import ask
from tests.uploads import FILES, NDJSON, lines, results

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.covers_forks]
BODY = lines(customer("c1"), customer("c2"))
# Far more than any worker goes on with a job that is not its own any more.
LONG = timedelta(hours=1)


def sent(owner, query: str = "") -> str:
    return bulk.accepted(owner.api.post(f"{FILES}{query}", BODY, content_type=NDJSON))


def undo_of_load(owner, query: str = "") -> str:
    return bulk.accepted(ask(owner, bulk.done(owner, sent(owner))["requestId"], query))


KINDS = {
    "load": sent,
    "trial": lambda owner: sent(owner, "?dryRun=true"),
    "undo": undo_of_load,
    "trial of an undo": lambda owner: undo_of_load(owner, "?dryRun=true"),
}


@pytest.fixture(params=KINDS)
def public_id(request, owner, storage):
    """A request that has a file of results at its end, of each kind."""
    return KINDS[request.param](owner)


def grow_old() -> None:
    """Let all that has ended have ended long ago."""
    for kind in (BulkRequest, CustomerSearch):
        kind.objects.update(started_at=F("started_at") - LONG, finished_at=F("finished_at") - LONG)


def files_of(public_id: str, storage) -> set[str]:
    folder = storage / folder_of(bulk.request_of(public_id).pk)
    return {path.relative_to(storage).as_posix() for path in folder.rglob("*") if path.is_file()}


def wanted(public_id: str) -> set[str]:
    """The files that a request needs once it has ended."""
    return set(filter(None, [BulkFile.objects.get(request__public_id=public_id).result_name]))


def leave_results(public_id: str, storage) -> None:
    """What an attempt leaves that was killed once its results were stored, or half of them."""
    folder = storage / folder_of(bulk.request_of(public_id).pk) / "dead-claim"
    folder.mkdir(parents=True)
    (folder / "results.ndjson").write_bytes(b"all results\n")
    (folder / "results.ndjson.part").write_bytes(b"half a resu")


def at_its_end(act):
    """Do something when the name of the results is written, before it is committed."""

    def watch(execute, sql, parameters, many, context):
        if '"result_name" = ' in sql:
            act()
        return execute(sql, parameters, many, context)

    return connection.execute_wrapper(watch)


def die(*_arguments: object, **_named: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(public_id: str, when: str) -> None:
    """A worker that does a request and is killed."""
    request_id = bulk.request_of(public_id).pk
    connection.close()
    if (child := os.fork()) == 0:
        if when == "after":
            stored_files.remove_folder = die
            runner.run(request_id)
        with at_its_end(die):
            runner.run(request_id)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def lost_answer(public_id: str, folder) -> None:
    """A worker whose way to the database breaks when the end is committed, before the answer."""
    way = folder / "s"
    way.mkdir()
    with cable(way) as broken:
        connection.ensure_connection()
        with at_its_end(lambda: setattr(broken, "is_armed", True)):
            bulk.run(public_id)


def check_only_wanted(owner, public_id: str, storage) -> None:
    assert bulk.ledger(owner, public_id)["status"] == "FINISHED"
    assert files_of(public_id, storage) == wanted(public_id)
    assert len(results(owner, public_id)) == 2
    assert delete_left_over_files() == 0


def test_files_go_that_a_worker_left_which_was_killed_before_the_end(owner, storage, public_id):
    killed(public_id, "before")
    BulkRequest.objects.filter(public_id=public_id).update(lease_until=Now())
    bulk.run(public_id)
    grow_old()
    delete_left_over_files()
    check_only_wanted(owner, public_id, storage)


def test_files_go_that_a_worker_left_which_was_killed_after_the_end(owner, storage, public_id):
    leave_results(public_id, storage)
    killed(public_id, "after")
    grow_old()
    delete_left_over_files()
    check_only_wanted(owner, public_id, storage)


def test_files_go_that_a_worker_left_which_never_learnt_of_the_end(
    owner, storage, public_id, tmp_path
):
    leave_results(public_id, storage)
    lost_answer(public_id, tmp_path)
    grow_old()
    delete_left_over_files()
    check_only_wanted(owner, public_id, storage)


@pytest.mark.parametrize("end", ["cancelled", "given up"])
def test_nothing_stays_of_a_request_that_comes_to_no_end(owner, storage, public_id, end):
    killed(public_id, "before")
    request = bulk.request_of(public_id)
    if end == "cancelled":
        request.abort("CANCELLED", "This was cancelled.")
    else:
        BulkRequest.objects.filter(pk=request.pk).update(attempts=MAX_ATTEMPTS, lease_until=Now())
        reap()
    assert files_of(public_id, storage)
    grow_old()
    delete_left_over_files()
    assert files_of(public_id, storage) == set()
    assert len(results(owner, public_id)) == 2


def test_what_comes_of_a_worker_that_lost_its_claim_and_went_on_goes_too(owner, storage, public_id):
    bulk.run(public_id)
    delete_left_over_files()
    leave_results(public_id, storage)
    grow_old()
    delete_left_over_files()
    check_only_wanted(owner, public_id, storage)


def test_a_request_that_has_just_ended_is_left_to_its_worker(owner, storage, public_id):
    bulk.run(public_id)
    leave_results(public_id, storage)
    before = files_of(public_id, storage)
    assert delete_left_over_files() == 0
    assert files_of(public_id, storage) == before


def test_a_trial_whose_worker_was_killed_keeps_no_outcomes_of_blocks(owner, storage):
    public_id = sent(owner, "?dryRun=true")
    killed(public_id, "after")
    assert BulkPart.objects.exists()
    grow_old()
    delete_left_over_files()
    assert not BulkPart.objects.exists()


def test_the_file_of_a_cancelled_search_goes_though_its_worker_was_cut_off(owner, storage):
    """It goes on until it notices, and stores its file when all was cleaned up."""
    search = submit(owner)
    held = CustomerSearch.claim(search.pk, worker="cut off")
    held.start()
    name = name_for(held)
    held.note(storage_name=name)
    search.abort("CANCELLED", "The search was cancelled.")
    delete_dead_files()
    (storage / name).parent.mkdir(parents=True)
    (storage / name).write_bytes(b"all of it")
    grow_old()
    delete_dead_files()
    assert [path for path in storage.rglob("*") if path.is_file()] == []
    assert CustomerSearch.objects.get().storage_name == ""
    assert delete_dead_files() == 0

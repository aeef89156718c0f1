"""What uploads and loads that broke off leave behind: it is found again, by an index, and goes."""

import io
import os
import random
import signal
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F
from django.utils import timezone

from config import files as stored_files
from config.api.errors import Unavailable
from ingest import cleanup, services
from ingest.files.frames import folder_of
from ingest.models import BulkFile, BulkPart, BulkRequest, BulkUpload
from tests import bulk
from tests.bulk import customer
from tests.cable import cable
from tests.storage import little_space
from tests.uploads import FILES, NDJSON, ended, lines, results, send, stored

pytestmark = pytest.mark.django_db(transaction=True)
BODY = lines(customer("c1"))


def folders(storage: Path) -> list[Path]:
    return list((storage / "bulk").glob("*"))


def grow_old() -> None:
    """Let nobody write to any file any more, as far as one can know."""
    BulkUpload.objects.update(started_at=timezone.now() - cleanup.ABANDONED)
    BulkRequest.objects.update(finished_at=F("finished_at") - timedelta(hours=1))


def submit(owner, source: Any = None, **named: Any) -> Any:
    return services.submit_file(
        actor=owner.actor, source=source or io.BytesIO(BODY), announced=None, **named
    )


class Killed(io.BytesIO):
    """A body whose reader is killed in the middle."""

    def read(self, size: int | None = -1, /) -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        return b""


def test_an_upload_whose_web_server_is_killed_is_cleaned_up(owner, storage):
    connection.close()
    if (child := os.fork()) == 0:
        submit(owner, Killed(BODY))
    os.waitpid(child, 0)
    assert len(folders(storage)) == 1
    assert cleanup.delete_abandoned_uploads() == 0
    assert len(folders(storage)) == 1
    grow_old()
    assert cleanup.delete_abandoned_uploads() == 1
    assert folders(storage) == []
    assert not BulkUpload.objects.exists()


def test_an_upload_is_known_as_long_as_it_is_not_accepted(owner, storage):
    known = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            known.append(BulkUpload.objects.get().pk)
            return super().read(size)

    submit(owner, Watched(BODY))
    assert set(known) == {BulkRequest.objects.get().pk}
    assert not BulkUpload.objects.exists()


def test_an_upload_that_was_cleaned_up_meanwhile_is_not_accepted(owner, storage):
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            part = super().read(size)
            if not part:
                grow_old()
                cleanup.delete_abandoned_uploads()
            return part

    with pytest.raises(Unavailable):
        submit(owner, Slow(BODY))
    assert not BulkRequest.objects.exists()
    assert stored(storage) == []


def test_an_upload_stays_when_only_the_answer_to_its_commit_is_lost(owner, storage, tmp_path):
    way = tmp_path / "s"
    way.mkdir()
    with cable(way) as broken:
        connection.ensure_connection()

        class Last(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                broken.is_armed = True
                return super().read(size)

        with pytest.raises((OperationalError, InterfaceError)):
            submit(owner, Last(BODY))
    request = BulkRequest.objects.get()
    grow_old()
    cleanup.delete_abandoned_uploads()
    found = ended(owner, str(request.public_id))
    assert (found["status"], found["counts"]["created"]) == ("FINISHED", 1)


def test_the_same_upload_again_leaves_nothing_beside_the_first(owner, storage):
    public_id = submit(owner)
    assert submit(owner, public_id=public_id) == public_id
    assert stored(storage) == ["lines"]
    assert len(folders(storage)) == 1
    assert not BulkUpload.objects.exists()


def test_what_killed_attempts_left_goes_with_the_end_of_the_load(owner, storage):
    public_id = send(owner, BODY)
    folder = folders(storage)[0]
    (folder / "dead-claim").mkdir()
    (folder / "dead-claim/results.ndjson.part").write_bytes(b"half a resu")
    ended(owner, public_id)
    assert stored(storage) == ["results.ndjson"]
    assert len([path for path in folder.iterdir() if path.is_dir()]) == 1


def test_an_upload_that_could_not_be_deleted_after_its_load_is_deleted_later(
    owner, storage, monkeypatch
):
    public_id = send(owner, BODY)

    def fails(*_arguments, **_named):
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(stored_files, "remove_folder", fails)
        found = ended(owner, public_id)
        assert cleanup.delete_old_content() == 0
    assert found["status"] == "FINISHED"
    assert stored(storage) == ["lines", "results.ndjson"]
    grow_old()
    assert cleanup.delete_old_content() == 1
    assert stored(storage) == ["results.ndjson"]
    assert len(results(owner, public_id)) == 1
    assert cleanup.delete_old_content() == 0


@pytest.mark.parametrize("status", ["FAILED", "FINISHED"])
def test_old_files_and_rows_of_loads_go_whatever_became_of_them(owner, storage, settings, status):
    public_id = send(owner, BODY)
    ended(owner, public_id)
    if status == "FAILED":
        request = bulk.request_of(send(owner, BODY))
        folder = stored_files.place()._path(folder_of(request.pk))
        (folder / "dead-claim").mkdir()
        (folder / "dead-claim/results.ndjson.part").write_bytes(b"half a resu")
        BulkPart.objects.create(
            request=request,
            number=0,
            lines=1,
            created=1,
            updated=0,
            unchanged=0,
            failed=0,
            results=zlib.compress(b"{}\n"),
        )
        request.abort("TIME_LIMIT", "It took too long.")
        assert results(owner, str(request.public_id)) == [{}]
    long_ago = timezone.now() - timedelta(seconds=settings.RESULT_SECONDS)
    BulkRequest.objects.update(finished_at=long_ago)
    cleanup.delete_old_content()
    assert folders(storage) == []
    assert not BulkFile.objects.exclude(storage_name="", result_name="").exists()
    for request in BulkRequest.objects.all():
        answer = owner.api.get(f"{bulk.REQUESTS}/{request.public_id}/results")
        assert answer.status_code == (404 if request.error_code else 410)
    assert BulkPart.objects.exists(), "by which it can be undone"
    BulkRequest.objects.update(finished_at=timezone.now() - timedelta(days=settings.UNDO_DAYS + 1))
    cleanup.delete_old_content()
    assert not BulkPart.objects.exists()


def test_the_clean_up_looks_at_files_that_are_new_not_at_all_that_ever_were(owner, storage):
    ended(owner, send(owner, BODY))
    rows = BulkFile.objects.left_over()
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        query, parameters = rows.query.sql_with_params()
        cursor.execute(f"EXPLAIN {query}", parameters)
        plan = "\n".join(row for (row,) in cursor.fetchall())
        cursor.execute("RESET enable_seqscan")
    assert "bulk_file_untidied" in plan


# --- A full disk ----------------------------------------------------------------------------------


def test_an_upload_to_a_full_disk_is_told_in_words_and_leaves_nothing(owner, storage):

    chance = random.Random(5)
    notes = (chance.randbytes(300).hex() for _ in range(5000))
    body = lines(*(customer(f"c{number}", note=note) for number, note in enumerate(notes)))
    with little_space(300_000):
        answer = owner.api.post(FILES, body, content_type=NDJSON)
    assert answer.status_code == 507
    assert answer.json()["status"] == 507
    assert "nothing was stored" in answer.json()["title"]
    assert folders(storage) == []
    assert not BulkUpload.objects.exists()
    assert not BulkRequest.objects.exists()


def test_a_full_bucket_is_told_likewise(owner, bucket, way):
    way.status = 507
    assert owner.api.post(FILES, BODY, content_type=NDJSON).status_code == 507
    way.status = 503
    assert owner.api.post(FILES, BODY, content_type=NDJSON).status_code == 503
    way.reset()
    assert list(bucket.objects.all()) == []
    assert not BulkRequest.objects.exists()


def test_a_load_whose_results_find_no_space_says_that_its_lines_are_stored(owner, storage):
    public_id = send(owner, lines(*(customer(f"c{number}") for number in range(3000))))
    with little_space(100_000):
        found = ended(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "STORAGE_FULL")
    assert found["counts"]["created"] == 3000
    assert found["resultUrl"]
    assert len(results(owner, public_id)) == 3000

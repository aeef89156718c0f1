"""Stored files, in a folder and in a bucket: there whole or not at all, and never in memory."""

import io
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from config import files
from config.files.bucket import PART_BYTES
from tests.storage import little_space

LARGE = 3 * PART_BYTES + 17


@pytest.fixture(params=["folder", "bucket"])
def place(request) -> str:
    """Each test is done with both."""
    request.getfixturevalue("storage" if request.param == "folder" else "bucket")
    return str(request.param)


@pytest.fixture
def listed(place, request):
    """Gives all that is there, also what is not finished."""

    def look() -> list[str]:
        if place == "bucket":
            bucket = request.getfixturevalue("bucket")
            found = [item.key for item in bucket.objects.all()]
            return found + [f"{each.object_key}?" for each in bucket.multipart_uploads.all()]
        root = request.getfixturevalue("storage")
        return [str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()]

    return look


class Pattern(io.RawIOBase):
    """So many bytes, which are not all the same; it fails at `fails_at`."""

    def __init__(self, size: int, fails_at: int = -1) -> None:
        self.size, self.position, self.fails_at = size, 0, fails_at

    def readable(self) -> bool:
        return True

    def readinto(self, target) -> int:
        count = min(len(target), self.size - self.position, 65_536)
        if 0 <= self.fails_at <= self.position:
            raise ZeroDivisionError
        target[:count] = content(self.position, count)
        self.position += count
        return count


def content(first: int, count: int) -> bytes:
    """A part of a `Pattern`."""
    period = bytes(range(251))
    start = first % len(period)
    return (period * (count // len(period) + 2))[start : start + count]


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, LARGE])
def test_what_was_stored_is_read_back(place, listed, size):
    files.store("bulk/1/file", Pattern(size))
    assert (listed(), files.size("bulk/1/file")) == (["bulk/1/file"], size)
    assert list(files.names()) == ["bulk/1/file"]
    with files.Reader("bulk/1/file") as file:
        read = 0
        while part := file.read(100_000):
            assert part == content(read, len(part))
            read += len(part)
    assert read == size


def test_any_range_of_a_file_can_be_read(place):
    files.store("bulk/1/file", Pattern(LARGE))
    for first, length in ((0, 1), (PART_BYTES - 1, 2), (7, 2 * PART_BYTES), (LARGE - 1, 1)):
        assert b"".join(files.blocks("bulk/1/file", first, length)) == content(first, length)


def test_a_file_that_is_not_there_is_told(place):
    assert not files.exists("bulk/1/file")
    for ask in (files.size, files.Reader, lambda name: list(files.blocks(name, 0, 1))):
        with pytest.raises(FileNotFoundError):
            ask("bulk/1/file")
    files.remove("bulk/1/file")
    files.remove_folder("bulk/1")


@pytest.mark.parametrize("fails_at", [0, LARGE - 20])
def test_of_a_file_that_breaks_off_nothing_is_left(place, listed, fails_at):
    with pytest.raises(ZeroDivisionError):
        files.store("bulk/1/file", Pattern(LARGE, fails_at))
    assert listed() == []


def test_a_folder_is_removed_with_all_that_is_below_it(place, listed):
    names = ["bulk/1/a/results", "bulk/1/b/results", "bulk/1/lines", "bulk/10/lines"]
    for name in names:
        files.store(name, io.BytesIO(b"x"))
    files.remove_folder("bulk/1", keep="bulk/1/b/results")
    assert sorted(listed()) == ["bulk/1/b/results", "bulk/10/lines"]
    files.remove_folder("bulk/1")
    files.remove("bulk/10/lines")
    assert listed() == []


# --- A folder -------------------------------------------------------------------------------------


def test_a_file_and_its_names_are_on_disk_before_it_counts_as_stored(storage, monkeypatch):
    """A power cut after that takes nothing away, neither the file nor the folders that it is in."""
    kept, keep = [], os.fsync

    def note(descriptor: int) -> None:
        keep(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        kept.append((path, (storage / "bulk/1/file").exists()))

    monkeypatch.setattr(os, "fsync", note)
    files.store("bulk/1/file", io.BytesIO(b"x"))
    assert kept == [
        (storage / "bulk/1/file.part", False),
        (storage / "bulk/1", True),
        (storage / "bulk", True),
        (storage, True),
    ]


def test_empty_folders_do_not_stay(storage):
    files.store("bulk/1/2/file", io.BytesIO(b"x"))
    files.store("bulk/1/file", io.BytesIO(b"x"))
    files.remove("bulk/1/2/file")
    assert sorted(path.name for path in (storage / "bulk").iterdir()) == ["1"]
    assert [path.name for path in (storage / "bulk/1").iterdir()] == ["file"]
    files.remove("bulk/1/file")
    assert list((storage / "bulk").iterdir()) == []


def test_folders_that_are_removed_while_all_names_are_told_are_left_out(storage):
    """Such as those of searches that expire while a backup is made."""
    for number in range(5):
        files.store(f"searches/{number}/first/file", io.BytesIO(b"x"))
    coming = files.names()
    first = next(coming)
    for number in range(5):
        files.remove_folder(f"searches/{number}", keep=first)
    assert list(coming) == []
    assert [path.is_file() for path in storage.rglob("file")] == [True]


def test_what_is_removed_twice_at_once_is_gone(storage, monkeypatch):
    for number in range(5):
        files.store(f"searches/one/{number}/file", io.BytesIO(b"x"))
    unlink, rivals = Path.unlink, []

    def after_another(path: Path, *, missing_ok: bool = False) -> None:
        if not rivals:
            rivals.append(path)
            shutil.rmtree(path.parent)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", after_another)
    files.remove_folder("searches/one")
    assert len(rivals) == 1
    assert [path.name for path in storage.rglob("*")] == ["searches"]


def test_a_folder_that_cannot_be_read_is_told(storage):
    storage.joinpath("searches").write_text("a file where a folder should be")
    with pytest.raises(NotADirectoryError):
        files.remove_folder("searches")


def test_a_full_disk_is_told_and_nothing_is_left(storage):
    with little_space(100_000), pytest.raises(files.StorageFull):
        files.store("bulk/1/file", Pattern(LARGE))
    assert [path for path in storage.rglob("*") if path.name != "bulk"] == []
    assert files.free_bytes() > 0


# --- A bucket -------------------------------------------------------------------------------------


def test_a_read_goes_on_where_the_network_failed_however_often_it_gets_on(bucket, way):
    files.store("bulk/1/file", Pattern(LARGE))
    read = b""
    for block in files.blocks("bulk/1/file", 0, LARGE):
        read += block
        if len(way.ranges) < 9:
            way.cut = 300_000
    assert read == content(0, LARGE)
    assert len(way.ranges) > 9


def test_parts_that_a_killed_process_left_in_a_bucket_are_deleted_after_a_time(bucket):
    client = bucket.meta.client
    for key in ("bulk/1/lines", "other/1"):
        client.create_multipart_upload(Bucket=bucket.name, Key=key)
    # For moto every upload began in 2010.
    assert files.abort_abandoned("bulk", age=timedelta(days=10_000)) == 0
    assert files.abort_abandoned("bulk", age=timedelta(0)) == 1
    assert [each.object_key for each in bucket.multipart_uploads.all()] == ["other/1"]

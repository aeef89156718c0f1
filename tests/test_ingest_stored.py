"""Uploads that lose something in storage: a load never says that it did what it did not."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from config.db.crypto import seal_bytes
from customers.models import Customer
from ingest.files import loader, upload
from ingest.files.frames import Block, block_data, opened
from ingest.models import BulkFile, BulkPart
from tests import bulk
from tests.bulk import customer
from tests.uploads import ended, lines, results, send

# What it runs is measured where it is tested by itself: measuring takes twice the time.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]
BLOCKS, LINES = 6, 5
LENGTH = struct.Struct(">I")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch) -> None:
    monkeypatch.setattr(upload, "BLOCK_LINES", LINES)


@pytest.fixture(params=["folder", "bucket"])
def storage_of(request):
    """Reads and replaces a stored file, in a folder and in a bucket."""
    if request.param == "folder":
        root: Path = request.getfixturevalue("storage")

        def content(name: str, new: bytes | None = None) -> bytes:
            if new is not None:
                (root / name).write_bytes(new)
            return (root / name).read_bytes()

    else:
        bucket: Any = request.getfixturevalue("bucket")

        def content(name: str, new: bytes | None = None) -> bytes:
            if new is not None:
                bucket.Object(name).put(Body=new)
            return bytes(bucket.Object(name).get()["Body"].read())

    return content


def parts_of(content: bytes) -> list[bytes]:
    """The frames of a stored file, and its end mark as the last one."""
    found, at = [], 0
    while length := LENGTH.unpack(content[at : at + 4])[0]:
        found.append(content[at : at + 4 + length])
        at += 4 + length
    return [*found, content[at:]]


def swapped(parts: list[bytes]) -> list[bytes]:
    return [*parts[:2], parts[3], parts[2], *parts[4:]]


# What is done to the frames, and how many blocks are whole before that.
DAMAGES = {
    "a frame is cut out": (lambda parts: parts[:2] + parts[3:], 2),
    "two frames change places": (swapped, 2),
    "a frame is there twice": (lambda parts: [*parts[:3], *parts[2:]], 3),
    "a byte is changed": (lambda parts: [*parts[:3], parts[3][:-1] + b"?", *parts[4:]], 3),
    "the last frame is cut out": (lambda parts: parts[:-2] + parts[-1:], BLOCKS - 1),
    "the end mark is cut off": (lambda parts: parts[:-1], BLOCKS),
    "the end mark is changed": (lambda parts: [*parts[:-1], parts[-1][:-1] + b"?"], BLOCKS),
    "something follows": (lambda parts: [*parts, b"\0"], BLOCKS),
    "a length is nonsense": (lambda parts: [*parts[:4], b"\xff" * 4, *parts[4:]], 4),
    "nothing is left": (lambda _: [], 0),
}
for each in range(1, BLOCKS):
    DAMAGES[f"it ends before frame {each}"] = (lambda parts, each=each: parts[:each], each)
for each in (0, 2, BLOCKS):
    DAMAGES[f"it ends within frame {each}"] = (
        lambda parts, each=each: [*parts[:each], parts[each][: len(parts[each]) // 2]],
        each,
    )


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_load_ends_finished_only_when_all_that_was_received_is_loaded(owner, storage_of, damage):
    change, whole = DAMAGES[damage]
    public_id = sent(owner)
    name = BulkFile.objects.get().storage_name
    storage_of(name, b"".join(change(parts_of(storage_of(name)))))
    found = ended(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "CONTENT_LOST")
    assert found["counts"] == {"created": whole * LINES, "updated": 0, "unchanged": 0, "failed": 0}
    assert found["progress"]["lines"] == whole * LINES == Customer.objects.count()
    assert "UNCHANGED" in found["message"]
    if whole < BLOCKS:
        assert f"{whole * LINES} of {BLOCKS * LINES} lines were loaded" in found["message"]
    assert [each["line"] for each in results(owner, public_id)] == [*range(1, whole * LINES + 1)]


def sent(owner) -> str:
    return send(owner, lines(*(customer(f"c{number}") for number in range(BLOCKS * LINES))))


def test_a_file_that_is_whole_is_loaded_from_either_place(owner, storage_of):
    found = ended(owner, sent(owner))
    assert (found["status"], found["counts"]["created"]) == ("FINISHED", BLOCKS * LINES)


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_a_file_that_ends_within_a_frame_is_noticed(owner, storage, cut):
    public_id = sent(owner)
    path = storage / BulkFile.objects.get().storage_name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - 1 - cut])
    assert ended(owner, public_id)["errorCode"] == "CONTENT_LOST"


def test_a_block_of_another_file_is_noticed(owner, storage):
    public_ids = [sent(owner), sent(owner)]
    (first, second) = (
        storage / BulkFile.objects.get(request__public_id=each).storage_name for each in public_ids
    )
    theirs = parts_of(second.read_bytes())
    first.write_bytes(b"".join([*parts_of(first.read_bytes())[:1], *theirs[1:]]))
    found = ended(owner, public_ids[0])
    assert (found["errorCode"], found["counts"]["created"]) == ("CONTENT_LOST", LINES)


def test_a_block_that_was_never_loaded_is_missed(owner, storage, monkeypatch):
    """Whatever the reason: what has no row at the end is not loaded."""
    public_id = sent(owner)
    read = loader.frames

    def forgetful(*arguments, **named):
        return (frame for frame in read(*arguments, **named) if frame[0] != 3)

    monkeypatch.setattr(loader, "frames", forgetful)
    found = ended(owner, public_id)
    assert (found["errorCode"], found["counts"]["created"]) == (
        "CONTENT_LOST",
        (BLOCKS - 1) * LINES,
    )


def test_a_file_of_an_older_version_is_loaded(owner, storage):
    """It has no end mark, and a plain head on each block."""
    public_id = sent(owner)
    file = BulkFile.objects.get()
    path = storage / file.storage_name
    old = b""
    for number, part in enumerate(parts_of(path.read_bytes())[:-1]):
        block = opened(part[4:], file.pk, number)
        old += framed_as_before(file.pk, number, block)
    path.write_bytes(old)
    BulkFile.objects.update(blocks=None)
    found = ended(owner, public_id)
    assert (found["status"], found["counts"]["created"]) == ("FINISHED", BLOCKS * LINES)


def framed_as_before(request_id: UUID, number: int, block: Block) -> bytes:
    head = json.dumps({"first": block.first, "refused": {}}).encode()
    packed = zlib.compress(b"\n".join([head, *block.lines]), 1)
    sealed = seal_bytes(packed, block_data(request_id, number))
    return LENGTH.pack(len(sealed)) + sealed


def test_a_load_that_was_taken_up_again_accounts_for_all_of_it(owner, storage):
    public_id = sent(owner)
    bulk.run(public_id)
    assert BulkPart.objects.count() == BLOCKS
    assert len(results(owner, public_id)) == BLOCKS * LINES

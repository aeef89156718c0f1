"""Files of customers: taken in as a stream, loaded block by block, each line accounted for."""

import gzip
import io
import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from config.jobs.lease import ClaimLost
from customers.models import Change, Customer, Enrollment
from ingest import services
from ingest.batch.apply import TooEarly
from ingest.cleanup import delete_old_content
from ingest.files import blocks, upload
from ingest.files.frames import BLOCK_BYTES, frames, opened
from ingest.files.upload import TooLarge, Upload
from ingest.models import BulkFile, BulkPart, BulkRequest
from tests import bulk
from tests.bulk import customer
from tests.uploads import FILES, NDJSON, ended, lines, results, send, stored

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.covers_forks,
    pytest.mark.usefixtures("each_mode"),
]
NUMBER = "4111111111111111"


# --- The whole way --------------------------------------------------------------------------------


@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_file_is_loaded_line_by_line(owner, storage, is_compressed):
    wrong = customer("c3", country="?")
    body = lines(customer("c1"), b"", customer("c2"), b"{not json", wrong, b"[7]", b"\xff\xfe")
    body += json.dumps(customer("last")).encode()
    if is_compressed:
        body = gzip.compress(body[:700]) + gzip.compress(body[700:])
    public_id = send(owner, body, "application/gzip" if is_compressed else NDJSON)
    assert bulk.ledger(owner, public_id)["progress"] == {
        "lines": 0,
        "totalLines": 8,
        "totalBytes": len(body),
        "percent": 0,
    }
    found = bulk.done(owner, public_id)
    assert found["counts"] == {"created": 3, "updated": 0, "unchanged": 0, "failed": 4}
    assert (found["progress"]["lines"], found["progress"]["percent"]) == (8, 100)
    told = results(owner, public_id)
    assert [(each["line"], each["outcome"]) for each in told] == [
        (1, "CREATED"),
        (3, "CREATED"),
        (4, "FAILED"),
        (5, "FAILED"),
        (6, "FAILED"),
        (7, "FAILED"),
        (8, "CREATED"),
    ]
    assert told[3]["errors"][0]["pointer"] == "/country"
    assert [each["errors"][0]["code"] for each in told[2:6]] == [
        "MALFORMED_LINE",
        "UNKNOWN_VALUE",
        "INVALID_TYPE",
        "MALFORMED_LINE",
    ]
    assert found["resultUrl"].endswith(f"{bulk.REQUESTS}/{public_id}/results")
    assert stored(storage) == ["results.ndjson"]
    assert BulkPart.objects.count() == 1, "by which it can be undone"
    again = bulk.done(owner, send(owner, body))
    assert again["counts"] == {"created": 0, "updated": 0, "unchanged": 3, "failed": 4}


def test_blocks_are_loaded_in_the_order_of_the_file(owner, storage, monkeypatch):
    monkeypatch.setattr(upload, "BLOCK_LINES", 3)
    sent = [
        customer(f"c{number % 5}", organizationId=str(number), firstName=f"N{number}")
        for number in range(30)
    ]
    found = bulk.done(owner, send(owner, lines(*sent)))
    assert found["counts"] == {"created": 5, "updated": 25, "unchanged": 0, "failed": 0}
    organizations = {
        row.customer.external_id: row.organization_id
        for row in Enrollment.objects.select_related("customer")
    }
    assert organizations == {f"c{number % 5}": str(number) for number in range(25, 30)}


def test_parents_in_a_file_make_no_circle(owner, storage, monkeypatch):
    monkeypatch.setattr(upload, "BLOCK_LINES", 1)
    bulk.load(owner, customer("a", sourceParentCustomerId="b"), customer("b"))
    found = bulk.done(
        owner,
        send(owner, lines(customer("a"), customer("b", sourceParentCustomerId="a"))),
    )
    assert found["counts"]["updated"] == 2
    circle = [customer(f"c{n}", sourceParentCustomerId=f"c{(n + 1) % 9}") for n in range(9)]
    found = bulk.done(owner, send(owner, lines(*circle)))
    assert found["counts"] == {"created": 8, "updated": 0, "unchanged": 0, "failed": 1}


def test_a_later_request_waits_for_the_end_of_a_file(owner, storage):
    first = send(owner, lines(customer("c1")))
    second = bulk.send(owner, customer("c2"))
    bulk.run(second)
    assert bulk.request_of(second).status == "SUBMITTED"
    bulk.run(first, second)
    assert bulk.request_of(second).status == "FINISHED"


def test_a_file_is_on_record_in_the_name_of_its_client(owner, storage):
    public_id = send(owner, lines(customer("c1")), **{"X-Request-Id": "trace-18"})
    bulk.run(public_id)
    changes = Change.objects.filter(customer_id=bulk.id_of(owner, "c1"))
    assert {(each.via, each.request_id, each.actor_id) for each in changes} == {
        ("v2", "trace-18", owner.actor.id)
    }


# --- Taking in ------------------------------------------------------------------------------------


def test_a_file_beyond_the_limit_is_refused_while_it_is_read(owner, storage, settings):
    settings.MAX_FILE_BYTES = 100_000

    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            self.taken += size
            return b"x" * (size - 1) + b"\n"

    source = Endless()
    with pytest.raises(TooLarge):
        services.submit_file(actor=owner.actor, source=source, announced=None)
    assert source.taken < 1_000_000
    assert owner.api.post(FILES, b"x" * 100_001, content_type=NDJSON).status_code == 413
    bomb = gzip.compress(b"\n" * 2_000_000)
    assert owner.api.post(FILES, bomb, content_type="application/gzip").status_code == 413
    assert stored(storage) == []
    assert not BulkRequest.objects.exists()


def test_a_file_is_never_held_in_memory(owner, storage, settings):
    """What is read ahead of what is written stays within a few blocks."""
    settings.MAX_FILE_BYTES = 10**9
    line = lines(customer("c1"))

    class Counted(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            if self.given > 30_000_000:
                return b""
            part = line * (size // len(line))
            self.given += len(part)
            return part

    source = Counted()
    upload = Upload(source, uuid4())
    ahead = 0
    while upload.read(65_536):
        ahead = max(ahead, source.given - upload.lines * len(line))
    assert upload.lines == source.given // len(line)
    assert ahead <= 2 * BLOCK_BYTES


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", NDJSON, 400),
        (b"{}\n", "text/plain", 415),
        (b"{}\n", "text/csv; charset=latin-1", 415),
        (b"{}\n", "multipart/form-data", 415),
        (b"\x1f\x8bnot really", "application/gzip", 400),
    ],
)
def test_what_is_no_file_is_refused(owner, storage, body, content_type, status):
    answer = owner.api.post(FILES, body, content_type=content_type)
    assert answer.status_code == status, answer.content
    assert stored(storage) == []


@pytest.mark.parametrize("damage", ["cut off", "changed"])
def test_of_a_damaged_gzip_what_was_whole_is_loaded(owner, storage, damage):
    body = lines(*(customer(f"c{number}", note=str(uuid4())) for number in range(3000)))
    packed = bytearray(gzip.compress(body))
    half = len(packed) // 2
    if damage == "cut off":
        del packed[half:]
    else:
        packed[half : half + 100] = b"\0" * 100
    found = ended(owner, send(owner, bytes(packed), "application/gzip"))
    assert (found["status"], found["errorCode"]) == ("FAILED", "FILE_CUT_OFF")
    assert f"The {sum(found['counts'].values())} lines" in found["message"]
    count = found["counts"]["created"]
    assert 0 < count < 3000
    if damage == "cut off":
        assert found["counts"]["failed"] == 0
    assert Customer.objects.count() == count
    assert len(results(owner, str(found["requestId"]))) == sum(found["counts"].values())


def test_a_line_that_is_too_long_is_an_error_of_that_line(owner, storage, monkeypatch):
    monkeypatch.setattr(upload, "LINE_BYTES", 10_000)
    long = customer("c2", note="x" * 700_000)
    found = bulk.done(owner, send(owner, lines(customer("c1"), long, customer("c3"), long)))
    assert found["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "failed": 2}
    told = results(owner, found["requestId"])
    assert [(each["line"], each["outcome"]) for each in told][1:3] == [
        (2, "FAILED"),
        (3, "CREATED"),
    ]
    assert "longer than" in told[1]["errors"][0]["message"]


def test_a_file_with_an_id_is_taken_in_once(owner, storage):
    name = str(uuid4())
    body = lines(customer("c1"))
    for _ in range(2):
        assert send(owner, body, **{"X-CDLX-Request-Id": name}) == name
    assert BulkFile.objects.count() == 1
    assert stored(storage) == ["lines"]
    answer = owner.api.post(
        FILES, body * 2, content_type=NDJSON, headers={"X-CDLX-Request-Id": name}
    )
    assert answer.status_code == 422
    assert stored(storage) == ["lines"]


# --- Secrets --------------------------------------------------------------------------------------


def test_card_numbers_in_a_file_are_stored_nowhere(owner, storage):
    escaped = json.dumps(customer("c3")).replace('"50004"', '"\\u0034111 1111 1111 1111"')
    body = lines(
        customer("c0"),
        customer("c1", note=NUMBER),
        f"{{broken {NUMBER}".encode(),
        escaped.encode(),
        customer("c4", note="Käthe"),
    )
    public_id = send(owner, body)
    file = BulkFile.objects.get()
    request_id = file.pk
    found = frames(
        file.storage_name,
        request_id,
        blocks=file.blocks,
        lines=file.lines,
        skipped=frozenset(),
    )
    plain = [line for number, sealed in found for line in opened(sealed, request_id, number).lines]
    assert not any(b"11111111" in line.replace(b" ", b"") for line in plain)
    found = bulk.done(owner, public_id)
    assert found["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "failed": 3}
    told = results(owner, public_id)
    assert [each["errors"][0]["pointer"] for each in told[1:4]] == ["/note", "", "/organizationId"]
    assert {each["errors"][0]["code"] for each in told[1:4]} == {"CARD_NUMBER"}
    assert NUMBER not in json.dumps(told)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_change c WHERE c::text ~ '1111 ?1111'")
        assert cursor.fetchone() == (0,)


def test_a_broken_line_is_told_for_what_it_is(owner, storage):
    """As POST tells it: a backslash alone hides no card number."""
    whole = json.dumps(customer("c1"))
    body = lines(
        f'{whole[:-1]}, "note": "C:\\data"}}'.encode(), b'{"note": "\xff"}', customer("c2")
    )
    public_id = send(owner, body)
    bulk.done(owner, public_id)
    told = results(owner, public_id)
    assert [each["errors"][0]["code"] for each in told[:2]] == ["MALFORMED_LINE"] * 2
    assert told[0]["errors"][0]["message"].startswith("The line is not JSON: ")
    assert told[1]["errors"][0]["message"] == "The line is not UTF-8."
    assert told[2]["outcome"] == "CREATED"


def test_a_file_is_sealed_in_storage(owner, storage):
    send(owner, lines(customer("a-name-in-clear")))
    (file,) = (path for path in storage.rglob("*") if path.is_file())
    assert b"a-name-in-clear" not in file.read_bytes()


# --- Killed ---------------------------------------------------------------------------------------


def test_a_load_that_was_interrupted_goes_on_where_it_was(owner, storage, monkeypatch):
    monkeypatch.setattr(upload, "BLOCK_LINES", 5)
    public_id = send(owner, lines(*(customer(f"c{number}") for number in range(40))))
    write = blocks.write_blocks

    def stops(target, blocks, read, *, is_next):
        if blocks[-1][0] < 4:
            return write(target, blocks, read, is_next=is_next)
        raise ClaimLost if is_next else TooEarly

    with monkeypatch.context() as patch:
        patch.setattr(blocks, "write_blocks", stops)
        bulk.run(public_id)
    request = bulk.request_of(public_id)
    assert request.status == "STARTED"
    BulkRequest.objects.filter(pk=request.pk).update(lease_until=Now())
    assert set(BulkPart.objects.values_list("number", flat=True)) == {0, 1, 2, 3}
    before = Change.objects.count()
    found = bulk.done(owner, public_id)
    assert found["counts"] == {"created": 40, "updated": 0, "unchanged": 0, "failed": 0}
    assert Change.objects.count() == 2 * before
    assert [each["line"] for each in results(owner, public_id)] == list(range(1, 41))


def test_a_file_that_is_gone_fails_in_words(owner, storage):
    public_id = send(owner, lines(customer("c1")))
    (file,) = (path for path in storage.rglob("*") if path.is_file())
    file.unlink()
    bulk.run(public_id)
    found = bulk.ledger(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "CONTENT_LOST")


# --- Results --------------------------------------------------------------------------------------


def test_results_are_there_until_they_are_deleted(owner, colleague, storage, settings):
    public_id = send(owner, lines(customer("c1")))
    url = f"{bulk.REQUESTS}/{public_id}/results"
    assert owner.api.get(url).status_code == 404
    bulk.run(public_id)
    assert owner.api.get(url).status_code == 200
    assert colleague.api.get(url).status_code == 404
    assert owner.api.post(f"{bulk.REQUESTS}/{public_id}/retry").status_code == 409
    long_ago = timezone.now() - timedelta(seconds=settings.RESULT_SECONDS)
    BulkRequest.objects.update(finished_at=long_ago)
    assert delete_old_content()
    assert owner.api.get(url).status_code == 410
    assert bulk.ledger(owner, public_id)["resultUrl"] is None
    assert stored(storage) == []


def test_files_are_listed_with_the_requests(owner, storage):
    send(owner, lines(customer("c1")))
    bulk.send(owner, customer("c2"))
    listed = owner.api.get(bulk.REQUESTS).json()["content"]
    assert [each["action"] for each in listed] == ["CREATE_CUSTOMERS", "LOAD_FILE"]
    assert listed[1]["progress"]["totalLines"] == 1

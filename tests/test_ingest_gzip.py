"""Compressed uploads: what was whole is loaded, what was not is told, and bombs cost nothing."""

import gzip
import io
import time
import zlib
from uuid import uuid4

import pytest

from config.api.errors import TooLarge, Unreadable
from customers.models import Customer
from ingest import services
from ingest.files.inflate import Damage
from ingest.files.upload import Upload
from tests.bulk import customer
from tests.uploads import FILES, ended, lines, results, send, stored

pytestmark = pytest.mark.django_db(transaction=True)
GZIP = "application/gzip"


def two_lines() -> bytes:
    return lines(customer("c1", note=str(uuid4())), customer("c2", note=str(uuid4())))


@pytest.mark.parametrize("cut", [1, 8, 9])
def test_a_file_that_was_cut_off_fails_with_what_was_whole(owner, storage, cut):
    body = gzip.compress(two_lines())[:-cut]
    public_id = send(owner, body, GZIP)
    found = ended(owner, public_id)
    assert (found["status"], found["errorCode"]) == ("FAILED", "FILE_CUT_OFF")
    assert found["counts"]["failed"] == 0
    count = found["counts"]["created"]
    assert count == Customer.objects.count() == len(results(owner, public_id))
    assert count == (2 if cut < 9 else count)
    assert count >= 1
    assert f"The {count} lines that were whole have been loaded." in found["message"]
    assert "Send the whole file again" in found["message"]
    again = ended(owner, send(owner, gzip.compress(two_lines()), GZIP))
    assert (again["status"], sum(again["counts"].values())) == ("FINISHED", 2)


def test_what_follows_a_whole_member_fails_the_file_and_all_before_it_is_loaded(owner, storage):
    body = gzip.compress(lines(customer("c1")).rstrip()) + b"and then something else"
    found = ended(owner, send(owner, body, GZIP))
    assert (found["status"], found["errorCode"]) == ("FAILED", "FILE_CUT_OFF")
    assert found["counts"] == {"created": 1, "updated": 0, "unchanged": 0, "failed": 0}
    assert "All 1 lines before it have been loaded" in found["message"]


def test_a_wrong_checksum_fails_the_file_and_the_message_says_what_was_loaded(owner, storage):
    body = bytearray(gzip.compress(two_lines()))
    body[-6] ^= 1
    found = ended(owner, send(owner, bytes(body), GZIP))
    assert (found["status"], found["errorCode"]) == ("FAILED", "FILE_CUT_OFF")
    assert found["counts"]["created"] == Customer.objects.count() == 2
    assert "The 2 lines up to there were loaded as they arrived" in found["message"]


def test_a_file_without_a_whole_line_is_refused_and_says_that_nothing_was_stored(owner, storage):
    for body in (
        gzip.compress(two_lines())[:30],
        b"\x1f\x8b\x08",
        b"\x1f\x8b\x08\0" + b"\xff" * 30,
    ):
        answer = owner.api.post(FILES, body, content_type=GZIP)
        assert answer.status_code == 400, body
        assert "nothing was stored" in answer.json()["title"]
    assert stored(storage) == []


def test_a_body_that_ends_before_its_length_is_refused_whole(owner, storage):
    for body in (two_lines(), gzip.compress(two_lines())):
        with pytest.raises(Unreadable) as refused:
            services.submit_file(
                actor=owner.actor, source=io.BytesIO(body), announced=len(body) + 10
            )
        assert f"after {len(body)} of {len(body) + 10} bytes" in refused.value.message
    assert stored(storage) == []


def upload(body: bytes) -> Upload:
    """What becomes of a body."""
    found = Upload(io.BytesIO(body), uuid4())
    while found.read(65_536):
        pass
    return found


def test_every_way_to_write_gzip_is_read():
    plain = b"a line\n" * 3
    named = io.BytesIO()
    with gzip.GzipFile("a name.ndjson", "wb", fileobj=named) as file:
        file.write(plain)
    full = gzip.compress(plain)
    extra = b"\x1f\x8b\x08\x1e" + full[4:10] + b"\x02\0xx" + b"name\0" + b"comment\0" + b"hc"
    for body in (
        named.getvalue(),
        full + full,
        full + bytes(1000),
        full + b"\0" + full,
        gzip.compress(b"") + full,
        extra + full[10:],
        gzip.compress(b"\xef\xbb\xbf" + plain),
    ):
        found = upload(body)
        assert found.damage is None
        assert found.lines in {3, 6}
    for cut in range(1, len(full)):
        assert upload(full[:-cut]).damage in {Damage.CUT_OFF, None}
        assert len(full) - cut < 2 or upload(full[:-cut]).damage is Damage.CUT_OFF
    assert upload(full + b"\x1f").damage is Damage.CUT_OFF
    assert upload(full + b"x").damage is Damage.FOLLOWED_BY_JUNK


def test_more_comes_out_than_fits_into_one_piece():
    line = b"x" * 1000 + b"\n"
    for count in (1, 262, 263, 5000):
        assert upload(gzip.compress(line * count)).lines == count


def bomb(plain: bytes, times: int) -> bytes:
    """A compressed file of the same bytes again and again."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(plain) for _ in range(times)) + packer.flush()


@pytest.mark.parametrize("plain", [b"\n" * 1000, b" \n" * 500, b"x\n" * 500, b"x" * 1000])
def test_a_bomb_is_refused_before_it_costs_anything(plain):
    times = 16_000 if plain[1:2] != b"x" else 160_000
    costs = []
    for body in (bomb(plain, times // 4), bomb(plain, times)):
        started = time.process_time()
        with pytest.raises(TooLarge):
            upload(body)
        costs.append(time.process_time() - started)
    # However much would come out of it.
    assert costs[1] < 2 * costs[0] + 0.1


def test_a_file_that_compresses_well_is_no_bomb():
    same = lines(customer("c1"))
    assert upload(gzip.compress(same * 20_000)).lines == 20_000


def test_blank_lines_cost_next_to_nothing_and_keep_the_numbers_of_the_others(owner, storage):
    costs = []
    for line in (b"\n", b"x\n"):
        started = time.process_time()
        assert upload(b"x\n" + line * 1_000_000 + b"x\n").lines == 1_000_002
        costs.append(time.process_time() - started)
    assert costs[0] < costs[1] / 8
    body = b"\r\n \n" + lines(customer("c1")) + b"\n" * 70_000 + lines(customer("c2")) + b"\n\n"
    public_id = send(owner, body)
    found = ended(owner, public_id)
    assert (found["status"], found["progress"]["lines"]) == ("FINISHED", 70_006)
    assert found["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "failed": 0}
    assert [each["line"] for each in results(owner, public_id)] == [3, 70_004]


def test_a_file_of_blank_lines_has_no_lines(owner, storage):
    assert owner.api.post(FILES, b"\n \n\n", content_type=GZIP).status_code == 400
    assert stored(storage) == []


def test_a_file_may_have_so_many_lines(owner, storage, settings):
    settings.MAX_FILE_LINES = 10
    answer = owner.api.post(FILES, b"{}\n" * 11, content_type="application/x-ndjson")
    assert answer.status_code == 413
    assert "10 lines" in answer.json()["title"]
    assert stored(storage) == []

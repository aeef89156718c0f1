"""What the one who wants a file can choose: its columns, and how it is compressed."""

import gzip
import hashlib
import json
from datetime import date

import pytest
import zstandard

from search import results, services, stream
from search.models import CustomerSearch
from tests.factories import make_address, make_customer
from tests.searches import content, search

pytestmark = pytest.mark.django_db(transaction=True)
COMPRESSIONS = ("GZIP", "ZSTD")


def manifest(storage, done: CustomerSearch) -> dict[str, object]:
    return json.loads((storage / results.manifest_name(done.storage_name)).read_bytes())


# --- Columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("result_format", "mark"), [("CSV", ""), ("CSV_EXCEL", "\ufeff")])
def test_a_csv_has_the_columns_that_were_asked_for(owner, storage, result_format, mark):
    make_customer(owner.account, first_name="Ada", external_id="x-1")
    done = search(owner, result_format, columns=["externalId", "createdAt", "firstName"])
    (head, row) = content(storage, done).decode().splitlines()
    assert head == f"{mark}externalId,createdAt,firstName"
    assert (row.split(",")[0], row.split(",")[2]) == ("x-1", "Ada")
    assert manifest(storage, done)["columns"] == [
        {"name": "externalId", "type": "text"},
        {"name": "createdAt", "type": "timestamp"},
        {"name": "firstName", "type": "text"},
    ]
    again = services.run_again(actor=owner.actor, search=done)
    assert again.columns == ["externalId", "createdAt", "firstName"]


def test_an_empty_cell_alone_is_still_a_row(owner, storage):
    make_customer(owner.account)
    data = content(storage, search(owner, columns=["dateOfBirth"]))
    assert data == b'dateOfBirth\r\n""\r\n'


def test_the_excel_form_keeps_zeros_in_front(owner, storage):
    make_address(make_customer(owner.account), zip_code="02134", city="0")
    done = search(owner, "CSV_EXCEL", columns=["mailingZipCode", "mailingCityName"])
    assert content(storage, done).decode("utf-8-sig").splitlines()[1] == "'02134,0"


def kind_of(value: object) -> str | None:
    """The type of a member in JSON, as far as JSON knows; None for no value."""
    if value is None:
        return None
    return {dict: "object", list: "array"}.get(type(value), "text")


@pytest.mark.parametrize("kind", ["INDIVIDUAL", "BUSINESS", "GROUP"])
def test_the_manifest_names_the_members_of_objects(owner, storage, kind):
    name = "" if kind == "INDIVIDUAL" else "x"
    customer = make_customer(
        owner.account, type=kind, business_name=name, date_of_birth=date(1990, 2, 3)
    )
    make_address(customer)
    done = search(owner, "NDJSON", customer_account_type=kind)
    columns = manifest(storage, done)["columns"]
    written = json.loads(content(storage, done))
    assert [column["name"] for column in columns] == list(written)
    texts = {"text", "uuid", "timestamp", "date"}
    for column in columns:
        expected = "text" if column["type"] in texts else column["type"]
        assert kind_of(written[column["name"]]) in {expected, None}, column


# --- Compression ----------------------------------------------------------------------------------


def plain(data: bytes, compression: str) -> bytes:
    if compression == "GZIP":
        return gzip.decompress(data)
    reader = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)
    return reader.read()


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("result_format", ["CSV", "CSV_EXCEL", "JSON", "NDJSON"])
def test_a_compressed_file_holds_the_plain_one(
    owner, storage, monkeypatch, compression, result_format
):
    monkeypatch.setattr(stream, "FRAME_ROWS", 3)
    for _ in range(7):
        make_customer(owner.account)
    expected = content(storage, search(owner, result_format))
    done = search(owner, result_format, compression=compression)
    data = content(storage, done)
    assert plain(data, compression) == expected
    assert (done.rows, done.bytes) == (7, len(data))
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    # However it comes in blocks, its frames end after the same rows.
    monkeypatch.setattr(stream, "BLOCK_BYTES", 100)
    assert content(storage, search(owner, result_format, compression=compression)) == data


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_frame_can_be_read_by_itself(owner, storage, monkeypatch, compression):
    monkeypatch.setattr(stream, "FRAME_ROWS", 2)
    for _ in range(4):
        make_customer(owner.account)
    data = content(storage, search(owner, "NDJSON", compression=compression))
    lines = content(storage, search(owner, "NDJSON")).splitlines(keepends=True)
    begins = {"GZIP": b"\x1f\x8b\x08", "ZSTD": b"\x28\xb5\x2f\xfd"}[compression]
    second = data.index(begins, 1)
    assert plain(data[:second], compression) == b"".join(lines[:2])
    assert plain(data[second:], compression) == b"".join(lines[2:])


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_an_empty_file_is_a_compressed_one_all_the_same(owner, storage, compression):
    data = content(storage, search(owner, "NDJSON", compression=compression))
    assert data
    assert plain(data, compression) == b""


@pytest.mark.parametrize(
    ("compression", "ending", "content_type"),
    [("GZIP", ".csv.gz", "application/gzip"), ("ZSTD", ".csv.zst", "application/zstd")],
)
def test_a_compressed_file_is_offered_as_what_it_is(
    owner, storage, compression, ending, content_type
):
    done = search(owner, compression=compression)
    assert manifest(storage, done)["compression"] == compression
    status = owner.api.get(f"/v1/search/customer-accounts/{done.pk}").json()
    assert status["compression"] == compression
    assert status["fileName"].endswith(ending)
    answer = owner.api.get(status["downloadUrl"])
    assert answer["Content-Type"] == content_type
    assert "Content-Encoding" not in answer
    assert f'{ending}"' in answer["Content-Disposition"]
    assert answer["ETag"] == f'"{status["sha256"]}"'
    assert b"".join(answer.streaming_content) == content(storage, done)
    again = services.run_again(actor=owner.actor, search=done)
    assert again.compression == compression

"""What the one who wants a file can choose: its columns, and how it is compressed."""

import gzip
import hashlib
import json
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
import zstandard

from search import external_ids, results, runner, services, stream
from search.models import CustomerSearch
from tests.factories import make_address, make_customer
from tests.searches import content, rows, search
from tests.workers import locked

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


def test_a_file_of_few_columns_reads_only_what_they_are_made_of(owner, storage, settings):
    make_customer(owner.account, email="ada@example.com")
    # One that waits for the table is given up.
    settings.JOB_SECONDS = 20
    with locked("customers_address"):
        data = content(storage, search(owner, columns=["primaryEmail", "customAttributes"]))
    assert data == b"primaryEmail,customAttributes\r\nada@example.com,\r\n"


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


# --- External ids ---------------------------------------------------------------------------------


@pytest.fixture(params=[external_ids.MOST_KEYS, 0], ids=["by keys", "by reading all"])
def way(request, monkeypatch) -> None:
    """Both ways to find customers by their external ids."""
    monkeypatch.setattr(external_ids, "MOST_KEYS", request.param)


@pytest.mark.usefixtures("way")
def test_a_file_holds_the_customers_that_were_asked_for(owner, storage, child_account, outsider):
    second = make_customer(child_account, external_id="b")
    first = make_customer(
        owner.account, external_id="b", created_at=datetime(2024, 1, 1, tzinfo=UTC)
    )
    make_customer(owner.account, external_id="other")
    make_customer(owner.account, external_id="firm", business_name="Acme")
    make_customer(outsider.account, external_id="theirs")
    asked = ["none", "b", "firm", "theirs", "B"]
    done = search(owner, external_ids=asked)
    found = [(row["requestedId"], row["id"]) for row in rows(storage, done)]
    assert found == [("b", str(first.pk)), ("b", str(second.pk))]
    told = manifest(storage, done)
    # What only a filter leaves out, somebody has.
    assert (told["externalIds"], told["unknownIds"]) == (asked, ["none", "theirs", "B"])
    assert told["columns"][:2] == [
        {"name": "requestedId", "type": "text"},
        {"name": "id", "type": "uuid"},
    ]
    assert services.run_again(actor=owner.actor, search=done).external_ids == asked


def test_other_filters_hold_beside_the_ids(owner, storage):
    for name in ("Ada", "Grace"):
        make_customer(owner.account, external_id=name, first_name=name)
    done = search(owner, external_ids=["Ada", "Grace"], first_name="grace")
    assert [row["requestedId"] for row in rows(storage, done)] == ["Grace"]
    assert manifest(storage, done)["unknownIds"] == []


def test_the_requested_id_stands_where_it_is_wanted(owner, storage):
    make_customer(owner.account, external_id="x", first_name="Ada")
    done = search(owner, columns=["firstName", "requestedId"], external_ids=["x"])
    assert content(storage, done) == b"firstName,requestedId\r\nAda,x\r\n"
    done = search(owner, columns=["firstName"], external_ids=["x"])
    assert content(storage, done) == b"requestedId,firstName\r\nx,Ada\r\n"


def test_an_object_begins_with_the_requested_id(owner, storage):
    nasty = 'a"\\b\u2028'
    make_customer(owner.account, external_id=nasty)
    (plain_object,) = json.loads(content(storage, search(owner, "JSON")))
    done = search(owner, "JSON", external_ids=[nasty])
    (written,) = json.loads(content(storage, done))
    assert list(written.items()) == [("requestedId", nasty), *plain_object.items()]
    assert manifest(storage, done)["columns"][0] == {"name": "requestedId", "type": "text"}


def test_ten_thousand_ids_can_be_asked_for(owner, storage):
    make_customer(owner.account, external_id="x-77")
    body = {
        "customerAccountType": "INDIVIDUAL",
        "externalIds": [f"x-{number}" for number in range(10_000)],
    }
    answer = owner.api.post("/v1/search/customer-accounts", body)
    assert answer.status_code == 200
    runner.run(UUID(answer.json()["queryId"]))
    done = CustomerSearch.objects.get(pk=answer.json()["queryId"])
    assert (done.status, done.rows) == ("FINISHED", 1)
    assert len(manifest(storage, done)["unknownIds"]) == 9_999


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

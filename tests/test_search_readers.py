"""Result files as those read them who work with data: the same cells in every format."""

import csv
import io
import json
import re
import zipfile
from datetime import date, datetime, time
from pathlib import Path

import pytest

from customers.models import Customer
from search import columns, conversion, stream
from search.models import CustomerSearch
from search.writers import Column, xlsx
from tests.factories import Speaker, make_customer
from tests.nasty import EVERY_STATUS, make_everybody
from tests.searches import content, rows, search

pytestmark = pytest.mark.django_db(transaction=True)
TYPES = {name: columns.TYPES.get(name, "text") for name in columns.COLUMN_NAMES}


@pytest.fixture
def everybody(owner) -> Speaker:
    """The owner, with every kind of customer."""
    make_everybody(owner)
    return owner


def file_of(speaker, storage, result_format: str, kind="INDIVIDUAL", **options) -> Path:
    done = search(
        speaker,
        result_format,
        customer_account_type=kind,
        customer_account_status=EVERY_STATUS,
        **options,
    )
    assert (done.status, done.error_code) == ("FINISHED", "")
    return storage / done.storage_name


def texts_of(speaker, storage, kind="INDIVIDUAL") -> list[list[str]]:
    """The cells of the CSV."""
    done = search(speaker, customer_account_type=kind, customer_account_status=EVERY_STATUS)
    return [list(row.values()) for row in rows(storage, done)]


def value_of(name: str, text: str) -> object:
    """What a cell of the CSV stands for; None for an empty one."""
    if not text:
        return None
    match TYPES[name]:
        case "timestamp":
            return datetime.fromisoformat(text)
        case "date":
            return date.fromisoformat(text)
        case "boolean":
            return text == "true"
    return text


def values_of(speaker, storage, kind="INDIVIDUAL") -> list[list[object]]:
    return [list(map(value_of, TYPES, row)) for row in texts_of(speaker, storage, kind)]


def by_duckdb(query: str, path: Path) -> list[list[object]]:
    import duckdb

    with duckdb.connect() as session:
        session.execute("SET TimeZone = 'UTC'")
        return [list(row) for row in session.execute(query.format(path=path)).fetchall()]


# --- Texts ----------------------------------------------------------------------------------------

CSV_BY_DUCKDB = """
    SELECT * FROM read_csv('{path}', all_varchar = true, header = true, delim = ',', quote = '"',
        escape = '"', null_padding = false, max_line_size = 10000000)"""


def test_a_csv_has_the_same_cells_for_every_reader(everybody, storage, monkeypatch):
    import pandas as pd
    import polars as pl

    monkeypatch.setattr(stream, "FRAME_ROWS", 7)
    expected = texts_of(everybody, storage)
    for compression in CustomerSearch.Compression.values:
        path = file_of(everybody, storage, "CSV", compression=compression)
        by_pandas = pd.read_csv(path, dtype=str, keep_default_na=False)
        assert list(by_pandas.columns) == list(TYPES)
        assert by_pandas.to_numpy().tolist() == expected
        by_polars = pl.read_csv(path, infer_schema=False)
        for read in (by_polars.rows(), by_duckdb(CSV_BY_DUCKDB, path)):
            assert [[cell or "" for cell in row] for row in read] == expected


@pytest.mark.parametrize("result_format", ["JSON", "NDJSON"])
def test_objects_are_the_same_for_every_reader(everybody, storage, monkeypatch, result_format):
    import pandas as pd
    import polars as pl

    monkeypatch.setattr(stream, "FRAME_ROWS", 7)
    names = ["id", "externalId", "firstName", "suffix", "createdAt"]
    places = [list(TYPES).index(name) for name in names]
    expected = [[row[place] for place in places] for row in texts_of(everybody, storage)]
    is_lines = result_format == "NDJSON"
    kind = "newline_delimited" if is_lines else "array"
    members = ", ".join(f"{name}: 'VARCHAR'" for name in names)
    query = f"SELECT * FROM read_json('{{path}}', format = '{kind}', columns = {{{{{members}}}}})"
    for compression in CustomerSearch.Compression.values:
        path = file_of(everybody, storage, result_format, compression=compression)
        by_pandas = pd.read_json(path, lines=is_lines, dtype=False)
        assert by_pandas[["id", "externalId"]].to_numpy().tolist() == [row[:2] for row in expected]
        assert by_duckdb(query, path) == expected
        if is_lines:
            by_polars = pl.read_ndjson(path, schema=dict.fromkeys(names, pl.String))
            assert [list(row) for row in by_polars.rows()] == expected


# --- Parquet --------------------------------------------------------------------------------------


def test_parquet_has_the_cells_of_the_csv_with_their_types(everybody, storage):
    for kind in Customer.Type.values:
        path = file_of(everybody, storage, "PARQUET", kind)
        check_parquet(path, values_of(everybody, storage, kind))


def check_parquet(path: Path, expected: list[list[object]]) -> None:
    """Every reader finds these cells."""
    import pandas as pd
    import polars as pl
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    assert table.column_names == list(TYPES)
    assert [list(row.values()) for row in table.to_pylist()] == expected
    assert [list(row) for row in pl.read_parquet(path).rows()] == expected
    read = by_duckdb("SELECT * FROM read_parquet('{path}')", path)
    assert read == expected
    frame = pd.read_parquet(path, dtype_backend="pyarrow")
    found = [[None if pd.isna(cell) else cell for cell in row] for row in frame.to_numpy().tolist()]
    assert found == expected
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_parquet_has_the_columns_that_were_asked_for(owner, storage):
    import polars as pl

    make_customer(owner.account, external_id="x", date_of_birth=None)
    make_customer(owner.account, external_id="y", date_of_birth=date(1850, 1, 2))
    path = file_of(owner, storage, "PARQUET", columns=["dateOfBirth"])
    assert pl.read_parquet(path).rows() == [(None,), (date(1850, 1, 2),)]
    path = file_of(owner, storage, "PARQUET", columns=["externalId"], external_ids=["y"])
    assert pl.read_parquet(path).rows() == [("y", "y")]


def test_a_row_longer_than_a_block_is_in_parquet_too(owner, storage):
    import pyarrow.parquet as pq

    text = "a\nb," * 500_000
    make_customer(owner.account, metadata={"k": text})
    make_customer(owner.account, gender='"\r\n"\n')
    done = search(owner, "PARQUET", columns=["metadata", "gender"])
    assert (done.status, done.rows) == ("FINISHED", 2)
    found = pq.read_table(storage / done.storage_name).to_pylist()
    assert json.loads(found[0]["metadata"]) == {"k": text}
    assert found[1] == {"metadata": None, "gender": '"\r\n"\n'}


def test_an_empty_parquet_file_has_its_columns(owner, storage):
    import polars as pl

    frame = pl.read_parquet(file_of(owner, storage, "PARQUET"))
    assert (frame.columns, frame.height) == (list(TYPES), 0)


def test_parquet_without_its_package_is_refused_with_what_to_install(owner, monkeypatch):
    monkeypatch.setitem(conversion.NEEDED, "PARQUET", "no_such_package")
    body = {"customerAccountType": "INDIVIDUAL", "resultFormat": "PARQUET"}
    answer = owner.api.post("/v1/search/customer-accounts", body)
    assert answer.status_code == 400
    assert "pip install no_such_package" in answer.content.decode()
    assert "FORMAT_UNAVAILABLE" in answer.content.decode()


# --- Workbooks ------------------------------------------------------------------------------------


def unescaped(cell: object) -> object:
    """A cell as a spreadsheet shows it."""
    if not isinstance(cell, str):
        return cell
    return re.sub(r"_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), cell)


def shown(name: str, text: str) -> object:
    """What a cell of the CSV is in a workbook: without a time zone, early days as texts."""
    value = value_of(name, text)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return text if value < date(1900, 3, 1) else datetime.combine(value, time.min)
    return value


def test_a_workbook_has_the_cells_of_the_csv(everybody, storage):
    for kind in Customer.Type.values:
        path = file_of(everybody, storage, "XLSX", kind)
        check_workbook(path, texts_of(everybody, storage, kind))


def check_workbook(path: Path, texts: list[list[str]]) -> None:
    """It has these cells, the header stays, and there is a filter."""
    import openpyxl

    expected = [list(map(shown, TYPES, row)) for row in texts]
    book = openpyxl.load_workbook(path)
    (sheet,) = book.worksheets
    head, *found = [[unescaped(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert head == list(TYPES)
    assert found == expected
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == sheet.dimensions


def test_a_text_that_looks_like_mark_up_is_a_text(owner, storage):
    import openpyxl

    for number, text in enumerate(["<r><t>x</t></r>", "_x0041_", "=1+1", "00501", "]]>"]):
        make_customer(owner.account, external_id=str(number), first_name=text)
    sheet = openpyxl.load_workbook(
        file_of(owner, storage, "XLSX", columns=["externalId", "firstName"])
    ).active
    found = {row[0].value: (unescaped(row[1].value), row[1].data_type) for row in sheet}
    assert found["0"] == ("<r><t>x</t></r>", "s")
    assert found["1"] == ("_x0041_", "s")
    assert found["2"] == ("=1+1", "s")
    assert found["3"] == ("00501", "s")
    assert found["4"] == ("]]>", "s")


def test_a_workbook_of_nobody_has_its_header(owner, storage):
    import openpyxl

    sheet = openpyxl.load_workbook(file_of(owner, storage, "XLSX")).active
    assert list(sheet.iter_rows(values_only=True)) == [tuple(TYPES)]


def test_what_a_sheet_cannot_hold_is_on_the_next_one(monkeypatch):
    import openpyxl

    monkeypatch.setattr(xlsx, "SHEET_ROWS", 2)
    target = io.BytesIO()
    kinds = [Column("id", "text"), Column("dateOfBirth", "date")]
    source = io.BytesIO(b"a,1990-01-02\nb,\nc,\nd,\ne,1899-01-02\n")
    limit = csv.field_size_limit()
    assert xlsx.write(source, target, kinds) == 0
    # It is that of a whole process, which is the program's to set.
    assert csv.field_size_limit() == limit
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["Customers", "Customers 2", "Customers 3"]
    assert [[row[0].value for row in sheet] for sheet in book] == [
        ["id", "a", "b"],
        ["id", "c", "d"],
        ["id", "e"],
    ]
    assert book.worksheets[2]["B2"].value == "1899-01-02"
    assert zipfile.ZipFile(target).testzip() is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 32_749, ""),
        ("x" * 32_760, "TEXT_TOO_LONG"),
        ("\U0001f600" * 16_380, "TEXT_TOO_LONG"),
    ],
    ids=["fits", "too long", "too long in UTF-16"],
)
def test_a_text_longer_than_a_cell_fails_the_search(owner, storage, text, code):
    make_customer(owner.account, metadata={"k": text})
    done = search(owner, "XLSX")
    assert done.error_code == code
    assert done.status == ("FAILED" if code else "FINISHED")
    assert bool(list(storage.rglob("*.xlsx"))) is not bool(code)


# --- The programs that write them -----------------------------------------------------------------


@pytest.mark.parametrize("result_format", ["XLSX", "PARQUET"])
def test_the_same_rows_make_the_same_bytes(owner, storage, monkeypatch, result_format):
    for _ in range(5):
        make_customer(owner.account)
    first = search(owner, result_format)
    monkeypatch.setattr(stream, "BLOCK_BYTES", 100)
    again = search(owner, result_format)
    assert content(storage, again) == content(storage, first)
    assert (first.rows, first.sha256) == (5, again.sha256)


def test_rows_that_break_off_leave_no_program_behind(storage):
    def broken():
        yield b"a\n"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        list(conversion.converted(broken(), "XLSX", [("id", "text")]))


@pytest.mark.parametrize("result_format", ["XLSX", "PARQUET"])
def test_a_program_that_fails_says_so_without_what_is_in_the_rows(capfd, result_format):
    names = [("id", "text"), ("lastName", "text")]
    with pytest.raises(RuntimeError):
        list(conversion.converted([b"a,Lovelace\na,Lovelace,a\n"], result_format, names))
    told = capfd.readouterr().err
    assert "writers" in told
    assert "Lovelace" not in told


def test_a_workbook_is_not_compressed_again(owner):
    body = {
        "customerAccountType": "INDIVIDUAL",
        "resultFormat": "XLSX",
        "compression": "GZIP",
        "columns": ["id"],
    }
    answer = owner.api.post("/v1/search/customer-accounts", body)
    assert answer.status_code == 400
    assert "compression" in answer.content.decode()
    assert not CustomerSearch.objects.exists()

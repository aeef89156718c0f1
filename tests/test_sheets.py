"""What tables from spreadsheets say: their characters, cells, columns and dates."""

import codecs
from datetime import date

import pytest

from config.api.errors import Unreadable
from ingest.sheets import dates
from ingest.sheets.characters import Characters
from ingest.sheets.columns import Column, guessed
from ingest.sheets.rows import Malformed, Table

TEXT = "externalId;lastName\r\n1;Łukasz Müller · “Jr”\r\n"
PLAIN = "externalId;lastName\r\n1;José Müller · “Jr”\r\n"


def pieces(body: bytes, size: int = 3):
    return (body[start : start + size] for start in range(0, len(body), size))


@pytest.mark.parametrize(
    ("body", "text", "encoding"),
    [
        (TEXT.encode(), TEXT, "utf-8"),
        (PLAIN.encode("cp1252"), PLAIN, "windows-1252"),
        ("a;é".encode("latin-1"), "a;é", "windows-1252"),
        (TEXT.encode("utf-16"), TEXT, "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), TEXT, "utf-16"),
        (TEXT.encode("utf-16-le"), TEXT, "utf-16"),
        (TEXT.encode("utf-16-be"), TEXT, "utf-16"),
        (b"a" * 70_000 + "é".encode("cp1252"), "a" * 70_000 + "é", "windows-1252"),
        (b"a" * 65_535 + "éé".encode(), "a" * 65_535 + "éé", "utf-8"),
        ("ü".encode() + b"a" * 70_000 + b"\xe9", "ü" + "a" * 70_000 + "\ufffd", "utf-8"),
        (b"", "", "utf-8"),
    ],
)
def test_the_characters_of_a_file_are_recognised(body, text, encoding):
    for size in (1, 3, 65_536):
        characters = Characters(pieces(body, size), must_be_utf_8=False)
        assert "".join(characters) == text
        assert characters.encoding == encoding


@pytest.mark.parametrize("body", [PLAIN.encode("cp1252"), TEXT.encode("utf-16"), b"a;\xff"])
def test_what_must_be_utf_8_and_is_not_is_refused(body):
    with pytest.raises(Unreadable, match="not UTF-8"):
        list(Characters(pieces(body), must_be_utf_8=True))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        ("a;b\r\n1,5;2", [["a", "b"], ["1,5", "2"]]),
        ("a\tb\r1\t2\r", [["a", "b"], ["1", "2"]]),
        ('"a,x";b\n', [["a,x", "b"]]),
        ("sep=;\na;b,c\n", [["a", "b,c"]]),
        ('a,b\n"x\r\ny","say ""hi"""\n', [["a", "b"], ["x\ny", 'say "hi"']]),
        ("a\n\n1\n", [["a"], [], ["1"]]),
        ('a,b\n"x"y,2\n3,4\n', [["a", "b"], Malformed(["xy", "2"]), ["3", "4"]]),
        ("", []),
    ],
)
def test_rows_are_told_apart(text, rows):
    for size in (1, 4, 1000):
        cut = [text[start : start + size] for start in range(0, len(text), size)]
        assert list(Table(cut)) == rows


def test_a_row_that_is_cut_off_is_left_out():
    for text in ("a,b\n1,2\n3,", 'a,b\n1,2\n"3'):
        assert list(Table([text], lambda: True)) == [["a", "b"], ["1", "2"]]
    with pytest.raises(Unreadable, match="Row 3"):
        list(Table(['a,b\n1,2\n"3']))


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("1980-12-31", "DMY", date(1980, 12, 31)),
        ("1980/12/31", "YMD", date(1980, 12, 31)),
        ("31/12/1980", "DMY", date(1980, 12, 31)),
        ("31.12.1980", "DMY", date(1980, 12, 31)),
        ("12-31-1980", "MDY", date(1980, 12, 31)),
        ("1.2.80", "DMY", date(1980, 2, 1)),
        ("1/2/09", "MDY", date(2009, 1, 2)),
        ("31 December 1980", "MDY", date(1980, 12, 31)),
        ("December 31st, 1980", "DMY", date(1980, 12, 31)),
        ("31-Dec-80", "YMD", date(1980, 12, 31)),
        ("1980-12-31T00:00:00Z", "YMD", date(1980, 12, 31)),
        ("12/31/1980 12:00 AM", "MDY", date(1980, 12, 31)),
    ],
)
def test_days_are_read_as_people_write_them(text, order, day):
    assert dates.parse(text, order) == day


@pytest.mark.parametrize(
    "text", ["", "soon", "31/12", "32/12/1980", "1980", "31 Foo 1980", "1/2/3"]
)
def test_what_is_no_day_is_none(text):
    assert not any(dates.is_day(text, order) for order in dates.ORDERS)


def test_the_order_of_days_is_recognised_by_those_that_leave_no_doubt():
    assert dates.recognised(["01/02/1980", "31/12/1980", ""]) == "DMY"
    assert dates.recognised(["01/02/1980", "12/31/1980"]) == "MDY"
    assert dates.recognised([]) == "YMD"
    assert dates.is_ambiguous(["01/02/1980", "03/04/1980"])
    assert not dates.is_ambiguous(["01/02/1980", "31/12/1980"])
    assert not dates.is_ambiguous(["1980-02-01", "02/02/1980"])


def test_columns_are_guessed_by_their_names_and_as_they_were_before():
    header = ["Kunden-Nr.", "VORNAME", "Surname", "E-Mail-Adresse", "Emial", "Tel", "note", "error"]
    header += ["metadata.crm", "attribute.Tier", "Tel", ""]
    remembered = {"note": Column("note", "metadata.note"), "tel": Column("tel", "")}
    names = [column.name for column in guessed(header, remembered)]
    assert names == [
        "externalId",
        "firstName",
        "lastName",
        "email",
        "",
        "",
        "metadata.note",
        "",
        "metadata.crm",
        "attribute.Tier",
        "",
        "",
    ]

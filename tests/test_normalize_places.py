"""How countries, post office boxes and time zones are read (`customers.normalize`)."""
# ruff: noqa: RUF001 - letters that look alike are the subject

import unicodedata
from datetime import datetime, timedelta

import pycountry
import pytest

from customers import normalize

# --- Countries ------------------------------------------------------------------------------------


def test_country_codes_translate_both_ways():
    assert normalize.country_alpha3("USA") == "USA"
    assert normalize.alpha3_from_alpha2("PT") == "PRT"
    assert normalize.alpha2_from_alpha3("PRT") == "PT"


@pytest.mark.parametrize("value", ["", "US", "usa", "Usa", "USA ", "XXX", "840", "U\0A", "\ud800"])
def test_only_an_alpha3_code_in_upper_case_is_a_country(value):
    with pytest.raises(ValueError, match="alpha-3"):
        normalize.country_alpha3(value)
    with pytest.raises(ValueError, match="alpha-3"):
        normalize.alpha2_from_alpha3(value)


@pytest.mark.parametrize("value", ["", "USA", "us", "XX", "\ud800"])
def test_only_an_alpha2_code_in_upper_case_translates_to_alpha3(value):
    with pytest.raises(ValueError, match="alpha-2"):
        normalize.alpha3_from_alpha2(value)


@pytest.mark.parametrize(
    ("code", "country"),
    [
        ("CA", "USA"),
        ("DC", "USA"),
        ("QC", "CAN"),
        ("13", "JPN"),
        ("NSW", "AUS"),
        ("", "USA"),
        ("", "VAT"),
    ],
)
def test_a_subdivision_of_its_country_passes(code, country):
    normalize.check_subdivision(code, country)


def test_every_subdivision_of_the_standard_passes():
    assert len(pycountry.subdivisions) > 5000
    for each in pycountry.subdivisions:
        normalize.check_subdivision(each.code[3:], normalize.alpha3_from_alpha2(each.country_code))


@pytest.mark.parametrize(
    ("code", "country"),
    [
        ("ca", "USA"),
        ("US-CA", "USA"),
        ("ON", "USA"),
        ("CA", "CAN"),
        ("ZZ", "USA"),
        ("CA", "VAT"),
        ("CA ", "USA"),
        ("\0", "USA"),
        ("", "XXX"),
        ("CA", "US"),
    ],
)
def test_a_subdivision_of_no_or_another_country_is_refused(code, country):
    with pytest.raises(ValueError, match="ISO 3166"):
        normalize.check_subdivision(code, country)


# --- PO boxes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "PO Box 123",
        "P.O. Box 123",
        "p o box 9",
        "P. O. BOX #9",
        "PO-Box 9",
        "P/O Box 9",
        "P0 Box 9",
        "POBox 123",
        "PO Box",
        "P.O.Box12",
        "Suite 4, PO Box 12, Springfield",
        "GPO Box 2820",
        "G.P.O. Box 2820",
        "Post Office Box 12",
        "Post Box No. 12",
        "Postbox 12",
        "POB 123",
        "P.O.B. 123",
        "P O Drawer 5",
        "Private Bag X12",
        "Locked Bag 4000",
        "Box 1234",
        "ＰＯ　Ｂｏｘ　１２",
        "Postfach 10 12 34",
        "Pf. 123",
        "Boîte Postale 12",
        "BP 123",
        "B.P. 123",
        "Case postale 5",
        "Apartado 12",
        "Apartado Postal 12-34",
        "Apartado de Correos 7",
        "Apdo. 123",
        "Casilla 123",
        "Casilla de Correo 5",
        "Caixa Postal 99",
        "Casella Postale 12",
        "Postbus 1234",
        "Posbus 12",
        "Postboks 12",
        "Postilokero 12",
        "PL 12",
        "Skrytka pocztowa nr 5",
        "Poštovní přihrádka 1",
        "Postafiók 5",
        "Poštanski pretinac 5",
        "Căsuța poștală 12",
        "Posta Kutusu 12",
        "Τ.Θ. 1234",
        "а/я 12",
        "Абонентский ящик 12",
        "ص.ب. 123",
        "ص ب ١٢٣",
        "صندوق بريد ٥",
        "ת.ד. 123",
        'ת"ד 123',
        "東京中央郵便局 私書箱123号",
        "北京100信箱",
        "광화문우체국 사서함 123",
        "ตู้ ปณ. 12",
        "पोस्ट बॉक्स 12",
        "Kotak Pos 12",
        "S.L.P. 123",
    ],
)
def test_a_po_box_is_recognised(line):
    assert normalize.is_po_box("c/o Smith", line)
    assert normalize.is_po_box(unicodedata.normalize("NFD", line).upper())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "12 Box Hill Road",
        "Box Hill",
        "1 Pobox Street",
        "Boxwood Lane 12",
        "Unit 5 Box Factory",
        "RR 2 Box 152",
        "PSC 1234 Box 56",
        "Po Boxer Lane 3",
        "Depo Box 12",
        "The Old Post Office, High Street 5",
        "Post Office Road 12",
        "Postbus Lane",
        "Apartado, Antioquia",
        "Apartamento 12",
        "Casilla Street",
        "C.P. 06600",
        "CP 28001",
        "Private Road 12",
        "BP Garage",
        "Pfalzstraße 12",
        "Via Po 12",
        "12 Main Street",
        "PK 12 Route de Rémire",
        "صبحي 12",
        "Trụ sở 12",
        "\0\ud800",
    ],
)
def test_a_street_is_no_po_box(line):
    assert not normalize.is_po_box(line, "")


# --- Time zones -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "minutes"),
    [
        ("UTC", 0),
        ("Z", 0),
        ("GMT", 0),
        ("+5", 300),
        ("+05", 300),
        ("-5", -300),
        ("+05:30", 330),
        ("-03:30", -210),
        (" 05:30", 330),
        ("UTC+05:30", 330),
        ("GMT-3", -180),
        ("+14:00", 840),
        ("-18", -1080),
        ("Asia/Kolkata", 330),
        ("America/Argentina/Buenos_Aires", -180),
        ("Etc/GMT+5", -300),
    ],
)
def test_a_time_zone_is_read(value, minutes):
    zone = normalize.parse_time_zone(value)
    assert datetime(2026, 1, 1, tzinfo=zone).utcoffset() == timedelta(minutes=minutes)


def test_a_named_time_zone_keeps_its_summer_time():
    zone = normalize.parse_time_zone("Europe/Lisbon")
    assert datetime(2026, 1, 1, tzinfo=zone).utcoffset() == timedelta(0)
    assert datetime(2026, 7, 1, tzinfo=zone).utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "utc",
        "5",
        "05:30",
        "+",
        "+5:3",
        "+0530",
        "+005",
        "+19",
        "+18:01",
        "-24:00",
        "+05:60",
        "+٥",
        "UTC+",
        "Z+1",
        "Europe",
        "Europe/Atlantis",
        "europe/lisbon",
        "../x",
        "../../etc/passwd",
        "/etc/localtime",
        "Europe/../Europe/Lisbon",
        "localtime",
        "posix/UTC",
        "zone.tab",
        "UTC\0",
        "\ud800",
        "A" * 300,
    ],
)
def test_what_is_not_a_time_zone_is_refused(value):
    with pytest.raises(ValueError, match="time zone"):
        normalize.parse_time_zone(value)

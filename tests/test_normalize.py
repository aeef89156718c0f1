"""How values are read, compared and stored (`customers.normalize`)."""
# ruff: noqa: RUF001 - letters that look alike are the subject

import re
import sys
import unicodedata
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from customers import normalize, phones

ANY_TEXT = st.text(st.characters())
"""Any string that Python can hold, NUL and lone surrogates included."""
FORMS = ("NFC", "NFD", "NFKC", "NFKD")


# --- Names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("  Mary\t Ann \n", "mary ann"),
        ("JOSÉ", "jose"),
        ("Łukasz Żółć", "lukasz zolc"),
        ("Søren Ærø", "soren aero"),
        ("Đặng Văn Ánh", "dang van anh"),
        ("Straße", "strasse"),
        ("Œuvre", "oeuvre"),
        ("Þórður Björnsson", "thordur bjornsson"),
        ("IŞIK İlknur ışık", "isik ilknur isik"),
        ("Əliyev", "eliyev"),
        ("Ɓalarabe", "balarabe"),
        ("Αλέξανδρος ΠΑΠΠΑΣ", "αλεξανδροσ παππασ"),
        ("Фёдор", "федор"),
        ("O\u2019Brien", "o'brien"),
        ("Jean\u2011Luc \u2013 Jean-Luc", "jean-luc - jean-luc"),
        ("Ｓｍｉｔｈ　＆　Ｓｏｎｓ", "smith & sons"),
        ("ﬁne", "fine"),
        ("山田 太郎", "山田 太郎"),
        ("ｶﾞﾘﾚｵ", "ガリレオ"),
        ("辻\U000e0100", "辻"),
        ("김철수", "김철수"),
        ("مُحَمَّد", "محمد"),
        ("שָׁלוֹם", "שלום"),
        ("हिन्दी", "हिन्दी"),
        ("soft\u00adhyphen \u200bzero", "softhyphen zero"),
        ("a\0b\ud800", "ab"),
        ("", ""),
    ],
)
def test_a_name_folds_to_its_comparison_form(name, folded):
    assert normalize.fold(name) == folded


@pytest.mark.parametrize(
    ("one", "other"),
    [("が", "か"), ("ハ", "パ"), ("한", "하"), ("أ", "ا"), ("हिन्दी", "हन्द"), ("ko", "kö1")],
)
def test_different_letters_stay_different(one, other):
    assert normalize.fold(one) != normalize.fold(other)


@pytest.mark.no_cover  # a million times what the others do
def test_folding_is_the_same_for_every_spelling_of_every_character():
    for char in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.category(char) in {"Cn", "Co"}:
            continue
        assert len(normalize.fold(char)) <= 18, hex(ord(char))
        text = f"{char} a{char}b {char}\u0301"
        folded = normalize.fold(text)
        spellings = {folded, text.upper(), text.lower(), text.title()}
        spellings.update(unicodedata.normalize(form, text) for form in FORMS)
        assert {normalize.fold(spelling) for spelling in spellings} == {folded}, hex(ord(char))


@given(ANY_TEXT)
def test_folding_any_text_twice_changes_nothing_and_leaves_only_what_can_be_stored(text):
    folded = normalize.fold(text)
    assert normalize.fold(folded) == folded
    assert "\0" not in folded
    assert folded.encode().decode() == folded
    assert folded == " ".join(folded.split())


@given(ANY_TEXT, st.sampled_from(FORMS))
def test_folding_does_not_see_case_or_normal_form(text, form):
    assert normalize.fold(unicodedata.normalize(form, text)) == normalize.fold(text)
    assert normalize.fold(text.upper()) == normalize.fold(text.lower()) == normalize.fold(text)


@given(st.text("aeioucnszyAEIOUCNSZY"), st.text("\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327"))
def test_folding_does_not_see_accents(letters, accents):
    accented = "".join(letter + accents for letter in letters)
    assert normalize.fold(unicodedata.normalize("NFC", accented)) == normalize.fold(letters)


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("  Zoë  Müller \r\n", "Zoë  Müller"),
        ("\ufeffMary\u200b", "Mary"),
        ("Zoe\u0308", "Zoe\u0308"),
        ("\u00a0\u3000", ""),
        ("a\0b", "a\0b"),
    ],
)
def test_stored_text_keeps_its_spelling_without_outer_space(text, stored):
    assert normalize.clean(text) == stored


# --- E-mail ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "John.Smith@Example.com",
        "o'brien+tag_1@mail.example.co.uk",
        "!#$%&'*+-/=?^_`{|}~@example.com",
        "用户@例子.广告",
        "jörg@münchen.example",
        "संपर्क@डाटामेल.भारत",
        "a@xn--mnchen-3ya.de",
        "1@2.com",
        "a" * 308 + "@example.com",
    ],
)
def test_an_address_is_taken_as_spelled(address):
    assert normalize.parse_email(f" {address}\n") == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "john",
        "john@",
        "@example.com",
        "john@localhost",
        "john@example",
        "john@example.",
        "john@.example.com",
        "john@exa mple.com",
        "john@exa_mple.com",
        "john@-example.com",
        "john@example-.com",
        "john@example.com.",
        "john@10.0.0.1",
        "john@[10.0.0.1]",
        "john@@example.com",
        "john smith@example.com",
        "john.@example.com",
        ".john@example.com",
        "jo..hn@example.com",
        '"john smith"@example.com',
        "<john@example.com>",
        "john@example.com, mary@example.com",
        "john＠example.com",
        "john@example。com",
        "jo\0hn@example.com",
        "john@exam\0ple.com",
        "jo\u00a0hn@example.com",
        "jo\u200bhn@example.com",
        "jo\ud800hn@example.com",
        "john@exam\ud800ple.com",
        "john@" + "a" * 64 + ".com",
        "john@" + "ü" * 64 + ".com",
        "john@" + "a." * 130 + "com",
        "a" * 309 + "@example.com",
        "ß" * 200 + "@example.com",
    ],
)
def test_what_is_not_an_address_is_refused(address):
    with pytest.raises(ValueError, match="e-mail"):
        normalize.parse_email(address)


@given(st.emails())
def test_every_ordinary_address_is_taken(address):
    assert normalize.parse_email(address) == address
    assert normalize.email_key(address.upper()) == normalize.email_key(address)


# The upper case of a dotless i is an I, which is another letter's too.
@given(st.text(st.characters(exclude_characters="ı")))
def test_addresses_compare_without_case(text):
    key = normalize.email_key(text)
    assert normalize.email_key(text.upper()) == normalize.email_key(text.lower()) == key
    assert normalize.email_key(key) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a@bücher.example", "A@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@XN--BCHER-KVA.EXAMPLE"),
        ("a@bu\u0308cher.example", "a@bücher.example"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
        ("Jörg@mail.münchen.example", "jörg@mail.xn--mnchen-3ya.example"),
    ],
)
def test_both_forms_of_a_domain_are_one(one, other):
    assert normalize.email_key(one) == normalize.email_key(other)
    assert normalize.email_key(normalize.email_key(one)) == normalize.email_key(one)


def test_an_address_is_searched_for_under_both_forms_of_its_domain():
    key = normalize.email_key("jörg@bücher.example")
    assert normalize.email_words(key) == ["jörg@xn--bcher-kva.example", "jörg@bücher.example"]
    assert normalize.email_words("a@example.com") == ["a@example.com"]
    assert normalize.email_words("a@xn--0.example") == ["a@xn--0.example"]


def test_addresses_compare_with_accents():
    assert normalize.email_key("JÖRG@Example.com ") == "jörg@example.com"
    assert normalize.email_key("jorg@example.com") != normalize.email_key("jörg@example.com")
    assert normalize.email_key("mıke@example.com") != normalize.email_key("mike@example.com")


# --- Phone ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "region", "e164"),
    [
        ("+14151234", "US", "+14151234"),
        ("14151234", "US", "+14151234"),
        ("4151234", "US", "+14151234"),
        ("+15556589", "US", "+15556589"),
        ("+1 (415) 555-2671", "US", "+14155552671"),
        ("1-415-555-2671", "us", "+14155552671"),
        ("415.555.2671", "US", "+14155552671"),
        ("(415)\u00a0555\u20112671", "US", "+14155552671"),
        ("\u202a415/555/2671\u202c", "US", "+14155552671"),
        ("＋１４１５５５５２６７１", "DE", "+14155552671"),
        ("٤١٥٥٥٥٢٦٧١", "US", "+14155552671"),
        ("4641234", "AG", "+12684641234"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+44 (0)20 7946 0958", "US", "+442079460958"),
        ("442079460958", "GB", "+442079460958"),
        ("030 123456", "DE", "+4930123456"),
        ("4930123456", "DE", "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("0049 30 1234567", "US", "+49301234567"),
        ("011 49 30 1234567", "US", "+49301234567"),
        ("010 1 415 555 2671", "JP", "+14155552671"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("3912345678", "IT", "+393912345678"),
        ("393912345678", "IT", "+393912345678"),
        ("9198765432", "IN", "+919198765432"),
        ("919876543210", "IN", "+919876543210"),
        ("8 912 345-67-89", "RU", "+79123456789"),
        ("+8613800138000", "", "+8613800138000"),
    ],
)
def test_a_number_is_kept_as_e164(number, region, e164):
    assert phones.parse(number, region) == e164
    assert phones.parse(e164, region) == e164


@pytest.mark.parametrize(
    "number",
    [
        "",
        " ",
        "+",
        "()",
        "1",
        "911",
        "12345",
        "415-555-267A",
        "1-800-FLOWERS",
        "+1 415 555 2671 x12",
        "tel:+14155552671",
        "415+5552671",
        "++14155552671",
        "+1415555267112",
        "+9991234567",
        "+0049301234567",
        "+1234567890123456",
        "1" * 100_000,
        "415\0555\0002671",
        "415\ud8005552671",
        "4155552671;ext=1",
    ],
)
def test_what_is_not_a_number_is_refused(number):
    with pytest.raises(ValueError, match="phone number"):
        phones.parse(number, "US")


@pytest.mark.parametrize("region", ["", "XX", "USA", "001", "\0"])
def test_a_national_number_needs_a_region(region):
    with pytest.raises(ValueError, match="phone number"):
        phones.parse("4155552671", region)


@given(
    st.from_regex(r"[0-9]{7,12}|\+?[0-9 ()-]{4,20}", fullmatch=True),
    st.sampled_from(["US", "GB", "DE", "IT", "IN", "AR", "MX", "BR", "RU", "JP", "AU", "HU", "AG"]),
)
def test_a_number_once_read_reads_the_same_everywhere(number, region):
    try:
        e164 = phones.parse(number, region)
    except ValueError:
        reject()
    assert re.fullmatch(r"\+[1-9][0-9]{3,14}", e164)
    assert phones.parse(e164, "FR") == e164


def test_the_digits_of_a_number_are_those_of_country_code_number_and_extension():
    assert phones.digits_of("+14155552671") == "14155552671"
    assert phones.digits_of("+14155552671", "31") == "1415555267131"
    assert phones.digits_of("+14155552671", "x 31") == "1415555267131"


# --- List search ----------------------------------------------------------------------------------


def test_search_text_has_every_folded_word_once():
    parts = ["José", "JOSE  Müller", "", "J@Example.com", "+14155552671", "12-34", "\0"]
    assert normalize.search_text(parts) == "jose muller j@example.com +14155552671 12-34 1234"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" - & ", ["-", "&"]),
        ("Smith, José;", ["smith", "jose"]),
        (",", [","]),
        ("“Acme” Inc.", ["“acme”", "inc."]),
        ("100% C++", ["100%", "c++"]),
        ("100+ 100- 1.5 24/7 #7", ["100+", "100-", "1.5", "24/7", "#7"]),
        ("smith SMITH", ["smith"]),
        ("O\u2019Brien", ["o'brien"]),
        ("<john.smith+tag@Example.com>;", ["john.smith+tag@example.com"]),
        ("415-123", ["415123"]),
        ("(415) 123.4567", ["415", "1234567"]),
        ("+1 (415) 123-4567", ["14151234567"]),
        ("(+1) 415 123 4567 smith", ["14151234567", "smith"]),
        ("smith +44 (0)20 7946 0958", ["smith", "442079460958"]),
        ("+1 415 555 2671 94107-1234", ["14155552671", "941071234"]),
        ("ABC-123", ["abc-123"]),
        ("+tag", ["+tag"]),
        ("+100 +1415", ["+100", "1415"]),
        ("a\0b", ["ab"]),
    ],
)
def test_a_search_box_is_read_word_by_word(text, words):
    assert normalize.parse_search_words(text) == words


@pytest.mark.parametrize(
    "part",
    [
        "José",
        "O\u2019Brien & Sons, Inc.",
        "john.smith@example.com",
        "2024-01-02",
        "EXT/12",
        "ORD-2024-001/X",
        "(415) 123",
    ],
)
def test_what_was_stored_is_found_by_typing_it(part):
    text = normalize.search_text(["Łódź", part])
    assert all(word in text for word in normalize.parse_search_words(part))


@given(st.from_regex(r"[A-Za-z][-/.][0-9]{1,3}([-/.][0-9]{1,3}){0,3}", fullmatch=True), st.data())
def test_any_part_of_a_reference_is_found_by_typing_it(reference, data):
    first = data.draw(st.integers(0, len(reference)))
    part = reference[first : data.draw(st.integers(first, len(reference)))]
    text = normalize.search_text([reference])
    assert all(word in text for word in normalize.parse_search_words(part))


@given(st.text("aB1é .,-/()&¿«@") | ANY_TEXT.filter(lambda text: "+" not in normalize.fold(text)))
def test_any_text_without_a_plus_is_found_by_typing_it(part):
    text = normalize.search_text([part])
    assert all(word in text for word in normalize.parse_search_words(part))


@given(ANY_TEXT)
def test_any_text_can_be_searched_for_and_in(text):
    normalize.search_text([text])
    assert all(word == normalize.fold(word) for word in normalize.parse_search_words(text))


def test_long_text_is_searched_in_linear_time():
    text = "box " + "1" * 1_000_000 + "x"
    assert normalize.search_text([text]) == text
    assert normalize.parse_search_words(text)[1].endswith("1x")
    assert not normalize.is_po_box(text)


# --- Ids ------------------------------------------------------------------------------------------


def test_new_ids_are_ordered_by_time():
    before = int(datetime.now(UTC).timestamp() * 1000)
    ids = [normalize.uuid7() for _ in range(1000)]
    after = int(datetime.now(UTC).timestamp() * 1000)
    assert {type(one) for one in ids} == {uuid.UUID}
    assert {(one.version, one.variant) for one in ids} == {(7, uuid.RFC_4122)}
    assert len(set(ids)) == 1000
    milliseconds = [one.int >> 80 for one in ids]
    assert milliseconds == sorted(milliseconds)
    assert before <= milliseconds[0] <= milliseconds[-1] <= after


def test_a_source_id_always_names_the_same_customer_of_its_business_account():
    account, other = uuid.UUID(int=1), uuid.UUID(int=2)
    assert normalize.customer_id(account, "c-1") == uuid.uuid5(account, "c-1")
    ids = {
        normalize.customer_id(*pair)
        for pair in [(account, "c-1"), (account, "C-1"), (other, "c-1")]
    }
    assert len(ids) == 3


@pytest.mark.parametrize("number", range(32))
def test_the_ids_of_loaded_rows_are_those_of_the_standard(number):
    namespace, name = uuid.uuid4(), f"Zoë {number}"
    assert normalize.uuid5(namespace.bytes, name) == str(uuid.uuid5(namespace, name))


def test_a_source_id_that_is_not_unicode_is_refused():
    with pytest.raises(ValueError, match="Unicode"):
        normalize.customer_id(uuid.UUID(int=1), "\ud800")


# --- Every reader ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "read",
    [
        normalize.parse_email,
        lambda text: phones.parse(text, "US"),
        lambda text: phones.parse("4155552671", text),
        normalize.country_alpha3,
        normalize.alpha3_from_alpha2,
        normalize.alpha2_from_alpha3,
        lambda text: normalize.check_subdivision(text, "USA"),
        lambda text: normalize.check_subdivision("CA", text),
        lambda text: normalize.customer_id(uuid.UUID(int=1), text),
        normalize.parse_time_zone,
    ],
)
@given(text=ANY_TEXT | st.text("+-.()0123456789 @:xUTC/\0\ud800"))
def test_no_text_raises_anything_but_a_value_error_fit_for_a_client(read, text):
    error = refusal(read, text)
    assert error is None or str(error).endswith(".")
    assert not isinstance(error, UnicodeError)


def refusal(read, text):
    try:
        read(text)
    except ValueError as error:
        return error
    return None


@given(ANY_TEXT)
def test_no_text_makes_a_comparison_form_fail(text):
    assert normalize.clean(normalize.clean(text)) == normalize.clean(text)
    assert normalize.is_po_box(text) in {True, False}
    assert phones.digits_of(text, text).isascii()

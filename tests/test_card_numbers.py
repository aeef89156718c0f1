"""Full card numbers are found wherever they are, and nothing else is taken for one."""

import json
import random
import uuid
from datetime import date

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from config.api import card_numbers
from config.api.card_numbers import (
    NETWORKS,
    REMOVED,
    holds_card_number,
    is_card_number,
    malformed_holds_card_number,
    may_hold_card_numbers,
    passes_luhn,
    path_of,
    pointer_of,
    ranges,
    redact,
)

VISA = "4111111111111111"
AMEX = "378282246310005"
# Numbers that the networks, or banks in their name, publish for tests.
PUBLISHED = [
    VISA,
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    AMEX,
    "6011111111111117",
    "6445644564456445",
    "30569309025904",
    "36227206271667",
    "3530111333300000",
    "6200000000000005",
    "6759649826438453",
    "6304000000000000",
    "2200000000000004",
    "6062828888666688",
    "5066991111111118",
    "6370950000000005",
]
# What people, programs and those who would get around the rule put between digits.
BETWEEN = [
    *(
        "",
        " ",
        "  ",
        "-",
        " - ",
        ".",
        "\t",
        "\n",
        "\r\n",
        "/",
        "\\",
        "_",
        ",",
        ", ",
        ":",
        "|",
        "*",
        "'",
    ),
    *("\u00a0", "\u2009", "\u3000", "\u2013", "\u2212", "\u00b7", "\u00d7", "\u30fb", "/ /"),
    *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u200f", "\u202e"),
    *(
        "\u0336",
        "\u0301",
        "\ufe0f\u20e3",
        "\ufe0f\u20e3 ",
        "\u3164",
        "\u115f",
        "\u2800",
        "\x7f",
        "\x1f",
    ),
    *("\U000e0020", "\U0001f4b3", "\ufffc"),
]
DIGITS = [
    "0123456789",
    "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19",
    "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669",
    "\u0966\u0967\u0968\u0969\u096a\u096b\u096c\u096d\u096e\u096f",
    "\u0e50\u0e51\u0e52\u0e53\u0e54\u0e55\u0e56\u0e57\u0e58\u0e59",
    "\U0001d7ce\U0001d7cf\U0001d7d0\U0001d7d1\U0001d7d2\U0001d7d3\U0001d7d4\U0001d7d5\U0001d7d6\U0001d7d7",
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079",
    "\u24ea\u2460\u2461\u2462\u2463\u2464\u2465\u2466\u2467\u2468",
    "\u24ff\u2776\u2777\u2778\u2779\u277a\u277b\u277c\u277d\u277e",
]


def with_check_digit(digits: str) -> str:
    """The digits with the one that makes them pass the Luhn check."""
    return next(digits + last for last in "0123456789" if passes_luhn(digits + last))


@st.composite
def numbers(draw, networks=tuple(NETWORKS)) -> str:
    """A card number of any network, of any length that it has."""
    beginnings, lengths = NETWORKS[draw(st.sampled_from(networks))]
    first, last = draw(st.sampled_from(list(ranges(beginnings))))
    beginning = str(draw(st.integers(int(first), int(last))))
    length = draw(st.sampled_from(lengths))
    rest = length - len(beginning) - 1
    return with_check_digit(beginning + draw(st.text("0123456789", min_size=rest, max_size=rest)))


def as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def is_found(text: str) -> bool:
    """Whether a text's card number is found by each of the ways to look at it."""
    found = holds_card_number(text)
    assert may_hold_card_numbers(as_json({"note": text})) or not found
    assert (redact({"note": text})[1] == [("note",)]) == found
    return found


@pytest.mark.parametrize("number", PUBLISHED)
def test_the_numbers_that_networks_publish_are_found(number):
    assert is_found(number)
    assert is_found(f"+{number}")
    assert is_found(f"card no. {number}, valid to 12/27")
    assert is_found(f"PAN{number}x")
    assert is_card_number(number)


@given(numbers())
def test_numbers_of_every_network_and_length_are_found(number):
    assert is_found(number)
    assert is_card_number(number)
    assert redact({"n": int(number)})[1] == [("n",)]


@pytest.mark.parametrize("between", BETWEEN)
@settings(max_examples=15)
@given(number=numbers(), size=st.integers(1, 19))
def test_what_stands_between_the_digits_is_ignored(number, size, between):
    groups = [number[start : start + size] for start in range(0, len(number), size)]
    assume("." not in between or size < 19)
    text = between.join(groups)
    assert is_found(text)
    assert is_card_number(text)


@given(number=numbers(), data=st.data())
def test_separators_may_stand_anywhere_and_differ(number, data):
    between = st.sampled_from(["", "", " ", "-", "\u200b", "_", "\n"])
    assert is_found("".join(digit + data.draw(between) for digit in number))


@pytest.mark.parametrize("digits", DIGITS)
@settings(max_examples=15)
@given(number=numbers())
def test_digits_of_any_script_count(number, digits):
    assert is_found(number.translate(dict(zip(map(ord, "0123456789"), digits, strict=True))))


def test_a_sign_for_two_digits_is_two_digits():
    text = "4" + "\u246a\u246a\u246a\u246a\u246a\u246a\u246a" + "1"
    assert holds_card_number(text)
    assert may_hold_card_numbers(as_json(text))


@given(number=numbers(), before=st.from_regex(r"\A[0-9]{1,4}\Z"), after=st.integers(1, 99999))
def test_other_numbers_beside_a_card_number_do_not_hide_it(number, before, after):
    assert is_found(f"{before} {number[:4]} {number[4:]} {after}")


@given(st.uuids(), st.uuids())
def test_uuids_are_no_card_numbers(one, other):
    assert not is_found(str(one))
    assert not is_found(f"{one} {str(other).upper()}")
    assert not is_found(one.hex)


def test_uuids_that_have_card_numbers_in_them_are_none():
    for seed in range(3000):
        drawn = random.Random(seed)
        digits = "".join(drawn.choices("0123456789", k=32))
        assert not is_found(str(uuid.UUID(digits)))


@given(st.text("0123456789abcdef", min_size=24, max_size=64))
def test_hexadecimal_ids_are_no_card_numbers(text):
    assume(not text.isdigit())
    assert not is_found(text)
    assert not is_found(f"0x{text}")
    assert not is_found(f"key_{text.upper()}")


@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.dates(date(1900, 1, 1), date(2099, 12, 31))
)
def test_dates_one_after_the_other_are_no_card_number(first, last):
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d"):
        if form != "%Y%m%d" or first.year > 1999:
            assert not is_found(f"{first:{form}} {last:{form}}")


@given(st.integers(1_600_000_000_000, 2_100_000_000_000))
def test_moments_in_milliseconds_are_no_card_numbers(number):
    assert not is_found(str(number))
    assert not is_found(str(number * 1000))
    assert redact({"at": number})[1] == []


@given(
    st.floats(-90, 90).map(lambda each: round(each, 7)),
    st.floats(-180, 180).map(lambda each: round(each, 7)),
)
def test_coordinates_and_decimals_are_no_card_numbers(latitude, longitude):
    text = f"{latitude:.7f}, {longitude:.7f}"
    assert not is_found(text)
    assert redact({"at": [latitude, longitude / 3]})[1] == []
    assert not is_found("0.4242424242424242")


@given(numbers())
def test_a_number_with_another_last_digit_is_none(number):
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert not is_card_number(wrong)
    assert not holds_card_number(wrong)


@pytest.mark.parametrize("beginning", ["0", "1", "7", "20", "29", "33", "99", "590", "700"])
def test_what_no_network_begins_with_is_none(beginning):
    for length in range(12, 20):
        number = with_check_digit(beginning.ljust(length - 1, "3"))
        assert not holds_card_number(number)


def test_no_length_that_a_network_does_not_have_is_taken_for_its_number():
    for length in (12, 14, 15, 17, 18):
        assert not is_card_number(with_check_digit("4".ljust(length - 1, "1")))
    assert not is_card_number(with_check_digit("37".ljust(15, "1")))


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "sourceCustomerId",
        "sourceCustomerIds",
        "organizationId",
        "externalId",
        "networkIdentifier",
    ],
)
def test_ids_are_looked_at_whole(name):
    assert redact({name: f"order-{VISA}"})[1] == []
    assert redact({name: f"{VISA}-77"})[1] == []
    assert redact({name: VISA})[1] == [(name,)]
    assert redact({name: ["x", "4111-1111 1111.1111"]})[1] == [(name, 1)]
    assert redact({name: int(VISA)})[1] == [(name,)]


@pytest.mark.parametrize("name", ["paid", "note", "identity", "video", "Idea"])
def test_members_that_only_sound_like_ids_are_looked_through(name):
    assert redact({name: f"order {VISA}"})[1] == [(name,)]


@pytest.mark.parametrize(
    "number", ["+4915112345676", "4222222222222", "+49 151 1234-5676", "0049 151 12345676"]
)
def test_phone_numbers_are_exempt_where_they_belong(number):
    for place in (
        {"phones": [{"type": "MOBILE", "number": number}]},
        {"phones": [number]},
        {"primaryPhoneNumber": {"number": number}},
        {"contacts": [{"primaryPhonenumber": {"number": number}}]},
        {"contactPoints": [{"type": "phone", "value": number}]},
        {"phoneNumber": number},
    ):
        assert redact(place)[1] == []


def test_only_what_may_be_a_phone_number_is_exempt():
    for number in (VISA, AMEX, f"+{AMEX}", f"call {VISA}", "4111 1111 1111 1111"):
        assert redact({"phones": [{"number": number}]})[1] == [("phones", 0, "number")]
    assert redact({"card": {"number": "4222222222222"}})[1] == [("card", "number")]
    assert redact({"phones": [{"provider": "4222222222222"}]})[1] == [("phones", 0, "provider")]


def test_what_is_taken_out_is_named_by_its_place():
    body = {"a": [{"b": VISA}, 1, True, None, 0.5], VISA: {"c/d": [VISA]}, "ok": "x"}
    clean, places = redact(body)
    assert clean == {
        "a": [{"b": REMOVED}, 1, True, None, 0.5],
        REMOVED: {"c/d": [REMOVED]},
        "ok": "x",
    }
    assert [pointer_of(place) for place in places] == [
        "/a/0/b",
        f"/{REMOVED}",
        f"/{REMOVED}/c~1d/0",
    ]
    assert [path_of(place) for place in places] == ["a[0].b", REMOVED, f"{REMOVED}.c/d[0]"]


def test_what_has_none_is_given_back_as_it_is():
    body = {"a": [{"b": "x" * 100, "c": [1, 2.5, None, 1e300, 10**18]}]}
    clean, places = redact(body)
    assert clean is body
    assert places == []


@pytest.mark.parametrize(
    "line",
    [
        f'{{"note": "{VISA}"',
        '{"note": "4111\\u00201111\\t1111\\n1111" C:\\data}',
        '{"note": "\\u0034111111111111111"',
        f"{{broken {VISA}",
        "\xff 4111 1111 1111 1111",
    ],
)
def test_a_card_number_in_a_broken_line_is_found(line):
    assert malformed_holds_card_number(line.encode("latin-1"))


@pytest.mark.parametrize("line", ['{"note":"C:\\data"}', "{", '{"a":"2017-01-01T08:00:00Z"', "\\u"])
def test_a_broken_line_without_one_holds_none(line):
    assert not malformed_holds_card_number(line.encode())


@given(st.dictionaries(st.text(), st.text() | numbers() | st.integers() | st.lists(st.text())))
def test_a_body_that_cannot_hold_any_holds_none(body):
    if not may_hold_card_numbers(as_json(body)):
        assert card_numbers.redact(body)[1] == []

"""Full card numbers: found wherever they are, and taken out before anything is stored.

A card number is a run of 12 to 19 digits, whatever signs and invisible characters stand between
them, that passes the Luhn check and begins as the numbers of a card network do, at a length of that
network. UUIDs, long hexadecimal ids, dates, pairs of coordinates and decimals are none; nor is a
phone number where one belongs. An id is looked at as a whole: a part of it means nothing.
"""

import math
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from config.api.dialects import escaped
from config.api.json import to_json

REMOVED = "[card number removed]"
CARD_NUMBER = (
    "This holds a full card number, which must not be sent; it was not stored.",
    "CARD_NUMBER",
)

# --- Networks -------------------------------------------------------------------------------------

SHORTEST, LONGEST = 12, 19
# Issuer identification numbers as the networks publish them, and the lengths of their card numbers.
NETWORKS: dict[str, tuple[str, tuple[int, ...]]] = {
    "Visa": ("4", (13, 16, 19)),
    "Mastercard": ("2221-2720 51-55", (16,)),
    "American Express": ("34 37", (15,)),
    "Discover": ("6011 644-649 65", (16, 17, 18, 19)),
    "Diners Club": ("300-305 3095 36 38-39", (14, 15, 16, 17, 18, 19)),
    "JCB": ("3528-3589", (16, 17, 18, 19)),
    "UnionPay": ("62", (16, 17, 18, 19)),
    "T-Union": ("31", (19,)),
    "Maestro": (
        "5018 5020 5038 5893 6304 6759 6761-6763 676770 676774",
        (12, 13, 14, 15, 16, 17, 18, 19),
    ),
    "Mir": ("2200-2204", (16, 17, 18, 19)),
    "RuPay": ("60 65 81 82 353 356 508", (16,)),
    "Troy": ("65 9792", (16,)),
    "Elo": (
        (
            "401178-401179 431274 438935 451416 457393 457631-457632 504175 506699-506778 "
            "509000-509999 627780 636297 636368 650031-650033 650035-650051 650405-650439 "
            "650485-650538 650541-650598 650700-650718 650720-650727 650901-650978 651652-651679 "
            "655000-655019 655021-655058"
        ),
        (16,),
    ),
    "Hipercard": ("606282 637095 637568 637599 637609 637612", (13, 16, 19)),
    "Carnet": ("286900 502275 506199-506499", (16,)),
    "Verve": ("506099-506198 507865-507964 650002-650027", (16, 18, 19)),
    "InterPayment": ("636", (16, 17, 18, 19)),
    "InstaPayment": ("637-639", (16,)),
    "UkrCard": ("60400100-60420099", (16, 17, 18, 19)),
    "Dankort": ("4571 5019", (16,)),
    "BORICA": ("2205", (16,)),
    "Uzcard": ("5614 8600", (16,)),
    "Humo": ("9860", (16,)),
    "NAPAS": ("9704", (16, 19)),
}
# The first digits that are compared; no beginning is longer.
_COMPARED = 8
_AMERICAN_EXPRESS = re.compile(r"3[47][0-9]{13}")


def ranges(beginnings: str) -> Iterator[tuple[str, str]]:
    """The first and the last beginning of each of the ranges in a text such as ``4 51-55``."""
    for word in beginnings.split():
        first, _, last = word.partition("-")
        yield first, last or first


def _bounds(length: int) -> list[int]:
    """Where ranges of first digits begin and end (alternating), for card numbers of a length."""
    spans = sorted(
        (int(first.ljust(_COMPARED, "0")), int(last.ljust(_COMPARED, "9")) + 1)
        for beginnings, lengths in NETWORKS.values()
        if length in lengths
        for first, last in ranges(beginnings)
    )
    bounds: list[int] = []
    for start, end in spans:
        if bounds and start <= bounds[-1]:
            bounds[-1] = max(bounds[-1], end)
        else:
            bounds += [start, end]
    return bounds


_BOUNDS = {length: _bounds(length) for length in range(SHORTEST, LONGEST + 1)}


def is_of_a_network(digits: str) -> bool:
    """Whether digits begin as the card numbers of a network do that has numbers of their length."""
    bounds = _BOUNDS.get(len(digits), ())
    return bisect_right(bounds, int(digits[:_COMPARED])) % 2 == 1


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    values = [int(digit) for digit in reversed(digits)]
    doubled = sum(sum(divmod(2 * value, 10)) for value in values[1::2])
    return (sum(values[::2]) + doubled) % 10 == 0


# --- Texts ----------------------------------------------------------------------------------------

# Letters by their category, which show nothing.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")


class _Shapes(dict[int, str]):
    """What each character comes to: its digits, an x for a letter, a blank for anything else."""

    def __missing__(self, code: int) -> str:
        self[code] = shape = "".join(map(_shape, unicodedata.normalize("NFKC", chr(code))))
        return shape


def _shape(char: str) -> str:
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    return "x" if char.isalnum() and char not in _FILLERS else " "


_SHAPES = _Shapes()
_RUN = re.compile(rf"[0-9](?: *+[0-9]){{{SHORTEST - 1},}}+")
_DAY, _MONTH, _YEAR = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])", "(?:19|20)[0-9]{2}"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_EXEMPT = re.compile(
    "|".join(
        (
            rf"(?<![0-9a-z]){_UUID}(?![0-9a-z])",
            r"(?<![0-9a-z])(?:0x)?(?=[0-9]*[a-f])[0-9a-f]{24,}(?![0-9a-z])",
            rf"(?<![0-9]){_YEAR}[-/.]{_MONTH}[-/.]{_DAY}(?![0-9])",
            rf"(?<![0-9]){_DAY}[-/.]{_MONTH}[-/.]{_YEAR}(?![0-9])",
            rf"(?<![0-9]){_MONTH}[-/.]{_DAY}[-/.]{_YEAR}(?![0-9])",
            r"(?<![0-9.])[0-9]{1,3}\.[0-9]{3,}[,;\s]+-?[0-9]{1,3}\.[0-9]{3,}(?![0-9.])",
            r"(?<![0-9.])0\.[0-9]+(?![0-9.])",
        )
    ),
    re.IGNORECASE | re.ASCII,
)
# What most of the texts are that have so many digits.
_ONLY_UUID = re.compile(_UUID)


# In UTF-8: 0 is what may be a digit, also as a part of a character; a blank what may stand between
# digits; an x a letter. A look for a dozen zeros settles most texts.
_SIGNS = bytes(byte for byte in range(128) if not chr(byte).isalnum())
_BYTES = bytes(
    ord("0" if byte > 127 or chr(byte).isdigit() else " " if byte in _SIGNS else "x")
    for byte in range(256)
)
_LEAST = b"0" * SHORTEST


def holds_card_number(text: str) -> bool:
    """Whether a text has a full card number in it."""
    if _ONLY_UUID.fullmatch(text):
        return False
    squeezed = text.encode(errors="replace").translate(_BYTES, _SIGNS)
    if _LEAST not in squeezed or not _is_in(text.translate(_SHAPES)):
        return False
    return _is_in(_without_exempt(text).translate(_SHAPES))


def is_card_number(text: str) -> bool:
    """Whether a text is nothing but a full card number: the question to ask of an id."""
    digits = _all_digits(text) if holds_card_number(text) else ""
    return _is_card(digits) and _is_card(_all_digits(_without_exempt(text)))


def _is_phone_number(text: str) -> bool:
    """Whether a text may be a phone number; those of American Express are the numbers of none."""
    digits = _all_digits(text)
    return 0 < len(digits) <= 15 and not _AMERICAN_EXPRESS.fullmatch(digits)


def _without_exempt(text: str) -> str:
    """The text with an x in place of what only looks like a card number."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _EXEMPT.sub("x", text)


def _all_digits(text: str) -> str:
    """The digits of a text, or nothing when it also has letters."""
    shape = text.translate(_SHAPES)
    return "" if "x" in shape else shape.replace(" ", "")


def _is_card(digits: str) -> bool:
    return SHORTEST <= len(digits) <= LONGEST and is_of_a_network(digits) and passes_luhn(digits)


def _is_in(shape: str) -> bool:
    """Whether a shape has a card number in it, of one or more whole groups of its digits."""
    return any(_is_among(run[0].split()) for run in _RUN.finditer(shape))


def _is_among(groups: list[str]) -> bool:
    """Whether some of the groups, one after the other, make a card number.

    The sums up to each digit make a check of any of them one subtraction: a body may be a million
    groups.
    """
    digits = "".join(groups)
    ends = list(accumulate(map(len, groups)))
    found = frozenset(ends)
    sums: tuple[list[int], list[int]] | None = None
    for start in (0, *ends[:-1]):
        for length, bounds in _BOUNDS.items():
            end = start + length
            if end not in found:
                continue
            if bisect_right(bounds, int(digits[start : start + _COMPARED])) % 2 == 0:
                continue
            sums = sums or _luhn_sums(digits)
            of_parity = sums[end % 2]
            if (of_parity[end] - of_parity[start]) % 10 == 0:
                return True
    return False


_DOUBLED = str.maketrans("0123456789", "0246813579")


def _luhn_sums(digits: str) -> tuple[list[int], list[int]]:
    """Sums up to each digit in which every second one is doubled, for even and for odd ends."""
    doubled = digits.translate(_DOUBLED)
    odd, even = list(digits), list(digits)
    odd[1::2], even[::2] = doubled[1::2], doubled[::2]
    return _sums(even), _sums(odd)


def _sums(digits: Iterable[str]) -> list[int]:
    return list(accumulate(map(int, digits), initial=0))


# --- JSON -----------------------------------------------------------------------------------------

_SIGNS_BUT_QUOTES = _SIGNS.replace(b'"', b"")
_BYTES_AND_QUOTES = _BYTES[: ord('"')] + b'"' + _BYTES[ord('"') + 1 :]


def may_hold_card_numbers(body: bytes) -> bool:
    """Whether JSON in UTF-8 has to be looked through value by value; False is certain.

    Most bodies have no dozen digits in a row, which is settled without a look at their texts.
    """
    return b"\\" in body or any(map(holds_card_number, _likely_texts(body)))


# Of so many bytes few have a dozen digits; those that have are taken apart.
_PIECE_BYTES = 2048


def _likely_texts(body: bytes) -> Iterator[str]:
    """The texts between quotes that are not settled by their shape."""
    begin = 0
    while begin < len(body):
        end = body.find(b'"', begin + _PIECE_BYTES)
        piece = body[begin:] if end < 0 else body[begin:end]
        yield from _likely_texts_of(piece)
        begin += len(piece) + 1


def _likely_texts_of(piece: bytes) -> Iterator[str]:
    squeezed = piece.translate(_BYTES_AND_QUOTES, _SIGNS_BUT_QUOTES)
    found = squeezed.find(_LEAST)
    if found < 0:
        return
    texts = piece.split(b'"')
    index = passed = 0
    while found >= 0:
        index += squeezed.count(b'"', passed, found)
        yield texts[index].decode(errors="replace")
        passed = squeezed.find(b'"', found)
        found = squeezed.find(_LEAST, passed) if passed >= 0 else -1


_ID_MEMBER = re.compile(r"(?i:^ids?$)|(?:Id|ID|[_-]id)s?$|[iI]dentifiers?$")
_UNICODE_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\[bfnrt]")
# What is looked into beside texts; of other values none is a card number.
_WALKED = frozenset({dict, list, int, float})
# ㉟ stands for two digits.
_FEWEST_CHARACTERS = SHORTEST // 2
# The steps to a value: names of members, and indexes.
Steps = tuple[str | int, ...]


def malformed_holds_card_number(line: bytes) -> bool:
    """Whether what was meant to be JSON, and is none, has a full card number in it."""
    text = line.decode(errors="replace")
    if "\\" in text:
        text = _UNICODE_ESCAPE.sub(lambda found: chr(int(found[1] or "20", 16)), text)
    return holds_card_number(text)


@dataclass(frozen=True, slots=True)
class Member:
    """The member that a value is of: its name, the object that has it, and that one's own name."""

    name: str = ""
    owner: dict[str, object] = field(default_factory=dict)
    owner_name: str = ""

    @property
    def is_id(self) -> bool:
        """Whether its values are ids."""
        return _ID_MEMBER.search(self.name) is not None

    @property
    def is_phone_number(self) -> bool:
        """Whether its values are phone numbers."""
        if self.name not in {"number", "value"}:
            return "phone" in self.name.lower()
        if self.owner_name == "contactPoints" and not self.owner.get("kind"):
            # Of a stored point, whose kind the rules know: they look at it again.
            return True
        words = (self.owner_name, self.owner.get("type"), self.owner.get("kind"))
        return any("phone" in word.lower() for word in words if isinstance(word, str))


def redact(value: object) -> tuple[object, list[Steps]]:
    """A JSON value without full card numbers, and the steps to where they stood.

    A text, number or member name that holds one is replaced by `REMOVED` as a whole, also in the
    steps.
    """
    places: list[Steps] = []
    if _is_anywhere(value, Member()):
        value = _redacted(value, Member(), (), places)
    return value, places


def _is_anywhere(value: object, member: Member) -> bool:
    """Whether a value has a card number in it; far quicker than to make another without."""
    if type(value) is dict:
        for name, item in value.items():
            kind = type(item)
            if kind is str:
                if holds_card_number(item) and _is_wrong(item, Member(name, value, member.name)):
                    return True
            elif kind in _WALKED and _is_anywhere(item, Member(name, value, member.name)):
                return True
            if len(name) >= _FEWEST_CHARACTERS and holds_card_number(name):
                return True
        return False
    if type(value) is list:
        return any(
            _is_anywhere(item, member)
            for item in value
            if type(item) is not dict or may_hold_card_numbers(to_json(item))
        )
    return _is_wrong(value, member)


def _redacted(value: object, member: Member, steps: Steps, places: list[Steps]) -> object:
    """A copy without card numbers; notes the places."""
    if isinstance(value, dict):
        members: dict[str, object] = {}
        for name, item in value.items():
            shown = name
            if holds_card_number(name):
                shown = REMOVED
                places.append((*steps, shown))
            within = Member(name, value, member.name)
            members[shown] = _redacted(item, within, (*steps, shown), places)
        return members
    if isinstance(value, list):
        return [
            _redacted(item, member, (*steps, index), places) for index, item in enumerate(value)
        ]
    if _is_wrong(value, member):
        places.append(steps)
        return REMOVED
    return value


def _is_wrong(value: object, member: Member) -> bool:
    """Whether a value is a card number, or holds one, by the rule for the member that it is of."""
    if isinstance(value, str):
        if not holds_card_number(value) or (member.is_phone_number and _is_phone_number(value)):
            return False
        return not member.is_id or is_card_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # The decimals of a number are not those of a card.
    return math.isfinite(value) and _is_card(str(abs(int(value))))


def pointer_of(steps: Iterable[str | int]) -> str:
    """A place as a JSON Pointer (RFC 6901)."""
    return "".join(f"/{escaped(str(step))}" for step in steps)


def path_of(steps: Iterable[str | int]) -> str:
    """A place as `/v1` spells it, such as ``addresses[1].stateCode``."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else step
    return path

"""Full card numbers: found wherever they are, and taken out before anything is stored.

A card number is 13 to 19 digits that pass the Luhn check, also in groups with single spaces or
dashes between. What only looks like one is left alone: a part of a UUID or of another hexadecimal
id, an international phone number behind its plus, the decimals of a number.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from config.dialects import escaped

REMOVED = "[card number removed]"

# Digits and what may stand between them become 0, everything else an x: most texts are settled by a
# look for thirteen zeros.
_SHAPE = bytes(ord("0") if byte in b"0123456789 -" else ord("x") for byte in range(256))
_THIRTEEN = b"0" * 13
_DASHES = r"\-\u2010-\u2015\u2212"
_CANDIDATE = re.compile(rf"[0-9][0-9 {_DASHES}]{{11,}}[0-9]")
_PARTS = re.compile(r"([^0-9]*)([0-9]+)")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{24,}")
# No card is printed with longer groups; the first and the last of a UUID are.
LONGEST_GROUP = 7


def may_hold_card_numbers(body: bytes) -> bool:
    """Whether JSON in UTF-8 has to be looked through value by value; False is certain.

    It is fastest without blanks between the values.
    """
    return b"\\" in body or any(map(holds_card_number, _likely_texts(body)))


def _likely_texts(body: bytes) -> Iterator[str]:
    """The texts between quotes that are not settled by their shape."""
    shape = body.translate(_SHAPE)
    found = shape.find(_THIRTEEN)
    while found >= 0:
        end = body.find(b'"', found)
        end = len(body) if end < 0 else end
        yield body[body.rfind(b'"', 0, found) + 1 : end].decode(errors="replace")
        found = shape.find(_THIRTEEN, end)
    if not body.isascii():
        for text in body.split(b'"'):
            if not text.isascii():
                yield text.decode(errors="replace")


def holds_card_number(text: str) -> bool:
    """Whether a text has a full card number in it."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    return any(_is_card(text, match) for match in _CANDIDATE.finditer(text))


def _is_card(text: str, match: re.Match[str]) -> bool:
    """Whether a run of digits, spaces and dashes has a card number in it."""
    start, end = match.span()
    is_glued_before = text[max(0, start - 1) : start].isalnum()
    is_glued_after = text[end : end + 1].isalnum()
    grouped: list[str] = []
    for part in _PARTS.finditer(match[0]):
        separator, digits = part.groups()
        if len(separator) > 1:
            grouped = []
        first = start + part.start(2)
        if 13 <= len(digits) <= 19 and _is_number(text, first, digits) and passes_luhn(digits):
            return True
        is_glued = (is_glued_before and first == start) or (
            is_glued_after and start + part.end() == end
        )
        grouped = [] if is_glued or len(digits) > LONGEST_GROUP else [*grouped, digits]
        if _ends_in_card(grouped):
            return True
    return False


def _ends_in_card(groups: list[str]) -> bool:
    """Whether the last few groups make a card number."""
    digits = ""
    for group in reversed(groups):
        digits = group + digits
        if len(digits) > 19:
            return False
        if len(digits) >= 13 and passes_luhn(digits):
            return True
    return False


def _is_number(text: str, start: int, digits: str) -> bool:
    """Whether digits in a row stand for themselves.

    They do not in a phone number, as decimals, and as a part of a longer hexadecimal id.
    """
    before = text[max(0, start - 2) : start]
    if before.endswith("+") and len(digits) <= 15:
        return False
    if len(before) == 2 and before[0].isdigit() and before[1] == ".":
        return False
    around = text[max(0, start - 64) : start + len(digits) + 64]
    tokens = (token for token in _HEXADECIMAL.findall(around) if not token.isdigit())
    return not any(digits in token for token in tokens)


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    values = [int(digit) for digit in reversed(digits)]
    doubled = sum(sum(divmod(2 * value, 10)) for value in values[1::2])
    return (sum(values[::2]) + doubled) % 10 == 0


def redact(value: Any, pointer: str = "") -> tuple[Any, list[str]]:  # noqa: ANN401 -- any JSON
    """A JSON value without full card numbers, and the JSON Pointers where they stood.

    A text, number or member name that holds one is replaced by `REMOVED` as a whole, also in the
    pointers.
    """
    if isinstance(value, str):
        return (REMOVED, [pointer]) if holds_card_number(value) else (value, [])
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (REMOVED, [pointer]) if holds_card_number(repr(value)) else (value, [])
    found: list[str] = []
    if isinstance(value, list):
        items = []
        for index, item in enumerate(value):
            clean, places = redact(item, f"{pointer}/{index}")
            items.append(clean)
            found += places
        return items, found
    if isinstance(value, dict):
        members: dict[str, Any] = {}
        for name, item in value.items():
            is_secret = holds_card_number(name)
            shown = REMOVED if is_secret else name
            place = f"{pointer}/{escaped(shown)}"
            clean, places = redact(item, place)
            members[shown] = clean
            found += [place, *places] if is_secret else places
        return members, found
    return value, found

"""Days as people write them: 31/12/1980, 12-31-80, 31 December 1980, 1980-12-31."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime

# Which of year, month and day comes first; in words for those who choose.
ORDERS = {
    "YMD": "1980-12-31 (year first)",
    "DMY": "31/12/1980 (day first)",
    "MDY": "12/31/1980 (month first)",
}
EXAMPLES = {order: words.partition(" ")[0] for order, words in ORDERS.items()}
_BETWEEN = r"(?:\s*+[-/.]\s*+|\s++)"
_NUMBERS = re.compile(rf"(\d{{1,4}}){_BETWEEN}(\d{{1,2}}){_BETWEEN}(\d{{1,4}})\.?", re.ASCII)
# Programs add a time to days, which nobody means.
_TIME = re.compile(
    r"(?<![T\s])[T\s]++\d{1,2}:\d\d(?::\d\d(?:\.\d++)?)?\s*+(?:[AaPp][Mm]|Z|[+-]\d\d:?\d\d)?$"
)
_WORD = re.compile(r"[A-Za-z]{3,9}")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def parse(text: str, order: str) -> date:
    """A day whose numbers are in this order. ValueError for a text that is none."""
    numbers, order = numbers_of(text, order)
    if numbers is None:
        raise ValueError("no day")
    parts = dict(zip(order, numbers, strict=True))
    year = parts["Y"]
    if len(year) == 2:
        year = full_year(year)
    if len(year) != 4:
        raise ValueError("no year")
    return date(int(year), int(parts["M"]), int(parts["D"]))


def numbers_of(text: str, order: str) -> tuple[tuple[str, str, str] | None, str]:
    """The three numbers of a day, and the order in which they are."""
    text = _TIME.sub("", text.strip())
    if word := _WORD.search(text):
        name = word[0].lower()
        if name[:3] not in _MONTHS:
            return None, order
        is_first = word.start() == 0
        month = str(_MONTHS.index(name[:3]) + 1)
        text = f"{text[: word.start()]} {month} {text[word.end() :]}".replace(",", " ").strip()
        text = re.sub(_BETWEEN, " ", re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", text))
        order = "MDY" if is_first else "YMD" if len(text.split()[0]) == 4 else "DMY"
    found = _NUMBERS.fullmatch(text)
    if found is None:
        return None, order
    if len(found[1]) == 4:
        order = "YMD"
    return (found[1], found[2], found[3]), order


def full_year(year: str) -> str:
    """A year of two digits: the last one of these that is not in the future."""
    now = datetime.now(UTC).year
    whole = now // 100 * 100 + int(year)
    return str(whole if whole <= now else whole - 100)


def recognised(texts: Iterable[str]) -> str:
    """The order in which most of these are days; ``YMD`` where none is."""
    given = [text for text in texts if text.strip()]
    return max(ORDERS, key=lambda order: sum(is_day(text, order) for text in given))


def is_ambiguous(texts: Iterable[str]) -> bool:
    """Whether all of these could have their day or their month first."""
    given = [text for text in texts if text.strip()]
    return any(
        is_day(text, "DMY") and is_day(text, "MDY") and parse(text, "DMY") != parse(text, "MDY")
        for text in given
    ) and all(is_day(text, "DMY") and is_day(text, "MDY") for text in given)


def is_day(text: str, order: str) -> bool:
    """Whether a text is a day in this order."""
    try:
        parse(text, order)
    except ValueError:
        return False
    return True

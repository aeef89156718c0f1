"""Telephone numbers: how they are read, compared and stored.

Pure functions, as those of `customers.normalize`: what cannot be read raises `ValueError` with a
message fit for an API client, which never repeats the value.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import phonenumbers

_PUNCTUATION = frozenset(".()[]/\u00b7\u2212")
_PUNCTUATION_CATEGORIES = frozenset({"Zs", "Pd", "Cf"})
_NO_DIGITS = re.compile(r"[^0-9]+")
_DIALLED = re.compile(r"\+?[0-9]+")
_BAD_PHONE = "Not a possible phone number."
# E.164 has at most 15 digits, after a plus.
_LONGEST = 16
_VALID, _POSSIBLE, _LOCAL, _IMPOSSIBLE = 3, 2, 1, 0


# A load reads a number twice: to find the one that is there, and to write it.
@functools.lru_cache(maxsize=256)
def parse(number: str, region: str) -> str:
    """The number as E.164, `+14151234`, read for a default region (ISO 3166-1 alpha-2, `US`).

    Spaces, dashes, dots, brackets and slashes are ignored; anything else but digits and a leading
    plus is refused. A number passes when the phone library calls it possible, or possible locally,
    and it has at most 15 digits. ValueError otherwise.

    Without a plus it may begin with the region's international prefix or `00`, with the region's
    country code, or be a national number (its national prefix, such as 0, is dropped). Where more
    than one reading is possible, a valid number wins over a possible one and that over a locally
    possible one; among equals the country code is taken as given. So `14151234` is `+14151234` in
    the US, and the Italian mobile number `3912345678` is `+393912345678`.
    """
    dialled = _dialled(number)
    if _is_plainly_possible(dialled):
        return dialled
    best, best_rank = "", _IMPOSSIBLE
    readings = list(_readings(dialled, region.upper()))
    for reading in readings:
        # Whether the number is in use by the plan of its country only counts among several.
        e164, rank = _ranked(reading, region.upper(), is_judged=len(readings) > 1)
        if rank > best_rank:
            best, best_rank = e164, rank
        if rank == _VALID:
            break
    if not best:
        raise ValueError(_BAD_PHONE)
    return best


def digits_of(e164: str, extension: str = "") -> str:
    """The digits of country code, number and extension, without a sign between them."""
    return _NO_DIGITS.sub("", e164 + extension)


def _dialled(number: str) -> str:
    """The digits of a number as written, in ASCII, after a plus if it has one."""
    if len(number) > 100:
        raise ValueError(_BAD_PHONE)
    if _DIALLED.fullmatch(number):
        return number
    kept = "".join(char for char in unicodedata.normalize("NFKC", number) if not _is_format(char))
    digits = kept.removeprefix("+")
    if not digits.isdecimal():
        raise ValueError("A phone number has digits, formatting characters and a leading + only.")
    plus = kept[: len(kept) - len(digits)]
    return plus + "".join(str(unicodedata.decimal(digit)) for digit in digits)


def _is_format(char: str) -> bool:
    return (
        char in _PUNCTUATION
        or char.isspace()
        or unicodedata.category(char) in _PUNCTUATION_CATEGORIES
    )


class _Plan(NamedTuple):
    """The numbering plan of a country code: what national numbers may be, and begin with."""

    lengths: frozenset[int]
    prefix: re.Pattern[str] | None


def _is_plainly_possible(dialled: str) -> bool:
    """Whether the phone library would call a number with a plus possible, and leave it as it is.

    Its own answer takes ten times as long, for it looks for what is not there. False for all that
    it has to judge: what begins with a zero or may begin with a national prefix, is possible
    locally only, or not at all.
    """
    if not dialled.startswith("+") or len(dialled) > _LONGEST:
        return False
    for end in range(2, 5):
        if plan := _plan(dialled[1:end]):
            national = dialled[end:]
            return (
                len(national) in plan.lengths
                and not national.startswith("0")
                and (plan.prefix is None or plan.prefix.match(national) is None)
            )
    return False


# Of a wrong number too, of which there are a thousand beginnings.
@functools.lru_cache(maxsize=1200)
def _plan(country_code: str) -> _Plan | None:
    """The plan of a country code; None where there is none."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(country_code or 0))
    if regions is None or country_code.startswith("0"):
        return None
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(
        int(country_code), regions[0]
    )
    if metadata is None or metadata.general_desc is None:
        return None
    prefix = metadata.national_prefix_for_parsing
    return _Plan(
        # Of three digits and more: the library takes less for no number at all.
        frozenset(length for length in metadata.general_desc.possible_length if length > 2),
        re.compile(prefix) if prefix else None,
    )


def _readings(dialled: str, region: str) -> Iterator[str]:
    """What the dialled digits may mean, the first preferred among equals."""
    country_code = str(phonenumbers.country_code_for_region(region) or "")
    if not dialled.startswith("+"):
        if country_code and dialled.startswith(country_code):
            yield f"+{dialled}"
        if dialled.startswith("00"):
            yield f"+{dialled[2:]}"
    yield dialled


def _ranked(reading: str, region: str, *, is_judged: bool) -> tuple[str, int]:
    """E.164 of one reading, and how far the phone library trusts it.

    That is `_VALID` or one of the others; one that is not judged is never `_VALID`.
    """
    try:
        phone = phonenumbers.parse(reading, region)
    except phonenumbers.NumberParseException:
        return "", _IMPOSSIBLE
    e164 = phonenumbers.format_number(phone, phonenumbers.PhoneNumberFormat.E164)
    if e164 != reading:
        # A prefix written twice would be dropped at the next reading.
        return _ranked(e164, region, is_judged=is_judged)
    reason = phonenumbers.is_possible_number_with_reason(phone)
    if len(e164) > _LONGEST:
        return "", _IMPOSSIBLE
    if reason == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        return e164, _LOCAL
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return "", _IMPOSSIBLE
    return e164, _VALID if is_judged and phonenumbers.is_valid_number(phone) else _POSSIBLE

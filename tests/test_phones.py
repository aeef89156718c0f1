"""International phone numbers are read as the phone library reads them, which takes far longer."""

import phonenumbers
import pytest

from customers import phones


@pytest.mark.parametrize("home", ["US", "IT", ""])
def test_an_international_number_is_read_as_the_phone_library_reads_it(home, library):
    with library():
        expected = {number: read_by_the_library(number, home) for number in numbers()}
    assert {number: as_read(number, home) for number in expected} == expected


def numbers():
    """Numbers of all countries, of each length, with and without what is dialled before them."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
        example = phonenumbers.national_significant_number(phonenumbers.example_number(region))
        for prefix in {"", "0", "1", plan.national_prefix or ""}:
            for length in range(1, 15):
                for digits in (example + "0123456789", "2345678901234", "0" * 13):
                    yield f"+{plan.country_code}{(prefix + digits)[:length]}"


def as_read(number, region):
    """A number as E.164; None for one that is refused."""
    try:
        return phones.parse(number, region)
    except ValueError:
        return None


def read_by_the_library(number, region):
    """A number as E.164, which reads the same once more; None for one that is not possible."""
    try:
        found = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    e164 = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    if e164 != number:
        return read_by_the_library(e164, region)
    return e164 if len(e164) <= 16 and phonenumbers.is_possible_number(found) else None

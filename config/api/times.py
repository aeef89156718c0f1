"""Days and moments as clients write them."""

import re
from datetime import UTC, date, datetime
from functools import lru_cache

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:[Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
BAD_DAY = "Not a date of the form yyyy-MM-dd."
BAD_MOMENT = "Not a date or date-time of ISO 8601, such as 2023-01-31T08:00:00Z."
NO_SUCH_DAY = "The calendar has no such day."
NO_SUCH_TIME = "There is no such time."


def parse_day(text: str) -> date:
    """A day, `yyyy-MM-dd`. ValueError with a message for a client otherwise."""
    if _DAY.fullmatch(text) is None:
        raise ValueError(BAD_DAY)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(NO_SUCH_DAY) from None


@lru_cache(maxsize=65_536)
def parse_moment_as_written(text: str) -> datetime:
    """An ISO 8601 date or date-time with its offset; without one it is read as UTC.

    The offset tells which day was meant. `t` and `z` may be small (RFC 3339). Feeds repeat their
    dates, hence the cache. ValueError with a message for a client otherwise.
    """
    if _MOMENT.fullmatch(text) is None:
        raise ValueError(BAD_MOMENT)
    parse_day(text[:10])
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(NO_SUCH_TIME) from None
    return moment


def parse_moment(text: str) -> datetime:
    """The same in UTC."""
    return parse_moment_as_written(text).astimezone(UTC)

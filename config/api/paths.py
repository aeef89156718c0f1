"""What the variables of paths may be, and how a path is told without what fills them."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver, register_converter
from django.urls.converters import StringConverter, UUIDConverter

WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]+")
# More of a path than any route has is not looked at.
MAX_SEGMENTS, MAX_WORD = 12, 40


class AnyCaseUUID(UUIDConverter):
    """A UUID in either case, as clients write them: ``<id:…>``."""

    regex = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> UUID:
        """The UUID."""
        return UUID(value)


class OpaqueId(StringConverter):
    """An id of a client's own, with slashes in it, too: ``<opaque:…>``.

    Of two in one path, all ways to tell them apart would be tried, were they of any length; far
    fewer characters may be in one than are matched here.
    """

    regex = ".{1,400}"


def register_variables() -> None:
    """Let paths of the URL table have variables such as ``<id:…>``."""
    register_converter(AnyCaseUUID, "id")
    register_converter(OpaqueId, "opaque")


def without_values(path: str) -> str:
    """A path that no route has, for the log: ``/v1/custmers/*`` for ``/v1/custmers/Ada``.

    Words of the URL table stay, and what looks like one of them misspelled; anything else may be
    personal data.
    """
    segments = path.split("/")
    shown = [_shown(segment) for segment in segments[:MAX_SEGMENTS]]
    return "/".join([*shown, "*"] if len(segments) > MAX_SEGMENTS else shown)


def _shown(segment: str) -> str:
    is_short = len(segment) <= MAX_WORD
    if segment == "" or (
        is_short and get_close_matches(segment, words(get_resolver()), n=1, cutoff=0.75)
    ):
        return segment
    return "*"


@cache
def words(table: URLResolver) -> frozenset[str]:
    """All words of a URL table."""
    return frozenset(_words(table.url_patterns))


def _words(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str]:
    for each in patterns:
        for segment in str(each.pattern).split("/"):
            if "<" not in segment:
                yield from WORD.findall(segment)
        if isinstance(each, URLResolver):
            yield from _words(each.url_patterns)

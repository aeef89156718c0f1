"""The languages of `/core`, and texts for clients that can be said in each of them."""

import re
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Self

from django.http import HttpRequest
from django.utils.translation import gettext, override

# As the dialect lists them; the first is used where a client does not ask for any.
LANGUAGES = (
    "en-US",
    "es-ES",
    "fr-FR",
    "it-IT",
    "de-DE",
    "nl-NL",
    "pt-BR",
    "pt-PT",
    "da-DK",
    "ru-RU",
    "fr-CA",
    "zh-CN",
    "ja-JP",
    "ko-KR",
    "sv-SE",
)
DEFAULT_LANGUAGE = LANGUAGES[0]
QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


class Message(str):
    """A text for a client in English, which keeps the template that it was made of.

    `template` has placeholders such as ``%(name)s``; it is the key of the translation catalogs.
    """

    __slots__ = ("parameters", "template")
    template: str
    parameters: dict[str, object]

    def __new__(cls, template: str, **parameters: object) -> Self:
        message = super().__new__(cls, template % parameters)
        message.template, message.parameters = template, parameters
        return message


def translated(text: str) -> str:
    """A message in the language that is active; as it is where no catalog has it."""
    if isinstance(text, Message):
        return gettext(text.template) % text.parameters
    return gettext(text)


def weighted(header: str) -> list[tuple[str, float]]:
    """The elements of a header such as `Accept`, in lower case, with their qualities from 0 to 1.

    In their order; what has no readable quality is left out.
    """
    found = []
    for element in header.lower().split(","):
        name, *parameters = (part.strip() for part in element.split(";"))
        given = next((part[2:].strip() for part in parameters if part.startswith("q=")), "1")
        if name and QUALITY.fullmatch(given):
            found.append((name, float(given)))
    return found


@lru_cache(maxsize=1024)
def preferred_language(header: str) -> str | None:
    """The language of `LANGUAGES` that an `Accept-Language` header likes best; None for none.

    Without regard to case. A language without a region is the first in the list that has it
    (`fr` is fr-FR), ``*`` the first of all; an empty header means the default. A request asks
    several times, and clients send one of a few headers.
    """
    if not header.strip():
        return DEFAULT_LANGUAGE
    elements = weighted(header)
    excluded = {tag for tag, quality in elements if not quality}
    allowed = [tag for tag in LANGUAGES if tag.lower() not in excluded]
    for tag, quality in sorted(elements, key=lambda element: -element[1]):
        for language in allowed if quality else ():
            name = language.lower()
            if tag in {name, name.partition("-")[0], "*"}:
                return language
    return None


def language_of(request: HttpRequest) -> str:
    """The language to answer a request in: the default where it accepts none of `LANGUAGES`."""
    header = request.META.get("HTTP_ACCEPT_LANGUAGE", "")
    return preferred_language(header) or DEFAULT_LANGUAGE


def speaking(language: str) -> AbstractContextManager[None]:
    """While it is entered, `translated` says texts in this language of `LANGUAGES`."""
    context: AbstractContextManager[None] = override(language.lower())
    return context

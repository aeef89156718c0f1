"""The languages of `/core`, and texts for clients that can be said in each of them."""

from contextlib import AbstractContextManager
from typing import Self

from django.http import HttpRequest
from django.utils.translation import gettext, override
from django.utils.translation.trans_real import parse_accept_lang_header

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
BY_TAG = {tag.lower(): tag for tag in LANGUAGES}
# A language without a region is the first in the list that has it: `fr` is fr-FR.
BY_NAME = {tag.partition("-")[0]: tag for tag in reversed(LANGUAGES)} | {"*": DEFAULT_LANGUAGE}


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


def preferred_language(header: str) -> str | None:
    """The language of `LANGUAGES` that an `Accept-Language` header likes best; None for none.

    Without regard to case; ``*`` and an empty header mean the default.
    """
    if not header.strip():
        return DEFAULT_LANGUAGE
    for tag, quality in parse_accept_lang_header(header):
        if quality > 0 and (language := BY_TAG.get(tag) or BY_NAME.get(tag)):
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

"""The texts of the product that are translated, and its catalogs."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages import Catalog
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import to_locale

from config.api.translation import LANGUAGES

FOLDER = Path(settings.LOCALE_PATHS[0])
SOURCES = ("config", "customers", "search")
LOCALES = [to_locale(language.lower()) for language in LANGUAGES]


@cache
def texts() -> frozenset[str]:
    """All texts that the sources mark with `_`; they are read once for all catalogs."""
    return frozenset(text for source in SOURCES for text in _marked(settings.BASE_DIR / source))


def _marked(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if is_call and node.func.id == "_":
                yield ast.literal_eval(node.args[0])


def source(locale: str) -> Path:
    """The catalog as it is written."""
    return FOLDER / locale / "LC_MESSAGES" / "django.po"


def compiled(locale: str) -> Path:
    """The catalog as it is used."""
    return source(locale).with_suffix(".mo")


def catalog(locale: str) -> Catalog:
    with source(locale).open("rb") as file:
        return read_po(file, locale=locale, ignore_obsolete=False)

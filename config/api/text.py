"""Which characters a text may have, and whether a reader sees anything of it."""

import re
import unicodedata

_NONCHARACTERS = r"\ufdd0-\ufdef" + "".join(
    f"{chr(plane << 16 | 0xFFFE)}-{chr(plane << 16 | 0xFFFF)}" for plane in range(17)
)
# Joiners, direction marks and variation selectors stay: languages and emoji are written with them.
_NOT_ON_A_LINE = re.compile(
    r"[\x01-\x1f\x7f-\x9f\u2028\u2029"
    # Overrides, embeddings and isolates: they reorder what follows the text.
    r"\u202a-\u202e\u2066-\u2069" + _NONCHARACTERS + "]"
)
_PLAINLY_VISIBLE = re.compile(r"[!-~]")
# Letters and symbols without a glyph, and code points that Unicode keeps for invisible characters.
_BLANK = re.compile(
    r"[\u115f\u1160\u2065\u2800\u3164\uffa0\ufff0-\ufff8\U0001d159\U000e0000-\U000e0fff"
    + _NONCHARACTERS
    + "]"
)
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Mc", "Me", "Mn", "Zl", "Zp", "Zs"})
_OUTER = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\ufeff"


def trimmed(text: str) -> str:
    """The text without outer white space.

    A byte-order mark or a zero-width space at either end counts as such: it comes from
    spreadsheets, unseen.
    """
    return text.strip(_OUTER)


def is_visible(text: str) -> bool:
    """Whether a reader sees anything: a mark without a letter to stand on is nothing.

    Characters that Unicode assigned lately, or that a font of one's own has, are visible.
    """
    if _PLAINLY_VISIBLE.search(text):
        return True
    return not text.isascii() and any(map(_has_glyph, text))


def _has_glyph(char: str) -> bool:
    return unicodedata.category(char) not in _INVISIBLE_CATEGORIES and not _BLANK.match(char)


def is_one_line(text: str) -> bool:
    """Whether the text has no control character, line break, override of direction or noncharacter.

    NUL and lone surrogates are not looked for: no text of a request has them.
    """
    return _NOT_ON_A_LINE.search(text) is None


def fitted(text: str, length: int) -> str:
    """The text as it is if it has at most `length` characters, otherwise in NFC.

    Decomposed letters may take several characters and are still one to a reader.
    """
    return text if len(text) <= length else unicodedata.normalize("NFC", text)

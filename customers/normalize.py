"""How values are read, compared and stored: one rule per value, one place per rule.

Pure functions without database or framework. What cannot be read raises `ValueError` with a message
fit for an API client; the caller adds path and error code. The message never repeats the value.
"""

import functools
import hashlib
import re
import unicodedata
import uuid
import zoneinfo
from collections.abc import Iterable
from datetime import UTC, timedelta, timezone, tzinfo
from importlib import import_module
from types import ModuleType

from uuid_utils.compat import uuid7 as _uuid7

from config.api.text import trimmed
from customers import phones

# --- Text -----------------------------------------------------------------------------------------

# Letters of people's names that Unicode does not decompose, and typographic signs.
_PLAIN: dict[int, str] = {
    **dict(
        zip(
            map(ord, "ƀɓđɖɗðƒǥɣħɨıɩɉȷƙĸƚłŋɲøɔɍŧⱦʉʋƴɏƶⱥȼɇəǝɛ"),
            "bbddddfgghiiijjkkllnnoorttuvyyzaceeee",
            strict=True,
        )
    ),
    **dict(zip(map(ord, "æœþ"), ("ae", "oe", "th"), strict=True)),
    **dict.fromkeys(
        map(ord, "\u2018\u2019\u201b\u2032\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\ua78c"), "'"
    ),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
}
# Marks that make another letter in their script (Japanese voicing, Indic vowel signs and viramas,
# Arabic hamza and madda) are not among these.
_IGNORED = re.compile(
    "["
    # accents of Latin, Greek and Cyrillic
    r"\u0300-\u036F\u0483-\u0487\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\uFE20-\uFE2F"
    # vowel points, optional in Hebrew and Arabic, and the Arabic stretch
    r"\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u0640\u064B-\u0652\u0670"
    # invisible: soft hyphen, joiners, direction marks, fillers, variants of one glyph
    r"\u00AD\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F"
    r"\uFE00-\uFE0F\uFEFF\U000E0001-\U000E007F\U000E0100-\U000E01EF"
    # what PostgreSQL cannot store
    r"\x00\uD800-\uDFFF"
    "]+"
)


def fold(text: str) -> str:
    """The form in which names, business names, address lines and cities are compared.

    Unicode NFKC, without case, accents, invisible characters and outer or repeated whitespace;
    ł, ø, æ, þ and their like become plain letters, typographic apostrophes and hyphens plain ones.
    Every spelling (NFC, NFD, full-width, upper case) of a name gives the same text, and folding
    twice changes nothing. Never raises; the result has no NUL and no lone surrogate, and at most
    18 characters for each one of the text (one Arabic ligature; usually 1, 2 for ß).
    """
    if text.isascii() and "\0" not in text:
        return " ".join(text.lower().split())
    caseless = unicodedata.normalize("NFKD", text).casefold()
    unmarked = _IGNORED.sub("", unicodedata.normalize("NFKD", caseless))
    return " ".join(unicodedata.normalize("NFC", unmarked.translate(_PLAIN)).split())


def clean(text: str) -> str:
    """The form in which text is stored: the caller's spelling without outer whitespace.

    Nothing else is normalised, so that a client reads back what it wrote.
    """
    return trimmed(text)


# What no id may have in it: it comes from files read in a wrong way, and nobody can type it again.
CONTROLS = r"\x00-\x1f\x7f-\x9f"
BAD_ID = "An id has visible characters, and no control characters or line breaks."
_CONTROL = re.compile(f"[{CONTROLS}]")


def has_control_character(text: str) -> bool:
    """Whether there is a control character in a text (Unicode category Cc)."""
    return _CONTROL.search(text) is not None


# --- E-mail ---------------------------------------------------------------------------------------

_ATOM = re.compile(r"[^\s\"(),:;<>@\[\\\].\x00-\x20\x7f]+")
_HOST_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
# Nearly all addresses at once; what does not match is looked at in parts.
_PLAIN_EMAIL = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*+"
    r"@(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?![0-9]+\Z)"
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
    re.ASCII | re.IGNORECASE,
)
_BAD_EMAIL = "Not an e-mail address."


def parse_email(value: str) -> str:
    """An e-mail address of at most 320 characters, trimmed, its spelling kept.

    The local part is a dot-atom, the domain a host name of two labels or more; both may be
    internationalised. Quoted local parts and address literals are refused. Its `email_key` has at
    most 320 characters too, so that it can be indexed. ValueError otherwise.
    """
    address = clean(value)
    if len(address) > 320 or len(email_key(address)) > 320:
        raise ValueError("An e-mail address has at most 320 characters.")
    if _PLAIN_EMAIL.fullmatch(address):
        return address
    local, at, domain = address.rpartition("@")
    if not at or not all(_is_atom(atom) for atom in local.split(".")) or not _is_host(domain):
        raise ValueError(_BAD_EMAIL)
    return address


def email_key(value: str) -> str:
    """The form in which e-mail addresses are compared: trimmed, without case, the domain in ASCII
    (`a@bücher.example` is `a@xn--bcher-kva.example`). Never raises.
    """
    address = clean(value)
    if address.isascii():
        return address.lower()
    caseless = unicodedata.normalize("NFC", address).casefold()
    key = unicodedata.normalize("NFC", unicodedata.normalize("NFD", caseless).casefold())
    local, at, domain = key.rpartition("@")
    return local + at + ".".join(_ascii_label(label) or label for label in domain.split("."))


def email_words(value_key: str) -> list[str]:
    """What a search box finds an address by, from its `email_key`: both forms of the domain."""
    local, at, domain = value_key.rpartition("@")
    if "xn--" not in domain:
        return [value_key]
    labels = [_unicode_label(label) for label in domain.split(".")]
    return list(dict.fromkeys([value_key, local + at + ".".join(labels)]))


def _is_atom(atom: str) -> bool:
    if _ATOM.fullmatch(atom) is None:
        return False
    return atom.isascii() or not any(unicodedata.category(char)[0] in "CZ" for char in atom)


def _is_host(domain: str) -> bool:
    labels = [_ascii_label(label) for label in domain.split(".")]
    return (
        len(labels) > 1
        and all(_HOST_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
        and sum(map(len, labels)) + len(labels) - 1 <= 253
    )


def _ascii_label(label: str) -> str:
    """The label as DNS carries it, or "" when it cannot be one."""
    if label.isascii():
        return label
    if not all(char == "-" or unicodedata.category(char)[0] in "LMN" for char in label):
        return ""
    try:
        return label.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


def _unicode_label(label: str) -> str:
    """The label as it is read; as it stands when it encodes nothing."""
    try:
        return label.encode("ascii").decode("idna")
    except UnicodeError:
        return label


# --- Countries ------------------------------------------------------------------------------------

# In use everywhere, and in neither part of the standard.
KOSOVO = {"XKX": "XK"}
MILITARY_STATES = ("AA", "AE", "AP")


def country_alpha3(value: str) -> str:
    """The value, when it is an ISO 3166-1 alpha-3 code in upper case; ValueError otherwise."""
    if value not in _alpha2_by_alpha3():
        raise ValueError("Not an ISO 3166-1 alpha-3 country code.")
    return value


def alpha3_from_alpha2(value: str) -> str:
    """`USA` for `US`. ValueError for anything but an ISO 3166-1 alpha-2 code in upper case."""
    code = _alpha3_by_alpha2().get(value)
    if code is None:
        raise ValueError("Not an ISO 3166-1 alpha-2 country code.")
    return code


def alpha2_from_alpha3(value: str) -> str:
    """`US` for `USA`. ValueError for anything but an ISO 3166-1 alpha-3 code in upper case."""
    return _alpha2_by_alpha3()[country_alpha3(value)]


def check_subdivision(code: str, country_alpha3: str) -> None:
    """Pass an ISO 3166-2 code without its country part (`CA` in `USA`), in upper case, or "".

    The United States also have the `AA`, `AE` and `AP` of military mail. Whether a country requires
    one is the caller's question. ValueError when the country has no such subdivision, or is not a
    country.
    """
    country = alpha2_from_alpha3(country_alpha3)
    if code and code not in _subdivisions().get(country, frozenset()):
        raise ValueError(f"Not an ISO 3166-2 subdivision code of {country_alpha3}.")


@functools.cache
def iso_codes() -> ModuleType:
    """pycountry, imported once somebody needs it: that is slow, and it has no types to lose."""
    return import_module("pycountry")


@functools.cache
def _alpha2_by_alpha3() -> dict[str, str]:
    return {country.alpha_3: country.alpha_2 for country in iso_codes().countries} | KOSOVO


@functools.cache
def _alpha3_by_alpha2() -> dict[str, str]:
    return {alpha2: alpha3 for alpha3, alpha2 in _alpha2_by_alpha3().items()}


@functools.cache
def _subdivisions() -> dict[str, frozenset[str]]:
    """Subdivision codes without the country part, by alpha-2."""
    codes = {"US": set(MILITARY_STATES)}
    for subdivision in iso_codes().subdivisions:
        country, _, code = subdivision.code.partition("-")
        codes.setdefault(country, set()).add(code)
    return {country: frozenset(known) for country, known in codes.items()}


# --- PO boxes -------------------------------------------------------------------------------------

# Names of a box, alone, and words that also name streets, towns or flats unless a number follows.
_PO_BOX_NAMES = (
    *("post office box", "postal office box", "postfach", "boîte postale", "case postale"),
    *("apartado postal", "apartado aéreo", "apartado de correo", "apartado de correos", "apdo"),
    *("casilla postal", "casilla de correo", "casilla de correos", "caixa postal", "cx. postal"),
    *("casella postale", "skrytka pocztowa", "poštovní přihrádka", "poštový priečinok"),
    *("postafiók", "poštanski pretinac", "poštni predal", "căsuța poștală", "posta kutusu"),
    *("pašto dėžutė", "pasta kastīte", "ταχυδρομική θυρίδα", "абонентский ящик"),
    *("абонентська скринька", "пощенска кутия", "صندوق بريد", "صندوق البريد", "תיבת דואר"),
    *("kotak pos", "peti surat"),
)
_PO_BOX_NAMES_BEFORE_NUMBER = (
    *("post box", "post-box", "postbox", "postal box", "private bag", "private mail bag"),
    *("locked bag", "apartado", "casilla", "postbus", "posbus", "posboks", "postboks"),
    *("postilokero", "postkast", "pf", "bp", "b.p", "b p", "slp", "s.l.p", "τ.θ", "τθ"),
    *("ص.ب", "ص. ب", "ص ب", "ת.ד", "ת״ד", 'ת"ד', "תד"),
)
# Scripts that put no space between words, or whose vowel signs end a word for `\b`.
_PO_BOX_PARTS = (
    "私書箱",
    "邮政信箱",
    "郵政信箱",
    "사서함",
    "ตู้ไปรษณีย์",
    "ตู้ ปณ",
    "ตู้ ป.ณ",
    "पोस्ट बॉक्स",
)
_NUMBER = r"[ .:,-]*(?:n[or]?[ .:]*|n?° ?|# ?|x)?\d"
_PO_BOX_PATTERNS = (
    r"\bg?p[ ./-]*[o0][ ./-]*box(?![a-z])(?! (?:st|street|rd|road|lane|ln|ave|avenue|drive|way)\b)",
    rf"\bp[ .]*o[ .]*(?:drawer\b|b{_NUMBER})",
    rf"^(?:box|boks|p[bl]){_NUMBER}[\d ]*$",
    r"\b\u0430/[\u044f\u0441]\b",  # Russian and Ukrainian for a subscriber's box
    r"信箱 ?\d|\d ?[号號]?信箱",
)


def is_po_box(*lines: str) -> bool:
    """Whether one of the address lines names a post office box, in the main languages' spelling.

    Words that also stand for something else count only with a number after them, and `CP` never
    does: it is a postal code in as many countries as it is a box.
    """
    return any(_po_box().search(fold(line)) is not None for line in lines)


@functools.cache
def _po_box() -> re.Pattern[str]:
    names, before_number, parts = (
        "|".join(re.escape(fold(name)) for name in group)
        for group in (_PO_BOX_NAMES, _PO_BOX_NAMES_BEFORE_NUMBER, _PO_BOX_PARTS)
    )
    words = rf"\b(?:(?:{names})\b|(?:{before_number}){_NUMBER})"
    return re.compile("|".join((words, parts, *_PO_BOX_PATTERNS)))


# --- List search ----------------------------------------------------------------------------------

# What stands between the words of a list, and is no part of them.
_SEPARATORS = ",;"
_BRACKETED_ADDRESS = re.compile(r"<([^<>][^<>@]*+@[^<>]++)>")
_AREA_CODE = re.compile(r"\(([0-9]+)\)")
_FORMATTED_NUMBER = re.compile(r"\+?\(?[0-9](?:[+().,/-]*[0-9])*\)?")
# Fewer digits are no telephone number, and their punctuation means something: 1.5, 24/7.
_FEWEST_DIGITS = 4
_MOST_DIGITS = 15
# Inside a word: ORD-2024-001
_PUNCTUATED_NUMBER = re.compile(r"(?<![0-9])[0-9]++(?:[+().,/-]++[0-9]++)++")
_INTERNATIONAL_NUMBER = re.compile(r"(?<!\S)\(?\+[0-9][().,/0-9 -]{0,30}(?!\S)")


def search_text(parts: Iterable[str]) -> str:
    """What the list search looks in: the folded words of all parts, each once, a space between.

    A number with formatting characters inside is there with and without them, also as a part of a
    word.
    """
    texts = list(parts)
    text = " ".join(texts)
    # In ASCII it makes no difference to a word what stands beside it.
    folded = fold(text) if text.isascii() else " ".join(map(fold, texts))
    words: dict[str, None] = {}
    for word in folded.split():
        words[word] = None
        if not word.isalnum():
            for number in _PUNCTUATED_NUMBER.findall(word):
                words[phones.digits_of(number)] = None
    return " ".join(words)


def address_keys(city: str, country: str) -> list[str]:
    """What a customer is found by for an address with this folded city and this country."""
    named = (("city", city), ("country", country))
    return [f"{name}:{value}" for name, value in named if value]


def parse_search_words(text: str) -> list[str]:
    """The words of a search box, folded, each once; a customer is found when every one of them
    occurs somewhere in its `search_text`.

    Words count as they are written, with their punctuation: `100%` and `c++`. What is no part of
    a word is dropped: a comma or semicolon behind it, and the angle brackets around an e-mail
    address. So are the formatting characters of a number of four digits or more, and the brackets
    of an area code: `(415) 555-2671` are `415` and `5552671`. A number that begins with a plus is
    one word over its spaces, without a `(0)`: `+44 (0)20 7946 0958` is `442079460958`.
    """
    joined = _INTERNATIONAL_NUMBER.sub(_joined_number, fold(text))
    return list(dict.fromkeys(map(_search_word, joined.split())))


def _search_word(word: str) -> str:
    word = word.rstrip(_SEPARATORS) or word
    if bracketed := _BRACKETED_ADDRESS.fullmatch(word) or _AREA_CODE.fullmatch(word):
        return bracketed[1]
    if word.isdecimal() or not _FORMATTED_NUMBER.fullmatch(word):
        return word
    digits = phones.digits_of(word)
    return digits if len(digits) >= _FEWEST_DIGITS else word


def _joined_number(match: re.Match[str]) -> str:
    """The digits of an international number; words that are too many for one stay behind it."""
    words = match[0].split()
    for count in range(len(words), 0, -1):
        digits = phones.digits_of("".join(words[:count]).replace("(0)", ""))
        if _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS:
            return " ".join([digits, *words[count:]])
    return match[0]


# --- Ids ------------------------------------------------------------------------------------------

# The digit of a UUID whose two highest bits tell its variant, by the one that a hash has there.
_VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def uuid7() -> uuid.UUID:
    """A new time-ordered UUID (version 7): new rows go to the end of an index."""
    return _uuid7()


def uuid5(namespace: bytes, name: str) -> str:
    """A UUID version 5 as text, of the 16 bytes of another one and a name.

    An eighth of what `uuid.uuid5` takes, and none of what comparing its results does: loads make
    millions of them. UnicodeEncodeError for a name with a lone surrogate.
    """
    digits = hashlib.sha1(namespace + name.encode(), usedforsecurity=False).hexdigest()
    variant = _VARIANTS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def customer_id(business_account_id: uuid.UUID, source_id: str) -> uuid.UUID:
    """The id of the customer that a business account knows as `source_id` (UUID version 5).

    The same pair always gives the same id, so the primary key makes the caller's id unique in its
    business account, without a look-up. The source id counts as it is, with case.
    ValueError for a source id with a lone surrogate.
    """
    return uuid.UUID(customer_id_text(business_account_id, source_id))


def customer_id_text(business_account_id: uuid.UUID, source_id: str) -> str:
    """The same as text."""
    try:
        return uuid5(business_account_id.bytes, source_id)
    except UnicodeEncodeError:
        raise ValueError("Not valid Unicode text.") from None


# --- Time zones -----------------------------------------------------------------------------------

_OFFSET = re.compile(r"(?:UTC|GMT)?([+\- ])([0-9]{1,2})(?::([0-5][0-9]))?")
# Names that stand for whatever the machine is set to.
_LOCAL_NAMES = frozenset({"Factory", "localtime"})


def parse_time_zone(value: str) -> tzinfo:
    """`UTC`, `GMT` or `Z`; an offset `+5`, `+05`, `-05:30`, up to 18 hours, also after `UTC` or
    `GMT`; or an IANA name, `Europe/Lisbon`. Case counts. ValueError for anything else.

    A space counts as the plus of an offset, because an unescaped plus in a query string is one.
    """
    if value in {"UTC", "GMT", "Z"}:
        return UTC
    offset = _OFFSET.fullmatch(value)
    if offset is not None:
        sign, hours, minutes = offset.groups(default="0")
        delta = timedelta(hours=int(hours), minutes=int(minutes))
        if delta <= timedelta(hours=18):
            return timezone(-delta if sign == "-" else delta)
    elif value in _time_zone_names():
        return zoneinfo.ZoneInfo(value)
    raise ValueError("Not a time zone: UTC, an offset such as +05:30, or an IANA name.")


@functools.cache
def _time_zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - _LOCAL_NAMES

"""What the columns of a table mean: by their names, or as somebody said."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches

from config.api.card_numbers import CARD_NUMBER, holds_card_number
from config.api.errors import Invalid, Problem
from config.api.json import Json
from config.api.text import trimmed
from customers import normalize

NAMES = (
    "externalId",
    "type",
    "firstName",
    "middleName",
    "lastName",
    "businessName",
    "email",
    "phone",
    "phoneType",
    "dateOfBirth",
    "addressType",
    "streetLine1",
    "streetLine2",
    "cityName",
    "stateCode",
    "countryCode",
    "zipCode",
    "department",
)
METADATA, ATTRIBUTE = "metadata.", "attribute."
# What files of failed lines have beside the columns that were sent; it is never read.
ERROR = "error"
# Names as other programs and people write them, folded and without signs.
OTHER_NAMES = {
    "externalId": "id customerid customernumber customerno clientid accountid reference ref"
    " sourcecustomerid kundennummer kundennr kundenid nummer numeroclient idcliente memberid",
    "type": "customertype kind kundentyp typ tipo",
    "firstName": "givenname forename first fname vorname prenom nombre primernombre nome",
    "middleName": "middle secondname middleinitial zweitervorname",
    "lastName": "surname familyname last lname nachname familienname nom"
    " apellido apellidos cognome",
    "businessName": "company companyname business organisation organization firm firma firmenname"
    " unternehmen societe entreprise empresa azienda doingbusinessas",
    "email": "mail emailaddress primaryemail mailadresse emailadresse courriel correo",
    "phone": "telephone tel phonenumber mobile mobilephone cell cellphone primaryphone telefon"
    " telefonnummer handy mobil telefono",
    "phoneType": "phonekind telephonetype",
    "dateOfBirth": "birthdate birthday dob born geburtsdatum geburtstag datedenaissance naissance"
    " fechadenacimiento datadinascita",
    "addressType": "addresskind adresstyp",
    "streetLine1": "street address addressline1 address1 streetaddress strasse adresse rue calle"
    " direccion indirizzo via",
    "streetLine2": "addressline2 address2 street2 apartment suite adresszusatz complement",
    "cityName": "city town locality ort stadt ville ciudad citta",
    "stateCode": "state province region county bundesland provincia",
    "countryCode": "country nation land pays pais paese",
    "zipCode": "zip postalcode postcode plz postleitzahl codepostal codigopostal cap",
    "department": "branch division abteilung filiale",
}
# No list of customers has more; each of them is a field of the form that maps them.
MOST_COLUMNS = 200
_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Column:
    """A column of a file: its `header`, and the name in `NAMES`, or `metadata.KEY` or
    `attribute.NAME`, under which its cells are read; without one it is left out.

    `order` is that of year, month and day in its dates (`ingest.sheets.dates`).
    """

    header: str
    name: str = ""
    order: str = ""

    @property
    def shown(self) -> str:
        """What errors call it."""
        return self.name or self.header


@dataclass(frozen=True)
class Sheet:
    """How a file of a table is read."""

    columns: tuple[Column, ...]
    delimiter: str = ","
    encoding: str = "utf-8"

    @classmethod
    def of(cls, stored: Json) -> "Sheet":
        """One that was kept as JSON."""
        columns = tuple(Column(**column) for column in stored["columns"])
        return cls(columns, stored["delimiter"], stored["encoding"])

    def as_json(self) -> Json:
        """To be kept."""
        return asdict(self) | {"columns": [asdict(column) for column in self.columns]}


def squeezed(header: str) -> str:
    """A header as it is compared with others."""
    return _SIGNS.sub("", normalize.fold(header))


_EXACT = {name.lower(): name for name in NAMES}
_KNOWN = {squeezed(name): name for name in NAMES} | {
    word: name for name, words in OTHER_NAMES.items() for word in words.split()
}


def exact(header: str) -> str:
    """The name that a header is, but for its case; ``""`` for none."""
    text = trimmed(header)
    for start in (METADATA, ATTRIBUTE):
        if text.lower().startswith(start) and len(text) > len(start):
            return start + text[len(start) :]
    return _EXACT.get(text.lower(), "")


def is_left_out(header: str) -> bool:
    """Whether a column says nothing of customers: ours of errors, or one without a name."""
    return trimmed(header).lower() in {"", ERROR}


def check_header(header: Sequence[str]) -> None:
    """Refuse card numbers, and more columns than there may be. Raises `Invalid`."""
    if len(header) > MOST_COLUMNS:
        message = f"A table may have {MOST_COLUMNS} columns, not {len(header)}."
        raise Invalid([Problem("", message, "TOO_MANY")])
    wrong = [place for place, text in enumerate(header, 1) if holds_card_number(text)]
    if wrong:
        raise Invalid([Problem(f"column {place}", *CARD_NUMBER) for place in wrong])


def as_named(header: Sequence[str]) -> tuple[Column, ...]:
    """The columns of a file whose header has our names, each once. Raises `Invalid`."""
    check_header(header)
    columns = tuple(Column(trimmed(text), exact(text)) for text in header)
    problems = [
        Problem(
            each.header[:40],
            "There is no such column. The columns are "
            + ", ".join([*NAMES, f"{METADATA}KEY", f"{ATTRIBUTE}NAME"])
            + ".",
            "UNKNOWN_COLUMN",
        )
        for each in columns
        if not each.name and not is_left_out(each.header)
    ]
    problems += [
        Problem(name, "This column is there twice.", "DUPLICATE") for name in doubled(columns)
    ]
    if not problems and not any(each.name for each in columns):
        problems = [Problem("", "The first row has to name the columns.", "REQUIRED")]
    if problems:
        raise Invalid(problems)
    return columns


def doubled(columns: Iterable[Column]) -> list[str]:
    """The names that more than one column has."""
    seen: set[str] = set()
    found = []
    for name in (column.name for column in columns if column.name):
        if name in seen and name not in found:
            found.append(name)
        seen.add(name)
    return found


def guessed(header: Sequence[str], remembered: dict[str, Column]) -> tuple[Column, ...]:
    """The columns of a file with any header: as `remembered` by its squeezed text, or as it seems.

    No name is given twice: an exact one goes first, then one that was remembered, then the likely.
    """
    names = [exact(text) for text in header]
    orders = [""] * len(header)
    for place, text in enumerate(header):
        known = remembered.get(squeezed(text))
        if not names[place] and known is not None and known.name not in names:
            names[place] = known.name
        if known is not None and known.name == names[place]:
            orders[place] = known.order
    for likely in (_KNOWN.get, similar):
        for place, text in enumerate(header):
            if names[place] or is_left_out(text) or squeezed(text) in remembered:
                continue
            name = likely(squeezed(text)) or ""
            names[place] = "" if name in names else name
    return tuple(
        Column(trimmed(text), name if names.index(name) == place or not name else "", order)
        for place, (text, name, order) in enumerate(zip(header, names, orders, strict=True))
    )


def similar(word: str) -> str:
    """The name that a squeezed header is nearest to; ``""`` when none is near."""
    found = get_close_matches(word, _KNOWN, n=1, cutoff=0.84)
    return _KNOWN[found[0]] if found else ""

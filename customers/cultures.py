"""The cultures of `samples`, taken apart once: what `generate` draws from."""

import re
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from customers import normalize, samples


class Name(NamedTuple):
    """A name as it is written, as it is compared, and in the letters of an e-mail address."""

    text: str
    folded: str
    latin: str


NO_NAME = Name("", "", "")


class Town(NamedTuple):
    """A city with its subdivision and its postcodes."""

    name: str
    folded: str
    state: str
    zip_code: "Pattern"


class Pattern:
    """A text with places for digits: ``#`` any, ``N`` 2 to 9."""

    def __init__(self, text: str) -> None:
        runs = re.findall(r"#+|N", text)
        self.spans = [(2, 8) if run == "N" else (0, 10 ** len(run)) for run in runs]
        self.text = re.sub(
            r"#+|N", lambda run: "%d" if run[0] == "N" else f"%0{len(run[0])}d", text
        )

    def fill(self, chance: Callable[[], float]) -> str:
        """The text with digits drawn by `chance`, numbers from 0 up to 1."""
        return self.text % tuple(low + int(chance() * span) for low, span in self.spans)


class Culture:
    """A culture of `samples`, taken apart once."""

    def __init__(self, sample: samples.Culture) -> None:
        self.country = sample.country
        self.given = {"FEMALE": names(sample.women), "MALE": names(sample.men)}
        self.surnames = names(sample.surnames)
        self.phones = [Pattern(phone) for phone in sample.phones.split()]
        self.companies = sample.companies.split(";")
        self.towns = [
            Town(name, normalize.fold(name), state, Pattern(zip_code))
            for name, state, zip_code in (town.split("|") for town in sample.cities.split(";"))
        ]
        lines = [
            sample.street.format(name=street, number="%d") for street in sample.streets.split(";")
        ]
        self.streets = [(line, normalize.fold(line)) for line in lines]


def names(words: str) -> list[Name]:
    """The names of a list of `samples`."""
    parsed = []
    for word in words.split():
        text, _, latin = word.replace("_", " ").partition("=")
        folded = normalize.fold(text)
        parsed.append(Name(text, folded, re.sub("[^a-z]", "", latin or folded)))
    return parsed


@cache
def cultures() -> tuple[list[Culture], list[int]]:
    """All cultures, and their cumulative weights."""
    found = [Culture(sample) for sample in samples.CULTURES]
    return found, list(accumulate(sample.weight for sample in samples.CULTURES))


@cache
def metadata_patterns() -> list[tuple[str, list[Pattern]]]:
    """Keys of metadata, and the values that each may have."""
    return [(key, [Pattern(text) for text in texts]) for key, texts in samples.METADATA.items()]

"""What the rules of all parts share."""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from django.db.models import Model

from config.api.errors import Problem
from config.db.crypto import associated_data, seal, unseal_if_possible
from customers import normalize
from customers.bulk import AnyRow


class Problems:
    """Collects problems below a path such as ``contacts[1]``."""

    def __init__(self, found: list[Problem], path: str = "") -> None:
        self.found = found
        self.path = path

    def at(self, member: str) -> "Problems":
        """The same list, below a member or an index of this path."""
        joint = "" if not self.path or member.startswith("[") else "."
        return Problems(self.found, f"{self.path}{joint}{member}")

    def add(self, member: str, message: str, code: str) -> None:
        """Add the problem of one member; ``""`` means the object itself."""
        path = self.at(member).path if member else self.path
        if not any(problem.path == path for problem in self.found):
            self.found.append(Problem(path, message, code))

    def require(self, member: str) -> None:
        """Say that a member is missing, unless it, or what it is a member of, is wrong already."""
        path = self.at(member).path
        if not any(path.startswith(f"{problem.path}.") for problem in self.found if problem.path):
            self.add(member, "This is required.", "REQUIRED")

    def read(
        self, member: str, parse: Callable[..., str], value: str, *arguments: str
    ) -> str | None:
        """What a parser of `normalize` makes of a value; None, and a problem, when it refuses."""
        try:
            return parse(value, *arguments)
        except ValueError as error:
            self.add(member, str(error), "INVALID")
            return None


def known_row(
    row_id: UUID, known: Mapping[UUID, AnyRow], named: set[UUID], problems: Problems, what: str
) -> AnyRow | None:
    """The row that an entry names by its id; None, and a problem, when there is none to merge into.

    `named` has the ids of the entries before, and takes in this one; `what` is a word for the row.
    """
    if row_id in named:
        problems.add("id", "Another entry has this id.", "DUPLICATE")
    elif row_id not in known:
        problems.add("id", f"This customer has no such {what}.", f"UNKNOWN_{what.upper()}")
    else:
        named.add(row_id)
        return known[row_id]
    return None


def check_required(
    row: object,
    name: str,
    values: Mapping[str, object],
    problems: Problems,
    member: str,
    *,
    is_new: bool,
) -> None:
    """A required column must come with a new row, and cannot be cleared later.

    A row that was loaded without it (`/v2/data` knows fewer members) may be sent back as it is.
    """
    if not values.get(name) and (is_new or (name in values and getattr(row, name))):
        problems.require(member)


def set_texts(row: object, values: Mapping[str, object], names: Iterable[str]) -> None:
    """Set the text columns that were sent; a cleared one becomes ``""``."""
    for name in names:
        if name in values:
            setattr(row, name, values[name] or "")


def set_sealed(row: Model, column: str, given: str | None) -> None:
    """Set a sealed column: `""` means "unchanged", None clears it.

    A value that is there already is not sealed anew.
    """
    if given is None:
        setattr(row, column, None)
    elif given:
        bound_to = associated_data(type(row), column, vars(row)["id"])
        stored = vars(row)[column]
        if stored is None or unseal_if_possible(stored, bound_to) != given:
            setattr(row, column, seal(given, bound_to))


def set_country(
    row: object, column: str, given: str | None, problems: Problems, member: str
) -> None:
    """Set a country column, if what was given is a country; an empty one clears it."""
    country = problems.read(member, normalize.country_alpha3, given) if given else ""
    if country is not None:
        setattr(row, column, country)

"""The order of a list, as the parameter `sort` asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from config.api.errors import Problem


@dataclass(frozen=True)
class Sort:
    """One key of an order: a column (or annotation) and its direction."""

    name: str
    column: str
    is_descending: bool

    def __str__(self) -> str:
        return f"{self.name},{'DESC' if self.is_descending else 'ASC'}"


def opposite(sorts: Sequence[Sort]) -> tuple[Sort, ...]:
    """The keys of the order from the last row to the first."""
    return tuple(replace(sort, is_descending=not sort.is_descending) for sort in sorts)


def read_sorts(
    given: Sequence[str], columns: Mapping[str, str], problems: list[Problem]
) -> tuple[Sort, ...]:
    """The order that `sort` parameters ask for; the first of a repeated name counts."""
    sorts: dict[str, Sort] = {}
    for text in given:
        name, _, direction = text.partition(",")
        if name not in columns or direction.upper() not in {"", "ASC", "DESC"}:
            names = ", ".join(sorted(columns))
            message = f"This must be one of {names}, with ,ASC or ,DESC behind it."
            problems.append(Problem("sort", message, "INVALID"))
        else:
            sorts.setdefault(name, Sort(name, columns[name], direction.upper() == "DESC"))
    return tuple(sorts.values())

"""Links of the OpenAPI document, and what they are filled with when they are followed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.documented import Json, operations

UNKNOWN = object()


@dataclass(frozen=True)
class Link:
    """From the answer of an operation with this status to another operation, by their ids."""

    source: str
    status: str
    name: str
    target: str
    parameters: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.source} -> {self.name}"


@dataclass(frozen=True)
class Made:
    """A call that was made: what was sent, and what was answered."""

    path: Json
    query: Json
    sent: object
    answer: object

    def value(self, expression: str) -> Any:
        """What a runtime expression stands for; `UNKNOWN` for what is in neither."""
        where, _, pointer = expression.partition("#")
        if pointer:
            tree = {"$request.body": self.sent, "$response.body": self.answer}[where]
            return pointed(tree, pointer)
        place, _, name = where.removeprefix("$request.").partition(".")
        return {"path": self.path, "query": self.query}[place].get(name, UNKNOWN)


def links() -> Iterator[Link]:
    """All of them."""
    for _, _, operation in operations():
        name = operation["operationId"]
        for status, response in operation["responses"].items():
            for key, link in response.get("links", {}).items():
                yield Link(name, status, key, link["operationId"], link["parameters"])


def pointed(tree: object, pointer: str) -> Any:
    """What a JSON pointer points at; `UNKNOWN` for nothing and for null."""
    for step in pointer.split("/")[1:]:
        if isinstance(tree, list) and step.isdigit() and int(step) < len(tree):
            tree = tree[int(step)]
        elif isinstance(tree, dict) and step in tree:
            tree = tree[step]
        else:
            return UNKNOWN
    return UNKNOWN if tree is None else tree

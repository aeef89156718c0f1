"""Links: which calls come next, and where in a request or its answer their parameters are.

An operation says what of the paths of others its answer `gives`. Links lead from it to all whose
path that fills, together with the variables of its own path; to one that comes `after` certain
others, from those alone. A page leads to the next one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.api.json import Json

# Where an operation keeps its own words on this until `add_links` has read them.
GIVES, AFTER = "x-gives", "x-after"
NEXT_CURSOR = "$response.body#/nextCursor"


@dataclass(frozen=True)
class Linked:
    """An operation, as links see it.

    `gives` has runtime expressions by the variables of paths that they fill, `after` words for the
    links from the operations that it names; None for no such operations.
    """

    name: str
    summary: str
    variables: list[str]
    query: list[str]
    # Of the answer to whose status links belong.
    answer: Json
    gives: Mapping[str, str]
    after: Mapping[str, str] | None

    @classmethod
    def read(cls, operation: Json) -> "Linked":
        """What links have to know of an operation object, which keeps nothing of it to itself."""
        parameters = operation.get("parameters", ())
        return cls(
            name=operation["operationId"],
            summary=operation["summary"],
            variables=[each["name"] for each in parameters if each["in"] == "path"],
            query=[each["name"] for each in parameters if each["in"] == "query"],
            answer=operation["responses"][min(operation["responses"])],
            gives=operation.pop(GIVES, {}),
            after=operation.pop(AFTER, None),
        )

    @property
    def known(self) -> dict[str, str]:
        """Runtime expressions of all variables of paths that are known after it."""
        return {name: f"$request.path.{name}" for name in self.variables} | dict(self.gives)

    def leads_to(self, other: "Linked") -> bool:
        """Whether there is a link from this operation to another."""
        if other.after is not None:
            return self.name in other.after
        variables = set(other.variables)
        return other != self and variables <= self.known.keys() and bool(variables & {*self.gives})

    def links(self, others: list["Linked"]) -> Iterator[tuple[str, Json]]:
        """Each link from here, by its name."""
        for other in filter(self.leads_to, others):
            parameters = {name: self.known[name] for name in other.variables if name in self.known}
            yield (
                other.name,
                {
                    "operationId": other.name,
                    "parameters": parameters,
                    "description": (other.after or {}).get(self.name) or f"{other.summary}.",
                },
            )
        if "cursor" in self.query:
            yield "nextPage", self.next_page()

    def next_page(self) -> Json:
        """The link from a page to the one behind it: the same call with a cursor."""
        same = {name: f"$request.path.{name}" for name in self.variables}
        same |= {
            name: f"$request.query.{name}" for name in self.query if name not in {"page", "cursor"}
        }
        return {
            "operationId": self.name,
            "parameters": same | {"cursor": NEXT_CURSOR},
            "description": "The next page, unless `nextCursor` is null: with the parameters that "
            "this call had.",
        }


def add_links(paths: Json) -> None:
    """Put links into the answers of success of all operations."""
    every = [Linked.read(operation) for item in paths.values() for operation in item.values()]
    for each in every:
        if links := dict(each.links(every)):
            each.answer["links"] = links

"""Each call of the document as a client would make it, from its examples.

The samples of the page and the collection are made of these.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from config.api.json import Json

JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Call:
    """A call; `path` has its variables in braces, `body` is None where there is none."""

    name: str
    tag: str
    summary: str
    description: str
    method: str
    path: str
    variables: list[str]
    query: dict[str, str]
    # How the caller proves itself: `bearer`, `apiKey`, or nothing.
    security: str
    content_type: str = ""
    body: object = None
    optional: dict[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> frozenset[str]:
        """The names of all its query parameters."""
        return frozenset({*self.query, *self.optional})


def calls(document: Json) -> Iterator[Call]:
    """All calls, in the order of the document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield call_of(path, method.upper(), operation)


def by_tag(document: Json) -> list[tuple[str, list[Call]]]:
    """The calls of each section, in the order of the sections."""
    every = list(calls(document))
    return [
        (tag["name"], [call for call in every if call.tag == tag["name"]])
        for tag in document["tags"]
    ]


def call_of(path: str, method: str, operation: Json) -> Call:
    """One call; of several bodies the first one."""
    parameters = operation.get("parameters", [])
    queries = [each for each in parameters if each["in"] == "query"]
    content_type, body = body_of(operation)
    return Call(
        name=operation["operationId"],
        tag=operation["tags"][0],
        summary=operation["summary"],
        description=operation["description"],
        method=method,
        path=path,
        variables=[each["name"] for each in parameters if each["in"] == "path"],
        query={each["name"]: shown(each) for each in queries if "examples" in each},
        security=next(iter(operation["security"][0]), ""),
        content_type=content_type,
        body=body,
        optional={
            each["name"]: each.get("description", "") for each in queries if "examples" not in each
        },
    )


def shown(parameter: Json) -> str:
    """The first example of a parameter."""
    return str(next(iter(parameter["examples"].values()))["value"])


def body_of(operation: Json) -> tuple[str, object]:
    """Content type and first example of the body; neither, where there is none."""
    for kind, media in operation.get("requestBody", {}).get("content", {}).items():
        for example in media.get("examples", {}).values():
            return kind, example["value"]
    return "", None

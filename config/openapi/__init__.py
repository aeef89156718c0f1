"""The words in which views are documented.

`config.openapi.schema` reads from a view's own declarations what it can: security, query
parameters, `Idempotency-Key`, the errors that follow from them. What is left to say is said in an
app's `openapi.py` with `operation`, `body`, `answer` and `page_of`, and stands as one decorator on
the method.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiRequest,
    OpenApiResponse,
    extend_schema,
)
from rest_framework.serializers import Serializer

from config.api.errors import ApiError
from config.openapi.links import AFTER, GIVES
from config.openapi.serializers import OneOf, Page

__all__ = [
    "ERRORS",
    "ETAG",
    "GONE",
    "IF_MATCH",
    "IF_NONE_MATCH",
    "LOCATION",
    "NOT_MODIFIED",
    "OneOf",
    "answer",
    "body",
    "operation",
    "page_of",
]

Handler = TypeVar("Handler", bound=Callable[..., object])
Item = TypeVar("Item")
Answers = Mapping[int | tuple[int, str], object]
# Where an operation keeps its own errors until `schema.ApiSchema` has written them down.
ERRORS = "x-errors"

IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` that the write builds on; with an older one it is 412, and not done.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` that the client has: while it is the right one, the answer is 304.",
)
ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    required=True,
    response=True,
    description="The version of this representation, for `If-Match`.",
)
LOCATION = OpenApiParameter(
    "Location",
    str,
    OpenApiParameter.HEADER,
    required=True,
    response=True,
    description="Path of what was created.",
)
NOT_MODIFIED = OpenApiResponse(description="The version of `If-None-Match` is the right one.")
# Of a 204.
GONE = OpenApiResponse(description="Done.")


def operation(
    name: str,
    summary: str,
    *,
    answers: Answers,
    body: OpenApiRequest | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    errors: Sequence[ApiError] = (),
    security: Sequence[Any] | None = None,  # requirement objects; the library's types say str
    description: str | None = None,
    gives: Mapping[str, str] | None = None,
    after: Mapping[str, str] | None = None,
) -> Callable[[Handler], Handler]:
    """A decorator that documents one method of a view.

    `name` is the operation's id, `answers` has what `answer` gives (None: no body) by status, or by
    status and content type. `errors` are those that no declaration of the view tells of; each is
    its own example. `security` has requirement objects, in place of a token with the view's scope.
    The description is the method's docstring unless given.

    `gives` and `after` make links (`config.openapi.links`): runtime expressions for the variables
    of paths that the answer fills; and the only operations that lead here, by their ids, each with
    the words of its link, ``""`` for the summary.
    """
    links = {GIVES: gives or {}, AFTER: after}
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        request=body,
        responses=dict(answers),
        parameters=list(parameters),
        auth=security,
        extensions={ERRORS: list(errors), **links},
    )


def body(serializer: object, **examples: object) -> OpenApiRequest:
    """A request body, and examples of it: ``the_least=…`` is shown as "The least"."""
    return OpenApiRequest(request=serializer, examples=named(examples))


def answer(serializer: object, description: str, **examples: object) -> OpenApiResponse:
    """The body of a success, in words, and examples of it."""
    return OpenApiResponse(serializer, description, named(examples))


def named(examples: Mapping[str, object]) -> list[OpenApiExample]:
    """Examples under their names."""
    return [
        OpenApiExample(name.replace("_", " ").capitalize(), value)
        for name, value in examples.items()
    ]


def page_of(
    name: str, item: type[Serializer[Item]], *examples: Mapping[str, object]
) -> OpenApiResponse:
    """A page of such items, as the component `name`; the examples are what it holds."""
    page = type(name, (Page,), {"__doc__": Page.__doc__, "content": item(many=True)})
    envelope = {
        "totalElements": len(examples),
        "totalPages": 1,
        "number": 0,
        "numberOfElements": len(examples),
        "hasNext": False,
        "nextCursor": None,
        "content": list(examples),
    }
    return answer(page, "A page.", a_page=envelope)

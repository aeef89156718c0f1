"""Errors that reach a client: what services raise, and every wrong place of a request.

`config.api.handlers` turns them into answers.
"""

from collections.abc import Mapping
from math import ceil
from types import MappingProxyType
from typing import NamedTuple

from django.utils.translation import gettext_noop as _

from config.api.translation import Message

# What calls without credentials, or with wrong ones, are told.
NO_TOKEN = _("No access token was sent. This call needs Authorization: Bearer <token>.")
NO_CREDENTIALS = (
    "No credentials were sent. This call needs Authorization: Basic base64(key:secret)."
)
WRONG_KEY = "The key or its secret is wrong, or the key was revoked."
# Seconds after which a client may try again what failed because a server was away.
RETRY_SECONDS = 5
# Characters of a path with its query; web servers refuse far longer ones by themselves.
MAX_URI = 16_384


class Problem(NamedTuple):
    """One wrong place in a request: `path` such as ``addresses[1].stateCode``.

    `extra` has members of its own for `/v1`, such as the id of the thing that is in the way.
    """

    path: str
    message: str
    code: str
    extra: Mapping[str, str] = MappingProxyType({})


class ApiError(Exception):
    """An outcome that a client is told about.

    `code` is a stable upper-snake word, `message` a sentence for a person, `problems` every wrong
    place at once.
    """

    status = 400
    code = "BAD_REQUEST"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        problems: list[Problem] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.problems = problems or []
        self.headers = headers or {}


class Invalid(ApiError):
    """The request breaks rules of the contract; nothing was changed."""

    code = "VALIDATION_FAILED"

    def __init__(self, problems: list[Problem]) -> None:
        count = "1 field is" if len(problems) == 1 else f"{len(problems)} fields are"
        super().__init__(f"{count} invalid.", problems=problems)


class Unreadable(ApiError):
    """The body is not what its content type says."""

    code = "MALFORMED_BODY"


class NotAuthenticated(ApiError):
    """There is no token, or none that is good: ``INVALID_TOKEN`` tells the second case."""

    status = 401
    code = "NOT_AUTHENTICATED"


class Forbidden(ApiError):
    """A known actor that may not do this."""

    status = 403
    code = "FORBIDDEN"


class NotFound(ApiError):
    """There is no such thing, or it is none of this actor's business: the same answer."""

    status = 404
    code = "NOT_FOUND"

    def __init__(self, message: str = _("There is no such resource.")) -> None:
        super().__init__(message)


class BodyTooSlow(ApiError):
    """The body did not arrive in time, or slower than this installation waits for."""

    status = 408
    code = "BODY_TOO_SLOW"

    def __init__(self) -> None:
        super().__init__(_("The body did not arrive in time. Send the request again."))


class Conflict(ApiError):
    """The request conflicts with what is stored."""

    status = 409
    code = "CONFLICT"


class PreconditionFailed(ApiError):
    """`If-Match` names an old version; nothing was changed."""

    status = 412
    code = "PRECONDITION_FAILED"


class TooLarge(ApiError):
    """The body is larger than this installation reads."""

    status = 413
    code = "BODY_TOO_LARGE"


class UriTooLong(ApiError):
    """The path with its query is longer than this installation reads."""

    status = 414
    code = "URI_TOO_LONG"

    def __init__(self) -> None:
        template = _("A path with its query may have %(count)s characters.")
        super().__init__(Message(template, count=MAX_URI))


class Unprocessable(ApiError):
    """The request is well formed, and what it asks for makes no sense."""

    status = 422
    code = "UNPROCESSABLE"


class TooManyRequests(ApiError):
    """A limit is used up; `seconds` tells when to come again."""

    status = 429
    code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message, headers={"Retry-After": str(ceil(seconds))})


class Unavailable(ApiError):
    """A server that the request needs is unavailable for now."""

    status = 503
    code = "UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__(
            _("The service is not available for the moment. Try again shortly."),
            headers={"Retry-After": str(RETRY_SECONDS)},
        )


class Internal(ApiError):
    """A fault of ours; the log has the rest under the request's id."""

    status = 500
    code = "INTERNAL_ERROR"

    def __init__(self) -> None:
        super().__init__(_("Something went wrong on our side. Quote the request id to support."))


class Refused(ApiError):
    """Any other client error of the framework's: 405, 406, 415."""

    def __init__(
        self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message, code=code, headers=headers)
        self.status = status


# The framework's words for what is wrong with a value, where ours is another than its upper case.
CODES = {
    "blank": "REQUIRED",
    "null": "REQUIRED",
    "max_length": "TOO_LONG",
    "min_length": "TOO_SHORT",
    "max_string_length": "TOO_LONG",
    "max_value": "TOO_LARGE",
    "min_value": "TOO_SMALL",
    "max_digits": "TOO_LONG",
    "max_decimal_places": "TOO_LONG",
    "max_whole_digits": "TOO_LONG",
    "invalid_choice": "UNKNOWN_VALUE",
    "does_not_exist": "NOT_FOUND",
    "not_a_string": "INVALID_TYPE",
    "not_a_list": "INVALID_TYPE",
    "not_a_dict": "INVALID_TYPE",
    "empty": "TOO_SHORT",
    "null_characters_not_allowed": "NUL_CHARACTER",
    "surrogate_characters_not_allowed": "INVALID_CHARACTER",
}


def problems(detail: object, path: str = "") -> list[Problem]:
    """Every wrong place in the nested `detail` of a DRF validation error, in its order."""
    if isinstance(detail, Mapping):
        return [
            problem
            for key, inner in detail.items()
            for problem in problems(inner, _step(path, key))
        ]
    if isinstance(detail, list | tuple):
        return [
            problem
            for index, inner in enumerate(detail)
            for problem in problems(inner, path if isinstance(inner, str) else f"{path}[{index}]")
        ]
    code = str(getattr(detail, "code", None) or "invalid")
    return [Problem(path, str(detail), CODES.get(code) or code.upper().replace("-", "_"))]


def _step(path: str, key: object) -> str:
    if key in {"non_field_errors", "__all__"}:
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)

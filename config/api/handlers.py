"""The one place where an exception becomes an answer, in views and outside of them."""

import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
    ValidationError,
)
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.urls import Resolver404, resolve
from django.utils.translation import gettext_noop as _
from django.views import defaults
from redis import exceptions as redis
from rest_framework import exceptions as drf
from rest_framework.fields import get_error_detail
from rest_framework.request import Request

from config.api.card_numbers import holds_card_number
from config.api.dialects import base_of, core_headers, error_body
from config.api.errors import (
    NO_TOKEN,
    ApiError,
    Forbidden,
    Internal,
    Invalid,
    NotAuthenticated,
    NotFound,
    Refused,
    TooLarge,
    TooManyRequests,
    Unavailable,
    Unreadable,
    problems,
)
from config.api.translation import Message

logger = logging.getLogger(__name__)


def handle(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's exception handler: the answer for `exc` in the dialect of the request's path."""
    return answer(as_api_error(exc), context["request"])


def answer(error: ApiError, request: HttpRequest | Request) -> HttpResponse:
    """`error` as a response, in the dialect of the request's path."""
    django_request = request._request if isinstance(request, Request) else request  # noqa: SLF001
    body, content_type = error_body(error, django_request)
    response = HttpResponse(body, content_type=content_type, status=error.status)
    own = core_headers(django_request) if base_of(django_request.path) == "/core" else {}
    for name, value in (own | error.headers).items():
        response[name] = value
    if error.status == 401 and "WWW-Authenticate" not in error.headers:
        environ = django_request.META
        is_sent = environ.get("HTTP_AUTHORIZATION", "").lower().startswith("bearer ")
        is_sent = is_sent or "HTTP_X_CDLX_SESSION_TOKEN" in environ
        is_wrong = error.code == "INVALID_TOKEN" and is_sent
        response["WWW-Authenticate"] = 'Bearer error="invalid_token"' if is_wrong else "Bearer"
    return response


def without_slash(error: Resolver404) -> NotFound:
    """The answer for an unknown path: with a slash at its end it may be known without."""
    path = "/" + str(error.args[0].get("path", "")).lstrip("/")
    if base_of(path) and path.endswith("/") and not holds_card_number(path):
        with suppress(Resolver404):
            resolve(path.rstrip("/"))
            template = _("Paths end without a slash here: %(path)s")
            return NotFound(Message(template, path=path.rstrip("/")))
    return NotFound()


# What the frameworks raise on a client's account. The first line that fits counts.
OUTCOMES: tuple[tuple[tuple[type[BaseException], ...], Callable[[Any], ApiError]], ...] = (
    ((ApiError,), lambda error: error),
    ((drf.ValidationError,), lambda error: Invalid(problems(error.detail))),
    ((ValidationError,), lambda error: Invalid(problems(get_error_detail(error)))),
    ((drf.NotAuthenticated,), lambda _error: NotAuthenticated(NO_TOKEN)),
    (
        (drf.AuthenticationFailed,),
        lambda error: NotAuthenticated(str(error.detail), code="INVALID_TOKEN"),
    ),
    (
        (drf.Throttled,),
        lambda error: TooManyRequests(_("Too many requests."), seconds=error.wait or 1),
    ),
    ((Resolver404,), without_slash),
    ((Http404, drf.NotFound), lambda _error: NotFound()),
    ((PermissionDenied,), lambda _error: Forbidden(_("This actor may not do this."))),
    ((drf.PermissionDenied,), lambda error: Forbidden(str(error.detail))),
    (
        (drf.ParseError, UnreadablePostError),
        lambda _error: Unreadable(_("The body cannot be read.")),
    ),
    (
        (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent),
        lambda _error: TooLarge(_("The body is larger than this service reads.")),
    ),
    (
        (SuspiciousOperation, BadRequest),
        lambda _error: ApiError(_("The request cannot be understood.")),
    ),
    (
        (drf.MethodNotAllowed, drf.NotAcceptable, drf.UnsupportedMediaType),
        lambda error: Refused(error.status_code, error.default_code.upper(), str(error.detail)),
    ),
)
AWAY = (OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError)


def as_api_error(exc: BaseException) -> ApiError:
    """What a client is told about `exc`. What is our fault is logged, without the request."""
    for kinds, outcome in OUTCOMES:
        if isinstance(exc, kinds):
            return outcome(exc)
    if isinstance(exc, AWAY):
        logger.error("a server is unavailable", exc_info=exc)
        return Unavailable()
    if isinstance(exc, DataError):
        # A check of ours is missing; the value is the client's all the same.
        logger.error("a value that cannot be stored got through", exc_info=exc)
        return ApiError(_("A value of the request cannot be stored."), code="INVALID_VALUE")
    logger.error("unhandled error", exc_info=exc)
    return Internal()


def _page_or_answer(
    request: HttpRequest, error: ApiError, page: Callable[[], HttpResponse]
) -> HttpResponse:
    """A page for people, an answer for programs: Django's own pages outside of the API."""
    if base_of(request.path) or not _is_for_people(request):
        return answer(error, request)
    return page()


def _is_for_people(request: HttpRequest) -> bool:
    return request.path.startswith("/admin/") or "text/html" in request.META.get("HTTP_ACCEPT", "")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`, for what fails before or outside of a view of the API; 413 too."""
    error = as_api_error(exception)
    return _page_or_answer(request, error, lambda: defaults.bad_request(request, exception))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler403`."""
    error = as_api_error(exception)
    return _page_or_answer(request, error, lambda: defaults.permission_denied(request, exception))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler404`: the same body as for a resource that is not there."""
    error = as_api_error(exception)
    return _page_or_answer(request, error, lambda: defaults.page_not_found(request, exception))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`; also 503, while a server is unavailable."""
    error = as_api_error(sys.exc_info()[1] or RuntimeError("an error without a cause"))
    return _page_or_answer(request, error, lambda: defaults.server_error(request))

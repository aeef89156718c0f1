"""The one place where an exception becomes an answer, in views and outside of them."""

import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import cast

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
from config.api.pages import error_page
from config.api.translation import Message

logger = logging.getLogger(__name__)
AWAY = (OperationalError, InterfaceError, redis.ConnectionError, redis.TimeoutError)


def handle(exc: Exception, context: Mapping[str, object]) -> HttpResponse:
    """DRF's exception handler: the answer for `exc` in the dialect of the request's path."""
    return answer(as_api_error(exc), cast("Request", context["request"]))


def answer(error: ApiError, request: HttpRequest | Request) -> HttpResponse:
    """`error` as a response, in the dialect of the request's path."""
    body, content_type = error_body(error, request)
    response = HttpResponse(body, content_type=content_type, status=error.status)
    own = core_headers(request) if base_of(request.path) == "/core" else {}
    for name, value in (own | error.headers).items():
        response[name] = value
    if error.status == 401 and "WWW-Authenticate" not in error.headers:
        environ = request.META
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


def as_api_error(exc: BaseException) -> ApiError:
    """What a client is told about `exc`. What is our fault is logged, without the request."""
    if isinstance(exc, ApiError):
        return exc
    return _of_drf(exc) or _of_django(exc) or _of_a_server(exc)


def _of_drf(exc: BaseException) -> ApiError | None:
    """The error for what REST framework raises on a client's account."""
    match exc:
        case drf.ValidationError():
            error: ApiError = Invalid(problems(exc.detail))
        case drf.NotAuthenticated():
            error = NotAuthenticated(NO_TOKEN)
        case drf.AuthenticationFailed():
            error = NotAuthenticated(str(exc.detail), code="INVALID_TOKEN")
        case drf.Throttled():
            # Its stubs do not know `wait`, which is None where a throttle cannot tell.
            seconds = getattr(exc, "wait", None) or 1
            error = TooManyRequests(_("Too many requests."), seconds=seconds)
        case drf.NotFound():
            error = NotFound()
        case drf.PermissionDenied():
            error = Forbidden(str(exc.detail))
        case drf.ParseError():
            error = Unreadable(_("The body cannot be read."))
        case drf.MethodNotAllowed() | drf.NotAcceptable() | drf.UnsupportedMediaType():
            error = Refused(exc.status_code, exc.default_code.upper(), str(exc.detail))
        case _:
            return None
    return error


def _of_django(exc: BaseException) -> ApiError | None:
    """The error for what Django raises on a client's account."""
    match exc:
        case ValidationError():
            error: ApiError = Invalid(problems(get_error_detail(exc)))
        case Resolver404():
            error = without_slash(exc)
        case Http404():
            error = NotFound()
        case PermissionDenied():
            error = Forbidden(_("This actor may not do this."))
        case UnreadablePostError():
            error = Unreadable(_("The body cannot be read."))
        case RequestDataTooBig() | TooManyFieldsSent() | TooManyFilesSent():
            error = TooLarge(_("The body is larger than this service reads."))
        case SuspiciousOperation() | BadRequest():
            error = ApiError(_("The request cannot be understood."))
        case _:
            return None
    return error


def _of_a_server(exc: BaseException) -> ApiError:
    """The error for what is not the client's fault, or should not have come so far."""
    if isinstance(exc, AWAY):
        logger.error("a server is unavailable", exc_info=exc)
        return Unavailable()
    if isinstance(exc, DataError):
        # A check of ours is missing; the value is the client's all the same.
        logger.error("a value that cannot be stored got through", exc_info=exc)
        return ApiError(_("A value of the request cannot be stored."), code="INVALID_VALUE")
    logger.error("unhandled error", exc_info=exc)
    return Internal()


def _page_or_answer(request: HttpRequest, error: ApiError) -> HttpResponse:
    """A page for people, an answer for programs."""
    if base_of(request.path) or not _is_for_people(request):
        return answer(error, request)
    return error_page(request, error)


def _is_for_people(request: HttpRequest) -> bool:
    return request.path.startswith("/admin/") or "text/html" in request.META.get("HTTP_ACCEPT", "")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`, for what fails before or outside of a view of the API; 413 too."""
    return _page_or_answer(request, as_api_error(exception))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler403`."""
    return _page_or_answer(request, as_api_error(exception))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler404`: the same body as for a resource that is not there."""
    return _page_or_answer(request, as_api_error(exception))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`; also 503, while a server is unavailable."""
    error = as_api_error(sys.exc_info()[1] or RuntimeError("an error without a cause"))
    return _page_or_answer(request, error)

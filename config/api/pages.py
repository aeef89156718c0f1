"""The pages that tell people what went wrong, outside of the API."""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from config.api.errors import ApiError
from config.context import request_id


class Words(NamedTuple):
    """What happened, and what to do now."""

    title: str
    advice: str


UNREADABLE = Words(
    "This request cannot be understood",
    "Something in the address or in the form is not as it should be. Go back and try it again.",
)
WORDS = {
    403: Words(
        "You may not do this",
        "Your role does not include it. An Owner or Admin of your account can change that.",
    ),
    404: Words(
        "There is nothing here",
        "The address is mistyped, or what was here is deleted or not yours to see.",
    ),
    413: Words(
        "This is too large", "The form or the file is larger than this installation reads at once."
    ),
    500: Words(
        "Something went wrong on our side",
        "It has been logged. Try again; if it happens again, report the request id below.",
    ),
    503: Words(
        "Kith is not available for a moment",
        "A part of it does not answer. Nothing was changed; try again in a few seconds.",
    ),
}
EXPIRED = Words(
    "This page has expired",
    "You have signed in or out since it was opened. Go back, reload it, and do it again.",
)


def error_page(request: HttpRequest, error: ApiError, words: Words | None = None) -> HttpResponse:
    """A page for `error` that needs neither a session nor a database."""
    words = words or WORDS.get(error.status, UNREADABLE)
    is_office = request.path.startswith("/admin/")
    context = words._asdict() | {
        "status": error.status,
        "request_id": request_id.get(),
        "way_on": "/admin/" if is_office else "/",
        "place": "Go to the dashboard" if is_office else "Go to the first page",
    }
    body = render_to_string("error.html", context)
    return HttpResponse(body, status=error.status, headers=error.headers)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 -- Django's
    """Django's `CSRF_FAILURE_VIEW`: a form whose token is not that of the session."""
    error = ApiError(EXPIRED.title)
    error.status = 403
    return error_page(request, error, EXPIRED)

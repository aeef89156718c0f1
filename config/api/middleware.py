"""What happens around every request: its id, and one line in the log."""

import logging
import re
import sys
import uuid
from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.core.handlers.wsgi import LimitedStream
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from config import metrics, tracing
from config.api.actors import Actor
from config.api.card_numbers import holds_card_number
from config.api.errors import MAX_URI, UriTooLong
from config.api.handlers import answer
from config.api.paths import without_values
from config.context import request_id
from config.db import scope
from config.logging import log_quickly

logger = logging.getLogger("kith.access")
# A client may send any word.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
READING = ("GET", "HEAD")
SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class RequestContext:
    """Gives each request its id, each response `X-Request-Id`, and the log a line of each.

    The line names the route, never the path or the query string: they may hold personal data. Of a
    path that has no route it gives the `path` without what may be a value.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request within its context."""
        started = perf_counter()
        trace = _request_id(request)
        token = request_id.set(trace)
        method = request.method if request.method in METHODS else "other"
        # A call that only reads may use any index.
        sees = scope.current.set(scope.NOTHING._replace(is_looking=request.method in READING))
        try:
            with tracing.request(request, method):
                return self._answer(request, method, trace, started)
        finally:
            request_id.reset(token)
            scope.current.reset(sees)

    def _answer(
        self, request: HttpRequest, method: str, trace: str, started: float
    ) -> HttpResponseBase:
        _accept_chunked(request)
        is_long = len(request.get_full_path()) > MAX_URI
        response = answer(UriTooLong(), request) if is_long else self.get_response(request)
        if settings.ROW_SECURITY and isinstance(response, StreamingHttpResponse):
            # Its pieces are made when all of this has ended.
            response.streaming_content = scope.kept(iter(response))
        response["X-Request-Id"] = trace
        match = request.resolver_match
        actor = getattr(request, "auth", None)
        route, seconds = match.route if match else "", perf_counter() - started
        metrics.note_request(method, route, response.status_code, seconds)
        line = {
            "method": request.method,
            "route": route,
            "status": response.status_code,
            "milliseconds": round(seconds * 1000, 1),
            "clientId": actor.client_id if isinstance(actor, Actor) else "",
        }
        if match is None:
            line["path"] = without_values(request.path)
        log_quickly(logger, "request", line)
        tracing.note_answer(request, method, route, response.status_code)
        return response


def _request_id(request: HttpRequest) -> str:
    """The caller's id if it is a sane one, by either dialect's header; else a new one.

    It is logged, stored and queued: one with a card number in it is replaced.
    """
    given = request.META.get("HTTP_X_REQUEST_ID") or request.META.get("HTTP_X_CDLX_REQUEST_ID", "")
    is_sane = SANE_ID.fullmatch(given) and not holds_card_number(given)
    return given if is_sane else str(uuid.uuid4())


def _accept_chunked(request: HttpRequest) -> None:
    """Let Django read a body whose length was not announced; its limit of size still holds."""
    environ = request.META
    if (
        environ.get("wsgi.input_terminated")
        and "CONTENT_LENGTH" not in environ
        and "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    ):
        stream = LimitedStream(environ["wsgi.input"], sys.maxsize)
        # Django offers no other way.
        request._stream = stream  # type: ignore[assignment] # noqa: SLF001 -- as `WSGIRequest` does

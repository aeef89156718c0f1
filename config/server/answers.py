"""What Django answers, taken in short pieces of a thread's time."""

from contextlib import suppress
from io import BytesIO
from time import monotonic
from typing import NamedTuple
from wsgiref.types import WSGIEnvironment

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from config.api.errors import ApiError
from config.api.handlers import answer
from config.api.middleware import RequestContext
from config.server.handler import Handler

Headers = list[tuple[bytes, bytes]]
# A piece of a stream ends when it is so large, or has taken so long.
PIECE_BYTES = 256 * 1024
PIECE_SECONDS = 0.05
BODILESS = {204, 304}


class Answer(NamedTuple):
    """Status, headers, and the body or its first piece; `rest` makes the others."""

    status: int
    headers: Headers
    body: bytes
    rest: "Rest | None" = None


class Rest:
    """The pieces of a stream that are still to be made."""

    def __init__(self, response: HttpResponseBase) -> None:
        self._response = response
        self._blocks = iter(response)
        self.has_ended = False

    def next_piece(self) -> bytes:
        """The next piece; the stream is closed at its end, and when it fails."""
        started, size = monotonic(), 0
        blocks: list[bytes] = []
        try:
            for block in self._blocks:
                blocks.append(block)
                size += len(block)
                if size >= PIECE_BYTES or monotonic() - started > PIECE_SECONDS:
                    return b"".join(blocks)
        except BaseException:
            self.close()
            raise
        self.close()
        return b"".join(blocks)

    def close(self) -> None:
        """Make no more of it."""
        if not self.has_ended:
            self.has_ended = True
            self._response.close()


def respond(handler: Handler, environ: WSGIEnvironment) -> Answer:
    """What Django answers. Raises what it raises, such as `BodyNeeded`."""
    response = handler.answer(environ)
    status, headers = response.status_code, encoded(response)
    if environ["REQUEST_METHOD"] == "HEAD" or status in BODILESS:
        response.close()
        return Answer(status, headers, b"")
    if response.streaming:
        rest = Rest(response)
        piece = rest.next_piece()
        return Answer(status, headers, piece, None if rest.has_ended else rest)
    content = b"".join(response)
    response.close()
    return Answer(status, headers, content)


def encoded(response: HttpResponseBase) -> Headers:
    """The headers of a response, cookies included."""
    cookies = (("Set-Cookie", cookie.output(header="")) for cookie in response.cookies.values())
    named = [*response.items(), *cookies]
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]


def refuse(error: ApiError, environ: WSGIEnvironment) -> Answer:
    """The answer to a request that does not reach Django, in the dialect of its path."""

    def give(request: HttpRequest) -> HttpResponseBase:
        with suppress(Resolver404):
            request.resolver_match = resolve(request.path_info)
        return answer(error, request)

    request = WSGIRequest(environ | {"wsgi.input": BytesIO(), "CONTENT_LENGTH": "0"})
    response = RequestContext(give)(request)
    content = response.getvalue()
    response["Content-Length"] = str(len(content))
    return Answer(error.status, encoded(response), content)

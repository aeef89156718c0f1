"""Django's way from a request to its response, without what this server has no need of."""

from collections.abc import Callable
from wsgiref.types import WSGIEnvironment

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class Handler(WSGIHandler):
    """Answers requests through the middleware and the views.

    Django's own way sends signals around a request, keeps a table of URLs and a prefix for its
    thread, and writes what failed to a log that is switched off: a tenth of what a GET takes.
    """

    # Made by Django of `settings.MIDDLEWARE`; it answers errors, too.
    _middleware_chain: Callable[[HttpRequest], HttpResponseBase]

    def answer(self, environ: WSGIEnvironment) -> HttpResponseBase:
        """The response to a request; whoever has sent it closes it."""
        close_old_connections()
        request = WSGIRequest(environ)
        try:
            return self._middleware_chain(request)
        finally:
            # The files of a form; no answer is made of them later.
            request.close()

"""Calls of the APIs, led past the middleware that only pages need."""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import ResolverMatch, get_resolver

from config.api.dialects import base_of

# A pattern may allow for any number of them.
MOST_HOSTS = 100
Respond = Callable[[HttpRequest], HttpResponseBase]


class Calls:
    """Answers calls of the APIs itself; all that stands below in `MIDDLEWARE` is for pages.

    A call has no session, form or message: going through their middleware took it a fifth of its
    processor time. What is left of it is done here: the host must be one of ours, browsers that are
    shown an answer are told what not to do with it, and a whole body has its length.
    """

    def __init__(self, get_response: Respond) -> None:
        self._answer_page = get_response
        # Of a view that does not wait, as its stubs cannot say.
        self._answer_call = cast("Respond", convert_exception_to_response(self._call))
        # Those of calls before, so that each is judged once.
        self._hosts: set[str] = set()
        # Those of paths without variables; all others are looked for each time.
        self._matches: dict[str, ResolverMatch] = {}
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
            "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
            "X-Frame-Options": settings.X_FRAME_OPTIONS,
        }

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        if not base_of(request.path):
            return self._answer_page(request)
        response = self._answer_call(request)
        headers = response.headers
        for name, value in self._headers.items():
            headers[name] = value
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            headers["Strict-Transport-Security"] = f"max-age={settings.SECURE_HSTS_SECONDS}"
        if not response.streaming and "Content-Length" not in headers:
            headers["Content-Length"] = str(len(response.getvalue()))
        return response

    def _call(self, request: HttpRequest) -> HttpResponseBase:
        """What the view of a call gives. Raises what Django has handlers for, as `Resolver404`.

        All views of the APIs are free of Django's check of forms (CSRF): they take tokens, which no
        browser sends by itself.
        """
        self._check_host(request)
        match = request.resolver_match = self._match(request.path_info)
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        return response.render() if isinstance(response, SimpleTemplateResponse) else response

    def _match(self, path: str) -> ResolverMatch:
        match = self._matches.get(path)
        if match is None:
            match = get_resolver().resolve(path)
            if not match.kwargs:
                self._matches[path] = match
        return match

    def _check_host(self, request: HttpRequest) -> None:
        """Raise `DisallowedHost` for a host that is none of ours."""
        host = request.META.get("HTTP_HOST")
        if host in self._hosts:
            return
        request.get_host()
        if host is not None and len(self._hosts) < MOST_HOSTS:
            self._hosts.add(host)

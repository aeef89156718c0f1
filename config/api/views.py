"""`ApiView`, on which every view of the three dialects stands."""

from collections.abc import Callable, Collection, Mapping
from io import BytesIO
from typing import ClassVar, TypeVar, cast, overload

from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_noop as _
from rest_framework.exceptions import AuthenticationFailed, UnsupportedMediaType
from rest_framework.exceptions import NotAuthenticated as NoCredentials
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.api import idempotency, throttling
from config.api.actors import Actor
from config.api.ahead import Ahead, Row
from config.api.encodings import decoded, encoding_of
from config.api.errors import Invalid, Problem, Refused
from config.api.json import JSONOnly, JSONParser, JSONRenderer, JSONResponse

__all__ = ["ApiView", "JSONOnly", "JSONParser", "JSONRenderer", "JSONResponse"]

READING = ("GET", "HEAD")
A = TypeVar("A")
B = TypeVar("B")


class BodyRequest(Request):
    """DRF's request, but with a body also where its length was not announced (chunked).

    A body that came compressed is read as it was before.
    """

    def _load_stream(self) -> None:
        encoding = encoding_of(self._request.META)
        # Said before it is read: a body may be slow to come.
        if self._has_body() and not JSONOnly().select_parser(self, self.parsers or ()):
            raise UnsupportedMediaType(self.content_type)
        body = decoded(self._request.body, encoding)
        # DRF takes None for no body.
        self._stream = BytesIO(body) if body else None  # type: ignore[assignment]

    def _has_body(self) -> bool:
        length = self.META.get("CONTENT_LENGTH") or "0"
        return length != "0" or "HTTP_TRANSFER_ENCODING" in self.META


class ApiView(APIView):
    """A view of the API: the order of checks, strict query parameters, `Idempotency-Key`.

    Checks go 401, 429, 405, 406, 403, 400. REST framework's own `initial` negotiates first, and
    permits before it knows whether there is such a method; its `dispatch` has no place for an
    answer that is given again: hence ours. A subclass declares

    - `scopes`: for each method the scope that it needs (`customers.permissions.HasScope`);
    - `parameters`: for each method the query parameters that it knows, any other is 400
      ``UNKNOWN_PARAMETER``; None if the view checks its query itself;
    - `repeatable`: those of them that may be given more than once;
    - `gathering`: the methods that read their query with `gather`, which then also refuses it;
    - `idempotent`: False where the first answer of a POST must not be kept, for it is a secret.
    """

    scopes: ClassVar[Mapping[str, str]] = {}
    parameters: ClassVar[Mapping[str, Collection[str]] | None] = {}
    repeatable: ClassVar[Collection[str]] = ()
    gathering: ClassVar[Collection[str]] = ()
    idempotent: ClassVar[bool] = True
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    _query_problems: list[Problem]
    # The row that `asks_ahead` has found, or one of nulls; None where it was not asked.
    found_ahead: Row | None = None

    @property
    def actor(self) -> Actor:
        """Who makes the request; only for methods that a scope guards."""
        return cast("Actor", self.request.auth)

    def asks_ahead(self) -> Ahead | None:
        """What the method will want first, if it can be asked before it is known who asks."""
        return None

    @property
    def default_response_headers(self) -> dict[str, str]:
        """None: `Allow` belongs to 405, and nothing here varies."""
        return {}

    def initialize_request(
        self, request: HttpRequest, *_args: object, **_kwargs: object
    ) -> Request:
        """The request as DRF wraps it."""
        wrapped = BodyRequest(
            request,
            # A body that is sent with a GET is not read.
            parsers=() if request.method in READING else self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )
        # Else each look at them would first be one at the attributes of REST framework's own.
        wrapped.META, wrapped.method = request.META, request.method
        return wrapped

    def initial(self, request: Request, *_args: object, **_kwargs: object) -> None:
        """Everything that is checked before a method runs."""
        self.format_kwarg = None
        self.perform_authentication(request)
        self.check_throttles(request)
        if not self._handler(request):
            if request.authenticators and request.successful_authenticator is None:
                raise NoCredentials
            raise Refused(
                405,
                "METHOD_NOT_ALLOWED",
                _("This resource does not have this method."),
                headers={"Allow": ", ".join(self.allowed_methods)},
            )
        negotiated = self.perform_content_negotiation(request)
        request.accepted_renderer, request.accepted_media_type = negotiated
        self.check_permissions(request)
        self.check_query(request)

    def check_query(self, request: Request) -> None:
        """Refuse parameters that the method does not have, unless it reads them with `gather`."""
        if self.parameters is not None and request.META.get("QUERY_STRING"):
            method = "GET" if request.method == "HEAD" else str(request.method)
            problems = query_problems(request.GET, self.parameters.get(method, ()), self.repeatable)
            if method in self.gathering:
                self._query_problems = problems
            elif problems:
                raise Invalid(problems)

    @overload
    def gather(self, reader: Callable[[], A], /) -> tuple[A]: ...

    @overload
    def gather(self, first: Callable[[], A], second: Callable[[], B], /) -> tuple[A, B]: ...

    def gather(self, *readers: Callable[[], object]) -> tuple[object, ...]:
        """What each of the readers makes of the query. Raises `Invalid` with every wrong parameter.

        A reader raises `Invalid` itself for those that are its own, and asks no database before.
        """
        found, problems = [], list(self._query_problems)
        for read in readers:
            try:
                found.append(read())
            except Invalid as error:
                known = {problem.path for problem in problems}
                problems += [problem for problem in error.problems if problem.path not in known]
        if problems:
            raise Invalid(problems)
        return tuple(found)

    def perform_authentication(self, request: Request) -> None:
        """Find the actor; an address that tries out tokens gets 429 in the end."""
        try:
            super().perform_authentication(request)
        except AuthenticationFailed:
            throttling.note_failure(request, "token")
            raise

    def _handler(self, request: Request) -> Callable[..., HttpResponseBase] | None:
        name = str(request.method).lower()
        return getattr(self, name, None) if name in self.http_method_names else None

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Answer a request; a POST with an `Idempotency-Key` once and for all."""
        self.args, self.kwargs, self.headers = args, kwargs, {}
        self._query_problems = []
        self.request = self.initialize_request(request, *args, **kwargs)
        try:
            return self._finalized(self._answered(self._check_and_run))
        finally:
            self._release()

    def _release(self) -> None:
        """Undo the references by which view and request keep each other.

        Else all that belongs to a call stays in memory until Python next looks for garbage, with
        that of a thousand others: 3 to 8 % of a call's processor time went into that.
        """
        self.request.parser_context = {}
        # Django's, to the method that answers GET.
        vars(self).pop("head", None)

    def _finalized(self, response: HttpResponseBase) -> HttpResponseBase:
        """The response as it leaves: whole, unless it is streamed."""
        # DRF takes any response of Django's here; only its types ask for one of its own.
        own = cast("Response", response)
        final = self.finalize_response(self.request, own, *self.args, **self.kwargs)
        if isinstance(final, Response):
            final.render()
            # It has served, and leads to the view and back.
            vars(final).pop("renderer_context", None)
        return final

    def _answered(self, run: Callable[[], HttpResponseBase]) -> HttpResponseBase:
        """What `run` gives, or the answer for what it raises."""
        try:
            return run()
        except Exception as error:  # noqa: BLE001 -- every exception becomes an answer
            return self.handle_exception(error)

    def _check_and_run(self) -> HttpResponseBase:
        self.initial(self.request, *self.args, **self.kwargs)
        if self.request.method == "POST" and self.idempotent and idempotency.is_asked(self.request):
            return idempotency.answer_once(self.request, self.actor, self._run_to_the_end)
        return self._run()

    def _run(self) -> HttpResponseBase:
        handler = getattr(self, str(self.request.method).lower())
        response: HttpResponseBase = handler(self.request, *self.args, **self.kwargs)
        return response

    def _run_to_the_end(self) -> HttpResponseBase:
        """Run within the caller's transaction; what an error leaves behind is undone."""
        return self._finalized(self._answered(transaction.atomic(self._run)))

    def handle_exception(self, exc: Exception) -> Response:
        """The answer for an exception, in the dialect's body; 401 stays 401 in every view."""
        context = self.get_exception_handler_context()
        response: Response = self.get_exception_handler()(exc, context)
        return response


def query_problems(
    query: QueryDict, known: Collection[str], repeatable: Collection[str] = ()
) -> list[Problem]:
    """Unknown and repeated parameters, NUL characters and what is not UTF-8, all at once.

    A problem's path is the parameter's name.
    """
    problems = []
    for name, values in query.lists():
        if name not in known:
            problems.append(Problem(name, "This parameter does not exist.", "UNKNOWN_PARAMETER"))
        elif len(values) > 1 and name not in repeatable:
            message = "This parameter may be given only once."
            problems.append(Problem(name, message, "REPEATED_PARAMETER"))
        elif any("\0" in value for value in values):
            message = "NUL characters are not allowed."
            problems.append(Problem(name, message, "NUL_CHARACTER"))
        elif any("\N{REPLACEMENT CHARACTER}" in value for value in values):
            problems.append(Problem(name, "This is not UTF-8.", "INVALID_CHARACTER"))
    return problems

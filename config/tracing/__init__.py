"""Traces of requests and of the jobs that they submit, where `KITH_TRACES_URL` says that they go.

A trace has the request, the statements that it sent to the database, and the jobs that it submitted
with their statements, whichever worker runs them and when. The web server and the worker call
`start`; commands do not. Without the setting nothing is imported, and nothing done.

What a span says are words of our own, never values: no path, query, header, body, address, text of
a statement or message of an error. OpenTelemetry's own instrumentation is not used, for Django's
tells the whole URL and the client's address, Celery's the text of exceptions, and psycopg's does
not see prepared statements.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

if TYPE_CHECKING:
    from config.tracing.spans import Spans

_spans: "Spans | None" = None


def start() -> None:
    """Trace from now on, if that is wanted. Raises `ImproperlyConfigured` without the packages."""
    global _spans  # noqa: PLW0603 -- one for the process, made at its start
    if not settings.TRACES_URL:
        return
    try:
        from config.tracing.spans import Spans, sender  # noqa: PLC0415 -- few have the packages
    except ModuleNotFoundError as error:
        raise ImproperlyConfigured(
            "KITH_TRACES_URL needs opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http,"
            f" which the README tells how to install ({error.name} is missing)"
        ) from error
    _spans = Spans(sender(settings.TRACES_URL))


def request(asked: HttpRequest, method: str) -> AbstractContextManager[None]:
    """A stretch in which a request is answered; called again for it, the same one goes on."""
    return nullcontext() if _spans is None else _spans.request(asked, method)


def note_answer(asked: HttpRequest, method: str, route: str, status: int) -> None:
    """A request was answered; `route` is its pattern, empty for a path that none has."""
    if _spans is not None:
        _spans.note_answer(asked, method, route, status)


def job(kind: str, job_id: UUID, parent: str, attempt: int) -> AbstractContextManager[None]:
    """A stretch in which a job is done; `parent` is what `here` gave where it was submitted."""
    return nullcontext() if _spans is None else _spans.job(kind, job_id, parent, attempt)


def note_job(status: str) -> None:
    """The job of this stretch has ended."""
    if _spans is not None:
        _spans.note_job(status)


def note_coalesced(kind: str, jobs: Callable[[], Iterable[tuple[UUID, str]]]) -> None:
    """Other jobs were done with that of this stretch; `jobs` gives ids and parents, if need be."""
    if _spans is not None:
        _spans.note_coalesced(kind, jobs())


def statement(sql: str) -> AbstractContextManager[None]:
    """A stretch in which a statement runs that no cursor of Django's executes, such as COPY."""
    return nullcontext() if _spans is None else _spans.statement(sql)


def here() -> str:
    """Where this is in a trace, as W3C's `traceparent` has it; empty outside of any."""
    return "" if _spans is None else _spans.here()


def trace_id() -> str:
    """The id of the trace; empty outside of any."""
    return here()[3:35]


def leave() -> None:
    """Trace nothing from here on in this thread, or in this process if it was just forked."""
    if _spans is not None:
        _spans.leave()


def flush() -> None:
    """Send what has not been sent yet, before the process ends."""
    if _spans is not None:
        _spans.flush()

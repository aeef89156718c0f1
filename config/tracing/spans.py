"""Spans by OpenTelemetry: of requests, of jobs, and of the statements of both."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

# Of one request or job; a load has any number, and its trace has to be one that can be looked at.
MOST_STATEMENTS = 500
# How long a collector may take for what it is sent; a process that stops waits for it.
SEND_SECONDS = 2
# Statements of which no other is a part: what is told of any is the first of these, and a table.
KINDS = frozenset(
    {
        *("SELECT", "INSERT", "UPDATE", "DELETE", "COPY", "WITH", "SET", "LOCK", "EXPLAIN"),
        *("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "CREATE", "ANALYZE", "SHOW"),
    }
)
WORD = re.compile(r"[\s(]*([A-Za-z]+)")
TABLE = r'\s+(?:ONLY\s+)?"?([a-z][a-z0-9_]*)"?'
WRITES = re.compile(r"(INSERT|UPDATE|DELETE)(?: INTO| FROM)?" + TABLE)
COPIES = re.compile(r"(COPY)" + TABLE)
READS = re.compile(r"(FROM)" + TABLE)
# What is kept of a request between two calls.
SPAN, LEFT = "span", "statements"

Execute = Callable[[str, object, bool, dict[str, object]], object]


class Left:
    """How many more statements of a request or job are traced, and how many were not."""

    def __init__(self) -> None:
        self.count = MOST_STATEMENTS
        self.dropped = 0


_left: ContextVar[Left | None] = ContextVar("traced_statements", default=None)


def sender(url: str) -> BatchSpanProcessor:
    """Sends spans to a collector now and then, from a thread of its own."""
    return BatchSpanProcessor(OTLPSpanExporter(url, timeout=SEND_SECONDS))


class Spans:
    """The spans of this process, which `processor` gets when they have ended."""

    def __init__(self, processor: BatchSpanProcessor) -> None:
        resource = Resource.create({"service.name": "kith", "service.version": settings.VERSION})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("kith", settings.VERSION)
        self._parents = TraceContextTextMapPropagator()
        connection_created.connect(self._watch, weak=False)
        for connection in connections.all(initialized_only=True):
            self._watch(connection)

    def close(self) -> None:
        """Make no more of them."""
        connection_created.disconnect(self._watch)
        for connection in connections.all(initialized_only=True):
            if self._execute in connection.execute_wrappers:
                connection.execute_wrappers.remove(self._execute)
        self._provider.shutdown()

    def flush(self) -> None:
        """Send what has not been sent yet."""
        self._provider.force_flush()

    def leave(self) -> None:
        """Trace nothing from here on, in this thread."""
        _left.set(None)

    def here(self) -> str:
        """The `traceparent` of the current span; empty outside of any."""
        carrier: dict[str, str] = {}
        if _left.get() is not None:
            self._parents.inject(carrier)
        return carrier.get("traceparent", "")

    # --- Requests and jobs ------------------------------------------------------------------------

    @contextmanager
    def request(self, asked: HttpRequest, method: str) -> Iterator[None]:
        """The request; one that waits for its body is begun once and gone on with."""
        kept = asked.META.setdefault("kith.done", {})
        span = kept.get(SPAN)
        if span is None:
            # Anybody may send one, and have all of theirs traced; a proxy says what is so.
            given = asked.META.get("HTTP_TRACEPARENT", "") if settings.TRUST_PROXY else ""
            told: dict[str, str | int] = {"http.request.method": method}
            span = kept[SPAN] = self._begin(method, SpanKind.SERVER, given, told)
            kept[LEFT] = Left()
        with self._inside(span, kept[LEFT]):
            yield

    def note_answer(self, asked: HttpRequest, method: str, route: str, status: int) -> None:
        """The request is answered: its span ends."""
        kept = asked.META["kith.done"]
        span: Span = kept.pop(SPAN)
        if route:
            span.update_name(f"{method} {route}")
            span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        end(span, kept.pop(LEFT))

    @contextmanager
    def job(self, kind: str, job_id: UUID, parent: str, attempt: int) -> Iterator[None]:
        """A job, in the trace of the request that submitted it."""
        told: dict[str, str | int] = {
            "kith.job.kind": kind,
            "kith.job.id": str(job_id),
            "kith.job.attempt": attempt,
        }
        span, left = self._begin(f"job {kind}", SpanKind.CONSUMER, parent, told), Left()
        with self._inside(span, left):
            try:
                yield
            except BaseException as error:
                fail(span, error)
                raise
            finally:
                end(span, left)

    def note_job(self, status: str) -> None:
        """How the job of the current span ended."""
        span = trace.get_current_span()
        span.set_attribute("kith.job.status", status)
        if status == "FAILED":
            span.set_status(Status(StatusCode.ERROR))

    def note_coalesced(self, kind: str, jobs: Iterable[tuple[UUID, str]]) -> None:
        """Jobs that were done with that of the current span, each in its own trace."""
        links = [Link(trace.get_current_span().get_span_context())]
        for job_id, parent in jobs:
            told = {"kith.job.kind": kind, "kith.job.id": str(job_id)}
            self._begin(f"job {kind}", SpanKind.CONSUMER, parent, told, links).end()

    def _begin(
        self,
        name: str,
        kind: SpanKind,
        parent: str,
        told: Mapping[str, str | int],
        links: Sequence[Link] = (),
    ) -> Span:
        # Of what comes from elsewhere only this: other members may have anything in them.
        around = self._parents.extract({"traceparent": parent}, context.Context())
        return self._tracer.start_span(name, around, kind, told, links)

    @contextmanager
    def _inside(self, span: Span, left: Left) -> Iterator[None]:
        around = context.attach(trace.set_span_in_context(span))
        before = _left.set(left if span.is_recording() else None)
        try:
            yield
        finally:
            _left.reset(before)
            context.detach(around)

    # --- Statements -------------------------------------------------------------------------------

    def _watch(self, connection: BaseDatabaseWrapper, **_signal: object) -> None:
        if self._execute not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._execute)

    def _execute(
        self, execute: Execute, sql: str, params: object, many: bool, around: dict[str, object]
    ) -> object:
        """What Django calls instead of executing a statement."""
        with self.statement(sql):
            return execute(sql, params, many, around)

    @contextmanager
    def statement(self, sql: str) -> Iterator[None]:
        """A statement, if it is one of a request or job that has not had too many."""
        left = _left.get()
        if left is None:
            yield
            return
        if left.count == 0:
            left.dropped += 1
            yield
            return
        left.count -= 1
        kind, summary = summary_of(sql)
        told = {
            "db.system.name": "postgresql",
            "db.operation.name": kind,
            "db.query.summary": summary,
        }
        span = self._tracer.start_span(summary, kind=SpanKind.CLIENT, attributes=told)
        try:
            yield
        except BaseException as error:
            fail(span, error)
            raise
        finally:
            span.end()


def end(span: Span, left: Left) -> None:
    """The end of a request or job."""
    if left.dropped:
        span.set_attribute("kith.statements.dropped", left.dropped)
    span.end()


def fail(span: Span, error: BaseException) -> None:
    """What went wrong, by its type alone: its text may quote what a client sent."""
    span.set_attribute("error.type", type(error).__qualname__)
    span.set_status(Status(StatusCode.ERROR))


@cache
def tables() -> frozenset[str]:
    """The names of all tables."""
    return frozenset(model._meta.db_table for model in apps.get_models())


@lru_cache(maxsize=2000)
def summary_of(sql: str) -> tuple[str, str]:
    """The kind of a statement, and that with the table that it names first: never a value."""
    found = WORD.match(sql)
    kind = found[1].upper() if found else ""
    if kind not in KINDS:
        kind = "OTHER"
    pattern = {"COPY": COPIES, "SELECT": READS}.get(kind, WRITES)
    named = pattern.search(sql)
    if named is None or named[2] not in tables():
        return kind, kind
    if kind == "WITH":
        # It begins with what is written, or read on the way there.
        kind = named[1]
    return kind, f"{kind} {named[2]}"

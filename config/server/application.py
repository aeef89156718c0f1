"""The ASGI application: waits for clients, and runs Django in threads.

A request goes to a thread when its body is there, or short enough to be there soon, or else to find
out whether it is allowed at all: a view that then asks for the body ends the call (`BodyNeeded`),
and is called again when the body has arrived. Only a file of many megabytes is read by a thread,
one of those kept for that. An answer is made piece by piece, each when the client has taken the one
before.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextvars import Context, copy_context
from functools import partial
from wsgiref.types import WSGIEnvironment

from asgiref.typing import Scope
from django.conf import settings
from django.db import connections

from config.api.errors import ApiError, Internal, TooLarge, Unavailable
from config.server.answers import Answer, refuse, respond
from config.server.bodies import (
    EARLY_BYTES,
    Body,
    BodyNeeded,
    Disconnected,
    FileInput,
    Receive,
    input_of,
)
from config.server.connections import ConnectionGuard
from config.server.environ import environ_of
from config.server.handler import Handler
from config.server.threads import NoThreadInTime, Threads
from config.server.uploads import Uploads

Send = Callable[[dict[str, object]], Awaitable[None]]

logger = logging.getLogger(__name__)
# Answered by the event loop itself, unless a body is announced: it asks nobody, and waits for no
# thread.
ALIVE = "/healthz"
# It answers whatever the other threads are busy with.
READY = "/readyz"
READY_THREADS = 2
# A request that would wait longer for a thread is told to come again.
SOON_SECONDS = 2.0
# They make the pieces of streamed answers, each in a few milliseconds.
STREAM_THREADS = 2
# A client that has not sent its body to the end cannot use the connection any more.
LAST_ANSWER = (b"connection", b"close")


class Application:
    """Serves Django in `settings.WEB_THREADS` threads."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._requests = Threads(
            "request", settings.WEB_THREADS, settings.STATEMENT_SECONDS, soon=SOON_SECONDS
        )
        self._probes = Threads("probe", READY_THREADS, settings.STATEMENT_SECONDS)
        # Many downloads at once leave the threads above to others.
        self._streams = Threads("stream", STREAM_THREADS, settings.STATEMENT_SECONDS)
        self._files = Threads("file", settings.UPLOAD_THREADS, settings.STATEMENT_SECONDS)
        self._uploads = Uploads(settings.UPLOAD_THREADS)
        self._guard = ConnectionGuard()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        _, port = scope["server"] or ("", None)
        if port is not None:
            self._guard.watch(int(port))
        environ = environ_of(scope)
        body = Body(receive, environ)
        try:
            await self._exchange(environ, body, send)
        except Disconnected:
            return
        finally:
            body.close()

    async def _exchange(self, environ: WSGIEnvironment, body: Body, send: Send) -> None:
        context = copy_context()
        try:
            if body.is_short:
                body.expect()
            elif not body.is_complete:
                await body.arrive_early()
            answer = await self._answer(environ, body, context, send)
        except NoThreadInTime:
            answer = context.run(refuse, Unavailable(), environ)
        except ApiError as error:
            answer = context.run(refuse, error, environ)
        except Disconnected:
            raise
        except Exception:
            logger.exception("the web layer failed")
            answer = context.run(refuse, Internal(), environ)
        if answer is not None:
            if body.is_short:
                # It is on its way, and behind it the connection may serve other requests.
                await body.arrive_early()
            await self._send(answer, body, context, send)
        if not body.is_complete:
            await body.drain()

    async def _answer(
        self, environ: WSGIEnvironment, body: Body, context: Context, send: Send
    ) -> Answer | None:
        """What the application answers, called once more when it needs the body.

        None when the thread has sent it. Raises `ApiError`, `NoThreadInTime` and `Disconnected`.
        """
        threads = self._probes if environ["PATH_INFO"] == READY else self._requests
        # What the first call has done already, such as counting the request.
        environ["kith.done"] = {}
        if environ["PATH_INFO"] == ALIVE and body.is_complete:
            return context.run(respond, self._handler, input_of(body, environ))
        try:
            return await self._run(threads, context, environ, body, send)
        except BodyNeeded as needed:
            owner = needed.owner
        if owner is None:
            await body.arrive_up_to(settings.MAX_BODY_BYTES, settings.BODY_SECONDS)
            if not body.is_complete or body.size > settings.MAX_BODY_BYTES:
                raise TooLarge("The body is larger than this service reads.")
        else:
            await body.arrive_up_to(EARLY_BYTES)
            if not body.is_complete:
                with self._uploads.one_of(owner):
                    return await self._receive_file(environ, body, context)
        return await self._run(threads, context, environ, body, send)

    async def _receive_file(self, environ: WSGIEnvironment, body: Body, context: Context) -> Answer:
        source = FileInput(body)
        feeding = asyncio.ensure_future(source.feed())
        try:
            work = partial(respond, self._handler, environ | {"wsgi.input": source})
            return await self._files.run(context, partial(without_sessions, work))
        finally:
            feeding.cancel()

    def _run(
        self,
        threads: Threads,
        context: Context,
        environ: WSGIEnvironment,
        body: Body,
        send: Send,
    ) -> Awaitable[Answer | None]:
        work = partial(self._respond_and_send, input_of(body, environ), body, send)
        return threads.run(context, work)

    def _respond_and_send(self, environ: WSGIEnvironment, body: Body, send: Send) -> Answer | None:
        """Answer from within a thread: the client need not wait for the event loop.

        Gives what has to be sent piece by piece, or while a body is on its way.
        """
        answer = respond(self._handler, environ)
        if answer.rest is not None or not body.has_arrived():
            return answer
        for message in whole(answer):
            at_once(send(message))
        return None

    async def _send(self, answer: Answer, body: Body, context: Context, send: Send) -> None:
        headers = answer.headers
        if not body.is_complete:
            headers = [*headers, LAST_ANSWER]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        rest = answer.rest
        first: dict[str, object] = {"type": "http.response.body", "body": answer.body}
        await send(first if rest is None else first | {"more_body": True})
        if rest is None:
            return
        gone = asyncio.ensure_future(body.wait_until_gone())
        try:
            while not rest.has_ended and not gone.done():
                piece = await self._streams.run(context, rest.next_piece, patient=True)
                more = not rest.has_ended
                await send({"type": "http.response.body", "body": piece, "more_body": more})
        finally:
            gone.cancel()
            if not rest.has_ended:
                await self._streams.run(context, rest.close, patient=True)


def whole(answer: Answer) -> Iterator[dict[str, object]]:
    """What tells the web server an answer that is whole."""
    yield {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
    yield {"type": "http.response.body", "body": answer.body}


def at_once(sending: Awaitable[None]) -> None:
    """See that a message is sent, outside of the event loop.

    That of a whole answer waits for nothing: the web server sends it by itself.
    """
    for _ in sending.__await__():
        raise RuntimeError("the web server waits for the client of a whole answer")


def without_sessions(work: Callable[[], Answer]) -> Answer:
    """Do some work, and leave no database session behind in this thread."""
    try:
        return work()
    finally:
        connections.close_all()

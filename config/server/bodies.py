"""Request bodies as they arrive: read by the event loop, with limits of size, time and rate."""

import asyncio
import io
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from io import BytesIO
from threading import Condition
from uuid import UUID
from wsgiref.types import WSGIEnvironment

from asgiref.typing import HTTPDisconnectEvent, HTTPRequestEvent
from django.conf import settings
from django.db import connections
from django.http import HttpRequest

from config.api.errors import ApiError, BodyTooSlow

Message = HTTPRequestEvent | HTTPDisconnectEvent
Receive = Callable[[], Awaitable[Message]]

# So much comes with the head of a request, or right behind it. The call need not wait for that, nor
# the event loop be woken for it: it is there by the time at which the view reads it.
SHORT_BYTES = 8 * 1024
# What is read before anybody knows whether the request is allowed: most bodies as a whole.
EARLY_BYTES = 256 * 1024
EARLY_SECONDS = 0.05
# How far the event loop reads ahead of the thread that stores a file.
AHEAD_BYTES = 1024 * 1024
# What is read of a refused body, so that a client that sends first comes to read the answer.
DRAINED_BYTES = 8 * 1024 * 1024
DRAIN_SECONDS = 1.0


class BodyNeeded(BaseException):
    """The checks have passed, and the view needs a body that has not arrived.

    Not an `Exception`: nothing between the view and the server may take it for a failure. `owner`
    is the business account that sends a file, None for a body that is read as a whole.
    """

    def __init__(self, owner: UUID | None = None) -> None:
        super().__init__()
        self.owner = owner


class Disconnected(OSError):
    """The client is gone, or its chunks are malformed; nobody reads an answer."""


class Body:
    """The body of one request; `size` bytes of it have arrived, and wait in `parts`."""

    def __init__(self, receive: Receive, environ: WSGIEnvironment) -> None:
        self._receive = receive
        self._message: asyncio.Future[Message] | None = None
        length = environ.get("CONTENT_LENGTH", "")
        self.is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        self.announced = int(length) if length.isdecimal() and not self.is_chunked else None
        self.is_awaited = "100-continue" in environ.get("HTTP_EXPECT", "").lower()
        self.is_complete = not self.is_chunked and not self.announced
        self.is_gone = False
        self.size = 0
        self.parts: deque[bytes] = deque()

    @property
    def is_short(self) -> bool:
        """Whether it probably comes in one part, together with the head of the request."""
        return 0 < (self.announced or 0) <= SHORT_BYTES and not self.is_awaited

    def expect(self) -> "asyncio.Future[Message]":
        """Begin to wait for the next part, unless somebody has begun."""
        if self._message is None:
            # The web server's is a future by itself: no task is made of it.
            self._message = asyncio.ensure_future(self._receive())
        return self._message

    async def arrive(self, seconds: float) -> bool:
        """Take the next part in; False when none comes within `seconds`.

        Raises `Disconnected`.
        """
        message = self.expect()
        # A receive that is cancelled could lose what it has read: it is left waiting instead.
        await asyncio.wait([message], timeout=seconds)
        if not message.done():
            return False
        self._take(message.result())
        return True

    def has_arrived(self) -> bool:
        """Whether all of it is there; takes in what was expected and has come. For any thread."""
        if self.is_complete or self._message is None or not self._message.done():
            return self.is_complete
        message = self._message.result()
        # That the client is gone is told to whoever waits for it.
        if message["type"] == "http.request":
            self._take(message)
        return self.is_complete

    def _take(self, message: Message) -> None:
        self._message = None
        if message["type"] == "http.disconnect":
            self.is_gone = True
            raise Disconnected
        if part := message.get("body", b""):
            self.parts.append(part)
            self.size += len(part)
        self.is_complete = not message.get("more_body") or self.size == self.announced

    async def arrive_early(self) -> None:
        """Wait a moment for the whole body, if it is not a large one. Raises `Disconnected`."""
        if self.is_awaited or (self.announced or 0) > EARLY_BYTES:
            return
        loop = asyncio.get_running_loop()
        end = loop.time() + EARLY_SECONDS
        while not self.is_complete and self.size <= EARLY_BYTES:
            if not await self.arrive(max(0.0, end - loop.time())):
                return

    async def arrive_up_to(self, size: int, seconds: float | None = None) -> None:
        """Wait for the whole body, or until `size` bytes are exceeded.

        Raises `BodyTooSlow` when it takes more than `seconds` or falls below the least rate, and
        `Disconnected`.
        """
        rate = LeastRate(seconds)
        while not self.is_complete and self.size <= size:
            await rate.wait_for(self)

    async def drain(self) -> None:
        """Read on for a moment, and forget it."""
        loop = asyncio.get_running_loop()
        end = loop.time() + DRAIN_SECONDS
        limit = self.size + DRAINED_BYTES
        with suppress(Disconnected):
            while not self.is_complete and self.size < limit and not self.is_gone:
                self.parts.clear()
                if not await self.arrive(max(0.0, end - loop.time())):
                    return

    async def wait_until_gone(self) -> None:
        """Return when the client has closed the connection; the body is complete."""
        while not self.is_gone:
            with suppress(Disconnected):
                await self.arrive(settings.STALL_SECONDS)

    def close(self) -> None:
        """Give up waiting for the client."""
        if self._message is not None:
            self._message.cancel()


class LeastRate:
    """Sees to it that a body brings so much in each `STALL_SECONDS` of waiting for its client."""

    def __init__(self, seconds: float | None = None) -> None:
        self._left = seconds
        self._waited = 0.0
        self._size = 0

    async def wait_for(self, body: Body) -> None:
        """Take one part in. Raises `BodyTooSlow` and `Disconnected`."""
        loop = asyncio.get_running_loop()
        patience = settings.STALL_SECONDS - self._waited
        if self._left is not None:
            patience = min(patience, self._left)
        started, before = loop.time(), body.size
        has_come = await body.arrive(max(0.0, patience))
        took = loop.time() - started
        self._waited += took
        self._size += body.size - before
        if self._left is not None:
            self._left -= took
            if self._left <= 0 and not body.is_complete:
                raise BodyTooSlow
        if has_come and self._waited < settings.STALL_SECONDS:
            return
        least = settings.LEAST_BYTES_PER_SECOND * settings.STALL_SECONDS
        if not body.is_complete and self._size < max(1, least):
            raise BodyTooSlow
        self._waited, self._size = 0.0, 0


class PendingInput(io.RawIOBase):
    """Stands for a body that has not arrived yet: unless it has by then, to read it ends the call.

    Raises `BodyNeeded`.
    """

    def __init__(self, body: Body) -> None:
        super().__init__()
        self._body = body
        self._whole: BytesIO | None = None

    def is_there(self) -> bool:
        """Whether it can be read."""
        return self._body.has_arrived()

    def readable(self) -> bool:
        """It is only read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes of it."""
        if self._whole is None:
            if not self.is_there():
                raise BodyNeeded
            self._whole = whole_of(self._body)
        return self._whole.read(size)


class FileInput(io.RawIOBase):
    """A body that a thread reads while it arrives.

    The thread keeps no database session while it waits: it may be for hours.
    """

    def __init__(self, body: Body) -> None:
        super().__init__()
        self._body = body
        self._loop = asyncio.get_running_loop()
        self._ready = Condition()
        self._parts: deque[bytes] = deque()
        self._waiting = 0
        self._has_ended = False
        self._error: Exception | None = None
        self._has_space = asyncio.Event()
        self._has_let_go = False

    async def feed(self) -> None:
        """Hand the body over as it arrives, until its end or an error."""
        rate = LeastRate()
        error: Exception | None = None
        try:
            while True:
                self._hand_over()
                if self._body.is_complete:
                    break
                while self._waiting > AHEAD_BYTES:
                    self._has_space.clear()
                    await self._has_space.wait()
                await rate.wait_for(self._body)
        except (ApiError, OSError) as raised:
            error = raised
        finally:
            with self._ready:
                self._has_ended, self._error = True, error
                self._ready.notify()

    def _hand_over(self) -> None:
        with self._ready:
            while self._body.parts:
                part = self._body.parts.popleft()
                self._parts.append(part)
                self._waiting += len(part)
            self._ready.notify()

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes of what has arrived, at least one before the end.

        Raises `BodyTooSlow` and `Disconnected`.
        """
        with self._ready:
            if not self._parts and not self._has_ended:
                self._let_go_of_sessions()
                self._ready.wait_for(lambda: self._parts or self._has_ended)
            if not self._parts:
                if self._error is not None:
                    raise self._error
                return b""
            part = self._parts.popleft()
            if 0 <= size < len(part):
                self._parts.appendleft(part[size:])
                part = part[:size]
            self._waiting -= len(part)
        if self._waiting <= AHEAD_BYTES:
            self._loop.call_soon_threadsafe(self._has_space.set)
        return part

    def _let_go_of_sessions(self) -> None:
        if not self._has_let_go:
            self._has_let_go = True
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close()


def input_of(body: Body, environ: WSGIEnvironment) -> WSGIEnvironment:
    """`environ` with the body as far as it is there: whole, or not to be read yet."""
    environ = dict(environ)
    if not body.is_complete:
        environ["wsgi.input"] = PendingInput(body)
        return environ
    if body.is_chunked:
        environ["CONTENT_LENGTH"] = str(body.size)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["wsgi.input"] = whole_of(body)
    return environ


def whole_of(body: Body) -> BytesIO:
    """A body that has arrived, to be read."""
    return BytesIO(b"".join(body.parts))


def streamed(request: HttpRequest, owner: UUID) -> HttpRequest:
    """The request, to be read as a file from its beginning to its end.

    `owner` is the business account that sends it: it may send a few files at once.
    """
    source = request.META.get("wsgi.input")
    if isinstance(source, PendingInput) and not source.is_there():
        raise BodyNeeded(owner)
    return request

"""How often a client may ask, and how often an address may fail to say who it is.

Counted in Redis per minute of the clock. While Redis is unavailable everything passes: a limit
protects the service, and must not be what takes it down.

REST framework's own throttles read a list of moments from the cache and write it back: two round
trips for each request, and concurrent ones are not all counted.
"""

import logging
from collections.abc import Callable
from functools import cache as once
from threading import Lock
from time import monotonic
from time import time as now
from typing import TYPE_CHECKING, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.translation import gettext_noop as _
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from config import metrics
from config.api.actors import Actor
from config.api.errors import TooManyRequests

if TYPE_CHECKING:  # DRF's views import the default throttle, so it cannot import them
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)
T = TypeVar("T")

WINDOW = 60
# After a failure Redis is left alone for some seconds, and the log is told once a minute.
REST_SECONDS = 5
SILENCE_SECONDS = 60
COUNT = """
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
if count == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], 120) end
return count
"""


@once
def _redis(url: str) -> Redis:
    return Redis.from_url(
        url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 1)
    )


class _Availability:
    """Asks Redis, unless it has just not answered."""

    def __init__(self) -> None:
        self._ask_again = 0.0
        self._say_again = 0.0

    def ask(self, question: Callable[[Redis], T]) -> T | None:
        """The answer; None while Redis is unavailable."""
        if monotonic() < self._ask_again:
            return None
        try:
            return question(_redis(settings.REDIS_URL))
        except RedisError as error:
            at = monotonic()
            self._ask_again = at + REST_SECONDS
            if at >= self._say_again:
                self._say_again = at + SILENCE_SECONDS
                logger.warning("request limits are off: Redis is unavailable", exc_info=error)
            return None


class _Blocks:
    """Counts requests per key, fetched from Redis in blocks that this process then hands out.

    With a block of a six-hundredth of the limit, a busy client costs a round trip every so many
    requests instead of each, and a process may leave at most one block of a minute unused.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._blocks: dict[str, tuple[int, int]] = {}

    def take(self, key: str, minute: int, limit: int) -> int | None:
        """Which request of this minute this is, from 1; None while Redis is unavailable."""
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._blocks.clear()
            number, end = self._blocks.get(key, (1, 0))
            if number <= end:
                self._blocks[key] = number + 1, end
                return number
        size = max(1, limit // 600)
        taken = _count(key, size)
        if taken is None:
            return None
        first = taken - size + 1
        with self._lock:
            if minute == self._minute:
                self._blocks[key] = first + 1, taken
        return first


_availability = _Availability()
_blocks = _Blocks()


def ask(question: Callable[[Redis], T]) -> T | None:
    """The answer of Redis; None while it is unavailable."""
    return _availability.ask(question)


def ask_number(question: Callable[[Redis], object]) -> int | None:
    """The answer of Redis as a number; None where it has none, and while it is unavailable."""
    answer = _availability.ask(question)
    return int(answer) if isinstance(answer, int | bytes) else None


def _count(key: str, by: int) -> int | None:
    """Add to a counter in one round trip; its new value."""
    return ask_number(lambda redis: _script(redis)(keys=[key], args=[by]))


@once
def _script(redis: Redis) -> Callable[..., object]:
    return redis.register_script(COUNT)


class ClientRate(BaseThrottle):
    """At most `settings.REQUESTS_PER_MINUTE` requests of a client in a minute; 0 is no limit.

    Adds `RateLimit-Policy` and `RateLimit` (IETF draft 10) to the response.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count this request. A request without an actor is not limited here."""
        limit = settings.REQUESTS_PER_MINUTE
        actor = request.auth
        if not limit or not isinstance(actor, Actor):
            return True
        minute, second = divmod(int(now()), WINDOW)
        key = cache.make_key(f"rate:{actor.client_id or actor.id}:{minute}")
        number = _number_of(request, key, minute, limit)
        if number is None:
            return True
        self.seconds = WINDOW - second
        view.headers["RateLimit-Policy"] = f'"client";q={limit};w={WINDOW}'
        view.headers["RateLimit"] = f'"client";r={max(0, limit - number)};t={self.seconds}'
        return number <= limit

    def wait(self) -> float:
        """Seconds to the next minute."""
        return self.seconds


def _number_of(request: Request, key: str, minute: int, limit: int) -> int | None:
    """Which request of this minute this is; the same when it is called again for its body."""
    done: dict[str, int | None] = request.META.get("kith.done", {})
    if "counted" not in done:
        done["counted"] = _blocks.take(key, minute, limit)
    return done["counted"]


def address_of(request: HttpRequest | Request) -> str:
    """The caller's address: behind a trusted proxy, the one that the proxy saw."""
    if settings.TRUST_PROXY and (chain := request.META.get("HTTP_X_FORWARDED_FOR", "")):
        return str(chain.rpartition(",")[2].strip())
    return str(request.META.get("REMOTE_ADDR", ""))


def _failures_key(request: HttpRequest | Request, kind: str) -> str:
    minute = int(now()) // WINDOW
    return cache.make_key(f"failures:{kind}:{address_of(request)}:{minute}")


def _too_many() -> TooManyRequests:
    seconds = WINDOW - int(now()) % WINDOW
    return TooManyRequests(_("Too many failed attempts from this address."), seconds=seconds)


def note_failure(request: HttpRequest | Request, kind: str) -> None:
    """Count a failed authentication of the caller's address, `kind` by `kind`.

    Raises `TooManyRequests` from `settings.FAILED_AUTHENTICATIONS_PER_MINUTE` on (0: never).
    """
    metrics.note_failure(kind)
    limit = settings.FAILED_AUTHENTICATIONS_PER_MINUTE
    count = _count(_failures_key(request, kind), 1) if limit else None
    if count is not None and count > limit:
        raise _too_many()


def refuse_guessers(request: HttpRequest | Request, kind: str) -> None:
    """Raise `TooManyRequests` for an address that has used up its failures of this minute."""
    limit = settings.FAILED_AUTHENTICATIONS_PER_MINUTE
    key = _failures_key(request, kind)
    count = ask_number(lambda redis: redis.get(key)) if limit else None
    if count is not None and count >= limit:
        raise _too_many()

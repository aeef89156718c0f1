"""Whether a worker lives: it says so in the cache, for as long as its main process runs."""

import time

from django.core.cache import cache

KEY = "worker-seen"
# How often a worker says so, and for how long that holds.
BEAT_SECONDS = 15
SEEN_SECONDS = 60


def beat() -> None:
    """Say that a worker lives; its main process calls this. Raises `RedisError`."""
    cache.set(KEY, time.time(), SEEN_SECONDS)


def is_seen() -> bool:
    """Whether a worker said so within the last minute. Raises `RedisError`."""
    return cache.get(KEY) is not None

"""Failed sign-ins: one count for an account and one for an address, whatever door they come to.

After `FREE` failures an account is paused, each time twice as long. Whether there is such an
account makes no difference, so that a pause tells nothing. Secrets that a machine made cannot be
guessed: for them only failures are answered by a pause, so that a good key always works.
"""

import hashlib
import logging

from django.core.cache import cache
from django.http import HttpRequest
from rest_framework.request import Request

from config.api import throttling
from config.api.errors import TooManyRequests

logger = logging.getLogger(__name__)

# Of the address, for all doors together.
KIND = "sign-in"
FREE = 5
# In seconds.
FIRST_PAUSE = 30
LONGEST_PAUSE = 900
FORGOTTEN_AFTER = 3_600
# Counts a failure of KEYS[1]; gives the seconds that KEYS[2] is paused from now on.
FAIL = """
local count = redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
if count < tonumber(ARGV[1]) then return 0 end
local pause = math.min(ARGV[4] * 2 ^ math.min(count - ARGV[1], 20), tonumber(ARGV[2]))
redis.call('SET', KEYS[2], count, 'EX', pause)
return pause
"""


def refuse_guesser(request: HttpRequest | Request, account: str) -> None:
    """Raise `TooManyRequests` while the address or the account (e-mail, key) has to wait."""
    throttling.refuse_guessers(request, KIND)
    _, paused = _keys(account)
    seconds = throttling.ask_number(lambda redis: redis.ttl(paused))
    if seconds is not None and seconds > 0:
        raise _pause(seconds)


def note_failure(request: HttpRequest | Request, account: str) -> None:
    """Count a failure. Raises `TooManyRequests` when it is one too many, of either."""
    count, paused = _keys(account)
    arguments = (FREE, LONGEST_PAUSE, FORGOTTEN_AFTER, FIRST_PAUSE)
    seconds = throttling.ask_number(lambda redis: redis.eval(FAIL, 2, count, paused, *arguments))
    throttling.note_failure(request, KIND)
    if seconds:
        logger.warning("sign-ins as one account are paused for %s seconds", seconds)
        raise _pause(seconds)


def note_success(account: str) -> None:
    """Forget the failures of an account."""
    throttling.ask(lambda redis: redis.delete(*_keys(account)))


def _keys(account: str) -> tuple[str, str]:
    name = hashlib.sha256(account.strip().lower().encode(errors="replace")).hexdigest()
    return cache.make_key(f"failed-sign-ins:{name}"), cache.make_key(f"paused-sign-in:{name}")


def _pause(seconds: float) -> TooManyRequests:
    message = f"Too many failed attempts; try again in {int(seconds)} seconds."
    return TooManyRequests(message, seconds=seconds)

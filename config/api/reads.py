"""Which database a look-up reads: a replica, where `READ_DATABASE_URL` names one, or the primary.

Look-ups may be a moment old, but whoever wrote sees its write. So after each write the position of
the log is kept in Redis under who made it, and a replica is read by those whose position it shows.
It must follow the primary and lag at most `LAG_SECONDS`; everything else, also a Redis or a replica
that does not answer, leads to the primary. A transaction reads where it writes.

Redis may forget: then everybody's position is that of the log when this is first noticed. A process
that could not tell Redis of a write reads from the primary until it has made Redis forget.
"""

import logging
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, TypeVar, cast

from django.conf import settings
from django.core.cache import cache
from django.db import DEFAULT_DB_ALIAS, Error, connections
from psycopg.errors import QueryCanceled

from config.api import throttling
from config.api.actors import Actor, ActorType
from config.db import replica
from config.db.statements import kept_cursor, prepared_rows

if TYPE_CHECKING:
    from config.db.postgresql.sessions import Connection

logger = logging.getLogger(__name__)
T = TypeVar("T")

# A replica that shows no transaction of these last seconds is not read, unless it lacks nothing.
LAG_SECONDS = 10
# So long a position is kept: what was written before is shown by every replica that is read.
KEPT_SECONDS = 6 * LAG_SECONDS
# How often at most a process asks the primary how far its log is.
SAMPLE_SECONDS = 1
# How long a replica may take to say how far it is; the least that connecting may take, too.
ANSWER_SECONDS = 2
# A replica that failed is left alone, each time twice as long.
FIRST_PAUSE = 5
LONGEST_PAUSE = 60
# Two writes of one actor may come in the wrong order.
REMEMBER = """
local known = tonumber(redis.call('GET', KEYS[1]) or '0')
local position = string.format('%.0f', math.max(known, tonumber(ARGV[1])))
redis.call('SET', KEYS[1], position, 'EX', ARGV[2])
return 1
"""


def is_on() -> bool:
    """Whether there is a replica for look-ups."""
    return bool(settings.READ_DATABASE != DEFAULT_DB_ALIAS)


def look_up(actor: Actor, ask: Callable[[str], T]) -> T:
    """What `ask` finds in the database of the name that it is given.

    It is asked again, at the primary, when the replica fails meanwhile.
    """
    database = database_for(actor)
    if database == DEFAULT_DB_ALIAS:
        return ask(database)
    try:
        found = ask(database)
    except Error as error:
        if isinstance(error.__cause__, QueryCanceled):
            # It took too long, as it would there.
            raise
        _availability.note_failure(error)
        return ask(DEFAULT_DB_ALIAS)
    _availability.note_success()
    return found


def database_for(actor: Actor) -> str:
    """The name of the database that a look-up of this actor reads."""
    if (
        not is_on()
        or connections[DEFAULT_DB_ALIAS].in_atomic_block
        or not _availability.may_be_tried()
    ):
        return DEFAULT_DB_ALIAS
    try:
        primary = _primary.recent()
        position = _positions.needed_by(actor, primary)
    except Error:
        # The look-up itself will tell, if it still is so.
        return DEFAULT_DB_ALIAS
    if position is None:
        return DEFAULT_DB_ALIAS
    try:
        found = state_of(settings.READ_DATABASE)
    except Error as error:
        _availability.note_failure(error)
        return DEFAULT_DB_ALIAS
    is_read = (
        found.follows(primary) and found.shows(position) and found.is_fresh(primary, LAG_SECONDS)
    )
    return settings.READ_DATABASE if is_read else DEFAULT_DB_ALIAS


def remember(actor: Actor) -> None:
    """Let the next look-ups of this actor show all that is committed by now.

    To be called outside of any transaction.
    """
    if not is_on() or actor.type == ActorType.INTERNAL:
        return
    try:
        _positions.remember(actor, _primary.now())
    except Error as error:
        logger.warning("the position of a write is not known", exc_info=error)
        _positions.owe()


def state_of(database: str) -> replica.Replica:
    """How far a replica is, in `ANSWER_SECONDS`. Raises what the database raises."""
    connection, _ = kept_cursor(database)
    session = cast("Connection", connection.connection)
    with session.answering_within(ANSWER_SECONDS):
        ((*row,),) = prepared_rows(replica.REPLICA, [], using=database)
    return replica.Replica(*row)


class _Primary:
    """How far the primary's log is, asked at most once in `SAMPLE_SECONDS`."""

    def __init__(self) -> None:
        self._sample: tuple[float, replica.Primary] | None = None

    def recent(self) -> replica.Primary:
        """How far it was a moment ago. Raises what the database raises, as the other one."""
        sample = self._sample
        if sample is None or monotonic() - sample[0] > SAMPLE_SECONDS:
            return self.now()
        return sample[1]

    def now(self) -> replica.Primary:
        """How far it is."""
        at = monotonic()
        ((*row,),) = prepared_rows(replica.PRIMARY, [])
        found = replica.Primary(*row)
        self._sample = at, found
        return found


class _Positions:
    """Up to where each actor has to see the log, in Redis; the keys name the primary's system."""

    def __init__(self) -> None:
        # Whether there was a write that Redis was not told of.
        self._is_owing = False

    def needed_by(self, actor: Actor, primary: replica.Primary) -> int | None:
        """The position of an actor; None while Redis does not tell."""
        floor, own = _floor_key(primary), _key(actor, primary)
        if not self._is_settled(floor):
            return None
        known = throttling.ask(lambda redis: cast("list[bytes | None]", redis.mget(floor, own)))
        if known is None:
            return None
        if known[0] is None:
            written = _primary.now().written
            if throttling.ask(lambda redis: [redis.set(floor, written, nx=True)]) is None:
                return None
            return max(written, int(known[1] or 0))
        return max(int(each or 0) for each in known)

    def remember(self, actor: Actor, primary: replica.Primary) -> None:
        """Keep a position, unless a later one is known."""
        key, written = _key(actor, primary), primary.written
        told = throttling.ask(lambda redis: redis.eval(REMEMBER, 1, key, written, KEPT_SECONDS))
        if told is None:
            self.owe()
        else:
            self._is_settled(_floor_key(primary))

    def owe(self) -> None:
        """Note a write that Redis was not told of."""
        self._is_owing = True

    def _is_settled(self, floor: str) -> bool:
        if self._is_owing:
            self._is_owing = throttling.ask(lambda redis: redis.delete(floor)) is None
        return not self._is_owing


class _Availability:
    """Tries a replica that has failed by one look-up at a time, after a pause."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pause = 0.0
        self._try_again = 0.0

    def may_be_tried(self) -> bool:
        """Whether the replica answered last, or may by now."""
        if not self._pause:
            return True
        with self._lock:
            now = monotonic()
            if now < self._try_again:
                return False
            # Others wait for what this one finds.
            self._try_again = now + self._pause
        return True

    def note_success(self) -> None:
        """It answers."""
        self._pause = 0.0

    def note_failure(self, error: Error) -> None:
        """It has failed; without an error of the session's it is as good as before."""
        connection = connections[settings.READ_DATABASE]
        if connection.connection is not None and not connection.connection.closed:
            logger.info("a look-up was refused by the replica, and asked again", exc_info=error)
            return
        connection.close()
        with self._lock:
            self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
            self._try_again = monotonic() + self._pause
        logger.warning("look-ups go to the primary: their replica is away", exc_info=error)


_primary = _Primary()
_positions = _Positions()
_availability = _Availability()


def _floor_key(primary: replica.Primary) -> str:
    """Where the position is that everybody has to see."""
    return cache.make_key(f"reads:{primary.system}")


def _key(actor: Actor, primary: replica.Primary) -> str:
    return cache.make_key(f"reads:{primary.system}:{actor.type}:{actor.id}")

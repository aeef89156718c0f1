"""What the queue of messages holds, as far as every broker tells.

Brokers tell how many messages wait, and deliver them in the order in which they were sent. So a
marker that is sent after them tells, once a worker takes it, that all before it have left the
queue: a job that nobody has claimed by then has lost its message. What is known of this is kept in
the cache; when that is lost, it is found out again.
"""

import logging
from datetime import datetime, timedelta

from celery import current_app
from django.core.cache import cache
from django.db import connection
from kombu.exceptions import ChannelError
from kombu.exceptions import ConnectionError as BrokerConnectionError
from kombu.exceptions import OperationalError as BrokerError
from redis import RedisError

logger = logging.getLogger(__name__)

BROKER_ERRORS = (BrokerError, BrokerConnectionError, ChannelError, RedisError, OSError)
NOT_FOUND = "404"
# After so long a message of which there may be one only is sent once more; every time in vain
# doubles it, up to an hour.
SINGLE_SECONDS = 60
MOST_DOUBLINGS = 6
MARKER_TASK = "config.tasks.note_marker"
REACHED = "queue-reached"
NEVER = (None, None)
# How long a message may take from being noted to being in the queue, and from there to the claim.
ON_THE_WAY = timedelta(seconds=5)


def waiting() -> int | None:
    """How many messages wait in the queue; None when the broker does not say."""
    try:
        with current_app.connection_for_write() as broker:
            name = current_app.conf.task_default_queue
            found = broker.default_channel.queue_declare(name, passive=True)
    except ChannelError as error:
        # Redis has no empty queues.
        return 0 if str(error.reply_code) == NOT_FOUND else None
    except BROKER_ERRORS as error:
        logger.warning("the broker does not tell how many messages wait: %s", error)
        return None
    return int(found.message_count)


class Single:
    """A kind of message of which one waits in the queue at most, as a rule.

    It may be lost, with its queue or with the worker that took it. An empty queue does not have it;
    else it is sent again after a time that grows.
    """

    def __init__(self, name: str) -> None:
        self._sent = f"single:{name}"
        self._in_vain = f"single-in-vain:{name}"

    def may_be_sent(self) -> bool:
        """Whether none waits; counts as sent if so."""
        in_vain = cache.get(self._in_vain, 0)
        seconds = SINGLE_SECONDS * 2 ** min(in_vain, MOST_DOUBLINGS)
        if not cache.add(self._sent, 1, seconds):
            if waiting() != 0:
                return False
            cache.set(self._sent, 1, seconds)
        cache.set(self._in_vain, in_vain + 1, None)
        return True

    def is_taken(self) -> None:
        """Note that a worker took it."""
        cache.delete_many([self._sent, self._in_vain])


marker = Single("marker")


def send_marker() -> None:
    """Send a marker, unless one is on its way, or was taken just now."""
    _, taken_at = cache.get(REACHED, NEVER)
    is_settled = taken_at is None or taken_at <= now() - ON_THE_WAY
    if is_settled and marker.may_be_sent():
        try:
            current_app.send_task(MARKER_TASK, [now().isoformat()])
        except BROKER_ERRORS as error:
            logger.warning("no broker for a marker: %s", error)


def note_marker(sent_at: datetime) -> None:
    """Note that all messages sent before this moment, by the database's clock, left the queue."""
    marker.is_taken()
    cache.set(REACHED, (sent_at - ON_THE_WAY, now()))


def delivered_before() -> datetime | None:
    """All messages noted before this moment have been delivered a while ago; None if unknown."""
    sent_before, taken_at = cache.get(REACHED, NEVER)
    if taken_at is None or taken_at > now() - ON_THE_WAY:
        return None
    moment: datetime = sent_before
    return moment


def now() -> datetime:
    """The database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        moment: datetime
        (moment,) = cursor.fetchone()
    return moment

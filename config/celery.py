"""The Celery application: messages carry ids only, rows carry the truth."""

import os
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from traceback import walk_tb
from typing import TypeVar

from celery import Celery, signals
from celery.schedules import schedstate, schedule
from celery.utils.dispatch import Signal
from django.conf import settings
from kombu.connection import Connection
from kombu.exceptions import OperationalError as BrokerError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Django's checks import all views: a third of a worker's start, for what it never serves. `migrate`
# and the tests check.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

REAP_SECONDS = 5
# What a worker may wait for an answer of the broker, and what anybody who has a request to answer.
TAKER_SECONDS = 5
SENDER_SECONDS = 1
# The connection at hand may be one to a broker that was restarted.
ONE_MORE_TRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
# How the transports of Redis and of RabbitMQ call that.
BOUNDS = ("socket_timeout", "connect_timeout", "read_timeout", "write_timeout")
REST_SECONDS = 5
# How many tasks share a database connection; a new one would have to learn everything anew.
KEPT_FOR = 10_000


class Every(schedule):  # type: ignore[misc] # Celery has no types
    """So many seconds after the last time, also when a clock that was ahead was put right since."""

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether it is time, and after how many seconds to ask again."""
        if self.maybe_make_aware(last_run_at) > self.now():
            return schedstate(is_due=True, next=self.seconds)
        return super().is_due(last_run_at)


class BrokerAway(ConnectionError):
    """The broker has just failed, and is left alone for a while."""


def raised_by(error: BaseException, package: str) -> bool:
    """Whether the code of a package has raised an error."""
    names = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    return bool(names) and str(names[-1]).split(".", maxsplit=1)[0] == package


class Kith(Celery):  # type: ignore[misc] # Celery has no types
    """Celery whose senders soon leave a broker alone that accepts connections and says nothing.

    After a failure they do not try for `REST_SECONDS`, so that one request waits for it and not
    each. The reaper sends what was not sent.
    """

    _try_again = 0.0

    def send_task(self, *args: object, **options: object) -> object:
        """Send a message. Raises what the broker raises, and `BrokerAway`."""
        if monotonic() < self._try_again:
            raise BrokerAway
        try:
            return super().send_task(*args, **options)
        except (BrokerError, OSError):
            self._try_again = monotonic() + REST_SECONDS
            raise
        except AttributeError as error:
            if not raised_by(error, "kombu"):
                raise
            # Of a channel that another thread has closed just now, because the broker went away.
            raise BrokerAway from error

    def _after_fork(self) -> None:
        super()._after_fork()
        self._try_again = 0.0

    def connection_for_write(
        self,
        url: str | None = None,
        *,
        transport_options: dict[str, object] | None = None,
        **options: object,
    ) -> Connection:
        """A connection that messages are sent through."""
        bounds = dict.fromkeys(BOUNDS, SENDER_SECONDS) | (transport_options or {})
        made: Connection = super().connection_for_write(url, transport_options=bounds, **options)
        return made


app = Kith("kith")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    task_default_queue=settings.QUEUE,
    # Nobody reads results: the job's row has them.
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    # A message is given back when its worker dies; the job's claim makes a second one harmless.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # A new process of the pool that is not there after so many seconds is killed: on a machine that
    # has much else to do, after the four of the default, none would ever come up.
    worker_proc_alive_timeout=60.0,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # RabbitMQ closes the channel of a job that takes longer than its `consumer_timeout`. The worker
    # would end; connected anew, it gets the message once more, which then finds its job claimed.
    broker_channel_error_retry=True,
    broker_transport_options={
        "visibility_timeout": 3600,
        "socket_timeout": TAKER_SECONDS,
        "socket_connect_timeout": 1,
        # An unavailable broker must not hold up a request: the reaper queues what was not queued.
        "max_retries": 0,
    },
    task_publish_retry=True,
    task_publish_retry_policy=ONE_MORE_TRY,
    CELERY_DB_REUSE_MAX=KEPT_FOR,
    worker_hijack_root_logger=False,
    timezone="UTC",
    beat_scheduler="config.jobs.beat.Scheduler",
    beat_schedule={
        "take up jobs that were left lying": {
            "task": "config.tasks.reap_jobs",
            "schedule": Every(REAP_SECONDS),
        },
        "delete files of expired and failed searches": {
            "task": "search.tasks.delete_dead_files",
            "schedule": Every(60),
        },
        "delete what was sent with old bulk requests": {
            "task": "ingest.tasks.delete_old_content",
            "schedule": Every(600),
        },
        "delete what was stored of uploads that broke off": {
            "task": "ingest.tasks.delete_abandoned_uploads",
            "schedule": Every(3600),
        },
        "delete old bulk requests": {
            "task": "ingest.tasks.delete_old_requests",
            "schedule": Every(600),
        },
        "delete old searches": {
            "task": "search.tasks.delete_old_searches",
            "schedule": Every(600),
        },
        "delete old changes": {
            "task": "customers.tasks.delete_old_changes",
            "schedule": Every(600),
        },
        "make partitions of the change log": {
            "task": "customers.tasks.make_change_partitions",
            "schedule": Every(3600),
        },
        "delete old sign-ins": {
            "task": "customers.tasks.delete_old_sign_ins",
            "schedule": Every(3600),
        },
        "delete old idempotency keys": {
            "task": "config.tasks.delete_expired_idempotency_keys",
            "schedule": Every(3600),
        },
        "delete expired tokens": {
            "task": "customers.tasks.delete_expired_tokens",
            "schedule": Every(3600),
        },
        "delete expired sessions": {
            "task": "config.tasks.delete_expired_sessions",
            "schedule": Every(3600),
        },
    },
)
app.autodiscover_tasks()

Receiver = TypeVar("Receiver", bound=Callable[..., None])


def on(*sent: Signal) -> Callable[[Receiver], Receiver]:
    """A decorator that connects a receiver to signals of Celery, whose own has no types."""

    def connect(receiver: Receiver) -> Receiver:
        for signal in sent:
            signal.connect(receiver)
        return receiver

    return connect


@on(signals.setup_logging)
def keep_our_logging(**_signal: object) -> None:
    """Being connected is enough: Celery leaves the logging of the settings alone."""

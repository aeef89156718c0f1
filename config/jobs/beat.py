"""The scheduler of periodic tasks, in a process of its own or in the main process of a worker."""

import logging

from celery.beat import PersistentScheduler, ScheduleEntry
from celery.bootsteps import StartStopStep
from celery.worker.consumer import Consumer
from kombu.asynchronous.timer import Entry
from redis import RedisError

from config.jobs.messages import Single

logger = logging.getLogger(__name__)
# After something that went wrong, such as a full disk.
AGAIN_SECONDS = 5.0


class Scheduler(PersistentScheduler):  # type: ignore[misc] # Celery has no types
    """Celery's, but a task is not sent again as long as its last message waits for a worker.

    Else messages would pile up in the queue while no worker takes any.
    """

    def apply_async(self, entry: ScheduleEntry, *args: object, **options: object) -> object:
        """Send the task of an entry; None when it waits already."""
        try:
            if not Single(entry.task).may_be_sent():
                return None
        except RedisError as error:
            logger.warning("the cache is unavailable", exc_info=error)
        return super().apply_async(entry, *args, **options)


class Embedded(Scheduler):
    """One that gives up at once while the broker is away: a worker has other things to do.

    Its tasks are sent like those of a request, through the connections of the application.
    """

    producer = None


class PeriodicTasks(StartStopStep):  # type: ignore[misc] # Celery has no types
    """Sends periodic tasks from a worker's main process, which sleeps most of the time as well.

    It does so in its own loop, not in a thread: it forks, and a lock that the thread held just then
    would be held for good in the new process. While it has lost the broker, nothing is sent.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Consumer, **options: object) -> None:
        self._scheduler: Embedded | None = None
        self._next: Entry | None = None
        super().__init__(consumer, **options)

    def start(self, consumer: Consumer) -> None:
        """Send what is due, and so on."""
        self._send(consumer)

    def stop(self, _consumer: Consumer) -> None:
        """Send nothing more, and keep when everything was sent last."""
        if self._next is not None:
            self._next.cancel()  # type: ignore[no-untyped-call] # kombu has no types
        if self._scheduler is not None:
            scheduler, self._scheduler = self._scheduler, None
            scheduler.close()

    def _send(self, consumer: Consumer) -> None:
        seconds = AGAIN_SECONDS
        try:
            if self._scheduler is None:
                file = consumer.app.conf.beat_schedule_filename
                self._scheduler = Embedded(app=consumer.app, schedule_filename=file)
            seconds = self._scheduler.tick()
        except Exception:
            # An error of the disk would be taken for one of the line to the broker, which is then
            # connected anew, again and again.
            logger.exception("periodic tasks are sent later")
        self._next = consumer.timer.call_after(seconds, self._send, (consumer,))

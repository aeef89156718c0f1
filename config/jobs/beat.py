"""The scheduler of periodic tasks."""

import logging

from celery.beat import PersistentScheduler, ScheduleEntry
from redis import RedisError

from config.jobs.messages import Single

logger = logging.getLogger(__name__)


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

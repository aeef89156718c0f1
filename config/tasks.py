"""Housekeeping that belongs to no one app."""

import logging
from datetime import datetime

from celery import Task, shared_task, signals
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db.models.functions import Now
from redis import RedisError

from config.api import idempotency
from config.celery import REAP_SECONDS, app, on
from config.jobs import messages, reaper
from config.jobs.retention import delete_in_batches

logger = logging.getLogger(__name__)
PERIODIC = frozenset(entry["task"] for entry in app.conf.beat_schedule.values())


@on(signals.task_prerun)
def note_periodic_task(task: Task, **_signal: object) -> None:
    """The scheduler may send this task again."""
    if task.name in PERIODIC:
        try:
            messages.Single(task.name).is_taken()
        except RedisError as error:
            logger.warning("the cache is unavailable", exc_info=error)


@shared_task(name="config.tasks.delete_expired_idempotency_keys")  # type: ignore[untyped-decorator]
def delete_expired_idempotency_keys() -> int:
    """Delete answers that nobody may ask for again."""
    return idempotency.delete_expired()


@shared_task(name="config.tasks.delete_expired_sessions")  # type: ignore[untyped-decorator]
def delete_expired_sessions() -> int:
    """Delete sessions of the back office that have run out."""
    return delete_in_batches(Session.objects.filter(expire_date__lte=Now()).order_by("expire_date"))


@shared_task(name="config.tasks.reap_jobs")  # type: ignore[untyped-decorator]
def reap_jobs() -> int:
    """Take up jobs of dead workers, and jobs without a message.

    Messages that piled up while no worker took them are of no use but for the first. They do not
    expire instead, for that is judged by the clock of one machine what another's says.
    """
    if cache.add("reaped", 1, REAP_SECONDS - 1):
        return reaper.reap()
    return 0


@shared_task(name=messages.MARKER_TASK)  # type: ignore[untyped-decorator]
def note_marker(sent_at: str) -> None:
    """Note that all messages sent before this moment have left the queue."""
    messages.note_marker(datetime.fromisoformat(sent_at))

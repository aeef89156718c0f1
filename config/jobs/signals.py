"""What the worker does at its start, around each task and at its end: it receives Celery's signals.

Connected when all apps are loaded, which comes before the first of them.
"""

import logging
import uuid
from time import monotonic

from celery import Task, signals
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections
from redis import RedisError

from config import heartbeat, installation, metrics, tracing
from config.celery import on
from config.context import request_id
from config.db import scope
from config.garbage import keep_loaded
from config.jobs import stopping
from config.jobs.niceness import give_way

logger = logging.getLogger("kith.tasks")


@on(signals.worker_init, signals.beat_init)
def require_the_right_database(**_signal: object) -> None:
    """A worker with other keys, or of an older release, ends here."""
    try:
        installation.require()
    except ImproperlyConfigured as error:
        # Celery would log what a signal's receiver raises, and go on.
        raise SystemExit(f"kith: {error}") from error


@on(signals.worker_init)
def count_and_trace(**_signal: object) -> None:
    """Processes of the pool go on with what was set up here, and count in files of their own."""
    metrics.start()
    try:
        tracing.start()
    except ImproperlyConfigured as error:
        raise SystemExit(f"kith: {error}") from error


@on(signals.worker_process_shutdown)
def send_last_spans(**_signal: object) -> None:
    """A process of the pool ends without what Python does at an end."""
    tracing.flush()


@on(signals.worker_init)
def work_for_long(**_signal: object) -> None:
    """Everything is loaded, and the processes of the pool are still to be made.

    They share what is there as long as nobody writes to it, which looking for garbage does. They
    give way only so far: beside four programs that never rest, a load by one that was ten times
    nicer took nine times as long, and stood still for half a minute.
    """
    keep_loaded()
    give_way(settings.WORKER_NICENESS)


@on(signals.task_prerun)
def look_at_connections(**_signal: object) -> None:
    """Drop database connections that broke since the last task, as a web request does."""
    close_old_connections()


@on(signals.before_task_publish)
def send_request_id(headers: dict[str, object], **_signal: object) -> None:
    """Let the message carry the id of the request that sent it; a beat's gets one of its own."""
    headers["request_id"] = request_id.get() or str(uuid.uuid4())


@on(signals.task_prerun)
def take_request_id(task: Task, **_signal: object) -> None:
    """Run the task under the id that its message brought."""
    task.request.started = monotonic()
    task.request.id_before = request_id.set(task.request.get("request_id") or str(uuid.uuid4()))
    task.request.scope_before = scope.current.set(scope.everything(scope.Reason.JOBS))


@on(signals.task_failure)
def log_failure(sender: Task, exception: BaseException, **_signal: object) -> None:
    """Celery's own line would quote the exception's text, which may quote data."""
    logger.error("task failed", exc_info=exception, extra={"task": sender.name})


@on(signals.task_postrun)
def log_end(task: Task, state: str | None = None, retval: object = None, **_signal: object) -> None:
    """One line for each task that has run; a periodic one that found nothing to do is no news."""
    milliseconds = round((monotonic() - task.request.started) * 1000, 1)
    extra = {"task": task.name, "state": state, "milliseconds": milliseconds}
    is_news = state != "SUCCESS" or retval or not task.request.get("celery_beat_task")
    logger.log(logging.INFO if is_news else logging.DEBUG, "task", extra=extra)
    request_id.reset(task.request.id_before)
    scope.current.reset(task.request.scope_before)


@on(signals.worker_shutting_down)
def stop_jobs(**_signal: object) -> None:
    """Jobs that are running get a few seconds to end, then they are left to another worker."""
    stopping.ask()


class _Seen:
    at = float("-inf")


@on(signals.worker_ready, signals.heartbeat_sent)
def tell_that_worker_lives(**_signal: object) -> None:
    """For `/readyz`: here, in the main process, for a worker whose pool is busy still lives."""
    if monotonic() - _Seen.at >= heartbeat.BEAT_SECONDS:
        try:
            heartbeat.beat()
        except RedisError as error:
            logger.warning("the cache is unavailable", exc_info=error)
        else:
            _Seen.at = monotonic()

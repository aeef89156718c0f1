"""Housekeeping that belongs to no one app."""

from celery import shared_task
from django.core.cache import cache

from config import idempotency, worker
from config.celery import REAP_SECONDS


@shared_task(name="config.tasks.delete_expired_idempotency_keys")  # type: ignore[untyped-decorator]
def delete_expired_idempotency_keys() -> None:
    """Forget answers that nobody may ask for again."""
    idempotency.delete_expired()


@shared_task(name="config.tasks.reap_jobs")  # type: ignore[untyped-decorator]
def reap_jobs() -> None:
    """Take up jobs of dead workers, and jobs without a message.

    Messages that piled up while no worker took them are of no use but for the first. They do not
    expire instead, for that is judged by the clock of one machine what another's says.
    """
    if cache.add("reaped", 1, REAP_SECONDS - 1):
        worker.reap()

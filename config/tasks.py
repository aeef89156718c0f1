"""Housekeeping that belongs to no one app."""

from celery import shared_task

from config import idempotency, worker


@shared_task(name="config.tasks.delete_expired_idempotency_keys")  # type: ignore[untyped-decorator]
def delete_expired_idempotency_keys() -> None:
    """Forget answers that nobody may ask for again."""
    idempotency.delete_expired()


@shared_task(name="config.tasks.reap_jobs")  # type: ignore[untyped-decorator]
def reap_jobs() -> None:
    """Take up jobs of dead workers, and jobs without a message."""
    worker.reap()

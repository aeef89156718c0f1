"""Housekeeping of the registry."""

from celery import shared_task
from oauth2_provider.models import clear_expired


@shared_task(name="customers.tasks.delete_expired_tokens")  # type: ignore[untyped-decorator]
def delete_expired_tokens() -> None:
    """Forget tokens and codes that are good for nothing any more."""
    clear_expired()  # type: ignore[no-untyped-call]

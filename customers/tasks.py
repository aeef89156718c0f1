"""The registry's tasks: shells around the conversion of attributes, and housekeeping."""

from uuid import UUID

from celery import shared_task
from oauth2_provider.models import clear_expired

from customers import conversion, figures
from customers.services.change_partitions import make_partitions, patiently
from customers.services.changes import delete_old_changes as delete_changes
from customers.services.changes import forget_old_secrets
from customers.services.passwords import mail_forgotten
from customers.services.sign_in_log import delete_old_sign_ins as delete_sign_ins


@shared_task(name="customers.tasks.convert_attribute")  # type: ignore[untyped-decorator]
def convert_attribute(conversion_id: str) -> None:
    """Encrypt or decrypt the values of one attribute."""
    conversion.run(UUID(conversion_id))


@shared_task(name="customers.tasks.delete_expired_tokens")  # type: ignore[untyped-decorator]
def delete_expired_tokens() -> None:
    """Delete tokens and codes that have run out."""
    clear_expired()  # type: ignore[no-untyped-call]


@shared_task(name="customers.tasks.mail_password_link")  # type: ignore[untyped-decorator]
def mail_password_link(person_id: str) -> bool:
    """Send a link to somebody who forgot a password."""
    return mail_forgotten(UUID(person_id))


@shared_task(name="customers.tasks.delete_old_changes")  # type: ignore[untyped-decorator]
def delete_old_changes() -> int:
    """Delete changes whose time is over, if the log is not kept for ever, and old secrets in it."""
    forget_old_secrets()
    return delete_changes()


@shared_task(name="customers.tasks.make_change_partitions")  # type: ignore[untyped-decorator]
def make_change_partitions() -> None:
    """Make the change log's partitions of the months to come."""
    patiently(make_partitions)


@shared_task(name=figures.TASK)  # type: ignore[untyped-decorator]
def count_figures(section: str, root: str, zone: str) -> None:
    """Count what the dashboard shows of one tree of business accounts."""
    figures.count(section, root, zone)


@shared_task(name="customers.tasks.delete_old_sign_ins")  # type: ignore[untyped-decorator]
def delete_old_sign_ins() -> int:
    """Delete sign-ins whose time is over."""
    return delete_sign_ins()

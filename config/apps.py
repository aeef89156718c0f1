"""What all apps stand on: request keys, jobs, system checks."""

from django.apps import AppConfig


class PlatformConfig(AppConfig):
    """Holds the rows that belong to no one app, such as idempotency keys."""

    name = "config"
    label = "platform"
    verbose_name = "Platform"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and the Celery application to which `shared_task` binds."""
        from config import celery, checks, installation  # noqa: F401 -- for their effect

        installation.connect_signals()

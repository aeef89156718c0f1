"""What all apps stand on: request keys, jobs, system checks."""

from importlib import import_module
from typing import ClassVar

from django.apps import AppConfig

# They register and connect what is in them when they are imported.
CONNECTED = ("config.checks", "config.jobs.signals")


class PlatformConfig(AppConfig):
    """Holds the rows that belong to no one app, such as idempotency keys."""

    name = "config"
    label = "platform"
    verbose_name = "Platform"
    default_auto_field = "django.db.models.BigAutoField"
    open_rows: ClassVar[dict[str, str]] = {
        "admin.LogEntry": "who did what in the back office; it names rows, and shows none",
        "auth.Permission": "the same for all",
        "auth.Group": "the roles, the same for all",
        "auth.Group_permissions": "likewise",
        "contenttypes.ContentType": "the same for all",
        "sessions.Session": "found by a secret key, before it is known who comes",
        "oauth2_provider.DeviceGrant": "a way to sign in that is not offered; it has no rows",
        "platform.IdempotencyKey": "found by a digest of client, actor and key; answers are sealed",
        "platform.InstallationFact": "about the installation",
    }

    def ready(self) -> None:
        """Register the system checks, and the Celery application to which `shared_task` binds."""
        from config import installation

        for name in CONNECTED:
            import_module(name)
        installation.connect_signals()

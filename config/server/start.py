"""What has to be so before requests are answered."""

from django.conf import settings
from django.core.cache import close_caches
from django.core.handlers.base import reset_urlconf
from django.core.signals import request_finished
from django.db import close_old_connections
from django.urls import reverse

from config import installation
from config.db.postgresql.base import limit_waiting
from config.server.application import Application
from config.server.handler import Handler


def serving() -> Application:
    """The ASGI application that serves Django. Raises what `installation.require` raises."""
    installation.require()
    limit_waiting(settings.STATEMENT_SECONDS)
    for receiver in (close_old_connections, close_caches, reset_urlconf):
        # What Django does once more when a response is closed.
        request_finished.disconnect(receiver)
    # Imports all views, which takes most of a second: else the first request would wait for it.
    reverse("admin:index")
    return Application(Handler())

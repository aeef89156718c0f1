"""What has to be so before requests are answered."""

from django.conf import settings
from django.urls import reverse

from config import installation
from config.db.postgresql.base import limit_waiting
from config.server.answers import Django
from config.server.application import Application


def serving(django: Django) -> Application:
    """The ASGI application that serves Django. Raises what `installation.require` raises."""
    installation.require()
    limit_waiting(settings.STATEMENT_SECONDS)
    # Imports all views, which takes most of a second: else the first request would wait for it.
    reverse("admin:index")
    return Application(django)

"""The application that the web server loads: Django behind a layer that waits for slow clients."""

import os
import resource
from typing import Any

from django.core.wsgi import get_wsgi_application

from config.garbage import collect_seldom

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


# Two descriptors for each of the connections that the launcher lets a process have.
DESCRIPTORS = 16_384


def allow_descriptors() -> None:
    """Raise the limit of open files, as far as this user may: each slow client keeps a socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def load() -> Any:  # noqa: ANN401 -- an ASGI application
    """Django first: the layer reads its settings."""
    django = get_wsgi_application()
    from django.conf import settings  # noqa: PLC0415 -- needs the variable above

    from config import installation  # noqa: PLC0415 -- its models need the loaded apps
    from config.db.postgresql.base import limit_waiting  # noqa: PLC0415 -- needs loaded settings
    from config.server.application import Application  # noqa: PLC0415 -- likewise

    installation.require()
    limit_waiting(settings.STATEMENT_SECONDS)
    return Application(django)


allow_descriptors()
application = load()
collect_seldom()

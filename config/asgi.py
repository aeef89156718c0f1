"""The application that the web server loads: Django behind a layer that waits for slow clients."""

import os
import resource
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

import django
from django.apps import apps

from config import metrics, tracing
from config.garbage import keep_loaded

if TYPE_CHECKING:
    from config.server.application import Application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


# Two descriptors for each of the connections that the launcher lets a process have.
DESCRIPTORS = 16_384


def allow_descriptors() -> None:
    """Raise the limit of open files, as far as this user may: each slow client keeps a socket."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def load() -> "Application":
    """Django first: what serves it needs its settings and loaded apps."""
    if not apps.ready:
        django.setup()
    from config.server.start import serving  # noqa: PLC0415 -- needs the loaded apps

    metrics.start()
    tracing.start()
    # The server's processes are forked, and end without what `atexit` has.
    Finalize(None, tracing.flush, exitpriority=1)
    return serving()


allow_descriptors()
application = load()
keep_loaded()

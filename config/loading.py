"""All that web and worker need, loaded before processes are made of it.

They share in memory what they do not change, and all of it is imported once.
"""

import os
import sys
from importlib import import_module

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils.module_loading import import_string

from config.garbage import keep_loaded

# What programs would import at their start, or with their first request or task.
LATER = (
    *("config.server.start", "config.jobs.__main__", "celery.apps.worker", "celery.worker.loops"),
    *("celery.concurrency.prefork", "celery.contrib.django.task", "celery.worker.strategy"),
    *("celery.worker.consumer", "celery.worker.control", "celery.worker.components"),
    *("celery.events.receiver", "kombu.transport.redis", "kombu.asynchronous.semaphore"),
    *("django.core.cache.backends.redis", "django.contrib.sessions.backends.db"),
    *("django.contrib.messages.storage.fallback", "django.contrib.sessions.serializers"),
    *("billiard.popen_fork", "billiard.synchronize", "multiprocessing.popen_fork"),
)


def load() -> None:
    """Load all apps and import all views and tasks. Raises SystemExit for a wrong setting."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        # Once is enough: it would set logging up anew, and look at each logger there is.
        if not apps.ready:
            django.setup()
        reverse("admin:index")
    except ImproperlyConfigured as error:
        raise SystemExit(f"kith: {error}") from error
    for name in LATER:
        import_module(name)
    for name in settings.MIDDLEWARE:
        import_string(name)
    app = import_string("config.celery.app")
    app.loader.import_default_modules()
    app.finalize()
    if sys.platform == "linux":
        # Each process of the pool would load a parser of C for it, which takes 3 MB.
        import_string("billiard.util.get_pdeathsig")()
    keep_loaded()

"""granian with its arguments, and Django loaded before it makes its processes.

They share in memory what they do not change, and all of it is imported once.
"""

import os

import django
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from granian.cli import entrypoint

from config.garbage import collect_seldom


def load() -> None:
    """Load all apps and import all views. Raises SystemExit for a setting that is wrong."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
        reverse("admin:index")
    except ImproperlyConfigured as error:
        raise SystemExit(f"kith: {error}") from error
    collect_seldom()


load()
entrypoint()  # type: ignore[no-untyped-call] # granian declares no type for it

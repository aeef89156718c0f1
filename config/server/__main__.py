"""granian with its arguments, and Django loaded before it makes its processes.

They share in memory what they do not change, and all of it is imported once.
"""

import os

import django
from django.urls import reverse
from granian.cli import entrypoint

from config.garbage import collect_seldom

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
# Imports all views.
reverse("admin:index")
collect_seldom()
entrypoint()  # type: ignore[no-untyped-call] # granian declares no type for it

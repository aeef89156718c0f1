"""The WSGI application that web servers load."""

import os

from django.core.wsgi import get_wsgi_application

from config.garbage import collect_seldom

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from config import installation  # noqa: E402 -- its models need the loaded apps

installation.require()
collect_seldom()

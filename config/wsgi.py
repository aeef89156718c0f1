"""The WSGI application that web servers load."""

import os

from django.core.wsgi import get_wsgi_application

from config.garbage import collect_seldom

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
collect_seldom()

"""The product as Django serves it by itself, by WSGI and its own handler, for quick clients."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

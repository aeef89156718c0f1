"""The product without the layer that waits for slow clients: what that layer costs the quick."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

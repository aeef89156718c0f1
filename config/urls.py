"""The table of contents: every path that Kith answers."""

from django.contrib import admin
from django.urls import include, path

from config import health
from config.openapi import views as documentation

urlpatterns = [
    path("", health.index),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("schema", documentation.schema),
    path("docs", documentation.docs),
    path("v1/", include("customers.urls")),
    path("v1/search/", include("search.bi.urls")),
    path("v2/data/", include("ingest.urls")),
    path("admin/", admin.site.urls),
    path("", include("customers.urls_oauth")),
]

handler400 = "config.handlers.bad_request"
handler403 = "config.handlers.permission_denied"
handler404 = "config.handlers.page_not_found"
handler500 = "config.handlers.server_error"

"""The table of contents: every path that Kith answers."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView

from config import health
from config.api import paths
from config.metrics import view as figures
from config.openapi import views as documentation
from customers.views.sign_in import BackOfficeLogin, PasswordChange

OUR_APPS = ("customers", "search", "ingest")


def nowhere(request: HttpRequest, key: str) -> HttpResponse:
    """Django's "View on site": no row of ours has a page of its own on a public site."""
    raise Http404(f"{request.path}: {key}")


# Before any table is included that has them.
paths.register_variables()
urlpatterns = [
    # First what is asked for most often: they are tried in this order.
    path("v1/", include("customers.urls")),
    path("v1/search/", include("search.bi.urls")),
    path("core/customermgr/v3/", include("search.immediate.urls")),
    path("v2/data/", include("ingest.urls")),
    path("", health.index),
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("metrics", figures.show),
    path("schema", documentation.schema),
    path("docs", documentation.docs),
    path("docs/oauth2-redirect", documentation.signed_in),
    path("docs/samples.json", documentation.code),
    path("docs/collection.json", documentation.postman),
    path("docs/", RedirectView.as_view(url="/docs", query_string=True)),
    path("schema/", RedirectView.as_view(url="/schema", query_string=True)),
    path("admin/r/<path:key>", nowhere),
    # The lists stand in the navigation; pages that list them once more, by app, do not exist.
    *(path(f"admin/{app}/", RedirectView.as_view(pattern_name="admin:index")) for app in OUR_APPS),
    path("admin/login/", BackOfficeLogin.as_view()),
    path("admin/password_change/", admin.site.admin_view(PasswordChange.as_view())),
    path("account/", include("customers.urls_account")),
    path("v2/session/", include("customers.urls_session")),
    path("admin/", admin.site.urls),
    path("", include("customers.urls_oauth")),
]

handler400 = "config.api.handlers.bad_request"
handler403 = "config.api.handlers.permission_denied"
handler404 = "config.api.handlers.page_not_found"
handler500 = "config.api.handlers.server_error"

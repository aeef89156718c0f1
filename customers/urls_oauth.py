"""Where tokens come from: `/oauth2/`, and the metadata by which clients find it (RFC 8414)."""

from django.urls import URLPattern, path, re_path
from django.views.generic.base import View
from oauth2_provider.views import OAuthServerMetadataView

from customers.views import oauth, sign_in

# The name by which the toolkit looks its endpoints up.
app_name = "oauth2_provider"


def endpoint(word: str, view: type[View], name: str) -> URLPattern:
    """An endpoint, with or without a slash at its end: a redirect would lose a posted form."""
    return re_path(rf"^oauth2/{word}/?$", view.as_view(), name=name)


urlpatterns = [
    endpoint("authorize", oauth.Authorization, "authorize"),
    endpoint("login", sign_in.AppLogin, "login"),
    endpoint("token", oauth.Token, "token"),
    endpoint("revoke_token", oauth.Revocation, "revoke-token"),
    endpoint("introspect", oauth.Introspection, "introspect"),
    path(
        ".well-known/oauth-authorization-server",
        OAuthServerMetadataView.as_view(),
        name="oauth-server-metadata",
    ),
]

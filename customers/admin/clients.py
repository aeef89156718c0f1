"""OAuth clients in the back office: the apps in which people sign in."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from config.api.actors import SCOPES
from config.api.errors import ApiError
from customers.admin.keys import STATE_COLORS, RotationForm, ScopeChoice, rotated, state_of
from customers.admin.pages import AccountChoice, PagesAdmin, tell
from customers.models import OAuthClient
from customers.services.keys import revoke_client
from customers.services.sign_ins import create_oauth_client

GRANTS = {
    "authorization-code": "People sign in (authorization code with PKCE)",
    "client-credentials": "A program acts for itself (client credentials)",
}
# By their names among the problems of a client.
FIELDS = {"redirectUri": "redirect_uris", "public": "is_public"}


class NewClientForm(forms.Form):
    """What a new OAuth client is."""

    name = forms.CharField(
        max_length=120,
        label="Name",
        help_text="People see it when they are asked whether the app may act for them.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    grant = forms.ChoiceField(
        label="Grant", choices=list(GRANTS.items()), widget=UnfoldAdminSelectWidget()
    )
    redirect_uris = forms.CharField(
        required=False,
        label="Redirect URIs",
        help_text="One a line: where people are sent back to. https, or http on the same machine.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "cols": 40}),
    )
    is_public = forms.BooleanField(
        required=False,
        label="Public",
        help_text="An app that cannot keep a secret, such as one on a phone or in a browser.",
        widget=UnfoldBooleanWidget(),
    )

    def __init__(self, request: HttpRequest, *args: Any) -> None:  # noqa: ANN401 -- Django's
        super().__init__(*args)
        help_text = "The most that it may ask people for; without any, everything."
        self.fields["scopes"] = ScopeChoice(required=False, help_text=help_text)
        self.fields["business_account"] = AccountChoice(request)


@admin.register(OAuthClient)
class OAuthClientAdmin(PagesAdmin):
    """Apps, and when each was last used. API keys have a list of their own."""

    add_words = "New OAuth client"
    page_template = "admin/access/client.html"
    list_display = ("name", "client_id", "kind", "business_account", "last_used", "state")
    list_select_related = ("business_account", "service_account")
    search_fields = ("name", "client_id")
    ordering = ("name", "pk")

    def get_queryset(self, request: HttpRequest) -> Any:  # noqa: ANN401 -- Django's signature
        """Without API keys."""
        return super().get_queryset(request).filter(service_account=None)

    @admin.display(description="Kind")
    def kind(self, client: OAuthClient) -> str:
        """Whether it has a secret."""
        return str(client.get_client_type_display())

    @admin.display(description="Last used", ordering="last_used_at", empty_value="Never")
    def last_used(self, client: OAuthClient) -> Any:  # noqa: ANN401 -- a time or nothing
        """To the minute."""
        return client.last_used_at

    @display(description="State", label=STATE_COLORS)  # type: ignore[untyped-decorator]
    def state(self, client: OAuthClient) -> str:
        """Whether it works."""
        return state_of(client)

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what is done to a client."""
        view = self.admin_site.admin_view
        return [
            path(
                "<path:object_id>/rotate/",
                view(self.rotate_view),
                name="customers_oauthclient_rotate",
            ),
            path(
                "<path:object_id>/revoke/",
                view(self.revoke_view),
                name="customers_oauthclient_revoke",
            ),
            *super().get_urls(),
        ]

    def facts(self, request: HttpRequest, row: OAuthClient) -> dict[str, Any]:
        """What the page shows in words."""
        return {
            "kind": self.kind(row),
            "state": state_of(row),
            "has_secret": row.client_type == OAuthClient.CLIENT_CONFIDENTIAL,
            "uris": row.redirect_uris.split(),
            "scopes": [words for scope, words in SCOPES.items() if scope in row.scopes],
            "rotation": RotationForm(),
        }

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask what the client is; then show its secret, this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewClientForm(request, request.POST or None)
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            try:
                client, secret = create_oauth_client(
                    business_account=values["business_account"],
                    name=values["name"],
                    grant=values["grant"],
                    redirect_uris=values["redirect_uris"].split(),
                    is_public=values["is_public"],
                    scopes=values["scopes"],
                )
            except ApiError as refusal:
                tell(form, refusal, FIELDS)
            else:
                return self.made(request, client, secret)
        return self.page(
            request, "admin/access/form.html", title="New OAuth client", verb="Create", form=form
        )

    def made(self, request: HttpRequest, client: OAuthClient, secret: str | None) -> HttpResponse:
        """The page after a client was made; a program's stands among the API keys from now on."""
        program = client.service_account
        owner = program or client
        admin_of = self.admin_site.get_model_admin(type(owner))
        admin_of.log_addition(request, owner, f"Created {client.client_id}")
        return self.page(
            request,
            "admin/access/secret.html",
            title=client.name,
            back=admin_of.address_of(owner),
            client=client,
            secret=secret,
            outcome=f"{client.name} can be used now."
            + (" You find it among the API keys." if program else ""),
            key_label="Client ID",
        )

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give a client a new secret, and show it this once."""
        client = self.found_for_form(request, object_id)
        try:
            secret, outcome = rotated(request, client)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(self.address_of(client))
        self.log_change(request, client, f"Rotated the secret. {outcome}")
        return self.page(
            request,
            "admin/access/secret.html",
            original=client,
            client=client,
            secret=secret,
            outcome=outcome,
            key_label="Client ID",
        )

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End a client."""
        client = self.found_for_form(request, object_id)
        try:
            revoke_client(client=client)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            self.log_change(request, client, "Revoked.")
            self.message_user(request, f"{client} was revoked.", messages.SUCCESS)
        return HttpResponseRedirect(self.address_of(client))

    def found_for_form(self, request: HttpRequest, object_id: str) -> OAuthClient:
        """A client of the operator's tree, for a posted form. Raises `Http404`."""
        client: OAuthClient = self.found(request, object_id)
        if request.method != "POST":
            raise Http404
        return client

"""OAuth clients in the back office: the apps in which people sign in."""

from datetime import datetime

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from config.api.errors import ApiError
from customers.admin.credentials import (
    STATE_COLORS,
    RotationForm,
    ScopeChoice,
    SecretPages,
    state_of,
    words_of,
)
from customers.admin.pages import AccountChoice, tell
from customers.admin.scope import Context
from customers.models import OAuthClient
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

    scopes = ScopeChoice(
        required=False, help_text="The most that it may ask people for; without any, everything."
    )

    def __init__(self, request: HttpRequest, data: QueryDict | None) -> None:
        super().__init__(data)
        self.fields["business_account"] = AccountChoice(request)


@admin.register(OAuthClient)
class OAuthClientAdmin(SecretPages[OAuthClient]):
    """Apps, and when each was last used. API keys have a list of their own."""

    add_words = "New OAuth client"
    page_template = "admin/access/client.html"
    nothing_yet = "Apps in which people sign in, and programs that use OAuth, are registered here."
    list_display = ("name", "client_id", "kind", "business_account", "last_used", "state")
    list_select_related = ("business_account", "service_account")
    search_fields = ("name", "client_id")
    ordering = ("name", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[OAuthClient]:
        """Without API keys."""
        return super().get_queryset(request).filter(service_account=None)

    @admin.display(description="Kind")
    def kind(self, client: OAuthClient) -> str:
        """Whether it has a secret."""
        return str(client.get_client_type_display())

    @admin.display(description="Last used", ordering="last_used_at", empty_value="Never")
    def last_used(self, client: OAuthClient) -> datetime | None:
        """To the minute."""
        return client.last_used_at

    @display(description="State", label=STATE_COLORS)  # type: ignore[untyped-decorator]
    def state(self, client: OAuthClient) -> str:
        """Whether it works."""
        return state_of(client)

    def facts(self, request: HttpRequest, row: OAuthClient) -> Context:
        """What the page shows in words."""
        return {
            "kind": self.kind(row),
            "state": state_of(row),
            "has_secret": row.client_type == OAuthClient.CLIENT_CONFIDENTIAL,
            "uris": row.redirect_uris.split(),
            "scopes": words_of(row.scopes),
            "rotation": RotationForm(),
        }

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Context | None = None
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
        return self.secret_page(
            request,
            client=client,
            secret=secret,
            outcome=f"{client.name} can be used now."
            + (" You find it among the API keys." if program else ""),
            title=client.name,
            back=admin_of.address_of(owner),
        )

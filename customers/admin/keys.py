"""API keys in the back office: made, rotated with an overlap, and revoked."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from config.api.actors import DEFAULT_SCOPES, SCOPES
from config.api.errors import ApiError
from customers.admin.pages import AccountChoice, PagesAdmin, tell
from customers.models import OAuthClient, ServiceAccount
from customers.services.keys import MOST_OVERLAP_HOURS, revoke_client, rotate_secret
from customers.services.people import create_api_key, create_service_account

ACTIVE, ROTATING, REVOKED = "Active", "Two secrets are good", "Revoked"
STATE_COLORS = {ACTIVE: "success", ROTATING: "warning", REVOKED: "danger"}


class ScopeChoice(forms.MultipleChoiceField):
    """What a program may do, in words."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 -- Django's signature
        super().__init__(
            label="Scopes",
            choices=list(SCOPES.items()),
            widget=UnfoldAdminCheckboxSelectMultipleWidget(),
            **options,
        )


class NewKeyForm(forms.Form):
    """What a new API key is for."""

    name = forms.CharField(
        max_length=120,
        label="Name",
        help_text="What uses it, such as the name of a program.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    def __init__(self, request: HttpRequest, *args: Any) -> None:  # noqa: ANN401 -- Django's
        super().__init__(*args)
        self.fields["scopes"] = ScopeChoice(initial=DEFAULT_SCOPES)
        self.fields["business_account"] = AccountChoice(request)


class RotationForm(forms.Form):
    """How long the old secret stays good."""

    hours = forms.IntegerField(
        label="Hours",
        initial=24,
        min_value=0,
        max_value=MOST_OVERLAP_HOURS,
        help_text="The old secret stays good for so long. 0: it and its tokens end at once.",
        widget=UnfoldAdminIntegerFieldWidget(),
    )


def state_of(client: OAuthClient) -> str:
    """Whether a key or an app works."""
    if not client.is_usable(None):
        return REVOKED
    until = client.previous_secret_until
    return ROTATING if until and until > timezone.now() else ACTIVE


def rotated(request: HttpRequest, client: OAuthClient) -> tuple[str, str]:
    """Rotate as the posted form says: the new secret, and what happened, in words.

    Raises `ApiError` for what cannot be done.
    """
    form = RotationForm(request.POST)
    if not form.is_valid():
        raise ApiError(f"The secret was not rotated: {form.errors['hours'][0]}")
    secret = rotate_secret(client=client, overlap_hours=form.cleaned_data["hours"])
    if client.previous_secret_until is None:
        return secret, "The old secret and all tokens that it gave have ended."
    until = timezone.localtime(client.previous_secret_until)
    return secret, f"The old secret stays good until {until:%Y-%m-%d %H:%M %Z}."


@admin.register(ServiceAccount)
class ServiceAccountAdmin(PagesAdmin):
    """Programs with their keys and what they may do."""

    add_words = "New API key"
    page_template = "admin/access/key.html"
    list_display = ("name", "scope_list", "business_account", "last_used", "state")
    list_select_related = ("business_account",)
    search_fields = ("name",)
    ordering = ("name", "id")

    def get_queryset(self, request: HttpRequest) -> Any:  # noqa: ANN401 -- Django's signature
        """With when a key of theirs was last used, and whether one still works."""
        keys = OAuthClient.objects.filter(service_account=OuterRef("pk"))
        active = keys.filter(is_active=True)
        latest = keys.order_by("-last_used_at").exclude(last_used_at=None)
        return (
            super()
            .get_queryset(request)
            .annotate(
                used_at=Subquery(latest.values("last_used_at")[:1]),
                has_key=Exists(active),
                has_two=Exists(active.filter(previous_secret_until__gt=timezone.now())),
            )
        )

    @admin.display(description="Scopes")
    def scope_list(self, service_account: ServiceAccount) -> str:
        """What the program may do, in the words of the API."""
        return ", ".join(service_account.scopes)

    @admin.display(description="Last used", ordering="used_at", empty_value="Never")
    def last_used(self, service_account: Any) -> Any:  # noqa: ANN401 -- a row of `get_queryset`
        """When a key of it was last used, to the minute."""
        return service_account.used_at

    @display(description="State", label=STATE_COLORS)  # type: ignore[untyped-decorator]
    def state(self, service_account: Any) -> str:  # noqa: ANN401 -- a row of `get_queryset`
        """Whether it has a key that works."""
        if not service_account.is_active or not service_account.has_key:
            return REVOKED
        return ROTATING if service_account.has_two else ACTIVE

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what is done to a key."""
        view = self.admin_site.admin_view
        return [
            path(
                "<path:object_id>/keys/<uuid:key_id>/rotate/",
                view(self.rotate_view),
                name="customers_serviceaccount_rotate",
            ),
            path(
                "<path:object_id>/keys/<uuid:key_id>/revoke/",
                view(self.revoke_view),
                name="customers_serviceaccount_revoke",
            ),
            *super().get_urls(),
        ]

    def facts(self, request: HttpRequest, row: ServiceAccount) -> dict[str, Any]:
        """The keys with their states, and the forms that their dialogs ask with."""
        keys = list(row.keys.select_related("service_account").order_by("-created", "pk"))
        return {
            "scopes": [SCOPES[scope] for scope in row.scopes if scope in SCOPES],
            "keys": [
                {
                    "client": key,
                    "state": state_of(key),
                    "form": RotationForm(auto_id=f"{key.pk}_%s"),
                }
                for key in keys
            ],
        }

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask for name and scopes; then show the secret, this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewKeyForm(request, request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    owner = create_service_account(
                        business_account=form.cleaned_data["business_account"],
                        name=form.cleaned_data["name"],
                        scopes=form.cleaned_data["scopes"],
                    )
                    client, secret = create_api_key(service_account=owner)
            except ApiError as refusal:
                tell(form, refusal)
            else:
                self.log_addition(request, owner, f"Created with {', '.join(owner.scopes)}")
                return self.secret_page(request, owner, client, secret, f"{owner} can be used now.")
        return self.page(
            request,
            "admin/access/form.html",
            title="New API key",
            verb="Create",
            form=form,
            lead="A key with a secret, by which a program acts for a business account.",
        )

    def rotate_view(self, request: HttpRequest, object_id: str, key_id: UUID) -> HttpResponse:
        """Give a key a new secret, and show it this once."""
        owner, client = self.found_key(request, object_id, key_id)
        try:
            secret, outcome = rotated(request, client)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(self.address_of(owner))
        self.log_change(request, owner, f"Rotated the secret of {client.client_id}. {outcome}")
        return self.secret_page(request, owner, client, secret, outcome)

    def revoke_view(self, request: HttpRequest, object_id: str, key_id: UUID) -> HttpResponse:
        """End a key."""
        owner, client = self.found_key(request, object_id, key_id)
        try:
            revoke_client(client=client)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            self.log_change(request, owner, f"Revoked {client.client_id}.")
            self.message_user(request, f"The key of {owner} was revoked.", messages.SUCCESS)
        return HttpResponseRedirect(self.address_of(owner))

    def found_key(
        self, request: HttpRequest, object_id: str, key_id: UUID
    ) -> tuple[ServiceAccount, OAuthClient]:
        """A key of a program of the operator's tree, for a posted form. Raises `Http404`."""
        owner = self.found(request, object_id)
        client = owner.keys.filter(pk=key_id).first()
        if client is None or request.method != "POST":
            raise Http404
        return owner, client

    def secret_page(
        self,
        request: HttpRequest,
        owner: ServiceAccount,
        client: OAuthClient,
        secret: str,
        outcome: str,
    ) -> HttpResponse:
        """The only page that ever shows a secret."""
        return self.page(
            request,
            "admin/access/secret.html",
            original=owner,
            client=client,
            secret=secret,
            outcome=outcome,
            key_label="Key",
        )

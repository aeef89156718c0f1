"""API keys in the back office: made, edited, rotated with an overlap, and revoked."""

from datetime import datetime
from typing import Protocol

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from config.api.actors import DEFAULT_SCOPES
from config.api.errors import ApiError
from customers.admin.credentials import (
    ACTIVE,
    REVOKED,
    ROTATING,
    STATE_COLORS,
    RotationForm,
    ScopeChoice,
    SecretPages,
    state_of,
    words_of,
)
from customers.admin.pages import AccountChoice, tell
from customers.admin.scope import Context
from customers.models import OAuthClient, ServiceAccount
from customers.services.keys import change_service_account
from customers.services.people import create_api_key, create_service_account


class KeyForm(forms.Form):
    """What an API key is for."""

    name = forms.CharField(
        max_length=120,
        label="Name",
        help_text="What uses it, such as the name of a program.",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    scopes = ScopeChoice(initial=DEFAULT_SCOPES)


class NewKeyForm(KeyForm):
    """Likewise, for a new one."""

    def __init__(self, request: HttpRequest, data: QueryDict | None) -> None:
        super().__init__(data)
        self.fields["business_account"] = AccountChoice(request)


class Listed(Protocol):
    """A program, with what `get_queryset` adds to it."""

    is_active: bool
    used_at: datetime | None
    has_key: bool
    has_two: bool


@admin.register(ServiceAccount)
class ServiceAccountAdmin(SecretPages[ServiceAccount]):
    """Programs with their keys, and when each was last used."""

    add_words = "New API key"
    page_template = "admin/access/key.html"
    key_label = "Key"
    revoked = "The key of {} was revoked."
    below = "keys/<uuid:pk>/"
    nothing_yet = "Each program that uses the API gets a key of its own."
    list_display = ("name", "scope_list", "business_account", "last_used", "state")
    list_select_related = ("business_account",)
    search_fields = ("name",)
    ordering = ("name", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceAccount]:
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
    def last_used(self, service_account: Listed) -> datetime | None:
        """When a key of it was last used, to the minute."""
        return service_account.used_at

    @display(description="State", label=STATE_COLORS)  # type: ignore[untyped-decorator]
    def state(self, service_account: Listed) -> str:
        """Whether it has a key that works."""
        if not service_account.is_active or not service_account.has_key:
            return REVOKED
        return ROTATING if service_account.has_two else ACTIVE

    def get_urls(self) -> list[URLPattern]:
        """With the address at which a program is edited."""
        return [*self.addresses({"edit": self.edit_view}), *super().get_urls()]

    def clients_of(self, row: ServiceAccount) -> "QuerySet[OAuthClient]":
        """The keys of a program, newest first."""
        return row.keys.select_related("service_account").order_by("-created", "pk")

    def facts(self, request: HttpRequest, row: ServiceAccount) -> Context:
        """The keys with their states, and the forms that their dialogs ask with."""
        return {
            "scopes": words_of(row.scopes),
            "keys": [
                {
                    "client": key,
                    "state": state_of(key),
                    "form": RotationForm(auto_id=f"{key.pk}_%s"),
                }
                for key in self.clients_of(row)
            ],
        }

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Context | None = None
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
                return self.secret_page(
                    request,
                    client=client,
                    secret=secret,
                    outcome=f"{owner} can be used now.",
                    original=owner,
                )
        return self.page(
            request,
            "admin/access/form.html",
            title="New API key",
            verb="Create",
            form=form,
            lead="A key with a secret, by which a program acts for a business account.",
        )

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give a program another name or other scopes; its secrets stay."""
        owner = self.found(request, object_id)
        form = KeyForm(
            request.POST or None, initial={"name": owner.name, "scopes": list(owner.scopes)}
        )
        if request.method == "POST" and form.is_valid():
            try:
                changes = change_service_account(
                    service_account=owner,
                    name=form.cleaned_data["name"],
                    scopes=form.cleaned_data["scopes"],
                )
            except ApiError as refusal:
                tell(form, refusal)
            else:
                if changes:
                    self.log_change(request, owner, changes)
                self.message_user(request, f"{owner} was saved.", messages.SUCCESS)
                return HttpResponseRedirect(self.address_of(owner))
        return self.page(
            request,
            "admin/access/form.html",
            original=owner,
            title=f"Edit {owner}",
            verb="Save",
            form=form,
            lead="The key and its secret stay as they are. What is taken away ends at once; "
            "what is added comes with the next token.",
        )

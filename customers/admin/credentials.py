"""What API keys and OAuth clients have in common: their states, and pages that rotate and revoke.

A row of the list is a program with keys of its own, or a client itself.
"""

from collections.abc import Sequence
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils import timezone
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminIntegerFieldWidget

from config.api.actors import SCOPES
from config.api.errors import ApiError
from customers.admin.pages import PagesAdmin
from customers.admin.scope import M
from customers.models import OAuthClient
from customers.services.keys import MOST_OVERLAP_HOURS, revoke_client, rotate_secret
from customers.words import moment

ACTIVE, ROTATING, REVOKED = "Active", "Two secrets are good", "Revoked"
STATE_COLORS = {ACTIVE: "success", ROTATING: "warning", REVOKED: "danger"}


class ScopeChoice(forms.MultipleChoiceField):
    """What a program may do, in words."""

    def __init__(
        self, *, required: bool = True, initial: Sequence[str] = (), help_text: str = ""
    ) -> None:
        super().__init__(
            label="Scopes",
            choices=list(SCOPES.items()),
            widget=UnfoldAdminCheckboxSelectMultipleWidget(),
            required=required,
            initial=initial,
            help_text=help_text,
        )


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


def words_of(scopes: Sequence[str]) -> list[str]:
    """What these scopes allow, in words."""
    return [words for scope, words in SCOPES.items() if scope in scopes]


class SecretPages(PagesAdmin[M]):
    """A list of clients, or of programs with clients. `below` names one in the address of a row.

    `key_label` is what the pages call a client's id; `revoked` says that it was revoked.
    """

    key_label = "Client ID"
    revoked = "{} was revoked."
    below = ""

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what is done to a secret."""
        own = {"rotate": self.rotate_view, "revoke": self.revoke_view}
        return [*self.addresses(own, self.below), *super().get_urls()]

    def clients_of(self, row: M) -> "QuerySet[OAuthClient]":
        """What has a secret in a row: the row itself."""
        return OAuthClient.objects.filter(pk=row.pk)

    def found_client(
        self, request: HttpRequest, object_id: str, **key: UUID
    ) -> tuple[M, OAuthClient]:
        """A row of the operator's tree and its client, for a posted form. Raises `Http404`."""
        row = self.found_for_form(request, object_id)
        client = self.clients_of(row).filter(**key).first()
        if client is None:
            raise Http404
        return row, client

    def rotate_view(self, request: HttpRequest, object_id: str, **key: UUID) -> HttpResponse:
        """Give a client a new secret, and show it this once."""
        row, client = self.found_client(request, object_id, **key)
        try:
            secret, outcome = rotated(request, client)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(self.address_of(row))
        self.log_change(request, row, f"Rotated the secret of {client.client_id}. {outcome}")
        return self.secret_page(
            request, client=client, secret=secret, outcome=outcome, original=row
        )

    def revoke_view(self, request: HttpRequest, object_id: str, **key: UUID) -> HttpResponse:
        """End a client."""
        row, client = self.found_client(request, object_id, **key)
        try:
            revoke_client(client=client)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            self.log_change(request, row, f"Revoked {client.client_id}.")
            self.message_user(request, self.revoked.format(row), messages.SUCCESS)
        return HttpResponseRedirect(self.address_of(row))

    def secret_page(
        self,
        request: HttpRequest,
        *,
        client: OAuthClient,
        secret: str | None,
        outcome: str,
        **context: object,
    ) -> HttpResponse:
        """The only page that ever shows a secret."""
        return self.page(
            request,
            "admin/access/secret.html",
            client=client,
            secret=secret,
            outcome=outcome,
            key_label=self.key_label,
            **context,
        )


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
    return secret, f"The old secret stays good until {moment(until)} {until:%Z}."

"""Lists and pages of our own about who has access: for Owners and Admins alone."""

from collections.abc import Callable, Mapping

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminSelectWidget

from config.api.errors import ApiError, Invalid
from customers.admin.scope import (
    Context,
    M,
    ScopedAdmin,
    offered_account,
    own_account,
    visible,
    visible_accounts,
)
from customers.models import BusinessAccount

View = Callable[..., HttpResponseBase]


class PagesAdmin(ScopedAdmin[M]):
    """A list whose rows are added and changed on pages of our own, each through a service.

    `add_words` are those of its button; `page_template` shows a row.
    """

    actions = None
    change_list_template = "admin/access/list.html"
    add_words = ""
    page_template = ""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who may change access sees who has it."""
        return bool(self.has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing here is deleted: what it did stays on record."""
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """The page of a row; changes go to addresses of their own."""
        row = self.found(request, object_id)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self.page(request, self.page_template, original=row, **self.facts(request, row))

    def facts(self, request: HttpRequest, row: M) -> Context:
        """What the page of a row shows besides the row."""
        return {}

    def addresses(self, views: Mapping[str, View], below: str = "") -> list[URLPattern]:
        """Those of what is done to a row, by their last words; `below` stands before these."""
        return [
            path(
                f"<path:object_id>/{below}{verb}/",
                self.admin_site.admin_view(view),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{verb}",
            )
            for verb, view in views.items()
        ]

    def found(self, request: HttpRequest, object_id: object) -> M:
        """A row of the operator's tree. Raises `Http404`, and `PermissionDenied` by role."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        row: M | None = self.get_object(request, str(object_id))
        if row is None:
            raise Http404
        return row

    def found_for_form(self, request: HttpRequest, object_id: str) -> M:
        """A row of the operator's tree, for a posted form. Raises `Http404`."""
        row = self.found(request, object_id)
        if request.method != "POST":
            raise Http404
        return row

    def page(self, request: HttpRequest, template: str, **context: object) -> TemplateResponse:
        """A page in the frame of the back office."""
        original = context.get("original")
        frame = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": str(original or ""),
            "back": self.address_of(original)
            if isinstance(original, Model)
            else self.list_address(),
        }
        return TemplateResponse(request, template, frame | context)

    def list_address(self) -> str:
        """Where the list is."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def address_of(self, row: Model) -> str:
        """Where the page of a row is."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])


class AccountChoice(forms.ModelChoiceField):  # type: ignore[type-arg] # not generic at run time
    """The business account that something is for: one of the operator's tree."""

    def __init__(self, request: HttpRequest) -> None:
        is_only_one = len(visible_accounts(request) or ()) == 1
        super().__init__(
            visible(request, BusinessAccount.objects.order_by("name", "id"), "pk"),
            label="Business account",
            initial=offered_account(request),
            empty_label=None if own_account(request) else "Choose one",
            widget=forms.HiddenInput() if is_only_one else UnfoldAdminSelectWidget(),
        )


def tell(form: forms.Form, refusal: ApiError, names: dict[str, str] | None = None) -> None:
    """Put what a service says beside the fields that it is about; the rest at the top."""
    if not isinstance(refusal, Invalid):
        form.add_error(None, refusal.message)
        return
    for problem in refusal.problems:
        name = (names or {}).get(problem.path, problem.path)
        form.add_error(name if name in form.fields else None, problem.message)

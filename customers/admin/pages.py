"""Lists and pages of our own about who has access: for Owners and Admins alone."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from config.api.errors import ApiError, Invalid
from customers.admin.scope import ScopedAdmin, own_account, visible_accounts
from customers.models import BusinessAccount


class PagesAdmin(ScopedAdmin):
    """A list whose rows are added and changed on pages of our own, each through a service.

    `add_words` are those of its button; `page_template` shows a row; `sign_ins_link` tells whether
    the list of sign-ins is offered, too.
    """

    actions = None
    change_list_template = "admin/access/list.html"
    add_words = ""
    sign_ins_link = False
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
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of a row; changes go to addresses of their own."""
        row = self.found(request, object_id)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self.page(request, self.page_template, original=row, **self.facts(request, row))

    def facts(self, request: HttpRequest, row: Any) -> dict[str, Any]:  # noqa: ANN401 -- any model's
        """What the page of a row shows besides the row."""
        return {}

    def found(self, request: HttpRequest, object_id: object) -> Any:  # noqa: ANN401 -- any model's
        """A row of the operator's tree. Raises `Http404`, and `PermissionDenied` by role."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        row = self.get_object(request, str(object_id))
        if row is None:
            raise Http404
        return row

    def page(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:  # noqa: ANN401
        """A page in the frame of the back office."""
        original = context.get("original")
        frame = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "title": str(original or ""),
            "back": self.address_of(original) if original else self.list_address(),
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

    def __init__(self, request: HttpRequest, **options: Any) -> None:  # noqa: ANN401 -- Django's
        accounts: QuerySet[BusinessAccount] = BusinessAccount.objects.order_by("name", "id")
        seen = visible_accounts(request)
        if seen is not None:
            accounts = accounts.filter(pk__in=seen)
        is_only_one = seen is not None and len(seen) == 1
        super().__init__(
            accounts,
            label="Business account",
            initial=own_account(request),
            empty_label=None if own_account(request) else "Choose one",
            widget=forms.HiddenInput() if is_only_one else UnfoldAdminSelectWidget(),
            **options,
        )


def tell(form: forms.Form, refusal: ApiError, names: dict[str, str] | None = None) -> None:
    """Put what a service says beside the fields that it is about; the rest at the top."""
    if not isinstance(refusal, Invalid):
        form.add_error(None, refusal.message)
        return
    for problem in refusal.problems:
        name = (names or {}).get(problem.path, problem.path)
        form.add_error(name if name in form.fields else None, problem.message)

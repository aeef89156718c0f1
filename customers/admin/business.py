"""Business accounts in the back office."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, Value
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from customers.admin.attributes import AttributeInline
from customers.admin.scope import Inline, ScopedAdmin, own_account
from customers.models import BusinessAccount, Department
from customers.roles import ROLES
from customers.services.people import account_problems


class DepartmentInline(Inline):
    """The departments of a business account."""

    model = Department
    extra = 0


# By their names among the problems of an account.
FIELDS = {
    "name": "name",
    "region": "default_region",
    "parent": "parent",
    "maxRunningJobs": "max_running_jobs",
}


class BusinessAccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """An account, checked as the command that makes one checks it."""

    two_factor_roles = forms.MultipleChoiceField(
        required=False,
        label="Two-factor sign-in required for",
        help_text="Who has one of these roles sets it up at the next sign-in, and needs it then.",
        choices=[(role, role) for role in ROLES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        for problem in account_problems(self.instance):
            field = FIELDS[problem.path]
            if field in self.fields and field not in self.errors:
                self.add_error(field, problem.message)


@admin.register(BusinessAccount)
class BusinessAccountAdmin(ScopedAdmin):
    """The tree of tenants, with what each one decides for itself."""

    account_path = "id"
    form = BusinessAccountForm
    list_display = ("name", "above", "default_region", "departmentalization", "max_running_jobs")
    list_select_related = ("parent",)
    search_fields = ("name",)
    ordering = ("name",)
    autocomplete_fields = ("parent",)
    inlines = (DepartmentInline, AttributeInline)

    def get_queryset(self, request: HttpRequest) -> Any:  # noqa: ANN401 -- Django's signature
        """The operator's tree, in which the own account has no parent."""
        rows = super().get_queryset(request)
        own = own_account(request)
        return rows.annotate(is_own=Q(pk=own) if own else Value(value=False))

    def get_fields(self, request: HttpRequest, obj: BusinessAccount | None = None) -> list[str]:
        """All; of the parent only what the operator may see."""
        names = [str(name) for name in super().get_fields(request, obj)]
        if request.user.is_superuser:
            return [name for name in names if name != "above"]
        return ["above" if name == "parent" else name for name in names if name != "above"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: BusinessAccount | None = None
    ) -> tuple[str, ...]:
        """Only a superuser moves an account within the tree, for that moves who sees what.

        Limits are set from above: by superusers, or by an employee of a parent.
        """
        if request.user.is_superuser:
            return ()
        is_own = obj is not None and obj.pk == own_account(request)
        return ("above", "max_running_jobs") if is_own else ("above",)

    @admin.display(description="parent")
    def above(self, account: Any) -> str:  # noqa: ANN401 -- a row of `get_queryset`
        """The parent's name; that of the operator's own account is nobody's business."""
        return "" if account.is_own or account.parent is None else account.parent.name

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Likewise for new ones."""
        return bool(request.user.is_superuser)

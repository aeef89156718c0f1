"""Business accounts in the back office."""

from typing import Protocol

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from config.db.statements import AnyField
from customers.admin.account_deletion import AsksBeforeDeleting
from customers.admin.attributes import AttributeInline, check_deleted
from customers.admin.scope import Inline, own_account
from customers.models import BusinessAccount, Department
from customers.querysets import tree_path
from customers.roles import ROLES
from customers.services.people import account_problems


class DepartmentFormSet(BaseInlineFormSet):  # type: ignore[type-arg] # not generic at run time
    """The departments of one business account."""

    def clean(self) -> None:
        """Those that too many customers have stay."""
        super().clean()
        check_deleted(self)


class DepartmentInline(Inline):
    """The departments of a business account."""

    model = Department
    formset = DepartmentFormSet
    extra = 0


FEW_LINES = ("description", "levels", "industries")
# What stands for a column on the page of who may only look at it.
SHOWN = {
    "parent": "above",
    "departmentalization": "departmental",
    "two_factor_roles": "second_factor",
}
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


class Listed(Protocol):
    """A business account, with what `get_queryset` adds to it."""

    name: str
    parent: BusinessAccount | None
    is_own: bool
    path: list[str]


@admin.register(BusinessAccount)
class BusinessAccountAdmin(AsksBeforeDeleting):
    """The tree of tenants, with what each one decides for itself."""

    account_path = "id"
    change_list_template = "admin/access/list.html"
    add_words = "Add business account"
    show_add_link = False
    beside = (("Custom attributes", "customers.AttributeDefinition"),)
    form = BusinessAccountForm
    list_display = (
        "in_tree",
        "above",
        "default_region",
        "departmental",
        "max_running_jobs",
        "second_factor",
    )
    list_select_related = ("parent",)
    search_fields = ("name",)
    sortable_by = ()
    actions = None
    autocomplete_fields = ("parent",)
    inlines = (DepartmentInline, AttributeInline)

    def formfield_for_dbfield(
        self, db_field: AnyField, request: HttpRequest, **options: object
    ) -> forms.Field | None:
        """The form field of a column, low where there is little to write."""
        field = super().formfield_for_dbfield(db_field, request, **options)
        if field is not None and db_field.name in FEW_LINES:
            field.widget.attrs["rows"] = 2
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[BusinessAccount]:
        """The operator's tree, in which the own account has no parent."""
        rows = super().get_queryset(request)
        own = own_account(request)
        is_own = Q(pk=own) if own else Value(value=False)
        return rows.annotate(is_own=is_own, path=tree_path(own))

    def get_ordering(self, request: HttpRequest) -> tuple[Combinable, ...]:
        """As a tree: each parent before its children."""
        return (tree_path(own_account(request)),)

    def get_fields(self, request: HttpRequest, obj: BusinessAccount | None = None) -> list[str]:
        """All; of the parent only what the operator may see."""
        names = [str(name) for name in super().get_fields(request, obj)]
        if request.user.is_superuser:
            return [name for name in names if name not in SHOWN.values()]
        shown = {"parent": "above"} if self.has_change_permission(request, obj) else SHOWN
        return [shown.get(name, name) for name in names if name not in SHOWN.values()]

    def get_readonly_fields(
        self, request: HttpRequest, obj: BusinessAccount | None = None
    ) -> tuple[str, ...]:
        """Only a superuser moves an account within the tree, for that moves who sees what.

        Limits are set from above: by superusers, or by an employee of a parent.
        """
        if request.user.is_superuser:
            return ()
        if not self.has_change_permission(request, obj):
            return tuple(SHOWN.values())
        is_own = obj is not None and obj.pk == own_account(request)
        return ("above", "max_running_jobs") if is_own else ("above",)

    @admin.display(description="Name")
    def in_tree(self, account: Listed) -> SafeString:
        """The name, indented below that of the parent."""
        depth = len(account.path) - 1
        branch = mark_safe('<span aria-hidden="true">└ </span>') if depth else ""
        # No deeper, for phones.
        style = f"display: inline-block; padding-left: {min(depth, 8) * 1.25}rem"
        return format_html('<span style="{}">{}{}</span>', style, branch, account.name)

    @admin.display(description="Departmentalization", empty_value="Off")
    def departmental(self, account: BusinessAccount) -> str | None:
        """Whether the immediate search keeps departments apart."""
        return "On" if account.departmentalization else None

    @admin.display(description="Two-factor required for", empty_value="Nobody")
    def second_factor(self, account: BusinessAccount) -> str | None:
        """The roles that sign in with a code."""
        return ", ".join(account.two_factor_roles) or None

    @admin.display(description="parent")
    def above(self, account: Listed) -> str:
        """The parent's name; that of the operator's own account is nobody's business."""
        return "" if account.is_own or account.parent is None else account.parent.name

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Likewise for new ones."""
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Likewise; keys, departments and the list of sign-ins would go with it."""
        return bool(request.user.is_superuser)

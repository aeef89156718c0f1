"""Business accounts in the back office."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline

from customers.admin.scope import ScopedAdmin
from customers.models import AttributeDefinition, BusinessAccount, Department


class DepartmentInline(TabularInline):
    """The departments of a business account."""

    model = Department
    extra = 0


class AttributeInline(TabularInline):
    """The custom attributes that a business account defines."""

    model = AttributeDefinition
    extra = 0


@admin.register(BusinessAccount)
class BusinessAccountAdmin(ScopedAdmin):
    """The tree of tenants, with what each one decides for itself."""

    account_path = "id"
    list_display = ("name", "parent", "default_region", "departmentalization", "max_running_jobs")
    list_select_related = ("parent",)
    search_fields = ("name",)
    ordering = ("name",)
    autocomplete_fields = ("parent",)
    inlines = (DepartmentInline, AttributeInline)

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        """Only a superuser moves an account within the tree, for that moves who sees what."""
        return () if request.user.is_superuser else ("parent",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Likewise for new ones."""
        return bool(request.user.is_superuser)

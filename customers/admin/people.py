"""Employees and programs in the back office."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from customers.admin.scope import ReadOnlyAdmin
from customers.models import (
    AccessToken,
    Grant,
    IDToken,
    OAuthClient,
    RefreshToken,
    ServiceAccount,
    User,
)

# The libraries' own pages know no tenants, and would show tokens and change what roles may do.
LIBRARY_MODELS = (AccessToken, Grant, IDToken, OAuthClient, RefreshToken, Group)
admin.site.unregister([model for model in LIBRARY_MODELS if admin.site.is_registered(model)])


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """Who may sign in, and in which role. Made by `./kith manage create_employee`."""

    list_display = ("email", "name", "business_account", "roles", "is_active", "last_login")
    list_select_related = ("business_account",)
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = ("email", "name", "business_account", "roles", "is_active", "last_login")

    def get_queryset(self, request: HttpRequest) -> Any:  # noqa: ANN401 -- Django's signature
        """With their roles."""
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="role")
    def roles(self, user: User) -> str:
        """The employee's role."""
        return ", ".join(group.name for group in user.groups.all())


@admin.register(ServiceAccount)
class ServiceAccountAdmin(ReadOnlyAdmin):
    """Programs and what they may do. Made by `./kith manage create_api_key`."""

    list_display = ("name", "business_account", "scope_list", "is_active", "created_at")
    list_select_related = ("business_account",)
    search_fields = ("name",)
    fields = ("name", "business_account", "scope_list", "is_active", "created_at")

    @admin.display(description="scopes")
    def scope_list(self, service_account: ServiceAccount) -> str:
        """What the program may do."""
        return ", ".join(service_account.scopes)


@admin.register(OAuthClient)
class OAuthClientAdmin(ReadOnlyAdmin):
    """API keys and apps, and when each was last used. Secrets are never shown."""

    account_path = "service_account__business_account_id"
    list_display = ("name", "client_id", "service_account", "is_active", "last_used_at")
    list_select_related = ("service_account",)
    search_fields = ("name", "client_id")
    fields = ("name", "client_id", "service_account", "is_active", "last_used_at")

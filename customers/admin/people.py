"""Employees in the back office."""

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

"""What an operator sees: the business accounts of the own tree; a superuser sees all."""

from typing import Any, TypeVar
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from config.pagination import Total
from customers.models import BusinessAccount, User

M = TypeVar("M", bound=Model)


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages of a big table: no page waits for a full count."""

    @property
    def count(self) -> int:
        """Exact up to the API's limit for exact totals, about right beyond."""
        return Total.of(self.object_list).count  # type: ignore[arg-type]


class ScopedAdmin(ModelAdmin):
    """Shows the rows of the operator's tree. `account_path` leads from a row to its account."""

    account_path = "business_account_id"
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows that the operator may see."""
        rows: QuerySet[Any] = super().get_queryset(request)
        accounts = visible_accounts(request)
        return rows if accounts is None else rows.filter(**{f"{self.account_path}__in": accounts})


class ReadOnlyAdmin(ScopedAdmin):
    """Rows that are looked at here, and changed elsewhere."""

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        """Nobody adds one here."""
        return False

    def has_change_permission(self, request: HttpRequest, *_: object) -> bool:
        """Nobody changes one here."""
        return False

    def has_delete_permission(self, request: HttpRequest, *_: object) -> bool:
        """Nobody deletes one here."""
        return False


def visible_accounts(request: HttpRequest) -> list[UUID] | None:
    """The ids of the accounts that an operator sees; None means every one."""
    user = request.user
    if not isinstance(user, User) or user.business_account_id is None:
        return None if user.is_superuser else []
    if user.is_superuser:
        return None
    tree = BusinessAccount.objects.tree_of(user.business_account_id)
    return list(tree.values_list("pk", flat=True))

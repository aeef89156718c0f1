"""The back office's page of queued searches: to look at, and to stop one."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from customers.admin.jobs import EndedFilter, StateFilter
from customers.admin.scope import ReadOnlyAdmin
from search import services
from search.models import CustomerSearch


@admin.register(CustomerSearch)
class CustomerSearchAdmin(ReadOnlyAdmin):
    """Searches of the operator's tree, newest first; their files are for their clients alone."""

    list_display = [
        "id",
        "business_account",
        "status",
        "result_format",
        "rows",
        "submitted_at",
        "finished_at",
    ]
    list_filter = [StateFilter, EndedFilter, "result_format"]
    list_select_related = ["business_account"]
    exclude = ["claim_id", "storage_name"]
    actions = ["cancel"]

    @admin.action(description="Cancel, or delete the file", permissions=["cancel"])
    def cancel(self, request: HttpRequest, searches: QuerySet[CustomerSearch]) -> None:
        """Stop what runs, delete the files of what has finished."""
        for search in searches:
            services.cancel_search(search=search)
        count = len(searches)
        self.message_user(request, f"{count} searches were cancelled.", messages.SUCCESS)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Who may change searches may stop them."""
        return bool(request.user.has_perm("search.change_customersearch"))

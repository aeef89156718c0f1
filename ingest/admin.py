"""The back office's page of bulk requests: what was asked, and the outcome."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline

from customers.admin.jobs import EndedFilter, StateFilter
from customers.admin.scope import ReadOnlyAdmin
from ingest.models import BulkItem, BulkRequest


class LedgerInline(TabularInline):
    """The ledger of a request."""

    model = BulkItem
    fields = ["index", "source_customer_id", "outcome", "customer_id", "errors", "notices"]
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:  # noqa: ANN401
        """Nobody adds one here."""
        return False

    def has_change_permission(self, request: HttpRequest, *_: Any) -> bool:  # noqa: ANN401
        """Nobody changes one here."""
        return False


@admin.register(BulkRequest)
class BulkRequestAdmin(ReadOnlyAdmin):
    """Requests of the operator's tree, newest first."""

    list_display = [
        "public_id",
        "business_account",
        "action",
        "status",
        "items",
        "created",
        "updated",
        "unchanged",
        "failed",
        "submitted_at",
        "finished_at",
    ]
    list_filter = [StateFilter, EndedFilter, "action"]
    list_select_related = ["business_account"]
    exclude = ["claim_id", "fingerprint", "conflict_keys"]
    inlines = [LedgerInline]

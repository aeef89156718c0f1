"""Customers in the back office."""

from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import DataError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from customers import normalize
from customers.admin.customer_actions import CHANGES
from customers.admin.customer_edit import name_of, page_of
from customers.admin.customer_list import ListsCustomers
from customers.admin.customer_page import may
from customers.admin.pages import View
from customers.admin.scope import Context, visible_accounts
from customers.admin.sign_in import GivesSignIns
from customers.models import Customer, Reveal
from customers.querysets import CustomerQuerySet

REVEALS_PER_PAGE = 100


@admin.register(Customer)
class CustomerAdmin(GivesSignIns, ListsCustomers):
    """Find a customer as the API does, see all of it on one page, and change it.

    All pages are our own: nothing is written past the services.
    """

    search_fields = ("search_text",)
    ordering = ("-created_at", "-id")

    def get_search_results(
        self, request: HttpRequest, queryset: CustomerQuerySet, search_term: str
    ) -> tuple[CustomerQuerySet, bool]:
        """The search of `GET /v1/customers`, by its index."""
        if not search_term.strip():
            return queryset, False
        words = normalize.parse_search_words(search_term)
        return (queryset.searched(words) if words else queryset.none()), False

    def get_urls(self) -> list[URLPattern]:
        """Django's own addresses, and those of our pages."""

        def own(route: str, view: View, name: str, **options: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            url: URLPattern = path(route, wrapped, options, name=f"customers_customer_{name}")
            return url

        verbs = [
            own(f"<path:object_id>/{verb}/", self.status_view, verb, verb=verb) for verb in CHANGES
        ]
        return [
            own("suggestions/", self.suggestions_view, "suggestions"),
            own("reveals/", self.reveals_view, "reveals"),
            # Before the shorter ones: a path matches these, too.
            *(
                own(f"<path:object_id>/activities/<uuid:activity_id>/{below}", view, name)
                for below, view, name in (
                    ("", self.activity_view, "activity"),
                    ("edit/", self.correct_view, "correct"),
                    ("remove/", self.remove_view, "remove"),
                )
            ),
            own("<path:object_id>/edit/", self.edit_view, "edit"),
            own("<path:object_id>/reveal/", self.reveal_view, "reveal"),
            own("<path:object_id>/activities/", self.activities_view, "activities"),
            *verbs,
            *super().get_urls(),
        ]

    def customer_or_404(self, request: HttpRequest, object_id: str) -> Customer:
        """A customer of the operator's tree, deleted ones among them."""
        if not request.user.has_perm("customers.view_customer"):
            raise PermissionDenied
        customer: Customer | None = self.get_object(request, object_id)
        if customer is None:
            raise Http404
        return customer

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """With what every page shows."""
        related = ("business_account", "preferred_agent")
        rows: QuerySet[Customer] = super().get_queryset(request).select_related(*related)
        return rows

    # --- Pages ------------------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        """The list; what cannot be read in its address is 400."""
        if not request.user.has_perm("customers.view_customer"):
            raise PermissionDenied
        try:
            return self.list_page(request)
        except (ValueError, DataError) as error:
            raise BadRequest("The request cannot be understood.") from error

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """The page of a customer."""
        return self.customer_page(request, self.customer_or_404(request, object_id))

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """The form for a new customer."""
        if not request.user.has_perm("customers.add_customer"):
            raise PermissionDenied
        return self.add_page(request)

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form for a customer; a deleted one has to be restored first."""
        customer = self.customer_or_404(request, object_id)
        if not may(request, "edit"):
            raise PermissionDenied
        if customer.status == Customer.Status.DELETED:
            if request.method == "POST":
                text = f"{name_of(customer)} was deleted meanwhile. Nothing was saved."
                self.message_user(request, text, messages.ERROR)
            return HttpResponseRedirect(page_of(customer.pk))
        return self.edit_page(request, customer)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Context | None = None
    ) -> HttpResponse:
        """All that happened to a customer."""
        customer = self.customer_or_404(request, object_id)
        try:
            return self.history_page(request, customer)
        except (ValueError, DataError) as error:
            raise BadRequest("The request cannot be understood.") from error

    def status_view(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        """Suspend, activate, delete, restore."""
        return self.change_status(request, self.customer_or_404(request, object_id), verb)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Context | None = None
    ) -> HttpResponse:
        """Django's own would delete the row."""
        return self.status_view(request, object_id, "delete")

    def reveal_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sensitive values."""
        return self.reveal(request, self.customer_or_404(request, object_id))

    def activities_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All activities, or a new one."""
        customer = self.customer_or_404(request, object_id)
        if request.method == "POST":
            return self.record(request, customer)
        return self.all_activities(request, customer)

    def activity_view(
        self, request: HttpRequest, object_id: str, activity_id: UUID
    ) -> HttpResponse:
        """Whether an activity is read."""
        return self.mark(request, self.customer_or_404(request, object_id), activity_id)

    def correct_view(self, request: HttpRequest, object_id: str, activity_id: UUID) -> HttpResponse:
        """An activity that was recorded wrongly."""
        return self.correct(request, self.customer_or_404(request, object_id), activity_id)

    def remove_view(self, request: HttpRequest, object_id: str, activity_id: UUID) -> HttpResponse:
        """One that never was."""
        return self.remove(request, self.customer_or_404(request, object_id), activity_id)

    def suggestions_view(self, request: HttpRequest) -> HttpResponse:
        """What the filters suggest."""
        if not request.user.has_perm("customers.view_customer"):
            raise PermissionDenied
        return self.suggestions(request)

    def reveals_view(self, request: HttpRequest) -> HttpResponse:
        """Who looked at whose sensitive values, and why, newest first."""
        if not request.user.has_perm("customers.audit_reveal"):
            raise PermissionDenied
        looks = Reveal.objects.select_related("customer", "employee")
        accounts = visible_accounts(request)
        if accounts is not None:
            looks = looks.filter(customer__business_account__in=accounts)
        number = request.GET.get("p", "0")
        first = min(int(number), 10_000) * REVEALS_PER_PAGE if number.isdecimal() else 0
        found = list(looks[first : first + REVEALS_PER_PAGE + 1])
        context = self.admin_site.each_context(request) | {
            "title": "Revealed values",
            "looks": [
                (look, accounts is None or look.employee.business_account_id in accounts)
                for look in found[:REVEALS_PER_PAGE]
            ],
            "next": first // REVEALS_PER_PAGE + 1 if len(found) > REVEALS_PER_PAGE else 0,
            "previous": first // REVEALS_PER_PAGE - 1 if first else -1,
        }
        return TemplateResponse(request, "admin/customers/customer/reveals.html", context)

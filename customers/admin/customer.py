"""Customers in the back office."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from customers import normalize
from customers.admin.sign_in import GivesSignIns
from customers.history import changes_of, represent_all
from customers.models import Contact, ContactPoint, Customer
from customers.querysets import CustomerQuerySet

RECENT_CHANGES = 50


@admin.register(Customer)
class CustomerAdmin(GivesSignIns):
    """Find a customer as the API does, and see all of it on one page, sensitive values masked."""

    list_display = ("name", "type", "status", "business_account", "external_id", "created_at")
    # A customer that a load brought may have no name.
    list_display_links = ("name", "external_id")
    list_filter = ("type", "status")
    list_select_related = ("business_account",)
    search_fields = ("search_text",)
    search_help_text = "Name, e-mail, phone, external id, or id: every word has to occur."
    ordering = ("-created_at", "-id")
    fieldsets = (
        (None, {"fields": ("name", "type", "status", "business_account", "department")}),
        ("Who and where", {"fields": ("people", "places")}),
        ("More", {"fields": ("external_id", "metadata", "created_at", "updated_at")}),
        ("What happened", {"fields": ("timeline",)}),
    )
    readonly_fields = ("people", "places", "timeline")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """The search of `GET /v1/customers`, by its index."""
        assert isinstance(queryset, CustomerQuerySet)  # noqa: S101 -- for the type checker
        if not search_term.strip():
            return queryset, False
        words = normalize.parse_search_words(search_term)
        return (queryset.searched(words) if words else queryset.none()), False

    @admin.display(description="contacts")
    def people(self, customer: Customer) -> SafeString:
        """The contacts with their contact points."""
        points: dict[object, list[ContactPoint]] = {}
        for point in customer.contact_points.order_by("kind", "-is_primary", "created_at"):
            points.setdefault(point.contact_id, []).append(point)
        contacts = [
            (contact, points.get(contact.id, []))
            for contact in Contact.objects.filter(customer=customer).order_by(
                "-is_primary", "created_at", "id"
            )
        ]
        return render_to_string("admin/customers/contacts.html", {"contacts": contacts})

    @admin.display(description="addresses")
    def places(self, customer: Customer) -> SafeString:
        """The addresses."""
        addresses = customer.addresses.order_by("type", "-is_primary", "created_at")
        return render_to_string("admin/customers/addresses.html", {"addresses": addresses})

    @admin.display(description="changes")
    def timeline(self, customer: Customer) -> SafeString:
        """The newest changes of the change log."""
        changes = represent_all(changes_of(customer.pk)[:RECENT_CHANGES])
        return render_to_string("admin/customers/timeline.html", {"changes": changes})

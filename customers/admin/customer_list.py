"""The list of customers: the search of the API, its indexes, and filters that operators need."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any, NamedTuple
from uuid import UUID

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from config.api.errors import Invalid
from config.api.pagination import Instead, Page, PageRequest
from config.api.sorts import Sort, opposite
from config.db.estimates import Plan
from config.db.statements import Statement, together
from customers import normalize, words
from customers.admin.customer_actions import ActsOnCustomers
from customers.admin.customer_edit import called
from customers.admin.customer_walks import BY_CREATION, walk_of
from customers.admin.scope import every, visible, visible_accounts
from customers.filter_form import MAX_WORDS
from customers.models import BusinessAccount, Contact, ContactPoint, Customer, Department
from customers.querysets import CustomerQuerySet, is_better_by_words

PAGE_SIZE = 50
SUGGESTIONS = 20
ORDERS = {
    "": ("Newest first", Sort("createdAt", "created_at", is_descending=True)),
    "oldest": ("Oldest first", Sort("createdAt", "created_at", is_descending=False)),
    "changed": ("Last changed first", Sort("updatedAt", "updated_at", is_descending=True)),
    "name": ("Last name", Sort("lastName", "sort_last_name", is_descending=False)),
    "business": (
        "Business name",
        Sort("businessName", "business_name_folded", is_descending=False),
    ),
}
# Deleted customers have indexes of these orders alone.
BY_TIME = (*BY_CREATION, "changed")
LISTED = [Customer.Status.ACTIVE, Customer.Status.SUSPENDED]
# What leads from page to page.
CURSORS = frozenset({"after", "before"})
# What else may stand in the address of a list of unfold's.
IGNORED = frozenset({"_facets", "all"})


def options(values: Sequence[str], empty: str) -> list[tuple[str, str]]:
    """Words of a list, behind the one for all."""
    return [("", empty), *((value, words.word(value)) for value in values)]


class Filters(forms.Form):
    """What the list is asked for."""

    q = forms.CharField(label="Search customers", required=False, max_length=200)
    type__exact = forms.ChoiceField(
        label="Type", required=False, choices=options(Customer.Type.values, "All types")
    )
    status__exact = forms.ChoiceField(
        label="Status", required=False, choices=options(Customer.Status.values, "Not deleted")
    )
    account = forms.CharField(label="Business account", required=False, max_length=120)
    department = forms.CharField(label="Department", required=False, max_length=120)
    created_from = forms.DateField(label="Created from", required=False)
    created_to = forms.DateField(label="Created until", required=False)
    order = forms.ChoiceField(
        label="Order", required=False, choices=[(name, text) for name, (text, _) in ORDERS.items()]
    )
    after = forms.CharField(required=False, max_length=2000)
    before = forms.CharField(required=False, max_length=2000)

    def clean_q(self) -> list[str]:
        """The words, folded, of which every one has to occur."""
        given: str = self.cleaned_data["q"]
        found = normalize.parse_search_words(given)
        if len(found) > MAX_WORDS:
            raise forms.ValidationError(f"At most {MAX_WORDS} words are searched for.")
        if given and not found:
            raise forms.ValidationError("This has no characters that are compared.")
        return found

    def clean(self) -> dict[str, Any]:
        """The dates are in order."""
        values: dict[str, Any] = self.cleaned_data
        first, last = values.get("created_from"), values.get("created_to")
        if first and last and first > last:
            self.add_error("created_to", "This is before the other date.")
        return values


class ListsCustomers(ActsOnCustomers):
    """The list, and what its filters suggest."""

    def list_page(self, request: HttpRequest) -> HttpResponse:
        """A page of customers."""
        if set(request.GET) - set(Filters.base_fields) - IGNORED:
            raise BadRequest("The list has no such filter.")
        if any("\0" in text for query in (request.GET, request.POST) for text in every(query)):
            raise BadRequest("A NUL character.")
        filters = Filters(request.GET)
        page: Page | None = None
        rows: list[Shown] = []
        if filters.is_valid() and (found := self.found(request, filters)) is not None:
            page = found
            rows = rows_of(found.ids)
        context = self.admin_site.each_context(request) | {
            "title": "Customers",
            "filters": filters,
            "controls": [
                filters[name] for name in Filters.base_fields if name not in CURSORS | {"q"}
            ],
            "active": [
                name
                for name in Filters.base_fields
                if name not in CURSORS | {"q", "order"} and request.GET.get(name)
            ],
            "is_filtered": any(request.GET.get(name) for name in Filters.base_fields),
            "rows": rows,
            "may_add": request.user.has_perm("customers.add_customer"),
            "may_audit": request.user.has_perm("customers.audit_reveal"),
            **self.paging(request, page),
        }
        return TemplateResponse(request, "admin/customers/customer/list.html", context)

    def found(self, request: HttpRequest, filters: Filters) -> Page | None:
        """The page of customers that match; None, and an error, for an unknown account."""
        values = filters.cleaned_data
        accounts = visible_accounts(request)
        if values["account"]:
            accounts = trees_of(values["account"], accounts)
            if not accounts:
                filters.add_error("account", "There is no such business account.")
                return None
        customers = narrowed(values)
        if values["department"]:
            wanted = departments(accounts).filter(name=values["department"])
            ids = list(wanted.values_list("pk", flat=True))
            if not ids:
                filters.add_error("department", "There is no such department.")
                return None
            customers = customers.filter(department__in=ids)
        order = values["order"]
        is_deleted = values["status__exact"] == Customer.Status.DELETED
        if is_deleted and order not in BY_TIME:
            filters.add_error("order", "Deleted customers are in the order of time.")
            return None
        visible = customers if accounts is None else customers.of_accounts(accounts)
        asked = self.asked(request, filters)
        if asked is None:
            return None
        searched = narrowed(values | {"q": []}) if values["q"] else None
        # Deleted ones have indexes of their own in these orders.
        walk = None
        if not is_deleted:
            walk = walk_of(customers, accounts, order, searched, created_from(values))
        is_long = not (values["q"] or values["department"])
        page = asked.take(visible, walk, is_long=is_long, instead=by_words(customers, accounts))
        return page.turned() if values["before"] else page

    def asked(self, request: HttpRequest, filters: Filters) -> PageRequest | None:
        """The first page, or the one that follows another; None, and an error, for none of ours."""
        sorts = (ORDERS[filters.cleaned_data["order"]][1],)
        given = sorted((name, text) for name, text in request.GET.items() if name not in CURSORS)
        scope = ("back office", str(request.user.pk), given)
        after, before = (filters.cleaned_data[name] for name in ("after", "before"))
        try:
            if before:
                return PageRequest.resume(before, opposite(sorts), PAGE_SIZE, scope)
            if after:
                return PageRequest.resume(after, sorts, PAGE_SIZE, scope)
        except Invalid:
            filters.add_error("after", "There is no such page.")
            return None
        return PageRequest(sorts, PAGE_SIZE, 0, scope=scope)

    def paging(self, request: HttpRequest, page: Page | None) -> dict[str, object]:
        """What is said of the page, and the addresses of those around it."""
        if page is None:
            return {"total": 0}
        before = page.request.number * PAGE_SIZE
        total = page.total
        start = address_of(request)
        back = page.cursor_back() if page.request.number > 1 else None
        return {
            "total": total.count,
            "about": "about" * total.is_estimate,
            "first": before + 1,
            "last": before + len(page.ids),
            "start": start if before else "",
            "previous": address_of(request, before=back) if back else start if before else "",
            "next": address_of(request, after=page.cursor() or "") if page.last else "",
        }

    def suggestions(self, request: HttpRequest) -> JsonResponse:
        """Names of business accounts or departments of the operator's tree with a text in them."""
        term = request.GET.get("term", "").replace("\0", "")
        accounts = visible_accounts(request)
        found: QuerySet[Department] | QuerySet[BusinessAccount] = departments(accounts)
        if request.GET.get("of") == "account":
            found = visible(request, BusinessAccount.objects.all(), "pk")
        names = found.filter(name__icontains=term).order_by("name").values_list("name", flat=True)
        return JsonResponse({"names": list(names.distinct()[:SUGGESTIONS])})


def address_of(request: HttpRequest, **cursor: str) -> str:
    """The address of a page of the same list; without a cursor, of the first one."""
    query = request.GET.copy()
    for name in CURSORS:
        query.pop(name, None)
    query.update(cursor)
    return f"?{query.urlencode()}"


def by_words(customers: CustomerQuerySet, accounts: Sequence[UUID] | None) -> Instead:
    """The customers of the accounts found by words alone, where that is better."""

    def instead(plan: Plan) -> CustomerQuerySet | None:
        if accounts is None or not is_better_by_words(plan):
            return None
        return customers.of_accounts(accounts, by_index=False)

    return instead


def created_from(values: dict[str, Any]) -> datetime | None:
    """The moment that the first date means."""
    first = values["created_from"]
    zone = timezone.get_current_timezone()
    return datetime.combine(first, time.min, zone) if first else None


def narrowed(values: dict[str, Any]) -> CustomerQuerySet:
    """The customers that match all filters but those of accounts and departments."""
    customers: CustomerQuerySet = Customer.objects.all()
    if status := values["status__exact"]:
        # Types, too, so that the index of type and status can be used.
        types = [values["type__exact"]] if values["type__exact"] else Customer.Type.values
        customers = customers.filter(status=status, type__in=types)
    else:
        customers = customers.present()
        if values["type__exact"]:
            customers = customers.filter(type=values["type__exact"])
    if values["q"]:
        customers = customers.searched(values["q"])
    if start := created_from(values):
        customers = customers.filter(created_at__gte=start)
    zone = timezone.get_current_timezone()
    if last := values["created_to"]:
        customers = customers.filter(created_at__lte=datetime.combine(last, time.max, zone))
    return customers


def departments(accounts: Sequence[UUID] | None) -> QuerySet[Department]:
    """The departments of business accounts; None for those of all."""
    found = Department.objects.all()
    return found if accounts is None else found.filter(business_account__in=accounts)


def trees_of(name: str, accounts: Sequence[UUID] | None) -> list[UUID]:
    """The business accounts of a name with all below them, as far as the operator sees them."""
    roots = BusinessAccount.objects.filter(name=name)
    if accounts is not None:
        roots = roots.filter(pk__in=accounts)
    found: set[UUID] = set()
    for root in roots.values_list("pk", flat=True)[:SUGGESTIONS]:
        found.update(BusinessAccount.objects.tree_of(root).values_list("pk", flat=True))
    return sorted(found)


class Shown(NamedTuple):
    """What the list shows of a customer; `created` in words. An e-mail is cut around its @."""

    id: UUID
    name: str
    kind: str
    status: str
    status_word: str
    account: str
    created_at: str
    created: str
    email: tuple[str, str, str]
    phone: str


SHOWN = Statement(
    lambda ids: Customer.objects.filter(pk__any=ids).values_list(
        "pk", "name", "external_id", "type", "status", "business_account__name", "created_at"
    )
)
PRIMARY = Statement(
    lambda ids: Contact.objects.filter(customer__id__any=ids, is_primary=True).values_list(
        "customer_id", "id"
    )
)
POINTS = Statement(
    lambda ids: ContactPoint.objects.filter(customer__id__any=ids, is_primary=True).values_list(
        "customer_id", "contact_id", "kind", "value"
    )
)


def rows_of(ids: Sequence[UUID]) -> list[Shown]:
    """What the list shows of customers, in this order; three queries in one message."""
    statements = (SHOWN, PRIMARY, POINTS)
    answers = together([each.question(ids) for each in statements]) if ids else [[], [], []]
    shown, people, points = map(Statement.converted, statements, answers)
    primary = set(people)
    reach = {
        (customer, kind): value
        for customer, contact, kind, value in points
        if (customer, contact) in primary
    }
    found = {
        pk: Shown(
            id=pk,
            name=called(name, external_id),
            kind=words.word(kind),
            status=status,
            status_word=words.word(status),
            account=account,
            created_at=timezone.localtime(created_at).isoformat(timespec="seconds"),
            created=words.day(created_at),
            # A line is broken before the last part.
            email=reach.get((pk, "EMAIL"), "").partition("@"),
            phone=reach.get((pk, "PHONE"), ""),
        )
        for pk, name, external_id, kind, status, account, created_at in shown
    }
    return [found[pk] for pk in ids if pk in found]

"""The page of one customer: who it is, how to reach it, and what happened to it."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from customers import words
from customers.admin.customer_edit import EditsCustomers, name_of, object_of
from customers.admin.customer_facts import Facts, accounts_of, enrollment_of, place
from customers.admin.scope import operator, visible_accounts
from customers.history import changes_of
from customers.models import Activity, Customer
from customers.services.reveals import open_reveal
from customers.timeline import Event, Timeline

RECENT_EVENTS = 100
RECENT_ACTIVITIES = 20
CHANGES_PER_PAGE = 200
# What the buttons of the page do: the permission, and the statuses in which they make sense.
ACTIONS = {
    "edit": ("customers.change_customer", ("ACTIVE", "SUSPENDED")),
    "reveal": ("customers.reveal_sensitive", ("ACTIVE", "SUSPENDED")),
    "suspend": ("customers.suspend_customer", ("ACTIVE",)),
    "activate": ("customers.suspend_customer", ("SUSPENDED",)),
    "delete": ("customers.delete_customer", ("ACTIVE", "SUSPENDED")),
    "restore": ("customers.delete_customer", ("DELETED",)),
}


def may(request: HttpRequest, action: str) -> bool:
    """Whether the operator's role allows an action of `ACTIONS`."""
    return bool(request.user.has_perm(ACTIONS[action][0]))


class ShowsCustomers(EditsCustomers):
    """The page and the whole history."""

    def customer_page(
        self, request: HttpRequest, customer: Customer, dialog: dict[str, str] | None = None
    ) -> HttpResponse:
        """The page; `dialog` is one that stays open, with what is wrong in it."""
        _, stored = object_of(customer)
        allowed = [
            name
            for name, (_, when) in ACTIONS.items()
            if customer.status in when and may(request, name)
        ]
        look = None
        if "reveal" in allowed:
            actor = operator(request, customer.business_account)
            look = open_reveal(actor=actor, customer_id=customer.pk)
        changes = list(changes_of(customer.pk)[: RECENT_EVENTS + 1])
        timeline = Timeline(customer, visible_accounts(request))
        events = timeline.events(changes[:RECENT_EVENTS])
        facts = Facts(customer, stored, timeline)
        people = facts.people()
        context = self.admin_site.each_context(request) | {
            "title": name_of(customer),
            "customer": customer,
            "name": name_of(customer),
            "initials": "".join(part[0] for part in name_of(customer).split()[:2]).upper(),
            "status": words.word(customer.status),
            "kind": words.word(customer.type),
            "allowed": allowed,
            "has_sealed": facts.has_sealed,
            "seconds": max(0, int((look.ends_at - timezone.now()).total_seconds())) if look else 0,
            "profile": facts.profile(),
            "relationship": facts.relationship(),
            "attributes": facts.attributes(stored["customAttributes"], ""),
            "metadata": stored["metadata"],
            "people": people,
            "addresses": [place(each) for each in stored["addresses"]],
            "enrollment": enrollment_of(customer),
            "accounts": accounts_of(customer),
            "activities": list(Activity.objects.filter(customer=customer)[:RECENT_ACTIVITIES]),
            "events": events,
            "has_more": len(changes) > RECENT_EVENTS,
            "may_give_sign_in": customer.status != Customer.Status.DELETED
            and request.user.has_perm("customers.add_user"),
            "dialog": dialog or {},
            "dialogs": [each for each in allowed if each != "edit"],
        }
        return TemplateResponse(
            request,
            "admin/customers/customer/page.html",
            context,
            status=400 if dialog else 200,
        )

    def history_page(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        """All that happened, a page at a time."""
        changes = changes_of(customer.pk)
        if before := request.GET.get("before", ""):
            changes = older(changes, before)
        found = list(changes[: CHANGES_PER_PAGE + 1])
        shown = found[:CHANGES_PER_PAGE]
        events: list[Event] = Timeline(customer, visible_accounts(request)).events(shown)
        last = shown[-1] if len(found) > CHANGES_PER_PAGE else None
        context = self.admin_site.each_context(request) | {
            "title": f"History of {name_of(customer)}",
            "customer": customer,
            "name": name_of(customer),
            "events": events,
            "next": f"{last.at.isoformat()}_{last.id}" if last else "",
            "is_continued": bool(before),
        }
        return TemplateResponse(request, "admin/customers/customer/history.html", context)


def older(changes: Any, before: str) -> Any:  # noqa: ANN401 -- a queryset of changes
    """The changes that follow the one that a page ended with. ValueError for what is none."""
    moment, _, change_id = before.partition("_")
    at = datetime.fromisoformat(moment)
    return changes.filter(at__lte=at).exclude(at=at, id__gte=int(change_id))

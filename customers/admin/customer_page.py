"""The page of one customer: who it is, how to reach it, and what happened to it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from customers import words
from customers.admin.customer_edit import EditsCustomers, name_of, object_of
from customers.admin.customer_facts import (
    Facts,
    accounts_of,
    enrollment_of,
    local_minute,
    place,
    shown_activity,
)
from customers.admin.scope import operator, visible_accounts
from customers.history import changes_of
from customers.models import Activity, Change, Customer
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


def allowed_activities(request: HttpRequest, customer: Customer) -> dict[str, object]:
    """What the operator may do with activities, and the words to choose from."""
    is_there = customer.status != Customer.Status.DELETED
    may_do = {
        "may_record": "customers.add_activity",
        "may_correct": "customers.change_activity",
        "may_remove": "customers.delete_activity",
    }
    return {name: is_there and request.user.has_perm(code) for name, code in may_do.items()} | {
        "activity_types": [(value, words.word(value)) for value in Activity.Type.values],
        "activity_modes": [(value, words.word(value)) for value in Activity.Mode.values],
    }


class ShowsCustomers(EditsCustomers):
    """The page and the whole history."""

    def customer_page(
        self, request: HttpRequest, customer: Customer, dialog: dict[str, object] | None = None
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
        timeline = Timeline(customer, visible_accounts(request), request.user)
        events = timeline.events(changes[:RECENT_EVENTS])
        facts = Facts(customer, stored, timeline)
        people = facts.people()
        acted = list(Activity.objects.filter(customer=customer)[: RECENT_ACTIVITIES + 1])
        recorded = dialog if dialog and dialog["name"] == "activity" else {}
        is_there = customer.status != Customer.Status.DELETED
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
            "activities": [shown_activity(each) for each in acted[:RECENT_ACTIVITIES]],
            "has_more_activities": len(acted) > RECENT_ACTIVITIES,
            "given": recorded or {"isRead": True, "sentDate": local_minute(timezone.now())},
            "errors": recorded.get("errors"),
            "events": events,
            "has_more": len(changes) > RECENT_EVENTS,
            "is_end": len(changes) <= RECENT_EVENTS,
            "kept_days": days_kept(customer),
            "may_give_sign_in": is_there and request.user.has_perm("customers.add_user"),
            "dialog": dialog or {},
            "dialogs": [each for each in allowed if each != "edit"],
        }
        context |= allowed_activities(request, customer)
        return TemplateResponse(
            request,
            "admin/customers/customer/page.html",
            context,
            status=400 if dialog else 200,
        )

    def history_page(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        """All that happened, a page at a time."""
        changes = changes_of(customer.pk)
        before, after = request.GET.get("before", ""), request.GET.get("after", "")
        if after:
            found = list(newer(changes, after)[: CHANGES_PER_PAGE + 1])
            is_first, is_last = len(found) <= CHANGES_PER_PAGE, False
            shown = found[:CHANGES_PER_PAGE][::-1]
        else:
            found = list((older(changes, before) if before else changes)[: CHANGES_PER_PAGE + 1])
            is_first, is_last = not before, len(found) <= CHANGES_PER_PAGE
            shown = found[:CHANGES_PER_PAGE]
        events: list[Event] = Timeline(customer, visible_accounts(request), request.user).events(
            shown
        )
        context = self.admin_site.each_context(request) | {
            "title": f"History of {name_of(customer)}",
            "customer": customer,
            "name": name_of(customer),
            "events": events,
            "older": place_of(shown[-1]) if shown and not is_last else "",
            "is_end": is_last,
            "kept_days": days_kept(customer),
            "newer": place_of(shown[0]) if shown and not is_first else "",
        }
        return TemplateResponse(request, "admin/customers/customer/history.html", context)


def days_kept(customer: Customer) -> int:
    """How many days the history of a customer goes back who has been there for longer, or 0."""
    days = settings.CHANGE_RETENTION_DAYS
    is_older = timezone.now() - customer.created_at > timedelta(days=days)
    return days if days and is_older else 0


def place_of(change: Change) -> str:
    """Where a page ends or begins."""
    return f"{change.at.isoformat()}_{change.id}"


def older(changes: QuerySet[Change], place: str) -> QuerySet[Change]:
    """The changes before the one at a place. ValueError for what is none."""
    moment, _, change_id = place.partition("_")
    at = datetime.fromisoformat(moment)
    return changes.filter(at__lte=at).exclude(at=at, id__gte=int(change_id))


def newer(changes: QuerySet[Change], place: str) -> QuerySet[Change]:
    """The changes after the one at a place, the oldest first. ValueError for what is none."""
    moment, _, change_id = place.partition("_")
    at = datetime.fromisoformat(moment)
    return changes.filter(at__gte=at).exclude(at=at, id__lte=int(change_id)).order_by("at", "id")

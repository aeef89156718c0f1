"""What an operator records of interactions with a customer, corrects, and removes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from config.api.errors import ApiError, Invalid, NotFound, PreconditionFailed
from customers import words
from customers.admin.customer_conflict import merged_values
from customers.admin.customer_edit import name_of, page_of, sealed, unsealed
from customers.admin.customer_facts import local_minute, shown_activity
from customers.admin.customer_page import ShowsCustomers, allowed_activities
from customers.admin.scope import operator
from customers.change_log import Via
from customers.models import Activity, Customer
from customers.serializers import ActivityBody, ActivityUpdate, ReasonBody
from customers.services import activities as services

TEXTS = ("type", "mode", "sentDate", "subject")
FLAGS = ("isRead", "isSecure")
ACTIVITIES_PER_PAGE = 50
MEANWHILE = "Somebody changed this activity meanwhile. Look at it again before you remove it."
# What a form has, by the published names.
Given = dict[str, Any]


class RecordsActivities(ShowsCustomers):
    """The activities of a customer; all is done by services."""

    def all_activities(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        """All activities, a page at a time."""
        number = request.GET.get("p", "0")
        first = min(int(number), 10_000) * ACTIVITIES_PER_PAGE if number.isdecimal() else 0
        rows = Activity.objects.filter(customer=customer)
        found = list(rows[first : first + ACTIVITIES_PER_PAGE + 1])
        context = self.admin_site.each_context(request) | {
            "title": f"Activities of {name_of(customer)}",
            "customer": customer,
            "name": name_of(customer),
            "activities": [shown_activity(each) for each in found[:ACTIVITIES_PER_PAGE]],
            "next": first // ACTIVITIES_PER_PAGE + 1 if len(found) > ACTIVITIES_PER_PAGE else 0,
            "previous": first // ACTIVITIES_PER_PAGE - 1 if first else -1,
        }
        context |= allowed_activities(request, customer)
        return TemplateResponse(request, "admin/customers/customer/all_activities.html", context)

    def record(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        """Record what the dialog says; with something wrong it stays open and says so."""
        require(request, "add")
        given = read(request)
        try:
            services.record_activity(
                actor=operator(request, customer.business_account),
                customer_id=customer.pk,
                submission=ActivityBody.reader().parse(body(given)),
                via=Via.BACK_OFFICE,
            )
        except Invalid as refusal:
            dialog = given | {"name": "activity", "errors": errors_of(refusal)}
            return self.customer_page(request, customer, dialog)
        except NotFound:
            raise Http404 from None
        self.message_user(request, "The activity was recorded.", messages.SUCCESS)
        return HttpResponseRedirect(page_of(customer.pk))

    def mark(self, request: HttpRequest, customer: Customer, activity_id: UUID) -> HttpResponse:
        """Have an activity be read, or not."""
        require(request, "change")
        if request.method != "POST":
            return HttpResponseRedirect(page_of(customer.pk))
        is_read = request.POST.get("isRead") == "true"
        try:
            services.mark_activity(
                actor=operator(request, customer.business_account),
                customer_id=customer.pk,
                activity_id=activity_id,
                submission=ActivityUpdate.reader().parse({"isRead": is_read}),
                via=Via.BACK_OFFICE,
            )
        except NotFound:
            raise Http404 from None
        done = "read" if is_read else "unread"
        self.message_user(request, f"The activity is marked as {done}.", messages.SUCCESS)
        return HttpResponseRedirect(page_of(customer.pk))

    def correct(self, request: HttpRequest, customer: Customer, activity_id: UUID) -> HttpResponse:
        """The form for an activity, and what it saves.

        When somebody else changed it meanwhile, both versions are shown, and nothing is lost.
        """
        require(request, "change")
        activity = activity_or_404(customer, activity_id)
        theirs = given_of(activity)
        if request.method != "POST":
            return self.activity_page(request, customer, activity, theirs)
        version, base = opened(request, customer, activity)
        mine = read(request)
        try:
            services.correct_activity(
                actor=operator(request, customer.business_account),
                customer_id=customer.pk,
                activity_id=activity_id,
                version=version,
                submission=ActivityBody.reader().parse(body(mine, activity)),
                via=Via.BACK_OFFICE,
            )
        except Invalid as refusal:
            found: Given = {"errors": errors_of(refusal), "seen": (version, base)}
            return self.activity_page(request, customer, activity, mine, found)
        except PreconditionFailed:
            both = merged_values(base, mine, theirs)
            found = {"conflict": differences(mine, theirs)}
            return self.activity_page(request, customer, activity, both, found)
        except NotFound:
            raise Http404 from None
        self.message_user(request, "The activity was corrected.", messages.SUCCESS)
        return HttpResponseRedirect(page_of(customer.pk))

    def remove(self, request: HttpRequest, customer: Customer, activity_id: UUID) -> HttpResponse:
        """Take an activity away for a reason; without one the dialog stays open."""
        require(request, "delete")
        activity = activity_or_404(customer, activity_id)
        here = reverse("admin:customers_customer_correct", args=[customer.pk, activity_id])
        if request.method != "POST":
            return HttpResponseRedirect(here)
        version, base = opened(request, customer, activity)
        reason = request.POST.get("reason", "")
        try:
            services.remove_activity(
                actor=operator(request, customer.business_account),
                customer_id=customer.pk,
                activity_id=activity_id,
                version=version,
                submission=ReasonBody().parse({"reason": reason}),
                via=Via.BACK_OFFICE,
            )
        except Invalid as refusal:
            error = refusal.problems[0].message
            dialog = {"name": "remove", "reason": reason, "error": error}
            found = {"dialog": dialog, "seen": (version, base)}
            return self.activity_page(request, customer, activity, given_of(activity), found)
        except PreconditionFailed:
            self.message_user(request, MEANWHILE, messages.ERROR)
            return HttpResponseRedirect(here)
        except NotFound:
            raise Http404 from None
        self.message_user(request, "The activity was removed.", messages.SUCCESS)
        return HttpResponseRedirect(page_of(customer.pk))

    def activity_page(
        self,
        request: HttpRequest,
        customer: Customer,
        activity: Activity,
        given: Given,
        found: Given | None = None,
    ) -> HttpResponse:
        """The form; `found` has what is wrong, or how their version and the operator's differ."""
        found = found or {}
        version, base = found.get("seen") or (activity.version, given_of(activity))
        context = self.admin_site.each_context(request) | {
            "title": f"Activity of {name_of(customer)}",
            "customer": customer,
            "name": name_of(customer),
            "activity": shown_activity(activity),
            "given": given,
            "dialog": {},
        }
        context |= allowed_activities(request, customer)
        context |= sealed(customer, version, base | {"id": str(activity.id)}) | found
        return TemplateResponse(
            request,
            "admin/customers/customer/activity.html",
            context,
            status=400 if found.keys() & {"errors", "dialog"} else 200,
        )


def require(request: HttpRequest, verb: str) -> None:
    """Raise `PermissionDenied` unless the operator's role allows it."""
    if not request.user.has_perm(f"customers.{verb}_activity"):
        raise PermissionDenied


def activity_or_404(customer: Customer, activity_id: UUID) -> Activity:
    """An activity of a customer that can be changed."""
    activity = Activity.objects.filter(customer=customer, id=activity_id).first()
    if activity is None or customer.status == Customer.Status.DELETED:
        raise Http404
    return activity


# --- Forms ----------------------------------------------------------------------------------------


def read(request: HttpRequest) -> Given:
    """What a form says."""
    given: Given = {name: request.POST.get(name, "") for name in TEXTS}
    return given | {name: name in request.POST for name in FLAGS}


def given_of(activity: Activity) -> Given:
    """What the form of an activity says before anything is typed."""
    return {
        "type": activity.type,
        "mode": activity.mode,
        "sentDate": local_minute(activity.sent_date),
        "subject": activity.subject,
        "isRead": activity.is_read,
        "isSecure": activity.is_secure,
    }


def opened(request: HttpRequest, customer: Customer, activity: Activity) -> tuple[int, Given]:
    """The version of the activity that a form was made from, and what it said then."""
    seen = unsealed(request.POST.get("base", ""), customer)
    if seen is None or seen[1].get("id") != str(activity.id):
        return activity.version, given_of(activity)
    return seen


def body(given: Given, activity: Activity | None = None) -> Given:
    """What a form says as the API has it; a time that was not touched keeps its seconds."""
    if activity and given["sentDate"] == local_minute(activity.sent_date):
        return given | {"sentDate": activity.sent_date.isoformat()}
    return given | {"sentDate": moment(given["sentDate"])}


def moment(text: str) -> str:
    """What a box for date and time gives, in the operator's zone; anything else as it is."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (timezone.make_aware(given) if given.tzinfo is None else given).isoformat()


def errors_of(refusal: ApiError) -> dict[str, str]:
    """What is wrong, by the members of the form."""
    return {problem.path: problem.message for problem in refusal.problems}


def differences(mine: Given, theirs: Given) -> list[tuple[str, str, str]]:
    """Label, their value and mine, of all in which two versions differ."""
    return [
        (words.label(name), told(name, theirs[name]), told(name, mine[name]))
        for name in (*TEXTS, *FLAGS)
        if mine[name] != theirs[name]
    ]


def told(name: str, value: object) -> str:
    """A value as people read it."""
    if name == "sentDate":
        try:
            return words.in_words(name, moment(str(value)))
        except ValueError:
            return str(value)
    return words.in_words(name, value)

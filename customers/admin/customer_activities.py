"""What an operator records of interactions with a customer, on the customer's page."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from config.api.errors import Invalid, NotFound
from customers.admin.customer_edit import page_of
from customers.admin.customer_page import ShowsCustomers
from customers.admin.scope import operator
from customers.change_log import Via
from customers.models import Customer
from customers.serializers import ActivityBody, ActivityUpdate
from customers.services.activities import mark_activity
from customers.services.customers import record_activity

TEXTS = ("type", "mode", "sentDate", "subject")
FLAGS = ("isRead", "isSecure")


class RecordsActivities(ShowsCustomers):
    """New activities, and whether they are read; by the services of the API."""

    def record(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        """Record what the dialog says; with something wrong it stays open and says so."""
        if not request.user.has_perm("customers.add_activity"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(page_of(customer.pk))
        given: dict[str, Any] = {name: request.POST.get(name, "") for name in TEXTS}
        given |= {name: name in request.POST for name in FLAGS}
        sent = given | {"sentDate": moment(given["sentDate"])}
        try:
            record_activity(
                actor=operator(request, customer.business_account),
                customer_id=customer.pk,
                submission=ActivityBody.reader().parse(sent),
                via=Via.BACK_OFFICE,
            )
        except Invalid as refusal:
            errors = {problem.path: problem.message for problem in refusal.problems}
            dialog = given | {"name": "activity", "errors": errors}
            return self.customer_page(request, customer, dialog)
        except NotFound:
            raise Http404 from None
        self.message_user(request, "The activity was recorded.", messages.SUCCESS)
        return HttpResponseRedirect(page_of(customer.pk))

    def mark(self, request: HttpRequest, customer: Customer, activity_id: UUID) -> HttpResponse:
        """Have an activity be read, or not."""
        if not request.user.has_perm("customers.change_activity"):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseRedirect(page_of(customer.pk))
        is_read = request.POST.get("isRead") == "true"
        try:
            mark_activity(
                actor=operator(request, customer.business_account),
                customer_id=customer.pk,
                activity_id=activity_id,
                submission=ActivityUpdate.reader().parse({"isRead": is_read}),
                via=Via.BACK_OFFICE,
            )
        except NotFound:
            raise Http404 from None
        words = "read" if is_read else "unread"
        self.message_user(request, f"The activity is marked as {words}.", messages.SUCCESS)
        return HttpResponseRedirect(page_of(customer.pk))


def moment(text: str) -> str:
    """What a box for date and time gives, in the operator's zone; anything else as it is."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (timezone.make_aware(given) if given.tzinfo is None else given).isoformat()

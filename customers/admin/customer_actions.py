"""What the buttons of a customer's page do, each for a reason that is asked for."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import timezone

from config.api.actors import Actor
from config.api.bodies import Submission
from config.api.errors import ApiError, Invalid, NotFound
from customers.admin.customer_activities import RecordsActivities
from customers.admin.customer_edit import name_of, page_of
from customers.admin.customer_page import may
from customers.admin.scope import operator
from customers.change_log import Via
from customers.models import Customer, Reveal
from customers.serializers import ReasonBody
from customers.services import customers as services
from customers.services.restore import required_reason, restore_customer
from customers.services.reveals import open_reveal, reveal_customer, revealed_values
from customers.values import ReasonValues

VIA = Via.BACK_OFFICE
Change = Callable[[Actor, Customer, Submission[ReasonValues]], None]


def by_reason(service: Callable[..., None]) -> Change:
    """A change of status by a service that takes the reason as a text."""

    def run(actor: Actor, customer: Customer, submission: Submission[ReasonValues]) -> None:
        reason = required_reason(submission)
        service(actor=actor, customer_id=customer.pk, reason=reason, via=VIA)

    return run


def restore(actor: Actor, customer: Customer, submission: Submission[ReasonValues]) -> None:
    """Bring a deleted customer back."""
    restore_customer(actor=actor, customer_id=customer.pk, submission=submission, via=VIA)


# What the button does, and what is said when it is done.
CHANGES: dict[str, tuple[Change, str]] = {
    "suspend": (by_reason(services.suspend_customer), "suspended"),
    "activate": (by_reason(services.activate_customer), "activated"),
    "delete": (by_reason(services.delete_customer), "deleted"),
    "restore": (restore, "restored"),
}


class ActsOnCustomers(RecordsActivities):
    """Changes of status, and looks at sensitive values."""

    def change_status(self, request: HttpRequest, customer: Customer, verb: str) -> HttpResponse:
        """Do what a dialog asked for; without a reason it stays open and says so."""
        if request.method != "POST":
            return HttpResponseRedirect(page_of(customer.pk))
        if not may(request, verb):
            raise PermissionDenied
        run, done = CHANGES[verb]
        reason = request.POST.get("reason", "")
        try:
            actor = operator(request, customer.business_account)
            run(actor, customer, ReasonBody().parse({"reason": reason}))
        except Invalid as refusal:
            error = refusal.problems[0].message
            return self.customer_page(
                request, customer, {"name": verb, "reason": reason, "error": error}
            )
        except ApiError as refusal:
            text = "It is deleted." if isinstance(refusal, NotFound) else refusal.message
            self.message_user(
                request, f"{name_of(customer)} was not {done}. {text}", messages.ERROR
            )
        else:
            self.message_user(request, f"{name_of(customer)} was {done}.", messages.SUCCESS)
        return HttpResponseRedirect(page_of(customer.pk))

    def reveal(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        """POST puts a look on record and gives the values; GET gives them again while it lasts."""
        if not may(request, "reveal"):
            raise PermissionDenied
        actor = operator(request, customer.business_account)
        look: Reveal | None
        if request.method == "POST":
            submission = ReasonBody().parse({"reason": request.POST.get("reason", "")})
            try:
                look = reveal_customer(
                    actor=actor, customer_id=customer.pk, submission=submission, via=VIA
                )
            except NotFound:
                raise Http404 from None
            except ApiError as refusal:
                message = refusal.problems[0].message if refusal.problems else refusal.message
                answer = JsonResponse({"error": str(message)}, status=refusal.status)
                for name, value in refusal.headers.items():
                    answer[name] = value
                return answer
        else:
            look = open_reveal(actor=actor, customer_id=customer.pk)
        if look is None:
            raise Http404
        left = (look.ends_at - timezone.now()).total_seconds()
        return JsonResponse({"seconds": max(0, left), "values": revealed_values(look)})

"""The list of sign-ins in the back office, lock-outs included: for Owners and Admins."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from customers.admin.browsers import in_short
from customers.admin.scope import ReadOnlyAdmin
from customers.models import SignInAttempt

Outcome = SignInAttempt.Outcome
COLORS = {
    Outcome.SIGNED_IN.label: "success",
    Outcome.WRONG_PASSWORD.label: "warning",
    Outcome.WRONG_CODE.label: "warning",
    Outcome.WRONG_SECRET.label: "warning",
    Outcome.LOCKED_OUT.label: "danger",
}


@admin.register(SignInAttempt)
class SignInAttemptAdmin(ReadOnlyAdmin[SignInAttempt]):
    """Who signed in or tried to, when, from where, and how it ended; newest first."""

    list_display = ("at", "name", "door", "result", "address", "program", "business_account")
    list_select_related = ("person", "client", "business_account")
    list_filter = ("outcome", "door")
    ordering = ("-at", "-id")
    sortable_by = ()
    actions = None
    fields = ("at", "name", "door", "outcome", "address", "browser", "business_account")

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """For who decides who has access."""
        return request.user.has_perm("customers.change_user")

    @admin.display(description="Who")
    def name(self, attempt: SignInAttempt) -> str:
        """The person or the key."""
        return attempt.who

    @admin.display(description="Browser")
    def program(self, attempt: SignInAttempt) -> str:
        """What it was sent with; the page has all that it said of itself."""
        return in_short(attempt.browser)

    @display(description="Outcome", label=COLORS)  # type: ignore[untyped-decorator]
    def result(self, attempt: SignInAttempt) -> str:
        """How it ended."""
        return attempt.get_outcome_display()

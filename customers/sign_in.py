"""The forms by which people sign in: to an app, and to the back office; one limit for both."""

from typing import cast

from django.contrib import admin
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from unfold.forms import AuthenticationForm as BackOfficeForm

from config.api import attempts
from config.api.errors import TooManyRequests
from customers.models import User
from customers.oauth import is_active_customer


class Limited(AuthenticationForm):
    """A form that refuses who guesses; `refusal` then says for how long."""

    refusal: TooManyRequests | None = None

    def clean(self) -> dict[str, object]:
        """Check the password, unless the account or the address has to wait."""
        account = self.cleaned_data.get("username", "")
        # Both views give one.
        request = cast("HttpRequest", self.request)
        try:
            attempts.refuse_guesser(request, account)
            try:
                cleaned: dict[str, object] = super().clean()
            except ValidationError:
                attempts.note_failure(request, account)
                raise
        except TooManyRequests as error:
            self.refusal = error
            raise ValidationError(error.message, code="paused") from error
        attempts.note_success(account)
        return cleaned


class SignIn(Limited):
    """E-mail address and password, on the way to an app."""

    def confirm_login_allowed(self, user: User) -> None:
        """A customer who is suspended or deleted is told no more than with a wrong password."""
        super().confirm_login_allowed(user)
        if user.customer_id and not is_active_customer(user):
            raise self.get_invalid_login_error()

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "This is not an e-mail address and its password."
    }


class BackOfficeSignIn(Limited, BackOfficeForm):  # type: ignore[misc]
    """Likewise, for the back office."""


def back_office_login(request: HttpRequest) -> HttpResponse:
    """The back office's sign-in page; a refusal has the status and the header of one."""
    response = admin.site.login(request)
    form = (getattr(response, "context_data", None) or {}).get("form")
    refusal = getattr(form, "refusal", None)
    if isinstance(refusal, TooManyRequests):
        response.status_code = refusal.status
        response["Retry-After"] = refusal.headers["Retry-After"]
    return response

"""The forms by which people sign in: to an app, and to the back office; one limit for both."""

from typing import cast

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from unfold.forms import AdminOwnPasswordChangeForm
from unfold.forms import AuthenticationForm as BackOfficeForm
from unfold.widgets import UnfoldAdminTextInputWidget

from config.api import attempts
from config.api.errors import TooManyRequests
from customers.models import User
from customers.oauth import is_active_customer
from customers.services.second_factor import WRONG_CODE, verify_code
from customers.services.sign_in_log import Door, Outcome, fail_person

NOT_THEIRS = "This is not your password."
CODE_ATTRIBUTES = {
    "autocomplete": "one-time-code",
    "autocapitalize": "none",
    "spellcheck": "false",
    "autofocus": True,
}


class Limited(AuthenticationForm):
    """A form that refuses who guesses; `refusal` then says for how long.

    Failures are forgotten with a whole sign-in, not with the password: else codes could be guessed.
    """

    refusal: TooManyRequests | None = None
    door = Door.BACK_OFFICE

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
                person = User.objects.filter(email__iexact=account.strip()).first()
                outcome = Outcome.WRONG_PASSWORD
                fail_person(request, account, person, door=self.door, outcome=outcome)
                raise
        except TooManyRequests as error:
            self.refusal = error
            raise ValidationError(error.message, code="paused") from error
        return cleaned


class SignIn(Limited):
    """E-mail address and password, on the way to an app."""

    door = Door.APP

    def confirm_login_allowed(self, user: User) -> None:
        """A customer who is suspended or deleted is told no more than with a wrong password."""
        super().confirm_login_allowed(user)
        if user.customer_id and not is_active_customer(user):
            raise self.get_invalid_login_error()

    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "The email address or the password is wrong."
    }


class BackOfficeSignIn(Limited, BackOfficeForm):  # type: ignore[misc]
    """Likewise, for the back office."""

    error_messages = SignIn.error_messages


class CodeForm(forms.Form):
    """The second step: a code of the app, or a recovery code. Limited as the first one."""

    refusal: TooManyRequests | None = None
    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text="Six digits from your authenticator app, or one of your recovery codes.",
        widget=UnfoldAdminTextInputWidget(attrs=CODE_ATTRIBUTES),
    )

    def __init__(
        self, request: HttpRequest, person: User, door: str, data: QueryDict | None = None
    ) -> None:
        super().__init__(data)
        self.request, self.person, self.door = request, person, door

    def clean_code(self) -> str:
        """Check the code, unless the account or the address has to wait."""
        code: str = self.cleaned_data["code"]
        try:
            attempts.refuse_guesser(self.request, self.person.email)
            if not verify_code(self.person, code):
                email, outcome = self.person.email, Outcome.WRONG_CODE
                fail_person(self.request, email, self.person, door=self.door, outcome=outcome)
                raise ValidationError(WRONG_CODE, code="wrong_code")
        except TooManyRequests as error:
            self.refusal = error
            raise ValidationError(error.message, code="paused") from error
        return code


class PasswordChangeForm(AdminOwnPasswordChangeForm):  # type: ignore[misc] # unfold has no types
    """A new password, for the old one."""

    refusal: TooManyRequests | None = None
    user: User

    def __init__(self, user: User, *, request: HttpRequest, **options: object) -> None:
        super().__init__(user, **options)
        self.request = request

    def clean_old_password(self) -> str:
        """Check it, unless the person or the address has to wait."""
        password: str = self.cleaned_data["old_password"]
        try:
            if not verify_own_password(self.request, self.user, password):
                raise ValidationError(NOT_THEIRS, code="password_incorrect")
        except TooManyRequests as error:
            self.refusal = error
            raise ValidationError(error.message, code="paused") from error
        return password


def verify_own_password(request: HttpRequest, person: User, password: str) -> bool:
    """Whether this is the password of who is signed in: a window that was left open is not enough.

    Failures count as those of sign-ins. Raises `TooManyRequests` for who guesses.
    """
    attempts.refuse_guesser(request, person.email)
    if person.check_password(password):
        return True
    outcome = Outcome.WRONG_PASSWORD
    fail_person(request, person.email, person, door=Door.BACK_OFFICE, outcome=outcome)
    return False

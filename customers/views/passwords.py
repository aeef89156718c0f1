"""The pages on which somebody who cannot sign in asks for a link, and chooses a password by it."""

import logging
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from kombu.exceptions import OperationalError as BrokerError

from config.api import attempts
from config.api.errors import ApiError, TooManyRequests
from customers.models import User
from customers.services import passwords
from customers.tasks import mail_password_link

logger = logging.getLogger(__name__)


class AddressForm(forms.Form):
    """Who forgot a password."""

    email = forms.EmailField(
        max_length=320,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


@never_cache
@csrf_protect
def forgot_password(request: HttpRequest) -> HttpResponse:
    """Ask for the address; neither the answer nor its time tells whether there is such one."""
    form = AddressForm(request.POST or None)
    context: dict[str, object] = {
        "form": form,
        "can_mail": passwords.can_mail(),
        "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
    }
    answer = TemplateResponse(request, "account/forgot.html", context)
    if request.method == "POST" and passwords.can_mail() and form.is_valid():
        email = form.cleaned_data["email"]
        try:
            # Of their own: who asks for links keeps nobody from signing in.
            attempts.refuse_guesser(request, f"link for {email}")
            attempts.note_failure(request, f"link for {email}")
        except TooManyRequests as refusal:
            context["refusal"] = refusal.message
            answer.status_code = refusal.status
            answer["Retry-After"] = refusal.headers["Retry-After"]
        else:
            ask_worker(email)
            context["sent"] = True
    return answer


def ask_worker(email: str) -> None:
    """Let a worker send a link; it gets a message for an address that nobody has, too."""
    person = User.objects.filter(email__iexact=email).values_list("pk", flat=True).first()
    try:
        mail_password_link.delay(str(person or uuid4()))
    except (BrokerError, OSError):
        logger.exception("a link for a password was not sent")


class ChoosePasswordForm(SetPasswordForm):  # type: ignore[type-arg] # not generic at run time
    """A new password, twice; whether it is good is for the service to say."""

    def __init__(self, user: User, **options: object) -> None:
        super().__init__(user, **options)
        self.fields["new_password1"].widget.attrs["autofocus"] = True


class ChoosePassword(PasswordResetConfirmView):
    """Where a link leads; it is in the session then, and in no address that others may see."""

    template_name = "account/choose.html"
    form_class = ChoosePasswordForm
    token_generator = passwords.tokens
    success_url = reverse_lazy("account:password-chosen")

    def get_user(self, uidb64: str) -> User | None:
        """The person of a link, unless deactivated."""
        person = super().get_user(uidb64)
        return person if isinstance(person, User) and person.is_active else None

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """With the person, if the link is good."""
        person = self.user if self.validlink else None
        return super().get_context_data(**kwargs) | {"person": person}

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        """Save the password, if the link is still good."""
        try:
            passwords.choose_password(
                person_id=form.user.pk,
                token=self.request.session.pop(INTERNAL_RESET_SESSION_TOKEN),
                password=form.cleaned_data["new_password1"],
            )
        except ApiError:
            # Used in another window meanwhile.
            self.validlink = False
            return self.render_to_response(self.get_context_data(form=form))
        return HttpResponseRedirect(str(self.success_url))

"""The pages on which people sign in, in one step or two; the same for apps and the back office."""

from time import time
from typing import cast

from django import forms
from django.contrib import admin
from django.contrib.auth import forms as framework
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.crypto import constant_time_compare

from config.api import attempts
from customers.models import User
from customers.second_factor import Backend, setup_address
from customers.services.second_factor import has_second_factor
from customers.services.sign_in_log import Door, Outcome, note_person
from customers.sign_in import BackOfficeSignIn, CodeForm, Limited, PasswordChangeForm, SignIn

# Who has shown the password and not yet the code, in the session of nobody.
STAGE = "kith-sign-in"
STAGE_SECONDS = 300


class TwoSteps(LoginView):
    """Asks for e-mail address and password, then for the code of whoever has a second factor."""

    door = Door.BACK_OFFICE

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """From the beginning."""
        request.session.pop(STAGE, None)
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Check the password, or the code after it."""
        if "code" not in request.POST:
            return super().post(request, *args, **kwargs)
        person = self.person_on_stage()
        if person is None:
            message = "That took too long. Sign in once more."
            context = self.get_context_data(form=self.empty(), expired=message)
            return self.render_to_response(context)
        form = CodeForm(request, person, self.door, request.POST)
        if form.is_valid():
            return self.finish(person)
        return self.refused(form)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """The password was right."""
        person = form.get_user()
        if not has_second_factor(person):
            return self.finish(person)
        self.request.session[STAGE] = {
            "person": str(person.pk),
            "hash": person.get_session_auth_hash(),
            "at": int(time()),
        }
        code_form = CodeForm(self.request, person, self.door)
        return self.render_to_response(self.get_context_data(form=code_form))

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """The form again."""
        # Every subclass has one.
        return self.refused(cast("Limited", form))

    def refused(self, form: Limited | CodeForm) -> HttpResponse:
        """The form again; who failed too often is told when to come back, from the beginning."""
        refusal = form.refusal
        if refusal is None:
            return self.render_to_response(self.get_context_data(form=form))
        self.request.session.pop(STAGE, None)
        context = self.get_context_data(form=self.empty(), refusal=refusal.message)
        return self.render_to_response(context, status=refusal.status, headers=refusal.headers)

    def empty(self) -> forms.Form:
        """The form of the first step."""
        form: forms.Form = self.get_form_class()(self.request)
        return form

    def person_on_stage(self) -> User | None:
        """Who has shown the password a short while ago, and may still sign in with it."""
        stage = self.request.session.get(STAGE)
        if not stage or time() - stage["at"] > STAGE_SECONDS:
            return None
        person = Backend().get_user(stage["person"])
        if person is None or not constant_time_compare(
            stage["hash"], person.get_session_auth_hash()
        ):
            return None
        return person

    def finish(self, person: User) -> HttpResponse:
        """Sign the person in, and lead on: first to where a missing second factor is set up."""
        attempts.note_success(person.email)
        note_person(self.request, person, door=self.door, outcome=Outcome.SIGNED_IN)
        self.request.session.pop(STAGE, None)
        login(self.request, person)
        signed_in = Backend().get_user(person.pk)
        way_on = self.get_success_url()
        if signed_in is not None and signed_in.lacks_second_factor:
            way_on = setup_address(way_on)
        return HttpResponseRedirect(way_on)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """With which step this is."""
        context = super().get_context_data(**kwargs)
        return context | {"is_second_step": isinstance(context["form"], CodeForm)}


class AppLogin(TwoSteps):
    """Where employees and customers sign in on their way to an app."""

    door = Door.APP
    template_name = "oauth/login.html"
    authentication_form = SignIn


class BackOfficeLogin(TwoSteps):
    """Where employees sign in to the back office."""

    template_name = "admin/login.html"
    authentication_form = BackOfficeSignIn

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Who is signed in already goes on."""
        if request.method == "GET" and admin.site.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        return super().dispatch(request, *args, **kwargs)

    def get_default_redirect_url(self) -> str:
        """The first page of the back office."""
        return reverse("admin:index")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """In the frame of the back office."""
        frame = admin.site.each_context(self.request) | {
            "title": "Sign in",
            "app_path": self.request.get_full_path(),
            "username": self.request.user.get_username(),
        }
        return frame | super().get_context_data(**kwargs)


class PasswordChange(PasswordChangeView):
    """Where who is signed in to the back office chooses a new password, for the old one."""

    form_class = PasswordChangeForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, object]:
        """With the request, by whose address who guesses is stopped."""
        return super().get_form_kwargs() | {"request": self.request}

    def form_invalid(self, form: framework.PasswordChangeForm) -> HttpResponse:
        """The form again; 429 for who failed too often."""
        refusal = cast("PasswordChangeForm", form).refusal
        status, headers = (refusal.status, refusal.headers) if refusal else (200, {})
        context = self.get_context_data(form=form)
        return self.render_to_response(context, status=status, headers=headers)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """In the frame of the back office."""
        return admin.site.each_context(self.request) | super().get_context_data(**kwargs)

"""The pages on which people look after their own sign-in: two factors, recovery codes."""

from collections.abc import Callable
from functools import wraps

import segno
from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from config.api.errors import ApiError, TooManyRequests
from customers.admin.pages import PagesAdmin, tell
from customers.admin.scope import signed_in
from customers.models import Authenticator, User
from customers.services import second_factor
from customers.sign_in import CODE_ATTRIBUTES, NOT_THEIRS, verify_own_password

View = Callable[[HttpRequest], HttpResponse]


class FirstCodeForm(forms.Form):
    """A code that shows that the app is set up."""

    code = forms.CharField(
        label="Code",
        max_length=40,
        help_text="The six digits that the app shows now.",
        widget=UnfoldAdminTextInputWidget(attrs=CODE_ATTRIBUTES),
    )


class PasswordForm(forms.Form):
    """The password once more."""

    password = forms.CharField(
        label="Password",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )


def own_page(view: View) -> View:
    """A page for every employee who is signed in, with or without the back office."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        user = request.user
        if not isinstance(user, User) or user.customer_id is not None:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        return view(request)

    return never_cache(csrf_protect(guarded))


def picture(device: Authenticator) -> SafeString:
    """The QR code that an app reads, as SVG."""
    code = segno.make(device.address, error="m")
    svg = code.svg_inline(scale=4, border=2, dark="#000", svgclass=None, lineclass=None)
    return mark_safe(svg)  # noqa: S308 -- escaped by segno


class OwnAccountPages(PagesAdmin[User]):
    """The addresses below `account/`."""

    def get_urls(self) -> list[URLPattern]:
        """Before those of rows."""
        views: tuple[tuple[str, str, View], ...] = (
            ("", "account", self.account_view),
            ("two-factor/", "two_factor", self.setup_view),
            ("two-factor/remove/", "two_factor_remove", self.remove_view),
            ("recovery-codes/", "recovery_codes", self.codes_view),
        )
        own = [
            path(f"account/{end}", own_page(view), name=f"customers_user_{name}")
            for end, name, view in views
        ]
        return [*own, *super().get_urls()]

    def account_view(self, request: HttpRequest) -> HttpResponse:
        """Who is signed in, and how."""
        person = signed_in(request)
        return self.own(
            request,
            "admin/access/account.html",
            title="Your account",
            person=person,
            has_second_factor=second_factor.has_second_factor(person),
            codes_left=person.recovery_codes.count(),
            removal=PasswordForm(auto_id="remove_%s"),
            renewal=PasswordForm(auto_id="renew_%s"),
        )

    def setup_view(self, request: HttpRequest) -> HttpResponse:
        """Show the secret, and turn two-factor sign-in on by a first code."""
        person = signed_in(request)
        form = FirstCodeForm(request.POST or None)
        way_on = request.POST.get("next") or request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(way_on, {request.get_host()}, request.is_secure()):
            way_on = reverse("admin:customers_user_account")
        try:
            device = second_factor.begin_setup(person)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.INFO)
            return HttpResponseRedirect(reverse("admin:customers_user_account"))
        if request.method == "POST" and form.is_valid():
            try:
                codes = second_factor.confirm_setup(person, form.cleaned_data["code"])
            except ApiError as refusal:
                tell(form, refusal)
            else:
                update_session_auth_hash(request, person)
                self.log_change(request, person, "Set up two-factor sign-in")
                return self.codes_page(request, codes, way_on, "Two-factor sign-in is on.")
        return self.own(
            request,
            "admin/access/two_factor.html",
            title="Set up two-factor sign-in",
            form=form,
            device=device,
            picture=picture(device),
            way_on=way_on,
            is_required=person.lacks_second_factor,
        )

    def remove_view(self, request: HttpRequest) -> HttpResponse:
        """Turn it off, for the password."""
        person = signed_in(request)
        if problem := password_problem(request, person):
            self.message_user(request, problem, messages.ERROR)
        else:
            try:
                second_factor.remove_second_factor(person)
            except ApiError as refusal:
                self.message_user(request, refusal.message, messages.ERROR)
            else:
                self.log_change(request, person, "Removed two-factor sign-in")
                self.message_user(request, "Two-factor sign-in is off.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:customers_user_account"))

    def codes_view(self, request: HttpRequest) -> HttpResponse:
        """Make new recovery codes, for the password, and show them this once."""
        person = signed_in(request)
        account = reverse("admin:customers_user_account")
        if problem := password_problem(request, person):
            self.message_user(request, problem, messages.ERROR)
            return HttpResponseRedirect(account)
        if not second_factor.has_second_factor(person):
            return HttpResponseRedirect(account)
        codes = second_factor.replace_recovery_codes(person)
        self.log_change(request, person, "Made new recovery codes")
        return self.codes_page(request, codes, account, "The recovery codes before are void.")

    def own(self, request: HttpRequest, template: str, **context: object) -> HttpResponse:
        """A page that does not stand below the list of people, which few may see."""
        return self.page(request, template, opts=None, **context)

    def codes_page(
        self, request: HttpRequest, codes: list[str], way_on: str, outcome: str
    ) -> HttpResponse:
        """The only page that shows recovery codes."""
        return self.own(
            request,
            "admin/access/codes.html",
            title="Recovery codes",
            codes=codes,
            way_on=way_on,
            outcome=outcome,
        )


def password_problem(request: HttpRequest, person: User) -> str:
    """What is wrong with the password of a posted form."""
    form = PasswordForm(request.POST)
    try:
        if form.is_valid() and verify_own_password(request, person, form.cleaned_data["password"]):
            return ""
    except TooManyRequests as refusal:
        return refusal.message
    return f"{NOT_THEIRS} Nothing was changed."

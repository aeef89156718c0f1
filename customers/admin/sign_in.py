"""The page on which an operator gives a customer a sign-in."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget

from config.api.errors import Conflict, Invalid, NotFound
from customers.admin.scope import ReadOnlyAdmin, operator
from customers.change_log import Via
from customers.models import Customer
from customers.services.sign_ins import create_customer_login


class SignInForm(forms.Form):
    """With what a customer signs in."""

    email = forms.EmailField(
        label="E-mail address", max_length=320, widget=UnfoldAdminEmailInputWidget
    )
    password = forms.CharField(
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Pass it on to the customer over a secure channel.",
    )


class GivesSignIns(ReadOnlyAdmin[Customer]):
    """The page of a customer with the action "Give a sign-in"."""

    actions_detail = ("give_sign_in",)

    def has_give_sign_in_permission(self, request: HttpRequest, _object_id: object = None) -> bool:
        """For who decides who may sign in."""
        return bool(request.user.has_perm("customers.add_user"))

    @action(  # type: ignore[untyped-decorator] # unfold has no types
        description="Give a sign-in", url_path="sign-in", permissions=["give_sign_in"]
    )
    def give_sign_in(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for e-mail address and password, then make the sign-in."""
        customer = self.get_object(request, object_id)
        if customer is None:
            raise Http404
        form = SignInForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self.made(request, customer, form):
            self.message_user(request, f"{customer} can sign in now.", messages.SUCCESS)
            page = reverse("admin:customers_customer_change", args=[customer.pk])
            return HttpResponseRedirect(page)
        context = self.admin_site.each_context(request) | {
            "title": f"Give {customer} a sign-in",
            "form": form,
            "opts": self.opts,
            "original": customer,
        }
        return TemplateResponse(request, "admin/customers/sign_in.html", context)

    @staticmethod
    def made(request: HttpRequest, customer: Customer, form: SignInForm) -> bool:
        """Make the sign-in; otherwise the form says what is wrong."""
        try:
            create_customer_login(
                actor=operator(request, customer.business_account),
                customer_id=UUID(str(customer.pk)),
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password"],
                via=Via.BACK_OFFICE,
            )
        except Invalid as refusal:
            for problem in refusal.problems:
                form.add_error(problem.path, problem.message)
        except (Conflict, NotFound) as refusal:
            form.add_error(None, refusal.message)
        return not form.errors

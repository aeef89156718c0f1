"""The page on which an operator gives a customer a sign-in, or a link for a new password."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import action
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget

from config.api.errors import ApiError, Conflict, Invalid, NotFound
from customers.admin.scope import ReadOnlyAdmin, operator, signed_in
from customers.change_log import Via
from customers.models import ContactPoint, Customer, User
from customers.services.passwords import make_link
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


def email_of(customer: Customer) -> str:
    """The e-mail address of an individual; of a business nobody knows who is to sign in."""
    if customer.type != Customer.Type.INDIVIDUAL:
        return ""
    emails = customer.contact_points.filter(kind=ContactPoint.Kind.EMAIL, is_primary=True)
    return emails.values_list("value", flat=True).first() or ""


class GivesSignIns(ReadOnlyAdmin[Customer]):
    """The page of a customer's sign-in."""

    actions_detail = ("give_sign_in",)

    def get_urls(self) -> list[URLPattern]:
        """With where a link is made."""
        link = path(
            "<path:object_id>/sign-in/link/",
            self.admin_site.admin_view(require_POST(self.password_link)),
            name="customers_customer_password_link",
        )
        return [link, *super().get_urls()]

    def has_give_sign_in_permission(self, request: HttpRequest, _object_id: object = None) -> bool:
        """For who decides who may sign in."""
        return bool(request.user.has_perm("customers.add_user"))

    @action(  # type: ignore[untyped-decorator] # unfold has no types
        description="Sign-in", url_path="sign-in", permissions=["give_sign_in"]
    )
    def give_sign_in(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for e-mail address and password, then make the sign-in; or show the one there is."""
        customer = self.customer_of(request, object_id)
        form = SignInForm(request.POST or None, initial={"email": email_of(customer)})
        if request.method == "POST" and form.is_valid() and self.made(request, customer, form):
            self.message_user(request, f"{customer} can sign in now.", messages.SUCCESS)
            page = reverse("admin:customers_customer_change", args=[customer.pk])
            return HttpResponseRedirect(page)
        person = User.objects.filter(customer_id=customer.pk).first()
        return self.sign_in_page(
            request,
            "admin/customers/sign_in.html",
            title=f"Sign-in of {customer}" if person else f"Give {customer} a sign-in",
            form=form,
            person=person,
            original=customer,
        )

    def password_link(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a link by which the customer chooses a password, and show it this once."""
        if not self.has_give_sign_in_permission(request):
            raise PermissionDenied
        customer = self.customer_of(request, object_id)
        person = get_object_or_404(User, customer_id=customer.pk)
        back = reverse("admin:customers_customer_give_sign_in", args=[customer.pk])
        try:
            link = make_link(by=signed_in(request), person=person)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(back)
        self.log_change(request, customer, "Made a link to choose a password")
        return self.sign_in_page(
            request,
            "admin/access/link.html",
            title=str(customer),
            person=person,
            link=link,
            back=back,
            original=customer,
        )

    def customer_of(self, request: HttpRequest, object_id: str) -> Customer:
        """A customer of the operator's tree. Raises `Http404`."""
        customer: Customer | None = self.get_object(request, object_id)
        if customer is None:
            raise Http404
        return customer

    def sign_in_page(
        self, request: HttpRequest, template: str, **context: object
    ) -> TemplateResponse:
        """A page in the frame of the back office."""
        frame = self.admin_site.each_context(request) | {"opts": self.opts}
        return TemplateResponse(request, template, frame | context)

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

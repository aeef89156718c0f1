"""Employees in the back office: invited, given roles and departments, sent away and called back."""

from collections.abc import Callable
from datetime import datetime
from smtplib import SMTPException
from typing import ClassVar, Protocol

from django.contrib import admin, messages
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from unfold.decorators import display

from config.api.errors import ApiError
from customers.admin.filters import ChoiceFilter
from customers.admin.own_account import OwnAccountPages
from customers.admin.pages import tell
from customers.admin.person_form import InvitationForm, PersonForm
from customers.admin.scope import Context, signed_in, visible
from customers.models import (
    AccessToken,
    Authenticator,
    Department,
    Grant,
    IDToken,
    OAuthClient,
    RefreshToken,
    User,
)
from customers.services import employees, passwords, second_factor

# The libraries' own pages know no tenants, and would show tokens and change what roles may do.
LIBRARY_MODELS = (AccessToken, Grant, IDToken, OAuthClient, RefreshToken, Group)
admin.site.unregister([model for model in LIBRARY_MODELS if admin.site.is_registered(model)])

ACTIVE, INVITED, DEACTIVATED = "Active", "Invited", "Deactivated"
STATE_COLORS = {ACTIVE: "success", INVITED: "info", DEACTIVATED: "danger"}
RECENT_SIGN_INS = 10
# Nobody has chosen a password yet.
IS_INVITED = Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
# By their names among the problems of a person.
FIELDS = {"foreignDepartments": "foreign_departments"}


class StateFilter(ChoiceFilter):
    """People by whether they can sign in."""

    title = "state"
    parameter_name = "state"
    choices_by_name: ClassVar = {
        "active": (ACTIVE, Q(is_active=True) & ~IS_INVITED),
        "invited": (INVITED, Q(is_active=True) & IS_INVITED),
        "deactivated": (DEACTIVATED, Q(is_active=False)),
    }


class Listed(Protocol):
    """What `get_queryset` adds to a person."""

    has_second_factor: bool


@admin.register(User)
class UserAdmin(OwnAccountPages):
    """Who works here, in which role, and whether they can sign in."""

    add_words = "Add person"
    beside = (("Sign-ins", "customers.SignInAttempt"),)
    page_template = "admin/access/person.html"
    list_display = (
        "email",
        "name",
        "role",
        "business_account",
        "departments",
        "state",
        "two_factor",
        "last_sign_in",
    )
    list_select_related = ("business_account", "department")
    list_filter = (StateFilter,)
    search_fields = ("email", "name")
    ordering = ("email",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Employees with what the list shows of them; customers who sign in are none."""
        confirmed = Authenticator.objects.filter(user=OuterRef("pk"), confirmed=True)
        rows = super().get_queryset(request).filter(customer_id=None)
        rows = rows.annotate(has_second_factor=Exists(confirmed))
        return rows.prefetch_related("groups", "foreign_departments")

    @admin.display(description="Role")
    def role(self, person: User) -> str:
        """The employee's role."""
        return "Superuser" if person.is_superuser else employees.role_of(person)

    @admin.display(description="Departments", empty_value="All")
    def departments(self, person: User) -> str | None:
        """The home department, and the others."""
        return employees.place_names(person) if person.department else None

    @display(description="State", label=STATE_COLORS)  # type: ignore[untyped-decorator]
    def state(self, person: User) -> str:
        """Whether the person can sign in."""
        if not person.is_active:
            return DEACTIVATED
        return ACTIVE if person.has_usable_password() else INVITED

    @admin.display(description="Two-factor", empty_value="Off")
    def two_factor(self, person: Listed) -> str | None:
        """Whether the person signs in with a code."""
        return "On" if person.has_second_factor else None

    @admin.display(description="Last sign-in", ordering="last_login", empty_value="Never")
    def last_sign_in(self, person: User) -> datetime | None:
        """To the minute."""
        return person.last_login

    def get_urls(self) -> list[URLPattern]:
        """With the addresses of what is done to a person."""
        own = {
            "edit": self.edit_view,
            "deactivate": self.deactivate_view,
            "reactivate": self.reactivate_view,
            "link": self.link_view,
            "reset_two_factor": self.reset_view,
        }
        return [*self.addresses(own), *super().get_urls()]

    def facts(self, request: HttpRequest, row: User) -> Context:
        """What the page shows in words, and what may be done."""
        return {
            "role": self.role(row),
            "state": self.state(row),
            "may_manage": employees.may_manage(signed_in(request), row),
            "sign_ins": row.sign_ins.all()[:RECENT_SIGN_INS],
            "is_oneself": row.pk == request.user.pk,
            "may_reset": second_factor.may_reset(signed_in(request)),
        }

    @staticmethod
    def choosable(request: HttpRequest) -> QuerySet[Department]:
        """The departments of the operator's tree."""
        departments = visible(request, Department.objects.select_related("business_account"))
        return departments.order_by("business_account__name", "name")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Context | None = None
    ) -> HttpResponse:
        """Ask who it is, then invite."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = InvitationForm(request, request.POST or None, departments=self.choosable(request))
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            try:
                person = employees.invite(
                    by=signed_in(request),
                    email=values["email"],
                    name=values["name"],
                    business_account=values["business_account"],
                    role=values["role"],
                    department=values.get("department"),
                    foreign_departments=values.get("foreign_departments") or (),
                )
            except ApiError as refusal:
                tell(form, refusal, FIELDS)
            else:
                self.log_addition(request, person, f"Invited as {values['role']}")
                return self.invited(request, person)
        return self.page(
            request, "admin/access/form.html", title="Add person", verb="Invite", form=form
        )

    def invited(self, request: HttpRequest, person: User) -> HttpResponse:
        """Send the link; where mail does not go out, show it to be handed over."""
        if passwords.can_mail():
            try:
                passwords.mail_link(person, is_invitation=True)
            except (OSError, SMTPException):
                message = "The invitation could not be sent by mail. Hand this link over instead."
                self.message_user(request, message, messages.ERROR)
            else:
                message = f"{person} was invited: a link went to {person.email}."
                self.message_user(request, message, messages.SUCCESS)
                return HttpResponseRedirect(self.address_of(person))
        return self.link_page(request, person, passwords.link_for(person))

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give a person another name, role or other departments."""
        person = self.found(request, object_id)
        if not employees.may_manage(signed_in(request), person):
            raise PermissionDenied
        form = PersonForm(
            request,
            request.POST or None,
            departments=self.choosable(request),
            initial={
                "name": person.name,
                "role": employees.role_of(person),
                "department": person.department_id,
                "foreign_departments": list(person.foreign_departments.all()),
            },
        )
        if request.method == "POST" and form.is_valid():
            try:
                changes = employees.change_person(
                    by=signed_in(request),
                    person=person,
                    name=form.cleaned_data["name"],
                    role=form.cleaned_data["role"],
                    department=form.cleaned_data.get("department"),
                    foreign_departments=form.cleaned_data.get("foreign_departments") or (),
                )
            except ApiError as refusal:
                tell(form, refusal, FIELDS)
            else:
                if changes:
                    self.log_change(request, person, changes)
                self.message_user(request, f"{person.email} was saved.", messages.SUCCESS)
                return HttpResponseRedirect(self.address_of(person))
        return self.page(
            request,
            "admin/access/form.html",
            original=person,
            title=f"Edit {person}",
            verb="Save",
            form=form,
        )

    def deactivate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End a person's access."""
        return self.act(request, object_id, employees.deactivate, "Deactivated", "deactivated")

    def reactivate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give it back."""
        return self.act(request, object_id, employees.reactivate, "Reactivated", "reactivated")

    def reset_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take a second factor from who lost it."""
        service, done = second_factor.reset_second_factor, "Two-factor sign-in was reset"
        return self.act(request, object_id, service, done, "signed out, and needs no code any more")

    def act(
        self,
        request: HttpRequest,
        object_id: str,
        service: Callable[..., None],
        logged: str,
        words: str,
    ) -> HttpResponse:
        """Do to a person what a posted form asks for."""
        person = self.found_for_form(request, object_id)
        try:
            service(by=signed_in(request), person=person)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            self.log_change(request, person, logged)
            self.message_user(request, f"{person} was {words}.", messages.SUCCESS)
        return HttpResponseRedirect(self.address_of(person))

    def link_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make a link by which a person chooses a password, and show it this once."""
        person = self.found_for_form(request, object_id)
        try:
            link = passwords.make_link(by=signed_in(request), person=person)
        except ApiError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(self.address_of(person))
        self.log_change(request, person, "Made a link to choose a password")
        return self.link_page(request, person, link)

    def link_page(self, request: HttpRequest, person: User, link: str) -> HttpResponse:
        """The only page that shows a link."""
        return self.page(
            request, "admin/access/link.html", original=person, person=person, link=link
        )

"""The forms by which employees are invited, and given a role and departments."""

from collections.abc import Mapping

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from customers.admin.pages import AccountChoice
from customers.admin.scope import signed_in
from customers.models import Department
from customers.services import employees, passwords


class DepartmentLabel:
    """A department with its business account: several have one of the same name."""

    def label_from_instance(self, department: Department) -> str:
        """What it is called in a list."""
        return f"{department.name} ({department.business_account})"


class DepartmentChoice(DepartmentLabel, forms.ModelChoiceField):  # type: ignore[type-arg]
    """One department."""


class DepartmentsChoice(DepartmentLabel, forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Several departments."""


class PersonForm(forms.Form):
    """An employee's name, role and departments."""

    name = forms.CharField(
        required=False,
        max_length=120,
        label="Name",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label="Role", widget=UnfoldAdminSelectWidget())
    department = DepartmentChoice(
        Department.objects.none(),
        required=False,
        label="Home department",
        empty_label="None: finds the customers of all departments",
        widget=UnfoldAdminSelectWidget(),
    )
    foreign_departments = DepartmentsChoice(
        Department.objects.none(),
        required=False,
        label="Other departments",
        help_text="Whose customers this person finds, too, by the API's immediate search.",
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )

    def __init__(
        self,
        request: HttpRequest,
        data: QueryDict | None,
        *,
        departments: QuerySet[Department],
        initial: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        roles = employees.roles_to_give(signed_in(request))
        choices = [("", "Choose one"), *((role, role) for role in roles)]
        self.fields["role"].choices = choices  # type: ignore[attr-defined]
        for name in ("department", "foreign_departments"):
            self.fields[name].queryset = departments  # type: ignore[attr-defined]
            if not departments.exists():
                del self.fields[name]


class InvitationForm(PersonForm):
    """Likewise, for somebody who is new."""

    email = forms.EmailField(
        max_length=320,
        label="Email",
        help_text="A link to choose a password goes there.",
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self, request: HttpRequest, data: QueryDict | None, *, departments: QuerySet[Department]
    ) -> None:
        super().__init__(request, data, departments=departments)
        self.fields["business_account"] = AccountChoice(request)
        if not passwords.can_mail():
            help_text = "You get a link by which they choose a password, to hand over."
            self.fields["email"].help_text = help_text
        self.order_fields(["email", "name", "business_account", "role"])

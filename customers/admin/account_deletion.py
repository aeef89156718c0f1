"""What is asked before a business account goes, or one of its departments or custom attributes."""

import re
from collections.abc import Sequence
from typing import TypeAlias

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from config.api.errors import Conflict
from customers.admin.navigation import TITLES
from customers.admin.scope import Context, ScopedAdmin
from customers.models import AttributeDefinition, BusinessAccount, Department
from customers.services.business import delete_business_account, kept_by

# Ticked in a form: the list and the place in it of what is to go.
DELETED = re.compile(r"(departments|attribute_definitions)-(\d+)-DELETE")
CONFIRMED = "confirmed"
# The others would lead away from what was just saved.
ONE_BUTTON: Context = {"show_save_and_continue": False, "show_save_and_add_another": False}
Part: TypeAlias = Department | AttributeDefinition
LOST = {
    Department: "Its customers and people belong to no department afterwards.",
    AttributeDefinition: "Its values are deleted from every customer, and cannot be brought back.",
}


class AsksBeforeDeleting(ScopedAdmin[BusinessAccount]):
    """Nothing goes by one click, and no page reads all the customers that would be concerned."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponseBase:
        """The form; what was ticked to be deleted in it is asked for before anything is saved."""
        if request.method == "POST" and object_id and CONFIRMED not in request.POST:
            account = self.get_object(request, object_id)
            may_change = account is not None and self.has_change_permission(request, account)
            if account is not None and may_change and (going := ticked(request, account)):
                return self.question(request, account, going)
        response: HttpResponseBase = super().changeform_view(
            request, object_id, form_url, ONE_BUTTON | (extra_context or {})
        )
        return response

    def question(
        self, request: HttpRequest, account: BusinessAccount, going: Sequence[Part]
    ) -> HttpResponse:
        """What would be lost; the answer sends the whole form again."""
        sent = [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name != "csrfmiddlewaretoken"
        ]
        return self.asked(
            request,
            account,
            "admin/customers/businessaccount/delete_parts.html",
            title=f"Delete {' and '.join(str(each) for each in going)}?",
            going=[(each._meta.verbose_name, each, LOST[type(each)]) for each in going],
            sent=[*sent, (CONFIRMED, "yes")],
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Context | None = None
    ) -> HttpResponse:
        """Delete an account that nobody has used yet; of another, what stands in the way."""
        account = self.get_object(request, object_id)
        if account is None:
            raise Http404
        if not self.has_delete_permission(request, account):
            raise PermissionDenied
        if request.method == "POST":
            try:
                with transaction.atomic():
                    self.log_deletions(request, [account])
                    delete_business_account(business_account=account)
            except Conflict as refusal:
                self.message_user(request, refusal.message, messages.ERROR)
            else:
                self.message_user(request, f"{account} was deleted.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:customers_businessaccount_changelist"))
        found = kept_by(account)
        words = [TITLES.get(each._meta.label, each._meta.verbose_name_plural) for each in found]
        return self.asked(
            request,
            account,
            "admin/customers/businessaccount/delete.html",
            title=f"{account} cannot be deleted" if found else f"Delete {account}?",
            kept=sorted(in_a_sentence(str(each)) for each in words),
        )

    def asked(
        self, request: HttpRequest, account: BusinessAccount, template: str, **context: object
    ) -> TemplateResponse:
        """A question about an account, in the frame of the back office."""
        frame = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "original": account,
            "back": reverse("admin:customers_businessaccount_change", args=[account.pk]),
        }
        return TemplateResponse(request, template, frame | context)


def in_a_sentence(title: str) -> str:
    """The title of a list, without its capital unless it is an abbreviation."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def ticked(
    request: HttpRequest, account: BusinessAccount
) -> list[Department | AttributeDefinition]:
    """The departments and attributes of an account that a form would delete."""
    lists: dict[str, QuerySet[Department] | QuerySet[AttributeDefinition]] = {
        "departments": account.departments.all(),
        "attribute_definitions": account.attribute_definitions.all(),
    }
    ids: dict[str, list[str]] = {name: [] for name in lists}
    for name in request.POST:
        if found := DELETED.fullmatch(name):
            ids[found[1]].append(request.POST.get(f"{found[1]}-{found[2]}-id", ""))
    return [row for name, rows in lists.items() for row in rows if str(row.pk) in ids[name]]

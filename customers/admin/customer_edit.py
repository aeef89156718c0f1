"""The pages on which an operator adds a customer, or changes one."""

import json
from uuid import UUID

import orjson
from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from config.api.errors import ApiError, NotFound, PreconditionFailed, Problem
from config.api.json import Json
from customers import words
from customers.admin import customer_draft as drafts
from customers.admin.customer_conflict import differences, merged
from customers.admin.customer_draft import Draft
from customers.admin.customer_fields import Plan, plan_for
from customers.admin.customer_form import Form, empty_draft
from customers.admin.scope import (
    ScopedAdmin,
    offered_account,
    operator,
    own_account,
    visible_accounts,
)
from customers.change_log import Via
from customers.models import BusinessAccount, Customer
from customers.representation import CustomerObject
from customers.serializers import CustomerBody, CustomerUpdate
from customers.services.customers import create_customer
from customers.services.editing import Removals, edit_customer

SALT = "customers.edit"
MASK = "••••••••"


def page_of(customer_id: UUID | str) -> str:
    """The address of a customer's page."""
    return reverse("admin:customers_customer_change", args=[customer_id])


def object_of(customer: Customer) -> tuple[int, Json]:
    """The version of a customer and its object, sensitive values masked; both of one moment."""
    rows = Customer.objects.filter(pk=customer.pk)
    version, text = rows.values_list("version", CustomerObject()).get()
    return version, orjson.loads(text)


def masks_of(customer: Json) -> dict[str, str]:
    """What stands in place of the sealed values that may be there, by path."""
    masks = {
        "socialId": f"•••• {customer['socialId']}" if customer.get("socialId") else "",
        "securityAnswer": MASK,
        "relationship.pin": MASK,
    }
    for place, attributes in [("", customer["customAttributes"])] + [
        (f"contacts.{each['id']}.", each["customAttributes"])
        for each in customer.get("contacts", ())
    ]:
        masks |= {f"{place}customAttributes.{name}": MASK for name in attributes}
    return masks


class EditsCustomers(ScopedAdmin[Customer]):
    """The forms; `customer_or_404` and `may` say whom and what an operator may change."""

    def edit_page(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        """Change a customer, unless somebody else did meanwhile: then both versions are shown."""
        version, stored = object_of(customer)
        accounts = visible_accounts(request)
        plan = plan_for(customer.type, customer.business_account, accounts=accounts, current=stored)
        theirs = drafts.draft_of(stored, plan)
        context: Json = {"customer": customer, "masks": masks_of(stored)}
        if request.method != "POST":
            context |= sealed(customer, version, theirs)
            return self.form_page(request, plan, theirs, context)
        seen, base = unsealed(request.POST.get("base", ""), customer) or (version, theirs)
        mine = drafts.read(request.POST, plan)
        try:
            save(request, customer, seen, base, mine, plan)
        except PreconditionFailed:
            return self.conflict_page(request, customer, (base, mine), plan)
        except NotFound:
            raise Http404 from None
        except ApiError as refusal:
            problems = refusal.problems or [Problem("", refusal.message, refusal.code)]
            context |= sealed(customer, seen, base)
            return self.form_page(request, plan, mine, context, problems)
        customer.refresh_from_db(fields=["name"])
        self.message_user(request, f"{customer} was saved.", messages.SUCCESS)
        return HttpResponseRedirect(page_of(customer.pk))

    def conflict_page(
        self, request: HttpRequest, customer: Customer, own: tuple[Draft, Draft], plan: Plan
    ) -> HttpResponse:
        """The form with both changes in it, made from what is stored now."""
        base, mine = own
        version, stored = object_of(customer)
        theirs = drafts.draft_of(stored, plan)
        context: Json = {
            "customer": customer,
            "masks": masks_of(stored),
            "conflict": differences(mine, theirs, plan),
        }
        draft = merged(base, mine, theirs, plan)
        return self.form_page(request, plan, draft, context | sealed(customer, version, theirs))

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Add a customer of a type to a business account of the operator's tree."""
        account = self.account_of_new(request)
        kind = request.GET.get("type", Customer.Type.INDIVIDUAL)
        if kind not in Customer.Type.values:
            raise Http404
        context: Json = {
            "kind": kind,
            "kinds": [(value, words.word(value)) for value in Customer.Type.values],
            "account": account,
            "wanted": request.GET.get("account", ""),
            "offered": offered_account(request) or "",
            "has_choice": request.user.is_superuser or len(visible_accounts(request) or ()) > 1,
        }
        if account is None:
            return self.form_page(request, None, {}, context)
        plan = plan_for(kind, account, accounts=visible_accounts(request))
        if request.method != "POST":
            return self.form_page(request, plan, empty_draft(plan), context)
        mine = drafts.read(request.POST, plan)
        try:
            created = create_customer(
                actor=operator(request, account),
                submission=CustomerBody().parse({"type": kind} | drafts.body_of(None, mine, plan)),
                via=Via.BACK_OFFICE,
            )
        except ApiError as refusal:
            problems = refusal.problems or [Problem("", refusal.message, refusal.code)]
            return self.form_page(request, plan, mine, context, problems)
        self.message_user(request, "The customer was added.", messages.SUCCESS)
        return HttpResponseRedirect(page_of(created.id))

    def account_of_new(self, request: HttpRequest) -> BusinessAccount | None:
        """The business account that a new customer is for; None as long as it has to be named."""
        accounts = visible_accounts(request)
        found = BusinessAccount.objects.all()
        if accounts is not None:
            found = found.filter(pk__in=accounts)
        if name := request.GET.get("account", "").strip():
            same = list(found.filter(name=name)[:2])
            return same[0] if len(same) == 1 else None
        own = own_account(request)
        if own is None:
            only = list(found[:2])
            return only[0] if len(only) == 1 else None
        return found.get(pk=own)

    def form_page(
        self,
        request: HttpRequest,
        plan: Plan | None,
        draft: Draft,
        context: Json,
        problems: list[Problem] | None = None,
    ) -> HttpResponse:
        """The form, and what is wrong."""
        form = None
        if plan is not None:
            form = Form(plan, draft, problems or (), context.get("masks"))
        customer = context.get("customer")
        title = f"Edit {name_of(customer)}" if customer else "Add customer"
        context = self.admin_site.each_context(request) | context
        context |= {
            "title": title,
            "form": form,
            "wrong": len(problems or ()),
            "media": "",
        }
        return TemplateResponse(request, "admin/customers/customer/form.html", context)


def name_of(customer: Customer) -> str:
    """What a customer is called."""
    return called(customer.name, customer.external_id)


def called(name: str, external_id: str) -> str:
    """Likewise, by its name and external id; one that a load brought may have no name."""
    return name or external_id or "(no name)"


def sealed(customer: Customer, version: int, base: Draft) -> Json:
    """What a form was made from, signed, so that it comes back as it went."""
    state = json.dumps([str(customer.pk), version, base])
    return {"base": signing.dumps(state, salt=SALT, compress=True)}


def unsealed(text: str, customer: Customer) -> tuple[int, Draft] | None:
    """The version and draft that a form of this customer was made from; None if it has none."""
    try:
        customer_id, version, base = json.loads(signing.loads(text, salt=SALT))
    except (signing.BadSignature, ValueError):
        return None
    return (version, base) if customer_id == str(customer.pk) else None


def save(
    request: HttpRequest, customer: Customer, version: int, base: Draft, mine: Draft, plan: Plan
) -> None:
    """Write what differs. Raises `ApiError`s."""
    submission = CustomerUpdate().parse(drafts.body_of(base, mine, plan))
    try:
        gone = {name: [UUID(each) for each in ids] for name, ids in drafts.removals(mine).items()}
    except ValueError:
        raise NotFound from None
    edit_customer(
        actor=operator(request, customer.business_account),
        customer_id=customer.pk,
        version=version,
        submission=submission,
        removals=Removals(
            contacts=gone["contacts"], points=gone["contactPoints"], addresses=gone["addresses"]
        ),
        via=Via.BACK_OFFICE,
    )

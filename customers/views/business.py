"""`/v1/business-accounts`: the part of the tree that a token sees."""

from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from config.api import access
from config.api.actors import Actor, Scope
from config.api.cursors import PARAMETERS
from config.api.errors import NotFound
from config.api.pagination import PageRequest
from config.api.views import ApiView
from customers import openapi
from customers.models import BusinessAccount


def account_object(account: BusinessAccount, actor: Actor) -> dict[str, object]:
    """A business account as it leaves; the parent of the token's own one is nobody's business."""
    parent_id = account.parent_id if account.pk != actor.business_account_id else None
    return access.shown(
        actor,
        "businessAccount",
        {
            "id": account.pk,
            "parentId": parent_id,
            "name": account.name,
            "description": account.description,
        },
    )


def visible_account(actor: Actor, account_id: UUID | None) -> BusinessAccount:
    """One account by its id, or the token's own for None. Raises `NotFound`."""
    accounts = BusinessAccount.objects.visible_to(actor)
    account = accounts.filter(pk=account_id or actor.business_account_id).first()
    if account is None:
        raise NotFound
    return account


class BusinessAccountDetail(ApiView):
    """One business account."""

    scopes = {"GET": Scope.CUSTOMERS_READ}

    @openapi.read_business_account
    def get(self, request: Request, account_id: UUID | None = None) -> Response:
        """The account; `self` is the token's own."""
        return Response(account_object(visible_account(self.actor, account_id), self.actor))


class BusinessAccountChildren(ApiView):
    """The direct children of a business account."""

    scopes = {"GET": Scope.CUSTOMERS_READ}
    parameters = {"GET": PARAMETERS}
    repeatable = {"sort"}
    gathering = {"GET"}
    sorts: ClassVar[dict[str, str]] = {"name": "name"}

    @openapi.list_children
    def get(self, request: Request, account_id: UUID | None = None) -> Response:
        """List them by name."""
        actor = self.actor
        (page_request,) = self.gather(lambda: PageRequest.read(request, self.sorts, "name,ASC"))
        children = visible_account(actor, account_id).children.all()
        page = page_request.take(children)
        found = children.filter(pk__in=page.ids)
        by_id = {account.pk: account_object(account, actor) for account in found}
        return Response(page.envelope(page.placed(by_id)))


class BusinessAccountDepartments(ApiView):
    """The departments of a business account, to which customers belong."""

    scopes = {"GET": Scope.CUSTOMERS_READ}
    parameters = {"GET": PARAMETERS}
    repeatable = {"sort"}
    gathering = {"GET"}
    sorts: ClassVar[dict[str, str]] = {"name": "name"}

    @openapi.list_departments
    def get(self, request: Request, account_id: UUID | None = None) -> Response:
        """List them by name."""
        (page_request,) = self.gather(lambda: PageRequest.read(request, self.sorts, "name,ASC"))
        departments = visible_account(self.actor, account_id).departments.all()
        page = page_request.take(departments)
        found = departments.filter(pk__in=page.ids).values_list("pk", "name")
        by_id = {pk: {"id": pk, "name": name} for pk, name in found}
        return Response(page.envelope(page.placed(by_id)))

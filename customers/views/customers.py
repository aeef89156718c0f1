"""`/v1/customers`: one customer account at a time."""

from uuid import UUID

import orjson
from django.http import HttpResponse, QueryDict
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import access, reads
from config.api.actors import Actor, ActorType, Scope
from config.api.ahead import Ahead, Row
from config.api.cursors import PARAMETERS
from config.api.errors import Invalid, NotFound, Problem
from config.api.json import to_json
from config.api.pagination import PageRequest
from config.api.preconditions import check_write, is_known
from config.api.views import ApiView, JSONResponse
from customers import openapi
from customers.change_log import Via
from customers.filters import CustomerFilter
from customers.models import Customer
from customers.one_customer import OneCustomer
from customers.representation import OBJECTS, CustomerObject
from customers.revealing import reveal
from customers.serializers import CustomerBody, CustomerUpdate, ReasonBody
from customers.services import customers as services
from customers.services.restore import restore_customer
from customers.sorting import SORTS

READ, WRITE = Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE


def answering(kind: str = "") -> OneCustomer:
    """The statement for what is answered about a customer, maybe of a known kind."""
    return OneCustomer(
        lambda customer, customer_id: customer.values_list(
            "business_account_id", "version", CustomerObject(customer_id, kind)
        )
    )


ANSWER = answering()
ANSWERS = {kind: answering(kind) for kind in Customer.Type.values}


def customer_answer(
    actor: Actor, customer_id: UUID, status_code: int = 200, *, found: Row | None = None
) -> HttpResponse:
    """A customer as the actor may see it, with its `ETag`; one query for most tokens.

    None where its row was `found` ahead of it.
    """
    row = ANSWER.row(actor, customer_id, found)
    if row is None:
        raise NotFound
    _, version, body = row
    content, tag = body.encode(), str(version)
    if actor.may(Scope.CUSTOMERS_SENSITIVE):
        customer = orjson.loads(content)
        reveal([customer])
        # The whole values make another representation, which needs a tag of its own.
        content, tag = orjson.dumps(customer), f"{version}s"
    elif actor.type == ActorType.CUSTOMER:
        content = orjson.dumps(access.shown(actor, "customer", orjson.loads(content)))
    return JSONResponse(content, status=status_code, headers={"ETag": f'"{tag}"'})


def page_answer(actor: Actor, filters: CustomerFilter, request: PageRequest, using: str) -> bytes:
    """A page of customers as the actor may see them, as a database has them."""
    page = filters.page(request, using=using)
    by_id = filters.objects
    if page.ids and not by_id:
        by_id = dict(OBJECTS.rows(page.ids, using=using))
    bodies = page.placed(by_id)
    if not actor.may(Scope.CUSTOMERS_SENSITIVE):
        return to_json(page.envelope([orjson.Fragment(body) for body in bodies]))
    content = [orjson.loads(body) for body in bodies]
    reveal(content, using=using)
    return to_json(page.envelope(content))


def precondition(request: Request) -> services.Precondition | None:
    """What `If-Match` and `If-None-Match` demand of the customer's version; None without them."""
    if_match, if_none_match = (request.headers.get(name) for name in ("If-Match", "If-None-Match"))
    if if_match is None and if_none_match is None:
        return None

    def check(version: int) -> None:
        etags = (str(version), f"{version}s")
        check_write(etags, if_match=if_match, if_none_match=if_none_match)

    return check


class CustomerList(ApiView):
    """Create customers, and find them."""

    scopes = {"GET": READ, "POST": WRITE}
    parameters = {"GET": PARAMETERS | CustomerFilter.base_filters.keys()}
    repeatable = {"sort"}
    gathering = {"GET"}
    sorts = SORTS

    @openapi.list_customers
    def get(self, request: Request) -> HttpResponse:
        """List, filter, sort and page."""
        actor = self.actor
        filters = CustomerFilter(request.GET, actor=actor)
        page_request, _ = self.gather(
            lambda: PageRequest.read(request, SORTS, "createdAt,DESC"), filters.check
        )
        return JSONResponse(
            reads.look_up(actor, lambda using: page_answer(actor, filters, page_request, using))
        )

    @openapi.create_customer
    def post(self, request: Request) -> HttpResponse:
        """Create an individual, business or group."""
        actor = self.actor
        submission = CustomerBody.reader().parse(request.data)
        created = services.create_customer(
            actor=actor, submission=submission, via=Via.V1, asking=ANSWERS
        )
        response = customer_answer(actor, created.id, status.HTTP_201_CREATED, found=created.found)
        response["Location"] = f"/v1/customers/{created.id}"
        return response


class CustomerDetail(ApiView):
    """One customer."""

    scopes = {"GET": READ, "PUT": WRITE, "DELETE": WRITE}

    def asks_ahead(self) -> Ahead | None:
        """The customer that is read."""
        is_reading = self.request.method in {"GET", "HEAD"}
        return ANSWER.ahead(self.kwargs["customer_id"]) if is_reading else None

    @openapi.read_customer
    def get(self, request: Request, customer_id: UUID) -> HttpResponse:
        """The customer, or 304 when the client has this version; a deleted one is 404."""
        response = customer_answer(self.actor, customer_id, found=self.found_ahead)
        known = request.META.get("HTTP_IF_NONE_MATCH")
        if known and is_known(response["ETag"].strip('"'), known):
            return Response(status=304, headers={"ETag": response["ETag"]})
        return response

    @openapi.update_customer
    def put(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Merge the body into the customer: what it does not name stays."""
        found = services.update_customer(
            actor=self.actor,
            customer_id=customer_id,
            submission=CustomerUpdate.reader().parse(request.data),
            via=Via.V1,
            precondition=precondition(request),
            asking=ANSWERS,
        )
        return customer_answer(self.actor, customer_id, found=found)

    @openapi.delete_customer
    def delete(self, request: Request, customer_id: UUID) -> HttpResponse:
        """Delete the customer."""
        services.delete_customer(
            actor=self.actor,
            customer_id=customer_id,
            via=Via.V1,
            precondition=precondition(request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class CustomerSuspension(ApiView):
    """Suspend a customer."""

    scopes = {"PUT": WRITE}

    @openapi.suspend_customer
    def put(self, request: Request, customer_id: UUID) -> HttpResponse:
        """ACTIVE becomes SUSPENDED; once more is 200 again."""
        services.suspend_customer(
            actor=self.actor,
            customer_id=customer_id,
            via=Via.V1,
            precondition=precondition(request),
        )
        return customer_answer(self.actor, customer_id)


class CustomerActivation(ApiView):
    """Activate a suspended customer."""

    scopes = {"PUT": WRITE}

    @openapi.activate_customer
    def put(self, request: Request, customer_id: UUID) -> HttpResponse:
        """SUSPENDED becomes ACTIVE; once more is 200 again."""
        services.activate_customer(
            actor=self.actor,
            customer_id=customer_id,
            via=Via.V1,
            precondition=precondition(request),
        )
        return customer_answer(self.actor, customer_id)


class CustomerRestoration(ApiView):
    """Restore a deleted customer."""

    scopes = {"PUT": WRITE}

    @openapi.restore_customer
    def put(self, request: Request, customer_id: UUID) -> HttpResponse:
        """DELETED becomes ACTIVE, for the reason that the body gives."""
        restore_customer(
            actor=self.actor,
            customer_id=customer_id,
            submission=ReasonBody().parse(request.data),
            via=Via.V1,
            precondition=precondition(request),
        )
        return customer_answer(self.actor, customer_id)


class CustomerAddress(ApiView):
    """One address of a customer."""

    scopes = {"DELETE": WRITE}

    @openapi.remove_address
    def delete(self, request: Request, customer_id: UUID, address_id: UUID) -> HttpResponse:
        """Remove the address."""
        services.remove_address(
            actor=self.actor,
            customer_id=customer_id,
            address_id=address_id,
            via=Via.V1,
            precondition=precondition(request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class CustomerContactPoint(ApiView):
    """One way to reach a contact of a customer."""

    scopes = {"DELETE": WRITE}

    @openapi.remove_contact_point
    def delete(self, request: Request, customer_id: UUID, point_id: UUID) -> HttpResponse:
        """Remove it; the oldest remaining of its kind becomes primary."""
        services.remove_contact_point(
            actor=self.actor,
            customer_id=customer_id,
            point_id=point_id,
            via=Via.V1,
            precondition=precondition(request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class CustomerContact(ApiView):
    """One contact of a business or group."""

    scopes = {"DELETE": WRITE}
    parameters = {"DELETE": {"primary"}}

    @openapi.remove_contact
    def delete(self, request: Request, customer_id: UUID, contact_id: UUID) -> HttpResponse:
        """Remove the contact, with what hangs on it."""
        services.remove_contact(
            actor=self.actor,
            customer_id=customer_id,
            contact_id=contact_id,
            primary=read_id(request.GET, "primary"),
            via=Via.V1,
            precondition=precondition(request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


def read_id(query: QueryDict, name: str) -> UUID | None:
    """A UUID among the query parameters; None without one. Raises `Invalid`."""
    try:
        return UUID(given) if (given := query.get(name)) else None
    except ValueError:
        raise Invalid([Problem(name, "This must be a UUID.", "INVALID")]) from None

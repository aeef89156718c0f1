"""What happened with a customer of `/v1/customers`: activities, and the record of its changes."""

from typing import ClassVar
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from config.api.actors import Actor, Scope
from config.api.cursors import PARAMETERS
from config.api.errors import NotFound
from config.api.pagination import PageRequest
from config.api.views import ApiView
from customers import openapi
from customers.change_log import Via
from customers.history import changes_of, represent_all
from customers.models import Activity
from customers.one_customer import OneCustomer
from customers.serializers import ActivityBody, ActivityUpdate, activity_object
from customers.services.activities import mark_activity, record_activity

READ, WRITE = Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE
EXISTS = OneCustomer(lambda customer, _id: customer.values_list("id"))


def require_customer(actor: Actor, customer_id: UUID) -> None:
    """Raise `NotFound` unless the actor may see the customer."""
    if EXISTS.row(actor, customer_id) is None:
        raise NotFound


class CustomerActivities(ApiView):
    """The interactions with a customer."""

    scopes = {"GET": READ, "POST": WRITE}
    parameters = {"GET": PARAMETERS}
    repeatable = {"sort"}
    gathering = {"GET"}
    sorts: ClassVar[dict[str, str]] = {"sentDate": "sent_date"}

    @openapi.list_activities
    def get(self, request: Request, customer_id: UUID) -> Response:
        """List them, newest first."""
        (page_request,) = self.gather(
            lambda: PageRequest.read(request, self.sorts, "sentDate,DESC")
        )
        require_customer(self.actor, customer_id)
        page = page_request.take(Activity.objects.filter(customer_id=customer_id))
        rows = Activity.objects.filter(customer_id=customer_id, id__in=page.ids)
        by_id = {activity.id: activity_object(activity) for activity in rows}
        return Response(page.envelope(page.placed(by_id)))

    @openapi.record_activity
    def post(self, request: Request, customer_id: UUID) -> Response:
        """Record one."""
        activity = record_activity(
            actor=self.actor,
            customer_id=customer_id,
            submission=ActivityBody.reader().parse(request.data),
            via=Via.V1,
        )
        return Response(activity_object(activity), status=status.HTTP_201_CREATED)


class CustomerActivity(ApiView):
    """One interaction with a customer."""

    scopes = {"PUT": WRITE}

    @openapi.mark_activity
    def put(self, request: Request, customer_id: UUID, activity_id: UUID) -> Response:
        """Mark it as read or unread."""
        activity = mark_activity(
            actor=self.actor,
            customer_id=customer_id,
            activity_id=activity_id,
            submission=ActivityUpdate.reader().parse(request.data),
            via=Via.V1,
        )
        return Response(activity_object(activity))


class CustomerHistory(ApiView):
    """The record of a customer's changes."""

    scopes = {"GET": READ}
    parameters = {"GET": PARAMETERS}
    repeatable = {"sort"}
    gathering = {"GET"}
    sorts: ClassVar[dict[str, str]] = {"at": "at"}

    @openapi.list_changes
    def get(self, request: Request, customer_id: UUID) -> Response:
        """Who changed what, when, and through what, newest first."""
        (page_request,) = self.gather(lambda: PageRequest.read(request, self.sorts, "at,DESC"))
        actor = self.actor
        require_customer(actor, customer_id)
        changes = changes_of(customer_id, actor)
        # Planning takes longer than reading, partition by partition.
        page = page_request.take(changes, is_planned_once=True)
        found = changes.filter(id__in=page.ids)
        if page.ends is not None:
            found = found.filter(at__range=sorted(at for at, _ in page.ends))
        rows = list(found)
        shown = represent_all(rows, actor)
        by_id = {change.id: each for change, each in zip(rows, shown, strict=True)}
        return Response(page.envelope(page.placed(by_id)))

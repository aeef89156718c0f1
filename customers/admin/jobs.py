"""What the pages of queued work have in common: states in words, filters, and who asked."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.api.actors import ActorType
from config.jobs.models import Job
from customers.admin.scope import visible_accounts
from customers.models import OAuthClient, User

STATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "waiting": ("Waiting", (Job.Status.SUBMITTED,)),
    "running": ("Running", Job.RUNNING),
    "finished": ("Finished", (Job.Status.FINISHED,)),
    "failed": ("Failed", (Job.Status.FAILED,)),
    "cancelled": ("Cancelled", (Job.Status.ABORTED,)),
}
# How each status is called.
WORDS: dict[str, str] = {
    status: words for words, statuses in STATES.values() for status in statuses
}


class StateFilter(SimpleListFilter):
    """Jobs in one of the states that an operator tells apart."""

    title = "status"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> Iterable[Any]:
        """The states in words."""
        return [(name, words) for name, (words, _statuses) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The jobs in the chosen state."""
        chosen = STATES.get(self.value() or "")
        return queryset.filter(status__in=chosen[1]) if chosen else queryset


class EndedFilter(SimpleListFilter):
    """Jobs that ended today, by the operator's clock."""

    title = "day of the end"
    parameter_name = "ended"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> Iterable[Any]:
        """The one choice beside all."""
        return [("today", "Ended today")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The jobs that ended since midnight."""
        if self.value() != "today":
            return queryset
        start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return queryset.filter(finished_at__gte=start)


def askers_of(request: HttpRequest, jobs: Iterable[Job]) -> dict[UUID, str]:
    """Who asked for each job: an employee, a program, or an employee in a program.

    Of people above the operator no names are told.
    """
    employees = {job.actor_id for job in jobs if job.actor_type == ActorType.EMPLOYEE}
    people = User.objects.filter(pk__in=employees)
    accounts = visible_accounts(request)
    if accounts is not None:
        people = people.filter(business_account__in=accounts)
    names = {str(person.pk): str(person) for person in people}
    clients = OAuthClient.objects.filter(client_id__in={job.client_id for job in jobs} - {""})
    programs = dict(clients.values_list("client_id", "name"))

    def asker(job: Job) -> str:
        program = programs.get(job.client_id, "a program")
        if job.actor_type != ActorType.EMPLOYEE:
            return program
        name = names.get(job.actor_id, "Somebody of an account above")
        return f"{name}, with {program}" if job.client_id else name

    return {job.pk: asker(job) for job in jobs}

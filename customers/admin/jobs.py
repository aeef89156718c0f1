"""What the pages of queued work have in common: states in words, filters, and who asked."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from unfold.views import ChangeList

from config.api.actors import ActorType
from config.jobs.models import Job
from customers.admin.scope import ReadOnlyAdmin, visible, visible_accounts
from customers.models import OAuthClient, User

# Where a row of a list keeps who asked for it.
ASKER = "asker_name"
J = TypeVar("J", bound=Job)
Choices = list[tuple[str, str]]
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

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Job]") -> Choices:
        """The states in words."""
        return [(name, words) for name, (words, _statuses) in STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs in the chosen state."""
        chosen = STATES.get(self.value() or "")
        return queryset.filter(status__in=chosen[1]) if chosen else queryset


class EndedFilter(SimpleListFilter):
    """Jobs that ended today, by the operator's clock."""

    title = "day of the end"
    parameter_name = "ended"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Job]") -> Choices:
        """The one choice beside all."""
        return [("today", "Ended today")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs that ended since midnight."""
        if self.value() != "today":
            return queryset
        start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return queryset.filter(finished_at__gte=start)


class JobList(ChangeList):
    """A page of jobs, with who asked for each."""

    def get_results(self, request: HttpRequest) -> None:
        """Find them for all rows at once."""
        super().get_results(request)
        rows: list[Job] = list(self.result_list)  # type: ignore[has-type] # untyped
        for row, asker in zip(rows, askers_of(request, rows).values(), strict=True):
            vars(row)[ASKER] = asker
        self.result_list = rows


class JobsAdmin(ReadOnlyAdmin[J]):
    """A list of jobs: `asker` is the column of who asked for each."""

    def get_changelist(self, request: HttpRequest, **_options: object) -> type[ChangeList]:
        """The list."""
        return JobList

    @admin.display(description="asked by")
    def asker(self, job: Job) -> str:
        """Who asked for it."""
        return str(vars(job)[ASKER])


def state_of(job: Job) -> str:
    """The state of a job: a name of `STATES`."""
    return next(name for name, (_words, statuses) in STATES.items() if job.status in statuses)


def askers_of(request: HttpRequest, jobs: Sequence[Job]) -> dict[UUID, str]:
    """Who asked for each job: an employee, a program, or an employee in a program.

    Of those above the operator no names are told. Two queries.
    """
    employees = {job.actor_id for job in jobs if job.actor_type == ActorType.EMPLOYEE}
    people = visible(request, User.objects.filter(pk__in=employees))
    names = {str(person.pk): str(person) for person in people}
    programs = programs_of(request, jobs)

    def asker(job: Job) -> str:
        program = programs.get(job.client_id, "a program")
        if job.actor_type != ActorType.EMPLOYEE:
            return program
        name = names.get(job.actor_id, "Somebody of an account above")
        return f"{name}, with {program}" if job.client_id else name

    return {job.pk: asker(job) for job in jobs}


def programs_of(request: HttpRequest, jobs: Sequence[Job]) -> dict[str, str]:
    """The names of the programs by which jobs came, by client id, as far as the operator sees them.

    A program that belongs to no business account is everybody's.
    """
    clients = OAuthClient.objects.filter(client_id__in={job.client_id for job in jobs} - {""})
    clients = clients.annotate(
        owner=Coalesce("business_account", "service_account__business_account")
    )
    if (accounts := visible_accounts(request)) is not None:
        clients = clients.filter(Q(owner=None) | Q(owner__in=accounts))
    return dict(clients.values_list("client_id", "name"))

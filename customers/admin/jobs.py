"""What the lists of queued work have in common: filters by state and by the day of the end."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from config.jobs.models import Job

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

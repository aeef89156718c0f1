"""What the dashboard tells of queued work: what waits and runs, and what ended today."""

from zoneinfo import ZoneInfo

from django.db.models import Count, Min, Q, Sum

from config.jobs.models import Job
from customers.figures import Accounts, Section, Values, is_at_most, of_accounts, start_of_today


def section_of(kind: type[Job], *, name: str, title: str, total: str) -> Section:
    """The section of a kind of job; `total` is the column that is added up over today's jobs."""

    def is_small(_accounts: Accounts, zone: ZoneInfo) -> bool:
        """Whether few jobs of any account are open, and few have ended today.

        Of any account, for there are indexes of exactly these.
        """
        jobs = kind.objects.all()
        ended_today = jobs.filter(finished_at__gte=start_of_today(zone))
        return is_at_most(jobs.filter(status__in=kind.OPEN)) and is_at_most(ended_today)

    def count(accounts: Accounts, zone: ZoneInfo) -> Values:
        """`waiting`, `running`, the `oldest` waiting; `done`, `broken` and `total` of today."""
        jobs = of_accounts(kind.objects.order_by(), accounts)
        is_waiting = Q(status=kind.Status.SUBMITTED)
        open_ones = jobs.filter(status__in=kind.OPEN).aggregate(
            waiting=Count("pk", filter=is_waiting),
            running=Count("pk", filter=Q(status__in=kind.RUNNING)),
            oldest=Min("submitted_at", filter=is_waiting),
        )
        ended = jobs.filter(finished_at__gte=start_of_today(zone)).aggregate(
            done=Count("pk", filter=Q(status=kind.Status.FINISHED)),
            broken=Count("pk", filter=Q(status=kind.Status.FAILED)),
            total=Sum(total, default=0),
        )
        return open_ones | ended

    app, model = kind._meta.app_label, kind._meta.model_name
    return Section(
        name=name,
        title=title,
        permission=f"{app}.view_{model}",
        template=f"admin/{app}/figures.html",
        is_small=is_small,
        count=count,
    )

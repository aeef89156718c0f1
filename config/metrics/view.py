"""`/metrics`: what all processes of this machine have counted, and what the database tells."""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Count, Min
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import metrics
from config.api.errors import ApiError, NotAuthenticated
from config.api.handlers import answer
from config.api.throttling import note_failure, refuse_guessers
from config.db.scope import Reason, unconfined
from config.db.statements import snapshot
from config.jobs.models import Job

# Whoever watches asks again soon.
DATABASE_SECONDS = 3
KIND = "metrics"
SESSIONS = """
    SELECT coalesce(state, 'none'), count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 1"""


@never_cache
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The figures as Prometheus reads them, for who has `KITH_METRICS_TOKEN` as a bearer token.

    Without that setting there is no such page.
    """
    if not settings.METRICS_TOKEN:
        raise Http404
    try:
        check_token(request)
    except ApiError as error:
        return answer(error, request)
    return figures()


def check_token(request: HttpRequest) -> None:
    """Raise `NotAuthenticated`, and `TooManyRequests` for an address that tries out tokens."""
    refuse_guessers(request, KIND)
    scheme, _space, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token, settings.METRICS_TOKEN):
        note_failure(request, KIND)
        raise NotAuthenticated("This page needs the token of KITH_METRICS_TOKEN.")


def figures() -> HttpResponse:
    """What there is to tell."""
    folder = metrics.place()
    # Brings the library, which looks for the folder, and is wanted only where somebody asks.
    from config.metrics.counted import CONTENT_TYPE, counted  # noqa: PLC0415 -- see above

    return HttpResponse(counted(folder) + "".join(database_lines()), content_type=CONTENT_TYPE)


def database_lines() -> Iterator[str]:
    """Jobs that have not ended, and sessions of the database, as they are now."""
    try:
        with unconfined(Reason.MONITORING), snapshot(seconds=DATABASE_SECONDS):
            jobs = [row for kind in kinds() for row in open_jobs(kind)]
            with connection.cursor() as cursor:
                cursor.execute(SESSIONS)
                sessions = cursor.fetchall()
    except (DatabaseError, InterfaceError):
        yield from gauge("kith_database_up", "Whether the database answers.", [({}, 0)])
        return
    yield from gauge("kith_database_up", "Whether the database answers.", [({}, 1)])
    yield from gauge(
        "kith_jobs",
        "Jobs that have not ended, by state.",
        [({"kind": kind, "status": status}, count) for kind, status, count, _age in jobs],
    )
    yield from gauge(
        "kith_oldest_job_seconds",
        "How long ago the oldest job that has not ended was submitted, by state.",
        [({"kind": kind, "status": status}, age) for kind, status, _count, age in jobs],
    )
    yield from gauge(
        "kith_database_sessions",
        "Sessions of the database, of all machines, by state.",
        [({"state": state.replace(" ", "_")}, count) for state, count in sessions],
    )


def kinds() -> list[type[Job]]:
    """The kinds of jobs that there are."""
    return sorted(Job.__subclasses__(), key=lambda kind: kind.__name__)


def open_jobs(kind: type[Job]) -> Iterator[tuple[str, str, int, float]]:
    """Kind, state, count and greatest age in seconds of jobs that have not ended; 0 for none."""
    rows = (
        kind.objects.filter(status__in=kind.OPEN)
        .order_by()
        .values("status")
        .annotate(count=Count("pk"), age=Now() - Min("submitted_at"))
    )
    found = {row["status"]: row for row in rows}
    for status in kind.OPEN:
        row = found.get(status)
        age = row["age"].total_seconds() if row else 0
        yield name_of(kind), str(status), row["count"] if row else 0, age


def name_of(kind: type[Job]) -> str:
    """What a kind of job is called in figures."""
    return str(kind._meta.model_name)


def gauge(
    name: str, help_text: str, samples: Iterable[tuple[dict[str, str], float]]
) -> Iterator[str]:
    """A figure that goes up and down, in Prometheus' text format; labels are words of our own."""
    yield f"# HELP {name} {help_text}\n# TYPE {name} gauge\n"
    for labels, value in samples:
        pairs = ",".join(f'{label}="{word}"' for label, word in labels.items())
        yield f"{name}{{{pairs}}} {value}\n" if pairs else f"{name} {value}\n"

"""Deleting rows whose time is over: by an index, and in batches that hold no lock for long."""

from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Now

BATCH = 200
# Of one run, so that no process of the worker is busy with it for long; the next run goes on.
MOST_BATCHES = 1000
# How long a worker may still write for a job that is no longer its own, beyond a lease.
STRAGGLING = timedelta(minutes=10)


def ended_before(age: timedelta) -> Q:
    """Jobs that ended so long ago, by the database's clock."""
    return Q(finished_at__lte=Now() - Value(age))


def without_workers() -> Q:
    """Jobs that ended so long ago that nobody writes files for them any more.

    A worker that was cut off or frozen stores what it was about to store, though its job was
    cancelled, or done by another one, meanwhile. What is deleted before may come again.
    """
    return ended_before(timedelta(seconds=settings.JOB_LEASE_SECONDS) + STRAGGLING)


def delete_in_batches(old: "QuerySet[models.Model]", *, batch: int = BATCH) -> int:
    """Delete rows, and what belongs to them, in the order of the queryset; how many.

    Each batch is a transaction. Rows that another transaction holds are left for the next run.
    """
    total = 0
    for _ in range(MOST_BATCHES):
        with transaction.atomic():
            ids = list(
                old.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[
                    :batch
                ]
            )
            old.model._default_manager.filter(pk__in=ids).delete()
        total += len(ids)
        if len(ids) < batch:
            break
    return total

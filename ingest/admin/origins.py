"""Which load or request a customer's changes came by, for the customer's history."""

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from customers.models import Change, Customer
from customers.timeline import Origin
from ingest.admin.words import name_of
from ingest.models import BulkRequest
from ingest.undo.record import is_by

# Of requests that are looked at for one page: a client may give all of its requests one id.
MOST = 200


def origins_of(customer: Customer, changes: Sequence[Change]) -> dict[int, Origin]:
    """The loads that made changes, by the number of the change; one query."""
    traces = {change.request_id for change in changes if change.request_id}
    if not traces:
        return {}
    times = [change.at for change in changes]
    loads = BulkRequest.objects.filter(
        Q(finished_at=None) | Q(finished_at__gte=min(times)),
        request_id__in=traces,
        business_account=customer.business_account_id,
        is_dry_run=False,
        started_at__lte=max(times),
    )
    found = list(loads.select_related("file").order_by("-started_at")[:MOST])
    return {
        change.id: Origin(name_of(load), reverse("admin:ingest_bulkrequest_change", args=[load.pk]))
        for change in changes
        for load in found
        if is_by(load, change)
    }

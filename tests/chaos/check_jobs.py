"""Loads and searches: each accepted one has ended, and what it says of itself is so."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from django.db.models import Count, Q

from customers.models import Change, Enrollment
from ingest.models import BulkContent, BulkItem, BulkRequest
from search.models import CustomerSearch
from tests.chaos.journal import Journal, Load, say

# Ends that are nobody's mistake while things fail.
TRUE_ENDS = {"WORKER_LOST", "UNAVAILABLE", "STORAGE_FULL", "CANCELLED", "WORKER_KILLED"}
Status = BulkRequest.Status


class Stored:
    """What the change log has of each request: how many customers it created, changed, removed."""

    def __init__(self) -> None:
        made = Q(entity="customer", operation="created")
        gone = Q(entity="customer", operation="deleted")
        rows = Change.objects.filter(via="v2").order_by().values("request_id")
        counts = rows.annotate(
            created=Count("customer_id", filter=made, distinct=True),
            removed=Count("customer_id", filter=gone, distinct=True),
            all=Count("customer_id", distinct=True),
        )
        self.counts = {row["request_id"]: row for row in counts}

    def of(self, request_id: str) -> tuple[int, int, int]:
        """Created, changed, removed."""
        row = self.counts.get(request_id)
        if row is None:
            return 0, 0, 0
        return row["created"], row["all"] - row["created"] - row["removed"], row["removed"]


def loads(journal: Journal) -> Iterator[str]:
    """Loads that are missing, doubled, that lie, or that were done in another order."""
    stored = Stored()
    found: dict[str, list[BulkRequest]] = defaultdict(list)
    for row in BulkRequest.objects.all():
        found[str(row.public_id)].append(row)
    for load in journal.loads:
        rows = found.pop(load.request, [])
        if len(rows) > 1 or (load.is_accepted and not rows):
            yield f"load {load.request} is there {len(rows)} times"
        for row in rows:
            yield from told(row, stored)
            if row.status == Status.FINISHED:
                yield from compare(load, row)
        for row in found.pop(load.undo, []):
            yield from told(row, stored)
    yield from (f"nobody has sent load {key}" for key in found)
    yield from last_marks(journal)
    kept = BulkContent.objects.filter(request__status=Status.FINISHED, request__failed=0)
    yield from (f"load {row.pk} is done, and its body is kept" for row in kept)
    ends = Counter(BulkRequest.objects.values_list("action", "status", "error_code"))
    for (action, status, code), count in sorted(ends.items()):
        say(f"  {count:7,}  {action} {status} {code}")


def told(row: BulkRequest, stored: Stored) -> Iterator[str]:
    """Whether its end and its counts are true."""
    name = f"{row.action} {row.public_id}, {row.status} {row.error_code}"
    if row.status != Status.FINISHED and row.error_code not in TRUE_ENDS:
        yield f"{name}: {row.error_message}"
    counts = (row.created, row.updated, row.removed)
    if (found := stored.of(row.request_id)) != counts:
        yield f"{name} tells of {counts} created, updated, removed; it was {found}"


def compare(load: Load, row: BulkRequest) -> Iterator[str]:
    """Whether each item has an outcome, and those that are bad alone failed."""
    name = f"{row.action} {row.public_id}"
    counts = row.created + row.updated + row.unchanged + row.failed
    if (counts, row.failed) != (len(load.people), len(load.bad)):
        yield f"{name}: {counts} of {len(load.people)} items, {row.failed} of {load.bad} failed"
    if load.is_file:
        return
    items = list(row.ledger.order_by("index"))
    if [item.index for item in items] != list(range(len(load.people))):
        yield f"{name}: its ledger has {[item.index for item in items]}"
    failed = [item.index for item in items if item.outcome == BulkItem.Outcome.FAILED]
    if failed != load.bad:
        yield f"{name}: {failed} failed instead of {load.bad}"


def last_marks(journal: Journal) -> Iterator[str]:
    """Whether every customer is as the last accepted load left it, and got there in order."""
    numbers = {
        str(row.public_id): row.number for row in BulkRequest.objects.filter(status=Status.FINISHED)
    }
    wanted: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for load in journal.loads:
        if load.request in numbers and not load.is_file:
            for index, name in enumerate(load.people):
                if index not in load.bad:
                    wanted[name].append((numbers[load.request], load.mark))
    rows = Enrollment.objects.filter(customer__business_account__name="bulk")
    found = {
        name: (organization, str(customer_id))
        for name, organization, customer_id in rows.values_list(
            "customer__external_id", "organization_id", "customer_id"
        )
    }
    seen: dict[str, list[str]] = defaultdict(list)
    changes = Change.objects.filter(entity="enrollment", after__has_key="organization_id")
    for change in changes.order_by("customer_id", "at", "id"):
        seen[str(change.customer_id)].append(change.after["organization_id"])
    for name, marks in wanted.items():
        order = [mark for _, mark in sorted(marks)]
        mark, customer_id = found.get(name, ("", ""))
        if mark != order[-1]:
            yield f"{name} is at {mark} instead of {order[-1]}"
        if seen[customer_id] != order:
            yield f"{name} went through {seen[customer_id]} instead of {order}"


def searches(journal: Journal) -> Iterator[str]:
    """Searches that are missing, that lie, or that ended without a reason."""
    found = {str(row.pk): row for row in CustomerSearch.objects.all()}
    for search in journal.searches:
        row = found.pop(search.query, None)
        if row is None:
            yield f"search {search.query} is not there"
        elif row.status != row.Status.FINISHED and row.error_code not in TRUE_ENDS:
            yield f"search {row.pk} is {row.status} {row.error_code}: {row.error_message}"
        elif search.status in {"FINISHED", "FAILED", "ABORTED"} and search.status != row.status:
            yield f"search {row.pk} was told to be {search.status}, and is {row.status}"
    # One whose answer never came may be there, too, for each searcher.
    if len(found) > 1:
        yield f"nobody has sent {len(found)} searches"
    ends = Counter(CustomerSearch.objects.values_list("status", "error_code"))
    for (status, code), count in sorted(ends.items()):
        say(f"  {count:7,}  search {status} {code}")

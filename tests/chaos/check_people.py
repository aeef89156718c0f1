"""Customers of `/v1`: each accepted write is there, once."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from uuid import UUID

from customers.models import Activity, Contact, Customer
from tests.chaos.journal import Journal, Person


def findings(journal: Journal) -> Iterator[str]:
    """Customers that are missing, doubled, half changed, or that nobody has sent."""
    stored: dict[str, list[Customer]] = defaultdict(list)
    for row in Customer.objects.filter(business_account__name="customers"):
        stored[row.metadata.get("ref", "")].append(row)
    contacts = {
        row.customer_id: row.middle_name
        for row in Contact.objects.filter(customer__business_account__name="customers")
    }
    done = Counter(Activity.objects.values_list("customer_id", "subject"))
    for person in journal.people:
        rows = stored.pop(person.ref, [])
        if len(rows) > 1 or (person.id is not None and not rows):
            yield f"{person.ref} ({person.id}) is there {len(rows)} times"
        elif rows and person.id is not None:
            yield from compare(person, rows[0], contacts.get(rows[0].pk, ""))
            yield from activities(person, done)
    for ref, rows in stored.items():
        yield f"nobody has sent {len(rows)} customers {ref!r}: {[row.pk for row in rows]}"


def compare(person: Person, row: Customer, middle_name: str) -> Iterator[str]:
    """Whether a customer is as its client left it."""
    steps = [str(person.steps[-1] if person.steps else 0), person.unknown]
    step = row.metadata["step"]
    if str(row.pk) != person.id:
        yield f"{person.ref} has the id {row.pk} instead of {person.id}"
    if step not in steps:
        yield f"{person.ref} ({person.id}) is at step {step}, its client at {steps}"
    if middle_name != f"Step {step}":
        yield f"{person.ref} ({person.id}): half of step {step}: {middle_name}"
    is_deleted = row.status == Customer.Status.DELETED
    if is_deleted != person.is_deleted and person.unknown != "deleted":
        yield f"{person.ref} ({person.id}) is {row.status}"


def activities(person: Person, done: Counter[tuple[UUID, str]]) -> Iterator[str]:
    """Whether each activity is there once."""
    for subject in person.activities:
        if (count := done[UUID(person.id), subject]) != 1:
            yield f"{person.ref}: activity {subject!r} is there {count} times"
    if done[UUID(person.id), person.unknown] > 1:
        yield f"{person.ref}: activity {person.unknown!r} is doubled"


def shared(journal: Journal) -> Iterator[str]:
    """Whether a member that one client changes was lost by the change of another."""
    columns = {
        (str(row.customer_id), column): getattr(row, column)
        for row in Contact.objects.filter(customer__business_account__name="bulk")
        for column in ("prefix", "suffix")
    }
    for row in journal.shared:
        found = columns.get((row.customer, row.member))
        if found not in {row.last, *row.unknown}:
            yield f"{row.customer}: {row.member} is {found!r} instead of {row.last!r}"

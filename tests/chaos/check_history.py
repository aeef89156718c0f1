"""The change log: played from its beginning, it leads to the rows that there are."""

from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID

from django.db import connection, transaction

from customers.models import Change
from tests.chaos.journal import Journal

Row = tuple[str, UUID, UUID]
Values = dict[str, object]
MOST_TOLD = 20


def findings(journal: Journal) -> Iterator[str]:
    """Where it is not complete, or not in order."""
    states: dict[Row, Values] = {}
    steps: dict[UUID, list[str]] = defaultdict(list)
    told = 0
    for change in Change.objects.order_by("customer_id", "at", "id").iterator():
        row = (change.entity, change.customer_id, change.entity_id)
        for text in replay(states, row, change):
            told += 1
            if told <= MOST_TOLD:
                yield text
        metadata = (change.after or {}).get("metadata") or {}
        if change.entity == "customer" and "step" in metadata:
            steps[change.customer_id].append(str(metadata["step"]))
    if told > MOST_TOLD:
        yield f"and {told - MOST_TOLD} more changes that do not follow from those before"
    yield from compare(states)
    for person in journal.people:
        if person.id is None:
            continue
        wanted = ["0", *map(str, person.steps)]
        found = steps[UUID(person.id)]
        if found not in (wanted, [*wanted, person.unknown]):
            yield f"{person.ref}: the history has the steps {found} instead of {wanted}"


def replay(states: dict[Row, Values], row: Row, change: Change) -> Iterator[str]:
    """Apply a change to what its row was, which has to be what the change says."""
    before, after = given(change.before), given(change.after)
    what = f"{change.entity} {change.entity_id} of {change.customer_id}, {change.at}, {change.id}"
    if change.operation == Change.Operation.CREATED:
        if row in states:
            yield f"{what}: created, and was there"
        states[row] = after
        return
    state = states.get(row)
    if state is None:
        yield f"{what}: {change.operation}, and was not there"
        return
    if change.operation == Change.Operation.DELETED:
        if state != before:
            yield f"{what}: deleted as {before}, and was {state}"
        del states[row]
        return
    columns = (change.before or {}).keys() | (change.after or {}).keys()
    was = {column: state[column] for column in columns if column in state}
    if was != before:
        yield f"{what}: changed from {before} to {after}, and was {was}"
    states[row] = {name: value for name, value in state.items() if name not in columns} | after


def given(values: Values | None) -> Values:
    """Without what is not given."""
    return {name: value for name, value in (values or {}).items() if value is not None}


def compare(states: dict[Row, Values]) -> Iterator[str]:
    """Compare with the rows that there are, as the log itself would write them down."""
    stored = rows()
    for row in states.keys() - stored.keys():
        yield f"{row} is in the history, and not there"
    for row in stored.keys() - states.keys():
        yield f"{row} is there, and not in the history"
    for row in states.keys() & stored.keys():
        if states[row] != stored[row]:
            yield f"{row} is {stored[row]}, and by the history {states[row]}"


def rows() -> dict[Row, Values]:
    """All rows under the log: what it would have of them if they were deleted now."""
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SELECT coalesce(max(id), 0) FROM customers_change")
        ((last,),) = cursor.fetchall()
        cursor.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'recorded_delete'"
        )
        tables = [table for (table,) in cursor.fetchall()]
        # Else the deletion of one takes along those that hang on it, which counts as well.
        tables.sort(key=lambda table: (table == "customers_customer", table == "customers_contact"))
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")
        gone = Change.objects.filter(id__gt=last)
        found = {
            (change.entity, change.customer_id, change.entity_id): given(change.before)
            for change in gone
        }
        transaction.set_rollback(True)
    return found

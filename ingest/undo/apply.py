"""A batch of items of a request put back, in the current transaction, or only looked at."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from config.api.actors import Actor
from config.api.errors import Problem
from config.db import locks
from config.db.statements import array, prepared_rows
from customers.facts import HELD
from customers.models import (
    Activity,
    AttributeDefinition,
    AttributeValue,
    Customer,
    Department,
    Reveal,
    User,
)
from ingest.models import BulkItem, BulkRequest
from ingest.undo.groups import Group, Groups
from ingest.undo.inverse import Inverse, inverses_of, outcome_of
from ingest.undo.since import CHANGED_SINCE, Since, told
from ingest.undo.writer import write

Outcome = BulkItem.Outcome
DONE = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.REMOVED})
NOT_UNDOABLE = "NOT_UNDOABLE"
SEALED = (
    "A sealed value was replaced, and the change log has not kept it: the change is older than "
    "this release, or the attribute was encrypted or decrypted since."
)
NO_CHANGES = "The change log has nothing of this item any more."
LOCK = "SELECT FROM customers_customer WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE"
THERE = "SELECT id FROM {} WHERE id = ANY(%s::uuid[])"


@dataclass
class Entry:
    """An item of the request that is undone, and what becomes of it.

    `index` and `source_customer_id` are those of the request; `was` is the outcome there.
    """

    index: int
    source_customer_id: str
    was: str
    customer_id: str | None
    outcome: str = Outcome.UNCHANGED
    problems: list[Problem] = field(default_factory=list)

    def fail(self, problems: Sequence[Problem]) -> None:
        """It stays as it is."""
        self.outcome, self.problems = Outcome.FAILED, list(problems)


@dataclass
class Undo:
    """A group, what puts it back, and why it cannot be put back."""

    group: Group
    inverses: dict[str, list[Inverse]]
    problems: list[Problem] = field(default_factory=list)
    undone_by: BulkRequest | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether there is something to write."""
        return not self.problems and self.undone_by is None and bool(self.inverses)


def prepare(
    load: BulkRequest,
    entries: Sequence[Entry],
    *,
    items: Collection[str] | None,
    is_locked: bool = True,
) -> list[Undo]:
    """Find out what would put the items back, lock their customers, and see what stands against it.

    `items` are the customers that the request was about; None when they are not known.
    """
    wanted = {each.customer_id for each in entries if each.customer_id and each.was in DONE}
    with connection.cursor() as cursor:
        # All is found by its key, also in a table that was empty when it was last looked at.
        cursor.execute("SET LOCAL enable_seqscan = off")
    groups = Groups(load, wanted)
    if is_locked:
        lock(groups)
    since = Since(load, groups, items)
    undos = []
    for group in groups:
        undo = Undo(group, {each: inverses_of(found) for each, found in group.changes.items()})
        changed, undo.undone_by = since.changes(group)
        if undo.undone_by is None:
            undo.problems = told(changed)
        undos.append(undo)
    check(undos, load, is_locked=is_locked)
    return undos


def lock(groups: Groups) -> None:
    """Wait for the customers of all groups, and for the accounts that they share."""
    if locks.are_advisory():
        accounts = {
            change.entity_id
            for group in groups
            for changes in group.changes.values()
            for change in changes
            if change.entity == "account"
        }
        locks.hold(accounts.union(groups.customers))
        return
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [array(groups.customers)])


def check(undos: Iterable[Undo], load: BulkRequest, *, is_locked: bool) -> None:
    """Note what else stands against it: sealed values and other rows that are not there any more,
    and what was added to customers that go.
    """
    wanted = [each for each in undos if each.is_wanted]
    inverses = [(undo, each) for undo in wanted for each in chain(*undo.inverses.values())]
    check_secrets(inverses, load, is_locked=is_locked)
    check_references(inverses, is_locked=is_locked)
    gone = {each.customer_id: undo for undo, each in inverses if each.goes and is_customer(each)}
    if not gone:
        return
    seen = Activity.objects.filter(customer__id__any=gone).values_list("customer_id", flat=True)
    refuse(gone, seen.distinct(), "An activity of the customer was recorded.")
    # Who looked, and why, has to stay on record; it would go with the customer.
    looks = Reveal.objects.filter(customer__id__any=gone).values_list("customer_id", flat=True)
    refuse(gone, looks.distinct(), "Sensitive values of the customer were revealed.")
    users = User.objects.filter(business_account=load.business_account_id, customer_id__any=gone)
    refuse(gone, users.values_list("customer_id", flat=True), "The customer was given a sign-in.")


def is_customer(inverse: Inverse) -> bool:
    """Whether it is about the customer itself."""
    return inverse.model is Customer


def refuse(undos: dict[str, Undo], customers: Iterable[UUID | None], message: str) -> None:
    """Note that something was added to customers that would go."""
    for customer_id in customers:
        undos[str(customer_id)].problems.append(Problem("/customer", message, CHANGED_SINCE))


def check_secrets(
    inverses: Iterable[tuple[Undo, Inverse]], load: BulkRequest, *, is_locked: bool
) -> None:
    """Whether all sealed values are there, and attributes still seal what is to come back."""
    returning: list[tuple[Undo, Inverse, dict[str, Any]]] = []
    for undo, inverse in inverses:
        if inverse.is_lost:
            undo.problems.append(Problem(f"/{inverse.entity}", SEALED, NOT_UNDOABLE))
        elif inverse.model is AttributeValue and inverse.was_there:
            returning.append((undo, inverse, inverse.values()))
    if not returning:
        return
    if is_locked:
        AttributeDefinition.hold(load.business_account_id)
    keys = {UUID(inverse.id) for _, inverse, _ in returning}
    customers = {inverse.customer_id for _, inverse, _ in returning}
    stored = AttributeValue.objects.filter(customer__id__any=customers, id__any=keys)
    of_value = dict(stored.values_list("id", "definition_id"))
    seals = {
        each.pk: each.seals
        for each in AttributeDefinition.objects.filter(business_account=load.business_account_id)
    }
    for undo, inverse, values in returning:
        definition = values.get("definition_id") or of_value.get(UUID(inverse.id))
        if definition not in seals:
            message = "The custom attribute was deleted."
            undo.problems.append(Problem(f"/{inverse.entity}", message, CHANGED_SINCE))
        elif seals[definition] != (values.get("value_sealed") is not None):
            undo.problems.append(Problem(f"/{inverse.entity}", SEALED, NOT_UNDOABLE))


def check_references(inverses: Iterable[tuple[Undo, Inverse]], *, is_locked: bool) -> None:
    """Whether departments and agents to which customers go back are still there."""
    for column, model, word in (
        ("department_id", Department, "department"),
        ("preferred_agent_id", User, "agent"),
    ):
        wanted = [
            (undo, value)
            for undo, inverse in inverses
            if is_customer(inverse) and (value := inverse.columns.get(column))
        ]
        if not wanted:
            continue
        sql = THERE.format(model._meta.db_table) + (HELD if is_locked else "")
        rows = prepared_rows(sql, [array({value for _, value in wanted})])
        there = {str(pk) for (pk,) in rows}
        for undo, value in wanted:
            if value not in there:
                message = f"The {word} of the customer was deleted."
                undo.problems.append(Problem("/customer", message, CHANGED_SINCE))


# --- Writing --------------------------------------------------------------------------------------


def apply(undos: Sequence[Undo], *, account: UUID, actor: Actor, at: datetime) -> None:
    """Write all that can be put back; what the database refuses is left, group by group."""
    wanted = [each for each in undos if each.is_wanted]
    try:
        write_some(wanted, account, actor, at)
    except IntegrityError:
        for undo in wanted:
            try:
                write_some([undo], account, actor, at)
            except IntegrityError:
                message = "The customer was changed meanwhile, or something refers to it by now."
                undo.problems.append(Problem("/customer", message, CHANGED_SINCE))


def write_some(undos: Sequence[Undo], account: UUID, actor: Actor, at: datetime) -> None:
    """Write what puts groups back, or nothing. Raises `IntegrityError`."""
    customers = {
        customer_id: inverses for undo in undos for customer_id, inverses in undo.inverses.items()
    }
    with transaction.atomic():
        write(customers, account, actor, at)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def settle(
    entries: Sequence[Entry], undos: Iterable[Undo], request: BulkRequest | None = None
) -> None:
    """Tell each item its outcome, once all is written; `request` is the undo that wrote it."""
    of_customer = {member: undo for undo in undos for member in undo.group.members}
    for entry in entries:
        if not entry.customer_id or entry.was not in DONE:
            continue
        undo = of_customer[entry.customer_id]
        if undo.problems:
            entry.fail(undo.problems)
        elif not undo.inverses:
            entry.fail([Problem("", NO_CHANGES, NOT_UNDOABLE)])
        elif undo.undone_by is None or (request and undo.undone_by.pk == request.pk):
            entry.outcome = outcome_of(undo.inverses.get(entry.customer_id, ()))
            if entry.outcome == Outcome.UNCHANGED:
                # It changed only what it shares with others.
                entry.outcome = Outcome.UPDATED

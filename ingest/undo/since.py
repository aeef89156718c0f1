"""Whether somebody else changed anything since, and in which words that is told.

What another load changed and an undo put back since then counts as not changed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC
from functools import cached_property
from uuid import UUID

from config.api.actors import ActorType
from config.api.errors import Problem
from customers import words
from customers.history import fields_of
from customers.models import Change, ServiceAccount, User
from customers.timeline import ENTITIES, VIA
from ingest.models import BulkRequest
from ingest.undo.groups import OF_ACCOUNTS, Group, Groups
from ingest.undo.record import Later, is_by, later_than

CHANGED_SINCE = "CHANGED_SINCE"
# Of the changes of one item.
MOST_TOLD = 10
WORDS: dict[str, str] = {
    Change.Operation.CREATED: "was added",
    Change.Operation.DELETED: "was removed",
}


class Since:
    """The changes that others made to the customers of groups after the request.

    `items` are the customers that the request was about, None for all: of another one, who only
    holds an account jointly, accounts and cards alone count.
    """

    def __init__(
        self, request: BulkRequest, groups: Groups, items: Collection[str] | None = None
    ) -> None:
        self._request = request
        self._items = items
        self._first = {
            group.members[0]: min(change.id for all_ in group.changes.values() for change in all_)
            for group in groups
            if group.changes
        }
        found: Mapping[str, list[Later]] = {}
        if self._first:
            found = later_than(request, groups.customers, min(self._first.values()))
        self._found = found

    @cached_property
    def _undos(self) -> Sequence[BulkRequest]:
        """The undos of the account, the newest first."""
        undos = BulkRequest.objects.filter(
            business_account=self._request.business_account_id,
            undo_of__isnull=False,
            is_dry_run=False,
            started_at__isnull=False,
        )
        return list(undos.select_related("undo_of").order_by("-number"))

    def changes(self, group: Group) -> tuple[list[Later], BulkRequest | None]:
        """What others changed in a group, and the undo that has put it back already, if one has."""
        changed: list[Later] = []
        undone_by: BulkRequest | None = None
        for member in group.members:
            found = self._found.get(member)
            if not found:
                continue
            own = group.changes.get(member)
            first = own[0].id if own else self._first[group.members[0]]
            left, undo = self._standing([each for each in found if each.id > first])
            undone_by = undone_by or undo
            is_item = self._items is None or member in self._items
            changed += [each for each in left if is_item or each.entity in OF_ACCOUNTS]
        return changed, undone_by

    def _standing(self, changes: list[Later]) -> tuple[list[Later], BulkRequest | None]:
        """The changes of a customer without those that were put back; and the undo of ours."""
        undone_by: BulkRequest | None = None
        for undo in self._undos:
            of_undo = [each for each in changes if is_by(undo, each)]
            if not of_undo or undo.undo_of is None:
                continue
            undone = undo.undo_of
            if undone.pk == self._request.pk:
                undone_by = undone_by or undo
                changes = [each for each in changes if each.id < of_undo[0].id]
                continue
            of_undone = [each for each in changes if is_by(undone, each)]
            if of_undone:
                gone = {each.id for each in (*of_undo, *of_undone)}
                changes = [each for each in changes if each.id not in gone]
        return changes, undone_by


def told(changes: Iterable[Later]) -> list[Problem]:
    """What was changed, when, and by whom; one problem for each of the first changes."""
    first = list(changes)[:MOST_TOLD]
    names = names_of(first)
    return [
        Problem(
            f"/{change.entity}",
            f"{what(change)} on {change.at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC by "
            f"{names.get(change.actor_id) or change.actor_type}, "
            f"{VIA.get(change.via, change.via)}.",
            CHANGED_SINCE,
        )
        for change in first
    ]


def what(change: Later) -> str:
    """What happened to a row, in words."""
    thing = thing_of(change.entity)
    if change.operation != Change.Operation.UPDATED:
        return f"The {thing} {WORDS[change.operation]}"
    fields = fields_of(change.entity)
    found = {words.label(fields[column][0]) for column in change.columns if column in fields}
    first, *others = sorted(found) or ["Something"]
    verb = "were" if others else "was"
    return f"{', '.join([first, *map(words.within, others)])} of the {thing} {verb} changed"


def thing_of(entity: str) -> str:
    """A kind of rows, as the change log calls it, in words."""
    return words.within(ENTITIES.get(entity, entity))


def names_of(changes: Iterable[Later]) -> dict[str, str]:
    """The names of employees and API keys, by the ids that the change log has."""
    by_type: dict[str, set[UUID]] = {}
    for change in changes:
        if change.actor_type in {ActorType.EMPLOYEE, ActorType.SERVICE_ACCOUNT}:
            by_type.setdefault(change.actor_type, set()).add(UUID(change.actor_id))
    if not by_type:
        return {}
    people = User.objects.filter(pk__in=by_type.get(ActorType.EMPLOYEE, ()))
    programs = ServiceAccount.objects.filter(pk__in=by_type.get(ActorType.SERVICE_ACCOUNT, ()))
    return {str(each.pk): f"employee {each}" for each in people} | {
        str(each.pk): f"the key of {each}" for each in programs
    }

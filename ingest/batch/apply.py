"""A batch of items applied to the registry, in the current transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence

from config.api.actors import Actor
from config.db import locks
from customers.change_log import restamp
from customers.facts import AccountFacts
from customers.models import BusinessAccount
from ingest.batch import snapshot
from ingest.batch.items import Item, rows_needed
from ingest.batch.plan import Plan
from ingest.batch.profiles import Profiles
from ingest.batch.writer import Writer
from ingest.models import BulkItem

COUNTED = {
    BulkItem.Outcome.CREATED: "created",
    BulkItem.Outcome.UPDATED: "updated",
    BulkItem.Outcome.UNCHANGED: "unchanged",
    BulkItem.Outcome.REMOVED: "removed",
    BulkItem.Outcome.FAILED: "failed",
}


class TooEarly(Exception):
    """What becomes of an item depends on others that came earlier and are not done yet."""


def prepare(items: Sequence[Item], *, actor: Actor, is_locked: bool = True) -> Plan:
    """Find out what becomes of items, in their order, and lock what they are about.

    Every item is told its outcome, and everything that is wrong with it. Nobody else may change
    the same customers at the same time: see `ingest.ordering`. What is not to be written needs
    no locks: all that can be wrong with an item is found here, not by writing it. To write a
    customer that somebody else has created since it was looked for raises `IntegrityError`.
    """
    ids = snapshot.Ids(actor.business_account_id)
    before = snapshot.load(ids, rows_needed(ids, items), is_locked=is_locked)
    profiles = load_profiles(items, actor, before, is_locked=is_locked)
    plan = Plan(before, profiles)
    plan.take(items)
    return plan


def hold(items: Iterable[Item], *, actor: Actor) -> None:
    """Hold all that a transaction is going to change where it is applied in several batches."""
    if locks.are_advisory():
        needed = rows_needed(snapshot.Ids(actor.business_account_id), items)
        locks.hold(needed.customers | needed.accounts)


def apply(items: Sequence[Item], *, actor: Actor) -> Plan:
    """Write the good ones of items as `actor`'s doing, as of the moment when they are locked."""
    plan = prepare(items, actor=actor)
    Writer(plan, actor, restamp()).write()
    return plan


def load_profiles(
    items: Sequence[Item], actor: Actor, before: snapshot.Snapshot, *, is_locked: bool
) -> Profiles:
    """Load the profiles of the customers that come with profile members."""
    with_profile = [item for item in items if item.profile is not None or item.row is not None]
    if not with_profile:
        nobody = AccountFacts(BusinessAccount(pk=actor.business_account_id), is_held=is_locked)
        return Profiles(nobody, actor, {}, known=())
    wanted = {
        before.ids.customer(item.source_customer_id): item.source_customer_id
        for item in with_profile
        if item.source_customer_id
    }
    account = BusinessAccount.objects.get(pk=actor.business_account_id)
    return Profiles(AccountFacts(account, is_held=is_locked), actor, wanted, before.customers)


def counts_of(items: Sequence[Item]) -> dict[str, int]:
    """How many items came out how."""
    found = Counter(item.outcome for item in items)
    return {name: found[outcome] for outcome, name in COUNTED.items()}

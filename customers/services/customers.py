"""Every write to a customer: one function each, for API, back office and commands alike.

All run in a transaction of their own, logged as the actor's, and raise `ApiError`s.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, IntegrityError

from config.api.actors import Actor
from config.api.bodies import Submission
from config.api.errors import Conflict, Invalid, NotFound, Problem
from config.db.locks import are_advisory, hold, holding
from config.db.statements import Row, Slot
from customers import bulk, normalize
from customers.change_log import recorded, recorded_asking, recorded_unasked, restamp
from customers.models import (
    Address,
    AttributeValue,
    BusinessAccount,
    Contact,
    ContactPoint,
    Customer,
)
from customers.one_customer import OneCustomer
from customers.profile import MODELS, NEEDED, Profile, RowModel, rows_of
from customers.querysets import CustomerQuerySet
from customers.rules.address import settle_primaries
from customers.rules.customer import merge_customer
from customers.rules.points import WITH_PRIMARY, points_of, settle_primary_point
from customers.values import CustomerValues

# What every change of a customer has to know of its business account.
KNOWN = ("id", "default_region")


def with_account(customer: CustomerQuerySet, _id: Slot | None) -> CustomerQuerySet:
    """A customer, with the columns of `bulk.attributes`, and those of `known_account`."""
    columns = [*bulk.attributes(Customer), *(f"business_account__{name}" for name in KNOWN)]
    return customer.select_related("business_account").only(*columns)


def for_update(customer: CustomerQuerySet, customer_id: Slot | None) -> CustomerQuerySet:
    """Likewise, locked by its row."""
    return with_account(customer, customer_id).select_for_update(of=("self",), no_key=True)


# By whether it is held by an advisory lock already, and whether it may be deleted.
TO_CHANGE = {
    (is_held, is_any): OneCustomer(with_account if is_held else for_update, or_deleted=is_any)
    for is_held in (True, False)
    for is_any in (True, False)
}
# Raises `PreconditionFailed` when a write may not go ahead on the version that it finds.
Precondition = Callable[[int], None]
# What is asked about a customer, by its type.
Asking = Mapping[str, OneCustomer]


class Created(NamedTuple):
    """The id of a new customer, and what was asked about it."""

    id: uuid.UUID
    found: Row | None


def create_customer(
    *,
    actor: Actor,
    submission: Submission[CustomerValues],
    via: str,
    asking: Asking | None = None,
) -> Created:
    """Create a customer in the actor's own business account; also gives what `asking` finds then.

    Raises `Invalid`, and `Conflict` with code EXTERNAL_ID_TAKEN when the account has, or had, a
    customer with this external id.
    """
    external_id = submission.values.get("external_id")
    known_id = normalize.customer_id(actor.business_account_id, external_id or "")
    account = known_account(actor.business_account_id, actor.region)
    try:
        with recorded_unasked(actor, via=via) as (at, first):
            customer = bulk.blank(Customer)
            bulk.refer(customer, "business_account", account)
            if external_id:
                customer.external_id = external_id
                customer.id = known_id
            profile = Profile(customer, account, is_new=True)
            if problems := merge_customer(profile, submission, actor):
                raise Invalid(problems)
            writes = profile.written(actor=actor, at=at, first=first)
            found = finished(writes, actor, customer, asking)
    except IntegrityError as error:
        if not external_id or not Customer.objects.filter(pk=known_id).exists():
            raise
        message = f"Customer {known_id} of this business account has this external id."
        raise Conflict(
            message,
            code="EXTERNAL_ID_TAKEN",
            problems=[Problem("externalId", message, "EXTERNAL_ID_TAKEN", {"id": str(known_id)})],
        ) from error
    return Created(customer.pk, found)


def known_account(*values: object) -> BusinessAccount:
    """A business account with these values of `KNOWN`; others are read when they are asked for."""
    return BusinessAccount.from_db(DEFAULT_DB_ALIAS, KNOWN, values)


def update_customer(
    *,
    actor: Actor,
    customer_id: uuid.UUID,
    submission: Submission[CustomerValues],
    via: str,
    precondition: Precondition | None = None,
    asking: Asking | None = None,
) -> Row | None:
    """Merge a request into a customer; gives what `asking` finds then.

    What changes nothing leaves no trace. Raises `NotFound`, `Invalid`, `PreconditionFailed`, and
    `Conflict` (EXTERNAL_ID_IMMUTABLE).
    """
    looked_at = rows_looked_at(submission.values)
    with profiled(actor, customer_id, via, precondition, looked_at) as (profile, at):
        if problems := merge_customer(profile, submission, actor):
            raise Invalid(problems)
        return finished(profile.written(actor=actor, at=at), actor, profile.customer, asking)


def rows_looked_at(values: CustomerValues) -> Iterator[RowModel]:
    """The models of whose rows `merge_customer` looks at any."""
    yield from NEEDED
    if "addresses" in values:
        yield Address
    if "attributes" in values or "contacts" in values:
        yield AttributeValue


def finished(
    writes: bulk.Writes, actor: Actor, customer: Customer, asking: Asking | None
) -> Row | None:
    """Finish the last writes of a transaction; gives what `asking` finds then.

    It is asked in the message that writes and commits. The customer is locked, so what it finds is
    what the transaction leaves behind.
    """
    if asking is None:
        writes.finish()
        return None
    one = asking[customer.type]
    return one.converted(writes.finish_last(one.question(actor, customer.id)))


def suspend_customer(
    *,
    actor: Actor,
    customer_id: uuid.UUID,
    via: str,
    reason: str = "",
    precondition: Precondition | None = None,
) -> None:
    """ACTIVE becomes SUSPENDED; a suspended customer stays as it is."""
    with recorded(actor, via=via, reason=reason) as begun:
        customer, at = locked(actor, customer_id, begun, precondition)
        set_status(customer, Customer.Status.SUSPENDED, actor, at)


def activate_customer(
    *,
    actor: Actor,
    customer_id: uuid.UUID,
    via: str,
    reason: str = "",
    precondition: Precondition | None = None,
) -> None:
    """SUSPENDED becomes ACTIVE; an active customer stays as it is."""
    with recorded(actor, via=via, reason=reason) as begun:
        customer, at = locked(actor, customer_id, begun, precondition)
        set_status(customer, Customer.Status.ACTIVE, actor, at)


def delete_customer(
    *,
    actor: Actor,
    customer_id: uuid.UUID,
    via: str,
    reason: str = "",
    precondition: Precondition | None = None,
) -> None:
    """The customer becomes DELETED: gone for everybody but a BI search that asks for such."""
    with recorded(actor, via=via, reason=reason) as begun:
        customer, at = locked(actor, customer_id, begun, precondition)
        set_status(customer, Customer.Status.DELETED, actor, at)


def remove_address(
    *,
    actor: Actor,
    customer_id: uuid.UUID,
    address_id: uuid.UUID,
    via: str,
    precondition: Precondition | None = None,
) -> None:
    """Remove an address; if it was primary, the oldest remaining of its type takes over."""
    with profiled(actor, customer_id, via, precondition) as (profile, at):
        address = next((a for a in profile.addresses if a.id == address_id), None)
        if address is None:
            raise NotFound
        profile.remove(address)
        settle_primaries(profile, {})
        profile.save(actor=actor, at=at)


def remove_contact_point(
    *,
    actor: Actor,
    customer_id: uuid.UUID,
    point_id: uuid.UUID,
    via: str,
    precondition: Precondition | None = None,
) -> None:
    """Remove a way to reach a contact; the oldest remaining of its kind becomes primary.

    Raises `Conflict` (LAST_CONTACT_POINT) for the last phone number or e-mail address of a contact
    that must have one: an individual, or the primary contact of a business or group.
    """
    with profiled(actor, customer_id, via, precondition) as (profile, at):
        point = next((each for each in profile.rows[ContactPoint] if each.id == point_id), None)
        if point is None:
            raise NotFound
        contact = next(each for each in profile.contacts if each.id == point.contact_id)
        is_needed = point.kind in WITH_PRIMARY and contact.is_primary
        if is_needed and len(points_of(profile, contact, point.kind)) == 1:
            message = f"This is the last one of kind {point.kind}, and this contact needs one."
            raise Conflict(message, code="LAST_CONTACT_POINT")
        profile.remove(point)
        if point.kind in WITH_PRIMARY:
            settle_primary_point(profile, contact, point.kind)
        profile.save(actor=actor, at=at)


def remove_contact(
    *,
    actor: Actor,
    customer_id: uuid.UUID,
    contact_id: uuid.UUID,
    via: str,
    primary: uuid.UUID | None = None,
    precondition: Precondition | None = None,
) -> None:
    """Remove a contact of a business or group with all that hangs on it.

    `primary` names the contact that becomes the primary one. Raises `Conflict`: LAST_CONTACT, and
    PRIMARY_REQUIRED when the primary one goes and none of the others is named; `Invalid` when
    `primary` is none of the others, or cannot be reached by phone and e-mail.
    """
    with profiled(actor, customer_id, via, precondition) as (profile, at):
        contact = next((each for each in profile.contacts if each.id == contact_id), None)
        if contact is None or profile.customer.type == Customer.Type.INDIVIDUAL:
            raise NotFound
        others = [each for each in profile.contacts if each is not contact]
        if not others:
            raise Conflict("A business or group has at least one contact.", code="LAST_CONTACT")
        if primary is not None:
            set_primary_contact(profile, others, primary)
        elif contact.is_primary:
            message = "This is the primary contact. Name the next one in ?primary=."
            raise Conflict(message, code="PRIMARY_REQUIRED")
        for model in (ContactPoint, AttributeValue):
            for row in [row for row in profile.rows[model] if row.contact_id == contact.id]:
                profile.remove(row)
        profile.remove(contact)
        profile.save(actor=actor, at=at)


def set_primary_contact(profile: Profile, others: list[Contact], primary: uuid.UUID) -> None:
    """Make one of these contacts the primary one. Raises `Invalid`."""
    chosen = next((each for each in others if each.id == primary), None)
    if chosen is None:
        message = "This customer has no other contact with this id."
        raise Invalid([Problem("primary", message, "UNKNOWN_CONTACT")])
    if not chosen.is_primary and not all(profile.primary_point(chosen, k) for k in WITH_PRIMARY):
        message = "The primary contact needs a phone number and an e-mail address."
        raise Invalid([Problem("primary", message, "CONTACT_POINT_REQUIRED")])
    for each in profile.contacts:
        each.is_primary = each is chosen


@contextmanager
def profiled(
    actor: Actor,
    customer_id: uuid.UUID,
    via: str,
    precondition: Precondition | None,
    models: Iterable[RowModel] = MODELS,
) -> Iterator[tuple[Profile, datetime]]:
    """A transaction, logged as the actor's, with the profile of a `locked` customer, and `at`.

    The profile has the rows of these models.

    All of it is asked for in one message: each statement sees what was there when the one before it
    had ended, so the rows are those that belong to the customer as it was locked.
    """
    models = list(models)
    locks, one = holding(customer_id), TO_CHANGE[are_advisory(), False]
    questions = [*locks, one.question(actor, customer_id), *rows_of(customer_id, models)]
    with recorded_asking(actor, questions, via=via) as (begun, answers):
        found, *rows = answers[len(locks) :]
        customer, at = taken(one.converted(found), begun, precondition)
        yield Profile.read(customer, dict(zip(models, rows, strict=True))), at


def locked(
    actor: Actor,
    customer_id: uuid.UUID,
    begun: datetime,
    precondition: Precondition | None = None,
    *,
    or_deleted: bool = False,
) -> tuple[Customer, datetime]:
    """A customer that the actor may see, locked until the transaction ends, and `at` for changes.

    `begun` is the moment of the transaction. Where somebody has changed the customer since, its own
    changes are later ones (`restamp`). Raises `NotFound`, for a deleted one, too, unless
    `or_deleted`, and what `precondition` raises. The lock makes two updates at once follow each
    other, so that neither loses the other's fields.
    """
    hold([customer_id])
    one = TO_CHANGE[are_advisory(), or_deleted]
    return taken(one.row(actor, customer_id), begun, precondition)


def taken(
    row: Row | None, begun: datetime, precondition: Precondition | None
) -> tuple[Customer, datetime]:
    """Likewise, of the row of `for_update`."""
    if row is None:
        raise NotFound
    width = len(bulk.attributes(Customer))
    (customer,) = bulk.stored(Customer, [row[:width]])
    customer.business_account = known_account(*row[width:])
    if precondition is not None:
        precondition(customer.version)
    changed = customer.updated_at
    return customer, restamp(changed) if changed > begun else begun


def set_status(customer: Customer, status: str, actor: Actor, at: datetime) -> None:
    """Move a customer to a status; nothing is written when it is there already."""
    if customer.status == status:
        return
    customer.status = status
    customer.version += 1
    customer.updated_at = at
    customer.updated_by_type, customer.updated_by_id = actor.type, actor.id
    customer.save(
        update_fields=["status", "version", "updated_at", "updated_by_type", "updated_by_id"]
    )

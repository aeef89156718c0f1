"""All that one form changes of a customer, or nothing of it."""

import uuid
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from django.db import transaction

from config.api.actors import Actor
from config.api.bodies import Submission
from config.api.errors import NotFound, PreconditionFailed
from customers.services import customers as services
from customers.values import CustomerValues


@dataclass(frozen=True)
class Removals:
    """The ids of parts of a customer that are to go."""

    contacts: Collection[uuid.UUID] = ()
    points: Collection[uuid.UUID] = ()
    addresses: Collection[uuid.UUID] = ()


def edit_customer(
    *,
    actor: Actor,
    customer_id: uuid.UUID,
    version: int,
    submission: Submission[CustomerValues],
    removals: Removals,
    via: str,
) -> None:
    """Merge a request into a customer of this version, then take parts of it out.

    Raises what `update_customer` and the `remove_…` functions raise; nothing is changed then.
    """

    def check(found: int) -> None:
        if found != version:
            raise PreconditionFailed("Somebody changed this customer meanwhile.")

    with transaction.atomic():
        services.update_customer(
            actor=actor,
            customer_id=customer_id,
            submission=submission,
            via=via,
            precondition=check,
        )
        for contact_id in removals.contacts:
            services.remove_contact(
                actor=actor, customer_id=customer_id, contact_id=contact_id, via=via
            )
        for point_id in removals.points:
            # It may have gone with its contact.
            with suppress(NotFound):
                services.remove_contact_point(
                    actor=actor, customer_id=customer_id, point_id=point_id, via=via
                )
        for address_id in removals.addresses:
            services.remove_address(
                actor=actor, customer_id=customer_id, address_id=address_id, via=via
            )

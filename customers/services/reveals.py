"""An employee looks at the sensitive values of a customer: with a reason, and for two minutes."""

import uuid
from datetime import datetime, timedelta

import orjson
from django.conf import settings
from django.db.models.functions import Now

from config.api.actors import Actor
from config.api.bodies import Submission
from config.api.errors import TooManyRequests
from config.api.json import Json
from config.db.locks import held
from customers.change_log import recorded
from customers.models import Customer, Reveal, User
from customers.representation import CustomerObject
from customers.revealing import holders, reveal
from customers.services.customers import locked
from customers.services.restore import required_reason
from customers.values import ReasonValues

LENGTH = timedelta(minutes=2)
WINDOW = timedelta(hours=1)


def reveal_customer(
    *, actor: Actor, customer_id: uuid.UUID, submission: Submission[ReasonValues], via: str
) -> Reveal:
    """Put a look at a customer on record; `revealed_values` has the values as long as it lasts.

    Raises `NotFound`, `Invalid` without a reason, and `TooManyRequests` for an employee who has
    looked `settings.REVEALS_PER_HOUR` times within an hour.
    """
    reason = required_reason(submission)
    with recorded(actor, via=via, reason=reason) as at:
        # Looks of one employee are counted one after the other.
        held(User.objects.all(), actor.id, no_key=True).get()
        check_rate(uuid.UUID(actor.id), at)
        customer, _ = locked(actor, customer_id, at)
        return Reveal.objects.create(
            customer=customer,
            employee_id=uuid.UUID(actor.id),
            reason=reason,
            created_at=at,
            ends_at=at + LENGTH,
        )


def check_rate(employee_id: uuid.UUID, at: datetime) -> None:
    """Raise `TooManyRequests` for an employee who has looked too often within an hour."""
    recent = Reveal.objects.filter(employee=employee_id, created_at__gt=at - WINDOW)
    times = list(recent.order_by("-created_at").values_list("created_at", flat=True))
    limit = settings.REVEALS_PER_HOUR
    if len(times) >= limit:
        wait = times[limit - 1] + WINDOW - at
        minutes = max(1, -(-int(wait.total_seconds()) // 60))
        message = (
            f"You have revealed values {len(times)} times within an hour, which is the limit. "
            f"Try again in {minutes} minutes."
        )
        raise TooManyRequests(message, seconds=wait.total_seconds())


def open_reveal(*, actor: Actor, customer_id: uuid.UUID) -> Reveal | None:
    """The employee's look at a customer that has not ended yet."""
    return Reveal.objects.filter(
        customer__in=Customer.objects.visible_to(actor).present().filter(pk=customer_id),
        employee=actor.id,
        created_at__gt=Now() - LENGTH,
        ends_at__gt=Now(),
    ).first()


def revealed_values(look: Reveal) -> dict[str, str]:
    """The sensitive values of the customer that is looked at, by their paths in its object.

    `customAttributes.NAME`, and `contacts.ID.customAttributes.NAME` of a contact.
    """
    text = Customer.objects.filter(pk=look.customer_id).values_list(CustomerObject()).get()[0]
    masked, whole = orjson.loads(text), orjson.loads(text)
    reveal([whole])
    before, after = flat(masked), flat(whole)
    return {path: value for path, value in after.items() if value and value != before[path]}


def flat(customer: Json) -> dict[str, str]:
    """What may be masked in a customer object, by path."""
    found = {"relationship.pin": customer["relationship"]["pin"]}
    found |= {name: customer.get(name) or "" for name in ("socialId", "securityAnswer")}
    for contact_id, attributes in holders([customer]):
        place = "" if contact_id is None else f"contacts.{contact_id}."
        found |= {f"{place}customAttributes.{name}": value for name, value in attributes.items()}
    return found

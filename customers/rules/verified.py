"""Whether a phone number or e-mail address is verified."""

from config.api.actors import Actor, ActorType
from customers.models import ContactPoint
from customers.rules.parts import Problems
from customers.values import PointValues


def merge_verified(
    point: ContactPoint,
    values: PointValues,
    actor: Actor,
    problems: Problems,
    *,
    is_changed: bool,
) -> None:
    """Whether the number or address is verified: a changed one is not, unless it is said to be.

    A signed-in customer cannot say so; what it sends back of what it read is no such attempt.
    """
    wanted = values.get("is_verified")
    may_verify = actor.type != ActorType.CUSTOMER
    if wanted and not point.is_verified and not may_verify:
        message = "Only a service account or an employee may set this."
        problems.add("verified", message, "NOT_ALLOWED")
    elif is_changed:
        point.is_verified = bool(wanted) and may_verify
    elif wanted is not None:
        point.is_verified = wanted

"""The way back for a deleted customer."""

import uuid

from config.api.actors import Actor
from config.api.bodies import Submission
from config.api.errors import Conflict, Invalid, Problem
from customers.change_log import recorded
from customers.models import Customer
from customers.services.customers import Precondition, locked, set_status
from customers.values import ReasonValues


def required_reason(submission: Submission[ReasonValues]) -> str:
    """The reason of a `ReasonBody`. Raises `Invalid` without one."""
    problems = list(submission.problems)
    reason = submission.values.get("reason") or ""
    if not reason and not problems:
        problems.append(Problem("reason", "This is required.", "REQUIRED"))
    if problems:
        raise Invalid(problems)
    return reason


def restore_customer(
    *,
    actor: Actor,
    customer_id: uuid.UUID,
    submission: Submission[ReasonValues],
    via: str,
    precondition: Precondition | None = None,
) -> None:
    """DELETED becomes ACTIVE, with all that the customer had.

    Raises `NotFound`, `Invalid` without a reason, `Conflict` (NOT_DELETED), `PreconditionFailed`.
    """
    reason = required_reason(submission)
    with recorded(actor, via=via, reason=reason) as begun:
        customer, at = locked(actor, customer_id, begun, precondition, or_deleted=True)
        if customer.status != Customer.Status.DELETED:
            raise Conflict("This customer is not deleted.", code="NOT_DELETED")
        set_status(customer, Customer.Status.ACTIVE, actor, at)

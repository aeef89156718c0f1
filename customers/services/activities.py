"""Changes of activities after they were recorded."""

from uuid import UUID

from config.api.actors import Actor
from config.api.bodies import Submission
from config.api.errors import Invalid, NotFound
from customers.change_log import recorded
from customers.models import Activity
from customers.rules.parts import Problems
from customers.services.customers import locked
from customers.values import ActivityUpdateValues


def mark_activity(
    *,
    actor: Actor,
    customer_id: UUID,
    activity_id: UUID,
    submission: Submission[ActivityUpdateValues],
    via: str,
) -> Activity:
    """Set whether an activity is read. Raises `NotFound`, and `Invalid` without `isRead`."""
    problems = Problems(list(submission.problems))
    is_read = submission.values.get("is_read")
    if is_read is None and not problems.found:
        problems.require("isRead")
    with recorded(actor, via=via):
        customer = locked(actor, customer_id)
        activity = Activity.objects.filter(customer=customer, id=activity_id).first()
        if activity is None:
            raise NotFound
        if problems.found:
            raise Invalid(problems.found)
        if activity.is_read != is_read:
            activity.is_read = bool(is_read)
            activity.save(update_fields=["is_read"])
    return activity

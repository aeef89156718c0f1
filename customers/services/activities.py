"""Activities: recorded, marked as read, corrected, and removed."""

from datetime import datetime
from uuid import UUID

from config.api.actors import Actor
from config.api.bodies import Submission
from config.api.errors import Invalid, NotFound, PreconditionFailed
from customers.change_log import recorded, restamp
from customers.models import Activity
from customers.rules.parts import Problems
from customers.services.customers import locked
from customers.services.restore import required_reason
from customers.values import ActivityUpdateValues, ActivityValues, ReasonValues

REQUIRED = (("type", "type"), ("mode", "mode"), ("sent_date", "sentDate"))
MEMBERS = ("type", "mode", "is_read", "is_secure", "sent_date", "subject")


def record_activity(
    *, actor: Actor, customer_id: UUID, submission: Submission[ActivityValues], via: str
) -> Activity:
    """Record an interaction with a customer. Raises `NotFound` and `Invalid`."""
    problems = problems_of(submission)
    values = {name: value for name, value in submission.values.items() if value not in {None, ""}}
    with recorded(actor, via=via) as begun:
        customer, at = locked(actor, customer_id, begun)
        if problems.found:
            raise Invalid(problems.found)
        return Activity.objects.create(customer=customer, created_at=at, **values)


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
    with recorded(actor, via=via) as begun:
        activity = found(actor, customer_id, activity_id, begun)
        if problems.found:
            raise Invalid(problems.found)
        if activity.is_read != is_read:
            activity.is_read = bool(is_read)
            activity.version += 1
            activity.save(update_fields=["is_read", "version"])
    return activity


def correct_activity(
    *,
    actor: Actor,
    customer_id: UUID,
    activity_id: UUID,
    version: int,
    submission: Submission[ActivityValues],
    via: str,
) -> Activity:
    """Put a whole activity in place of one of this version; what is not given is blank.

    Raises `NotFound`, `Invalid`, and `PreconditionFailed` for another version.
    """
    problems = problems_of(submission)
    blank = Activity()
    given: dict[str, object] = dict(submission.values)
    values = {name: given.get(name) or getattr(blank, name) for name in MEMBERS}
    with recorded(actor, via=via) as begun:
        activity = found(actor, customer_id, activity_id, begun, version)
        if problems.found:
            raise Invalid(problems.found)
        changed = [name for name, value in values.items() if getattr(activity, name) != value]
        if changed:
            for name in changed:
                setattr(activity, name, values[name])
            activity.version += 1
            activity.save(update_fields=[*changed, "version"])
    return activity


def remove_activity(
    *,
    actor: Actor,
    customer_id: UUID,
    activity_id: UUID,
    version: int,
    submission: Submission[ReasonValues],
    via: str,
) -> None:
    """Remove an activity of this version for a reason; the change log keeps what it said.

    Raises `NotFound`, `Invalid` without a reason, and `PreconditionFailed` for another version.
    """
    reason = required_reason(submission)
    with recorded(actor, via=via, reason=reason) as begun:
        found(actor, customer_id, activity_id, begun, version).delete()


def problems_of(submission: Submission[ActivityValues]) -> Problems:
    """What is wrong with a whole activity."""
    problems = Problems(list(submission.problems))
    for name, member in REQUIRED:
        if not submission.values.get(name):
            problems.require(member)
    return problems


def found(
    actor: Actor,
    customer_id: UUID,
    activity_id: UUID,
    begun: datetime,
    version: int | None = None,
) -> Activity:
    """An activity of a customer that the actor may see, both locked until the transaction ends.

    Raises `NotFound`, and `PreconditionFailed` unless it has this version, if any is asked for.
    """
    customer, _ = locked(actor, customer_id, begun)
    # Its own changes leave the customer's row as it is, which would tell of them.
    restamp(begun)
    activity = Activity.objects.filter(customer=customer, id=activity_id).first()
    if activity is None:
        raise NotFound
    if version not in {None, activity.version}:
        raise PreconditionFailed("Somebody changed this activity meanwhile.")
    return activity

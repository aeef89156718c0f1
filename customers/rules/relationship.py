"""What a customer is to the company: its department, role, level and the like."""

from typing import Final, Literal

from config.api.json import camel
from customers.profile import Profile
from customers.rules.parts import Problems, set_sealed, set_texts
from customers.values import RelationshipValues

TEXTS = ("role", "market_segment", "entitlements", "how_referred")
# Members that an account may keep a list for, with the account's column.
LISTED: Final[dict[Literal["level", "industry"], str]] = {
    "level": "levels",
    "industry": "industries",
}
NOTHING: Final[RelationshipValues] = {
    "role": None,
    "level": None,
    "industry": None,
    "market_segment": None,
    "entitlements": None,
    "how_referred": None,
    "preferred_agent_id": None,
    "pin": None,
}


def merge_department(profile: Profile, name: str | None, problems: Problems) -> None:
    """The department, by its name; an empty one takes the customer out of its department."""
    if not name:
        profile.customer.department_id = None
        return
    department_id = profile.facts.departments.get(name)
    if department_id is None:
        message = "This business account has no such department."
        problems.add("department", message, "UNKNOWN_DEPARTMENT")
    else:
        profile.customer.department_id = department_id


def merge_relationship(
    profile: Profile, values: RelationshipValues | None, problems: Problems
) -> None:
    """Merge the members of `relationship`; null for the whole clears all."""
    customer = profile.customer
    if values is None:
        values = NOTHING
    set_texts(customer, values, TEXTS)
    for name, column in LISTED.items():
        if not (given := values.get(name)):
            continue
        allowed = getattr(profile.account, column)
        # What was stored before the list was kept, or changed, may be sent back.
        if allowed and given not in {*allowed, getattr(customer, name)}:
            message = f"This must be one of {', '.join(allowed)}."
            problems.add(camel(name), message, "UNKNOWN_VALUE")
    set_texts(customer, values, LISTED)
    if "preferred_agent_id" in values:
        agent = values["preferred_agent_id"]
        if agent and agent != customer.preferred_agent_id and agent not in profile.facts.agents:
            message = "There is no such employee in this business account or above."
            problems.add("preferredAgentId", message, "UNKNOWN_AGENT")
        else:
            customer.preferred_agent_id = agent
    if "pin" in values:
        set_sealed(customer, "pin_sealed", values["pin"])

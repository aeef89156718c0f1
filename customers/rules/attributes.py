"""Metadata, and the custom attributes that a business account defines."""

from typing import TypeGuard
from uuid import UUID

from config.api import text
from config.db.crypto import associated_data, seal, unseal_if_possible
from customers.models import AttributeDefinition, AttributeValue, Contact
from customers.profile import Profile
from customers.rules.parts import Problems
from customers.values import Pairs

Target = AttributeDefinition.Target
MAX_PAIRS = 5
MAX_KEY = 40
MAX_VALUE = 1024


def merge_metadata(profile: Profile, pairs: Pairs | None, problems: Problems) -> None:
    """Merge metadata: null removes a key, and null for the whole removes all."""
    if pairs is None:
        profile.customer.metadata = {}
        return
    merged = dict(profile.customer.metadata)
    for sent_key, sent in pairs.items():
        key = text.fitted(sent_key, MAX_KEY)
        value = text.fitted(sent, MAX_VALUE) if isinstance(sent, str) else sent
        if value is None:
            merged.pop(key, None)
        elif not 1 <= len(key) <= MAX_KEY or "\0" in key:
            problems.add(key, f"A key has 1 to {MAX_KEY} characters.", "INVALID_KEY")
        elif is_text(value, key, problems):
            merged[key] = value
    if len(merged) > MAX_PAIRS:
        problems.add("", f"At most {MAX_PAIRS} pairs are kept.", "TOO_MANY")
    profile.customer.metadata = merged


def merge_attributes(
    profile: Profile,
    pairs: Pairs | None,
    problems: Problems,
    contact: Contact | None = None,
) -> None:
    """Merge custom attributes of the customer, or of a contact: null removes a value, and null for
    the whole removes all.

    An empty text removes a plain value; for an encrypted one, which leaves as ``""`` for most
    tokens, it means "unchanged".
    """
    target = Target.CUSTOMER if contact is None else Target.CONTACT
    contact_id = None if contact is None else contact.id
    values = profile.rows[AttributeValue]
    stored = {v.definition_id: v for v in values if v.contact_id == contact_id}
    if pairs is None:
        for row in stored.values():
            profile.remove(row)
        return
    for name, value in pairs.items():
        definition = profile.facts.definitions.get((target, name))
        if definition is None:
            message = "This business account has not defined such an attribute."
            problems.add(name, message, "UNKNOWN_ATTRIBUTE")
            continue
        row = stored.get(definition.id)
        if value is None or (value == "" and not definition.is_encrypted):
            if row is not None:
                profile.remove(row)
        elif is_text(value, name, problems) and value:
            set_value(profile, row, definition, value, contact_id)


def set_value(
    profile: Profile,
    row: AttributeValue | None,
    definition: AttributeDefinition,
    value: str,
    contact_id: UUID | None,
) -> None:
    """Set an attribute's value, in the form in which new ones are stored.

    One that is there already stays as it is, in either form: a conversion gets to it.
    """
    if row is None:
        row = AttributeValue(definition=definition, contact_id=contact_id)
        profile.add(row)
    bound_to = associated_data(AttributeValue, "value_sealed", row.id)
    stored: str | None = row.value
    if row.value_sealed is not None:
        stored = unseal_if_possible(row.value_sealed, bound_to)
    if stored == value:
        return
    if definition.seals:
        row.value, row.value_sealed = "", seal(value, bound_to)
    else:
        row.value, row.value_sealed = value, None


def is_text(value: object, member: str, problems: Problems) -> TypeGuard[str]:
    """Whether a value is a text that can be kept; says so if it is not."""
    if not isinstance(value, str):
        problems.add(member, "Not a string.", "INVALID_TYPE")
    elif len(value) > MAX_VALUE:
        problems.add(member, f"At most {MAX_VALUE} characters are kept.", "TOO_LONG")
    elif "\0" in value:
        problems.add(member, "Null characters are not allowed.", "NUL_CHARACTER")
    else:
        return True
    return False

"""The whole sensitive values in customer objects, for who may see them."""

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import FilteredRelation, Q

from config.api.json import Json
from config.db.crypto import associated_data, unseal_if_possible
from customers.models import AttributeValue, Contact, Customer

Parsed = Json  # a customer object, whose members the SQL of `customers.representation` names


def reveal(objects: list[Parsed], *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Put the whole sensitive values into parsed customer objects, for `customers.sensitive`.

    Two queries at most, however many objects there are. What cannot be read stays masked.
    """
    by_id = {UUID(customer["id"]): customer for customer in objects}
    primary = FilteredRelation("contacts", condition=Q(contacts__is_primary=True))
    rows = (
        Customer.objects.using(using)
        .filter(pk__in=by_id)
        .annotate(person=primary)
        .values_list(
            "pk",
            "pin_sealed",
            "person__id",
            "person__social_id_sealed",
            "person__security_answer_sealed",
        )
    )
    for customer_id, pin, contact_id, social_id, answer in rows:
        customer = by_id[customer_id]
        bound_to = associated_data(Customer, "pin_sealed", customer_id)
        show(customer["relationship"], "pin", pin, bound_to)
        if customer["type"] == "INDIVIDUAL" and contact_id is not None:
            bound_to = associated_data(Contact, "social_id_sealed", contact_id)
            show(customer, "socialId", social_id, bound_to)
            bound_to = associated_data(Contact, "security_answer_sealed", contact_id)
            show(customer, "securityAnswer", answer, bound_to)
    reveal_attributes(by_id, using)


def show(whole: Parsed, member: str, sealed: bytes | memoryview | None, bound_to: str) -> None:
    """Put a sealed value in clear into an object, if there is one and it can be read."""
    value = unseal_if_possible(bytes(sealed), bound_to) if sealed else None
    if value is not None:
        whole[member] = value


def holders(customers: Iterable[Parsed]) -> Iterator[tuple[UUID | None, dict[str, str]]]:
    """The custom attributes of customer objects and of their contacts, with the contact's id."""
    for customer in customers:
        yield None, customer["customAttributes"]
        for contact in customer.get("contacts", ()):
            yield UUID(contact["id"]), contact["customAttributes"]


def reveal_attributes(by_id: dict[UUID, Parsed], using: str) -> None:
    """Put the values of masked attributes into customer objects.

    The object tells what is masked, and each row in which form it is: a conversion may run, or end,
    between the query that made the objects and this one.
    """
    masked = {
        name
        for _, attributes in holders(by_id.values())
        for name, value in attributes.items()
        if not value
    }
    if not masked:
        return
    owners = {
        (customer_id, contact_id): attributes
        for customer_id, customer in by_id.items()
        for contact_id, attributes in holders([customer])
    }
    rows = AttributeValue.objects.using(using)
    values = rows.filter(customer__in=by_id, definition__name__in=masked).values_list(
        "customer_id", "contact_id", "id", "definition__name", "value", "value_sealed"
    )
    for customer_id, contact_id, value_id, name, clear, sealed in values:
        attributes = owners.get((customer_id, contact_id), {})
        if attributes.get(name) != "":
            continue
        whole: str | None = clear
        if sealed is not None:
            bound_to = associated_data(AttributeValue, "value_sealed", value_id)
            whole = unseal_if_possible(bytes(sealed), bound_to)
        attributes[name] = whole or ""

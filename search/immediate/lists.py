"""`/core/customermgr/v3/customer/attributes`: the values of lists, and custom attributes."""

from collections.abc import Callable

from django.http import QueryDict

from config.api.actors import Actor
from customers.models import BusinessAccount
from search.immediate import labels, refusals
from search.immediate.definitions import searchable
from search.immediate.labels import labelled
from search.immediate.links import BASE, href, link
from search.immediate.parameters import ALL, single_values

PATH = f"{BASE}/attributes"


def read_lists(actor: Actor, query: QueryDict) -> dict[str, object]:
    """The lists that `$attribute` names. Raises `BadQuery`."""
    values = single_values(query, ("$attribute",))
    if "$attribute" not in values:
        raise refusals.missing("$attribute")
    names = [name.strip() for name in values["$attribute"].split(",")]
    if any(name not in {*LISTS, ALL} for name in names):
        raise refusals.one_of("$attribute", [*LISTS, ALL])
    tree: dict[str, object] = {"link": [link("self", href(PATH, values))]}
    return tree | {
        name: read(actor) for name, read in LISTS.items() if ALL in names or name in names
    }


def words(found: dict[str, str]) -> list[dict[str, str]]:
    """The words of a list with their labels."""
    return [labelled(value, found) for value in found]


def countries(_actor: Actor) -> list[dict[str, str]]:
    """The countries of addresses."""
    names = labels.country_names()
    return [{"value": code, "displayValue": name} for code, name in names.items()]


def industries(actor: Actor) -> list[dict[str, str]]:
    """The industries that the business account keeps."""
    return kept(actor, "industries")


def levels(actor: Actor) -> list[dict[str, str]]:
    """The levels that the business account keeps."""
    return kept(actor, "levels")


def kept(actor: Actor, column: str) -> list[dict[str, str]]:
    """A list of the actor's business account."""
    found = BusinessAccount.objects.filter(pk=actor.business_account_id)
    return [labelled(value, {}) for value in found.values_list(column, flat=True).get()]


def contacts(_actor: Actor) -> dict[str, object]:
    """The kinds of contact points."""
    return {
        "phoneType": words(labels.PHONE_TYPES),
        "postalType": words(labels.ADDRESS_TYPES),
        "socialType": words(labels.SOCIAL_TYPES),
    }


def custom(actor: Actor) -> dict[str, object]:
    """The custom attributes that can be searched; encrypted ones cannot."""
    found = searchable(actor)
    return {"customAttribute": [{"object": target, "attribName": name} for target, name in found]}


LISTS: dict[str, Callable[[Actor], object]] = {
    "type": lambda _actor: words(labels.TYPES),
    "country": countries,
    "industry": industries,
    "level": levels,
    "contacts": contacts,
    "custom": custom,
}

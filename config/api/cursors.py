"""What keeps a cursor from being used for another list, or made up: its scope and signature."""

from collections.abc import Sequence
from typing import cast

import orjson
from django.urls import ResolverMatch
from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from config.api.actors import Actor
from config.api.errors import Invalid, Problem

# Parameters that say which part of a list is wanted, and not which list.
PARAMETERS = frozenset({"page", "size", "sort", "cursor"})
# Of signatures that clients hold: it outlives every name in this code.
SALT = "config.pagination"


def scope_of(request: Request) -> tuple[object, ...]:
    """What a cursor of this request is good for: the list, its filters, and who may see it."""
    actor = cast("Actor", request.auth)
    match = cast("ResolverMatch", request.resolver_match)
    filters = [
        [name, values]
        for name, values in sorted(request.GET.lists())
        if name not in PARAMETERS and any(values)
    ]
    path = sorted((name, str(value)) for name, value in match.kwargs.items())
    return (match.route, path, filters, str(actor.business_account_id), str(actor.customer_id))


def signature_of(state: Sequence[object], scope: tuple[object, ...]) -> str:
    """The signature of a cursor's state."""
    signed = salted_hmac(SALT, orjson.dumps([state, scope]), algorithm="sha256")
    return signed.hexdigest()


def bad_cursor() -> Invalid:
    """The answer to a cursor that no page of this list gave."""
    message = (
        "This cursor is not one that this list and order issued. Start again from the first page."
    )
    return Invalid([Problem("cursor", message, "INVALID_CURSOR")])

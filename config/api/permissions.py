"""Whether an actor may make a call: by scope and type, and denied unless a view says otherwise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config.api import access
from config.api.actors import Actor
from config.api.errors import Forbidden
from config.api.translation import Message

if TYPE_CHECKING:  # DRF's views import the default permission, so it cannot import them
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Lets a request pass whose token has the view's scope for this method; all else is denied.

    A view declares `scopes = {"GET": Scope.X, "POST": Scope.Y}`; a method that it does not name
    is refused, so that a new method is closed until somebody opens it. Which types of actors may
    make the call says `config.api.access.CALLS`.
    """

    missing_scope_code = ""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Deny by default. Raises `Forbidden`, which names the scope."""
        method = "GET" if request.method == "HEAD" else request.method
        scope = getattr(view, "scopes", {}).get(method)
        actor = request.auth
        if scope is None or not isinstance(actor, Actor):
            return False
        if not actor.may(scope):
            raise Forbidden(self.missing(scope, actor), code=self.missing_scope_code)
        match = request.resolver_match
        if not access.is_open(actor.type, method or "", match.route if match else ""):
            self.message = _("This call is not for signed-in customers, who read themselves only.")
            return False
        return True

    def missing(self, scope: str, actor: Actor) -> str:  # noqa: ARG002 -- a subclass looks at it
        """What the actor of a token without this scope is told."""
        return missing_scope(scope)


def missing_scope(scope: str, roles: Sequence[str] = ()) -> str:
    """What a token is told that lacks a scope; `roles` are those that have it, if that helps."""
    if not roles:
        template = _("This call needs the scope %(scope)s, which the token does not have.")
        return Message(template, scope=scope)
    template = _(
        "This call needs the scope %(scope)s, which the token does not have. Roles that may have"
        " it: %(roles)s."
    )
    return Message(template, scope=scope, roles=", ".join(roles))

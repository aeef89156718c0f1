"""Whether an actor may make a call: by scope and type, and denied unless a view says otherwise."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config import access
from config.actors import ROLES, Actor, ActorType
from config.errors import Forbidden

if TYPE_CHECKING:  # DRF's views import the default permission, so it cannot import them
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Lets a request pass whose token has the view's scope for this method; all else is denied.

    A view declares `scopes = {"GET": Scope.X, "POST": Scope.Y}`; a method that it does not name
    is refused, so that a new method is closed until somebody opens it. Which types of actors may
    make the call says `config.access.CALLS`.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Deny by default. Raises `Forbidden`, which names the scope."""
        method = "GET" if request.method == "HEAD" else request.method
        scope = getattr(view, "scopes", {}).get(method)
        actor = request.auth
        if scope is None or not isinstance(actor, Actor):
            return False
        if not actor.may(scope):
            raise Forbidden(missing_scope(scope, actor))
        match = request.resolver_match
        if not access.is_open(actor.type, method or "", match.route if match else ""):
            self.message = "This call is not for signed-in customers, who read themselves only."
            return False
        return True


def missing_scope(scope: str, actor: Actor | None = None) -> str:
    """What a token is told that lacks a scope; a person also learns which roles have it."""
    message = f"This call needs the scope {scope}, which the token does not have."
    if actor is not None and actor.type == ActorType.EMPLOYEE:
        roles = [role for role, scopes in ROLES.items() if scope in scopes]
        message += f" Roles that may have it: {', '.join(roles)}."
    return message

"""Whether an actor may make a call: by scope and type, and denied unless a view says otherwise."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config import access
from config.actors import Actor

if TYPE_CHECKING:  # DRF's views import the default permission, so it cannot import them
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Lets a request pass whose token has the view's scope for this method; all else is denied.

    A view declares `scopes = {"GET": Scope.X, "POST": Scope.Y}`; a method that it does not name
    is refused, so that a new method is closed until somebody opens it. Which types of actors may
    make the call says `config.access.CALLS`.
    """

    message = "This token does not have the scope that this call needs."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Deny by default."""
        method = "GET" if request.method == "HEAD" else request.method
        scope = getattr(view, "scopes", {}).get(method)
        actor = request.auth
        if not isinstance(actor, Actor) or scope is None or not actor.may(scope):
            return False
        match = request.resolver_match
        if not access.is_open(actor.type, method or "", match.route if match else ""):
            self.message = "This call is not for signed-in customers, who read themselves only."
            return False
        return True

"""Refusals for want of a scope: an employee also learns which roles have it."""

from config.api import permissions
from config.api.actors import Actor, ActorType
from customers.roles import roles_with


class HasScope(permissions.HasScope):
    """The default of all views."""

    def missing(self, scope: str, actor: Actor) -> str:
        """What the actor of a token without this scope is told."""
        return missing_scope(scope, actor)


def missing_scope(scope: str, actor: Actor) -> str:
    """What the actor of a token without this scope is told."""
    is_employee = actor.type == ActorType.EMPLOYEE
    return permissions.missing_scope(scope, roles_with(scope) if is_employee else ())

"""One call that is looked at, and the line of the table that it belongs to."""

from dataclasses import dataclass, field

from config.api import access
from config.api.dialects import base_of
from config.api.permissions import HasScope
from config.api.routes import Route
from customers.isolation.family import Caller, Way

# A link is a secret of its own: whoever has it needs no token.
LINK = "signature"


@dataclass
class Line:
    """A route and method in the table: how many calls were made, and what was wrong with them."""

    route: str
    method: str
    calls: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """A call that is looked at."""

    route: Route
    method: str
    caller: Caller

    @property
    def is_api(self) -> bool:
        """Whether it speaks one of the dialects."""
        return bool(base_of("/" + self.route.pattern))

    @property
    def is_due(self) -> bool:
        """Whether the caller makes such calls: with a token those of the API, else the others.

        Who is nobody tries both.
        """
        caller = self.caller
        if caller.way == Way.NOBODY and not caller.token and caller.user is None:
            return True
        return self.is_api == bool(caller.token)

    @property
    def follows_link(self) -> bool:
        """Whether it is made with a signed link alone, which whoever has it may follow."""
        return LINK in self.route.variables and not self.caller.token

    @property
    def is_guarded(self) -> bool:
        """Whether it needs a token."""
        classes = getattr(self.route.view, "permission_classes", ())
        return self.is_api and any(issubclass(each, HasScope) for each in classes)

    @property
    def is_open(self) -> bool:
        """Whether the caller may make it at all, as far as the API knows it."""
        kind = self.caller.actor_type
        if not self.is_guarded:
            return True
        return kind is not None and access.is_open(kind, self.method, self.route.pattern)

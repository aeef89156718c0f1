"""Who acts, for which business accounts, and with which scopes."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Scope(StrEnum):
    """What a token may do; `SCOPES` says it in words."""

    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_WRITE = "customers.write"
    CUSTOMERS_SENSITIVE = "customers.sensitive"
    SEARCH_RUN = "search.run"
    BULK_WRITE = "bulk.write"
    CORE_READ = "core.customermgr.read"


SCOPES: dict[str, str] = {
    Scope.CUSTOMERS_READ: "Read customers",
    Scope.CUSTOMERS_WRITE: "Create, change and delete customers",
    Scope.CUSTOMERS_SENSITIVE: "See whole social ids, security answers and encrypted attributes",
    Scope.SEARCH_RUN: "Run queued searches and download their results",
    Scope.BULK_WRITE: "Load customers in bulk",
    Scope.CORE_READ: "Search customers immediately",
}
# What a key gets when nobody says otherwise: everything but sensitive values.
DEFAULT_SCOPES = tuple(scope for scope in SCOPES if scope != Scope.CUSTOMERS_SENSITIVE)


class ActorType(StrEnum):
    """The kinds of actors, in the spelling of `createdBy.type`."""

    EMPLOYEE = "employee"
    SERVICE_ACCOUNT = "service-account"
    CUSTOMER = "customer"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a request, or in whose name a job runs.

    `tree` holds the ids of the actor's business account and of all its descendants: everything
    that it may see. `client_id` is the key or OAuth client that the token was given to. `roles` and
    `departments`, the home department first and then the foreign ones, are an employee's;
    `is_departmental` tells whether its business account has departmentalization on.
    """

    type: ActorType
    id: str
    business_account_id: UUID
    tree: tuple[UUID, ...]
    scopes: frozenset[str] = frozenset()
    client_id: str = ""
    region: str = "US"
    customer_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    departments: tuple[UUID, ...] = ()
    is_departmental: bool = False
    is_authenticated: bool = field(default=True, init=False)

    def may(self, scope: str) -> bool:
        """Whether the token has `scope`."""
        return scope in self.scopes

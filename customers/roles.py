"""The roles of employees, in one table: what each may do by a token, and in the back office."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from config.api.actors import Scope

OUR_APPS = ("platform", "customers", "search", "ingest")
# Who may act, for which account: for Owner and Admin only.
ADMINISTRATION = (
    "businessaccount",
    "department",
    "user",
    "serviceaccount",
    "oauthclient",
    "accesstoken",
    "refreshtoken",
    "grant",
    "idtoken",
    "reveal",
    "authenticator",
    "recoverycode",
    "signinattempt",
)
# Decrypting shows what only some may see to everybody.
CONVERTING = Q(codename="convert_attributedefinition")
CONSOLE = Q(codename="view_agent_console")
REVEALING = Q(codename="reveal_sensitive")

EVERYTHING = Q()
# A search reads, as a look does.
VIEWING = Q(codename__startswith="view_") | Q(codename="run_customersearch")
WORKING = VIEWING | ~Q(content_type__model__in=ADMINISTRATION) & ~CONVERTING

VIEW_SCOPES = frozenset({Scope.CUSTOMERS_READ, Scope.SEARCH_RUN, Scope.CORE_READ})
WORK_SCOPES = VIEW_SCOPES | {Scope.CUSTOMERS_WRITE, Scope.BULK_WRITE}


@dataclass(frozen=True, slots=True)
class Role:
    """What employees of one role may do.

    `scopes` is the most that their tokens have. `permissions` tells which ones they have in the
    back office; the one to reveal sensitive values goes with the scope for them. `has_console` is
    the permission "View Agent Console", without which nobody searches at `/core`.
    """

    scopes: frozenset[Scope]
    permissions: Q
    has_console: bool

    def granted(self, permissions: QuerySet[Permission]) -> QuerySet[Permission]:
        """Those of these permissions that the role has."""
        granted = permissions.filter(self.permissions)
        if not self.has_console:
            granted = granted.exclude(CONSOLE)
        return granted if Scope.CUSTOMERS_SENSITIVE in self.scopes else granted.exclude(REVEALING)


# The groups are made by a migration.
ROLES: dict[str, Role] = {
    "Owner": Role(WORK_SCOPES | {Scope.CUSTOMERS_SENSITIVE}, EVERYTHING, has_console=True),
    "Admin": Role(WORK_SCOPES | {Scope.CUSTOMERS_SENSITIVE}, EVERYTHING, has_console=True),
    "Manager": Role(WORK_SCOPES | {Scope.CUSTOMERS_SENSITIVE}, WORKING, has_console=True),
    "Clerk": Role(WORK_SCOPES, WORKING, has_console=True),
    "Finance": Role(WORK_SCOPES, WORKING, has_console=False),
    "View Only": Role(VIEW_SCOPES, VIEWING, has_console=False),
}


# What operators do in the back office, in words, and the permission that allows it. The pages ask
# for these; the README has a table of them by role.
ACTIONS = {
    "see customers and their history": "customers.view_customer",
    "add and edit customers": "customers.change_customer",
    "record activities": "customers.add_activity",
    "correct activities": "customers.change_activity",
    "remove activities": "customers.delete_activity",
    "suspend and activate customers": "customers.suspend_customer",
    "delete and restore customers": "customers.delete_customer",
    "reveal sensitive values": "customers.reveal_sensitive",
    "see who revealed what": "customers.audit_reveal",
    "give customers a sign-in": "customers.add_user",
    "see searches": "search.view_customersearch",
    "run searches and download their files": "search.run_customersearch",
    "cancel searches of others": "search.change_customersearch",
    "see loads and their results": "ingest.view_bulkrequest",
    "upload, try out, load, retry, undo": "ingest.add_bulkrequest",
    "cancel loads": "ingest.change_bulkrequest",
    "see business accounts": "customers.view_businessaccount",
    "edit business accounts, departments, attributes": "customers.change_businessaccount",
    "encrypt and decrypt attributes": "customers.convert_attributedefinition",
    "look after people, see sign-ins": "customers.change_user",
    "look after API keys": "customers.change_serviceaccount",
    "look after OAuth clients": "customers.change_oauthclient",
}


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """All that the token of an employee with these roles may do; other groups add nothing."""
    return frozenset().union(*(ROLES[role].scopes for role in roles if role in ROLES))


def roles_with(scope: str) -> list[str]:
    """The names of the roles that have a scope."""
    return [name for name, role in ROLES.items() if scope in role.scopes]


def have_console(roles: Iterable[str]) -> bool:
    """Whether an employee with these roles may use the agent console."""
    return any(ROLES[role].has_console for role in roles if role in ROLES)


def keep_roles(sender: AppConfig, using: str, **_signal: object) -> None:
    """Give every role the permissions of one app's models: a receiver of `post_migrate`.

    A migration could not: Django makes permissions after it. So a new model's permissions reach the
    roles by themselves, and what was changed by hand in a role's group is set right again; whoever
    needs another mix makes a group of their own.
    """
    if sender.label not in OUR_APPS:
        return
    present = Permission.objects.using(using).filter(content_type__app_label=sender.label)
    for name, role in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        granted = role.granted(present)
        group.permissions.remove(*present.exclude(pk__in=granted.values("pk")))
        group.permissions.add(*granted)

"""The roles of employees as groups with permissions, for the back office.

What a role may do through the API stands in `config.api.actors.ROLES`; this is the same for people.
"""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from config.api.actors import ROLES

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
)
# Decrypting shows what only some may see to everybody.
CONVERTING = Q(codename="convert_attributedefinition")
# To search at `/core`; the same roles as `config.api.actors.AGENT_ROLES`.
CONSOLE = Q(codename="view_agent_console")
VIEWING = Q(codename__startswith="view_") & ~CONSOLE
WORKING = VIEWING | CONSOLE | ~Q(content_type__model__in=ADMINISTRATION) & ~CONVERTING
PERMISSIONS: dict[str, Q] = {
    "Owner": Q(),
    "Admin": Q(),
    "Manager": WORKING,
    "Clerk": WORKING & ~Q(codename="reveal_sensitive"),
    "Finance": WORKING & ~Q(codename="reveal_sensitive") & ~CONSOLE,
    "View Only": VIEWING,
}


def keep_roles(sender: AppConfig, using: str, **_kwargs: Any) -> None:  # noqa: ANN401 -- a signal's
    """Give every role the permissions of one app's models: a receiver of `post_migrate`.

    A migration could not: Django makes permissions after it. So a new model's permissions reach the
    roles by themselves, and what was changed by hand in a role's group is set right again; whoever
    needs another mix makes a group of their own.
    """
    if sender.label not in OUR_APPS:
        return
    present = Permission.objects.using(using).filter(content_type__app_label=sender.label)
    for role in ROLES:
        group, _ = Group.objects.using(using).get_or_create(name=role)
        granted = present.filter(PERMISSIONS[role])
        group.permissions.remove(*present.exclude(pk__in=granted.values("pk")))
        group.permissions.add(*granted)

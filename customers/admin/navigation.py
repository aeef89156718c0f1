"""The navigation beside every page of the back office: what each role may use, in our words."""

from collections.abc import Sequence
from typing import TypedDict

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

# Title, model and icon of each entry, in two groups. By their labels, for some are of apps above.
WORK = (
    ("Customers", "customers.Customer", "group"),
    ("Searches", "search.CustomerSearch", "manage_search"),
    ("Loads", "ingest.BulkRequest", "upload_file"),
)
ACCESS = (
    ("Business accounts", "customers.BusinessAccount", "account_tree"),
    ("People", "customers.User", "badge"),
    ("API keys", "customers.ServiceAccount", "key"),
    ("OAuth clients", "customers.OAuthClient", "apps"),
)
# The words for a list, in its title as in its link.
TITLES = {label: title for title, label, _icon in WORK + ACCESS}
admin.site.index_title = "Dashboard"


class Entry(TypedDict):
    """A link, as unfold takes it."""

    title: str
    icon: str
    link: str


class Group(TypedDict, total=False):
    """Entries that belong together."""

    separator: bool
    items: list[Entry]


def navigation(request: HttpRequest) -> list[Group]:
    """The groups of entries, as unfold takes them."""
    dashboard: Entry = {
        "title": "Dashboard",
        "icon": "space_dashboard",
        "link": reverse("admin:index"),
    }
    return [
        {"items": [dashboard, *entries(request, WORK)]},
        {"separator": True, "items": entries(request, ACCESS)},
    ]


def entries(request: HttpRequest, models: Sequence[tuple[str, str, str]]) -> list[Entry]:
    """The entries whose list the operator may see."""
    return [
        {"title": title, "icon": icon, "link": changelist(label)}
        for title, label, icon in models
        if admin.site.get_model_admin(apps.get_model(label)).has_view_or_change_permission(request)
    ]


def changelist(label: str) -> str:
    """The address of a model's list."""
    return reverse(f"admin:{label.lower().replace('.', '_')}_changelist")

"""Loads in the words of the product: what one is called, who asked for it, and how it stands."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.http import HttpRequest

from customers.admin.scope import visible_accounts
from customers.models import OAuthClient, ServiceAccount, User
from ingest.models import BulkRequest

Status = BulkRequest.Status
Action = BulkRequest.Action
KINDS = {
    Action.CREATE_CUSTOMERS: "New customers by API",
    Action.UPDATE_CUSTOMERS: "Changes of customers by API",
    Action.UPDATE_ACCOUNTS: "Accounts by API",
    Action.UPDATE_CARDS: "Cards by API",
    Action.LOAD_FILE: "File by API",
    Action.UNDO: "Undo of a load",
}
WAITING, RUNNING, GOOD, MIXED, BAD = "waiting", "running", "good", "mixed", "bad"


def name_of(load: BulkRequest) -> str:
    """What a load is called: its file's name, or what was asked for."""
    if load.is_by_file and load.file.name:
        return f"Undo of {load.file.name}" if load.action == Action.UNDO else load.file.name
    return KINDS[Action(load.action)]


def status_of(load: BulkRequest) -> tuple[str, str]:
    """How a load stands, and what that means for whoever looks: a word of those above."""
    if load.status == Status.SUBMITTED:
        return "Waiting", WAITING
    if load.status in load.RUNNING:
        doing = "Undoing" if load.action == Action.UNDO else "Loading"
        return ("Checking" if load.is_dry_run else doing), RUNNING
    if load.status == Status.FINISHED:
        if not load.failed:
            return ("Checked" if load.is_dry_run else "Finished"), GOOD
        one = f"{load.failed:,} {'line' if load.failed == 1 else 'lines'}"
        return f"{'Checked' if load.is_dry_run else 'Finished'}, {one} failed", MIXED
    if load.error_code == "CANCELLED":
        return "Cancelled", BAD
    return ("Out of time" if load.error_code == "TIME_LIMIT" else "Failed"), BAD


def percent_of(load: BulkRequest) -> int | None:
    """How much of a load is done; None when nobody can tell, as of a few customers."""
    if load.status == Status.FINISHED:
        return 100
    if not load.is_by_file:
        return None
    return min(99, load.items * 100 // max(1, load.file.lines))


def actors_of(request: HttpRequest, loads: Iterable[BulkRequest]) -> dict[UUID, str]:
    """Who asked for loads, by load; two or three queries. Who works above stays unnamed."""
    shown = list(loads)
    accounts = visible_accounts(request)
    ids = {load.actor_id for load in shown if is_id(load.actor_id)}
    people = User.objects.filter(pk__in=ids)
    programs = ServiceAccount.objects.filter(pk__in=ids)
    if accounts is not None:
        people = people.filter(business_account__in=accounts)
        programs = programs.filter(business_account__in=accounts)
    names = {
        str(pk): name or email for pk, name, email in people.values_list("pk", "name", "email")
    }
    names |= {str(pk): name for pk, name in programs.values_list("pk", "name")}
    return {load.pk: names.get(load.actor_id, "Somebody above") for load in shown}


def client_of(request: HttpRequest, load: BulkRequest) -> str:
    """The name of the API key or app that a load came by, if the operator may see it."""
    if not load.client_id:
        return "Back office"
    clients = OAuthClient.objects.filter(client_id=load.client_id)
    accounts = visible_accounts(request)
    if accounts is not None:
        clients = clients.filter(service_account__business_account__in=accounts)
    return clients.values_list("name", flat=True).first() or "API"


def is_id(text: str) -> bool:
    """Whether a text is a UUID."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def listed(words: Sequence[str]) -> str:
    """Words in a sentence."""
    *some, last = words
    return f"{', '.join(some)} and {last}" if some else last

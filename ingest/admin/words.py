"""Loads in the words of the product: what one is called, who asked for it, and how it stands."""

from collections.abc import Sequence

from customers.admin.jobs import WORDS
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
        return WORDS[load.status], WAITING
    if load.status in load.RUNNING:
        doing = "Undoing" if load.action == Action.UNDO else "Loading"
        return ("Checking" if load.is_dry_run else doing), RUNNING
    if load.status == Status.FINISHED:
        done = "Checked" if load.is_dry_run else WORDS[load.status]
        if not load.failed:
            return done, GOOD
        return f"{done}, {load.failed:,} {'line' if load.failed == 1 else 'lines'} failed", MIXED
    if load.error_code == "CANCELLED":
        return WORDS[Status.ABORTED], BAD
    return ("Out of time" if load.error_code == "TIME_LIMIT" else WORDS[Status.FAILED]), BAD


def percent_of(load: BulkRequest) -> int | None:
    """How much of a load is done; None when nobody can tell, as of a few customers."""
    if load.status == Status.FINISHED:
        return 100
    if not load.is_by_file:
        return None
    return min(99, load.items * 100 // max(1, load.file.lines))


def listed(words: Sequence[str]) -> str:
    """Words in a sentence."""
    *some, last = words
    return f"{', '.join(some)} and {last}" if some else last

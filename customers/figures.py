"""The figures of the dashboard, by section: each app contributes its own.

What is small is counted when it is asked for. What is large is counted by a worker, at most once a
minute for each tree of accounts and time zone that somebody looks at, and shown as of then: no page
waits for a count, and nothing is counted that nobody wants to see.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from celery import current_app
from django.core.cache import cache
from django.db.models import Model, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis import RedisError

from customers.models import BusinessAccount

logger = logging.getLogger(__name__)

# The ids of the accounts that are counted; None for all.
Accounts = Sequence[UUID] | None
# What a section's template shows, by name.
Values: TypeAlias = dict[str, object]
M = TypeVar("M", bound=Model)
TASK = "customers.tasks.count_figures"
# As many rows of an index are read in a few milliseconds.
SMALL = 20_000
FRESH = timedelta(seconds=60)
KEPT_SECONDS = 86_400


@dataclass(frozen=True)
class Section:
    """A part of the dashboard, shown by `template` to who has `permission`.

    `count` gives its figures; `is_small` whether that is quick; `guess` what can be said meanwhile.
    """

    name: str
    title: str
    permission: str
    template: str
    is_small: Callable[[Accounts, ZoneInfo], bool]
    count: Callable[[Accounts, ZoneInfo], Values]
    guess: Callable[[Accounts], Values] = lambda _accounts: {}


@dataclass(frozen=True)
class Figures:
    """What is known: `values`, and when it was counted; None as long as it only is a guess."""

    values: Values
    counted_at: datetime | None
    is_live: bool = False


# By name, in the order of their registration.
SECTIONS: dict[str, Section] = {}


def register(section: Section) -> None:
    """Show a section on the dashboard, below those before."""
    SECTIONS[section.name] = section


def current(section: Section, root: UUID | None, accounts: Accounts, zone: ZoneInfo) -> Figures:
    """The figures of a tree, at once: `accounts` are those of the tree of `root`; None for all."""
    if section.is_small(accounts, zone):
        return Figures(section.count(accounts, zone), timezone.now(), is_live=True)
    key = key_of(section, root, zone)
    try:
        kept: Figures | None = cache.get(key)
        if kept is None or kept.counted_at is None or timezone.now() - kept.counted_at > FRESH:
            ask_to_count(section, root, zone)
    except RedisError as error:
        logger.warning("the cache is unavailable", exc_info=error)
        kept = None
    return kept or Figures(section.guess(accounts), None)


def ask_to_count(section: Section, root: UUID | None, zone: ZoneInfo) -> None:
    """Send a worker the message to count, unless that was done within the last minute."""
    if not cache.add(f"{key_of(section, root, zone)}:asked", 1, int(FRESH.total_seconds())):
        return
    try:
        current_app.send_task(TASK, [section.name, str(root or ""), str(zone)])
    except (BrokerError, OSError) as error:
        logger.warning("no broker for the figures of the dashboard: %s", error)


def count(name: str, root: str, zone_name: str) -> None:
    """Count a section for the tree of `root`, for all accounts if that is empty, and keep it."""
    section, zone = SECTIONS[name], ZoneInfo(zone_name)
    root_id = UUID(root) if root else None
    accounts = (
        None
        if root_id is None
        else list(BusinessAccount.objects.tree_of(root_id).values_list("pk", flat=True))
    )
    figures = Figures(section.count(accounts, zone), timezone.now())
    cache.set(key_of(section, root_id, zone), figures, KEPT_SECONDS)


def key_of(section: Section, root: UUID | None, zone: ZoneInfo) -> str:
    """The name under which figures are kept."""
    return f"figures:{section.name}:{root or 'all'}:{zone}"


def of_accounts(rows: "QuerySet[M]", accounts: Accounts) -> "QuerySet[M]":
    """The rows of these business accounts."""
    return rows if accounts is None else rows.filter(business_account__in=accounts)


def is_at_most(rows: "QuerySet[M]", most: int | None = None) -> bool:
    """Whether there are no more than `SMALL` rows, or `most`; no more are looked at to tell."""
    most = SMALL if most is None else most
    return rows.order_by().values("pk")[: most + 1].count() <= most


def start_of_today(zone: ZoneInfo) -> datetime:
    """The first moment of the day that it is in a zone."""
    return timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)

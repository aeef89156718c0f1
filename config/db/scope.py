"""Whose rows the database shows to the work at hand, where row-level security is on.

With `KITH_ROW_SECURITY` every transaction is told the business accounts of its work, by the setting
`kith.accounts`, and policies (`config.db.policies`) show their rows alone. What is told ends with
the transaction, so a pooled connection carries nothing over. Work that nobody has confined, nor let
see everything for one of the reasons here, sees nothing. Without it all of this is just noted.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import NamedTuple, TypeVar
from uuid import UUID

T = TypeVar("T")
SETTING = "kith.accounts"
# An unknown account, which might be any (`config.db.policies`).
EVERYTHING = "{NULL}"
# The schema of the views, each named as its table.
VIEWS = "kith_rows"


class Scope(NamedTuple):
    """What a transaction is told: `accounts`, as `SETTING` has them, and whether it reads views."""

    accounts: str = ""
    is_looking: bool = False


NOTHING = Scope()
current: ContextVar[Scope] = ContextVar("row_scope", default=NOTHING)


class Reason(StrEnum):
    """For what work sees the rows of all business accounts: the whole list."""

    SIGNED_LINK = "a link without a token is judged by the search that its signature names"
    SUPERUSER = "a superuser of the back office stands above all accounts"
    JOBS = "one worker claims, takes up and cleans up after the jobs of all accounts"
    UNDO = "the change log of a load also has rows of holders that never arrived"
    MONITORING = "figures are of the whole registry"
    COMMAND = "who runs commands has the keys and the database"


def of(accounts: Iterable[UUID]) -> Scope:
    """The scope of some business accounts."""
    return Scope("{" + ",".join(map(str, accounts)) + "}")


@contextmanager
def within(scope: Scope) -> Iterator[None]:
    """Work within a scope; what it chooses itself (`confine`) ends here, too."""
    before = current.set(scope)
    try:
        yield
    finally:
        current.reset(before)


def confined_to(accounts: Iterable[UUID]) -> AbstractContextManager[None]:
    """Work that sees the rows of these business accounts alone."""
    return within(of(accounts))


def everything(_reason: Reason) -> Scope:
    """The scope of all business accounts, for one of the known reasons."""
    return Scope(EVERYTHING)


def unconfined(reason: Reason) -> AbstractContextManager[None]:
    """Work that sees the rows of all business accounts likewise."""
    return within(everything(reason))


def looking() -> AbstractContextManager[None]:
    """Work that reads by all indexes, and writes nothing that has a view."""
    return within(current.get()._replace(is_looking=True))


def kept(pieces: Iterable[T]) -> Iterator[T]:
    """The same pieces, each made within the scope of now; none of it is left in between."""
    scope, rest = current.get(), iter(pieces)
    while True:
        with within(scope):
            try:
                piece = next(rest)
            except StopIteration:
                return
        yield piece


def confine(accounts: Iterable[UUID]) -> None:
    """Show the rows of these business accounts alone from here on, to the end of the request."""
    current.set(current.get()._replace(accounts=of(accounts).accounts))


def show_all(_reason: Reason) -> None:
    """Show the rows of all business accounts from here on likewise."""
    current.set(current.get()._replace(accounts=EVERYTHING))

"""One thing of every kind in a business account, with the handles that lead to them."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from uuid import UUID, uuid4

from django.utils import timezone
from oauth2_provider.models import set_token_value

from config.api.actors import SCOPES, Actor
from customers.authentication import actor_of
from customers.models import AccessToken, BusinessAccount, OAuthClient, User
from customers.normalize import uuid7
from customers.services.people import create_api_key, create_employee, create_service_account


class Reach(Enum):
    """Who may reach what a handle leads to."""

    TREE = auto()  # whoever has its business account in the own tree
    ABOVE = auto()  # also whoever has its business account above the own one
    HOLDER = auto()  # the program, or the person, that made it, and nobody else
    ANYBODY = auto()  # it is the caller's own word for something, such as an external id


@dataclass(frozen=True)
class Handle:
    """What a variable of a path may be.

    `value` leads to the thing, and `never` to one that never was. `is_listed`: a list that shows
    one of this kind shows all that the caller may reach.
    """

    value: str
    never: str
    reach: Reach = Reach.TREE
    is_listed: bool = False


# By the name of the variable, or ``x of y`` (`config.api.routes.Route.key`).
Handles = dict[str, Handle]


def handle(key: object, *, reach: Reach = Reach.TREE, is_listed: bool = False) -> Handle:
    """A handle that is the key of a row."""
    never = uuid7() if isinstance(key, UUID) and key.version == 7 else uuid4()
    return Handle(str(key), str(never), reach, is_listed)


@dataclass
class Holding:
    """What one program, and one Owner, of a business account have.

    `mark` is a word that stands in the texts of all of it, and in nobody else's.
    """

    account: BusinessAccount
    mark: str
    client: OAuthClient
    token: str
    owner: User
    handles: Handles = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """The program, as a request with its token has it."""
        actor = actor_of(self.token)
        if actor is None:
            raise RuntimeError("a token that was just made is good for nothing")
        return actor


Maker = Callable[[Holding], Handles]
# In the order of their registration: `customers` first, whose things others are about.
MAKERS: list[Maker] = []


def register(maker: Maker) -> Maker:
    """Have the things of one app made for the check: a decorator, in the app's `isolation`.

    These modules are imported when the check begins, and by nothing else.
    """
    MAKERS.append(maker)
    return maker


def make_holding(account: BusinessAccount, mark: str) -> Holding:
    """A program with all scopes and an Owner, and through them one thing of every kind."""
    program = create_service_account(
        business_account=account, name=f"{mark} program", scopes=tuple(SCOPES)
    )
    client = create_api_key(service_account=program).client
    owner = create_employee(
        email=f"{mark}-owner@example.com", business_account=account, role="Owner", name=mark
    )
    holding = Holding(account, mark, client, make_token(client), owner)
    for maker in MAKERS:
        holding.handles |= maker(holding)
    return holding


def make_token(client: OAuthClient, user: User | None = None) -> str:
    """An access token with all scopes, good for an hour: a program's, or a person's."""
    token = secrets.token_urlsafe(32)
    row = AccessToken(
        application=client,
        user=user,
        scope=" ".join(SCOPES),
        expires=timezone.now() + timedelta(hours=1),
    )
    set_token_value(row, token)
    row.save()
    return token


def values_of(handles: Mapping[str, Handle]) -> dict[str, str]:
    """Where these handles lead."""
    return {name: each.value for name, each in handles.items()}


def nothing_of(handles: Mapping[str, Handle]) -> dict[str, str]:
    """Handles of the same names that lead nowhere."""
    return {name: each.never for name, each in handles.items()}

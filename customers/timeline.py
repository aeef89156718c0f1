"""The change log of a customer as people read it: who did what and why, in words and not in ids."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from config.api.actors import ActorType
from customers import words
from customers.deeds import Row, deed
from customers.history import MASK, represent_all
from customers.models import (
    Activity,
    AttributeDefinition,
    AttributeValue,
    Change,
    Customer,
    ServiceAccount,
    User,
)

HIDDEN = "••••"
Accounts = Collection[UUID] | None
VIA = {
    "v1": "through the API",
    "v2": "in a load",
    "back-office": "in the back office",
    "job": "in a job",
    "command": "by a command",
    "database": "in the database",
}
# Keys of other rows, which say nothing to people.
KEYS = frozenset(
    ["contactId", "definitionId", "businessAccountId", "parentCustomerId", "accountId"]
)
# What says most of some of the entities.
SAYING = {"account": "sourceAccountId", "enrollment": "organizationId", "activity": "subject"}
ENTITIES = {
    "customer": "Customer",
    "contact": "Contact",
    "contactPoint": "Contact point",
    "address": "Address",
    "attributeValue": "Attribute",
    "enrollment": "Enrollment",
    "account": "Account",
    "card": "Card",
    "reveal": "Sensitive values",
    "activity": "Activity",
}


@dataclass(frozen=True)
class Line:
    """One thing that changed; `how` is ``added``, ``removed`` or ``changed``."""

    how: str
    label: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Origin:
    """What made a change, such as a load: its name, and the address of its page."""

    name: str
    url: str


# Gives what made changes of a customer, by their numbers.
Finder = Callable[[Customer, Sequence[Change]], Mapping[int, Origin]]
# By the permission to see what they find.
FINDERS: dict[str, Finder] = {}


def register(permission: str, finder: Finder) -> None:
    """Have changes lead to what made them, for those who have a permission."""
    FINDERS[permission] = finder


@dataclass(frozen=True)
class Event:
    """All that one actor did at one moment."""

    at: datetime
    who: str
    what: str
    via: str
    reason: str
    icon: str
    origin: Origin | None = None
    lines: list[Line] = field(default_factory=list)


class Timeline:
    """Makes events of a customer's changes, for an operator who sees some business accounts.

    `accounts` are their ids, None for all: nobody learns who works elsewhere. A fixed number of
    queries, however many changes there are.
    """

    def __init__(
        self, customer: Customer, accounts: Accounts, operator: User | AnonymousUser
    ) -> None:
        self.customer = customer
        self.accounts = accounts
        self.finders = [
            finder for permission, finder in FINDERS.items() if operator.has_perm(permission)
        ]
        self.origins: dict[int, Origin] = {}
        self.is_individual = customer.type == Customer.Type.INDIVIDUAL
        self.subjects: dict[str, str] = {}
        self.people: dict[str, str] = {}

    def events(self, changes: Iterable[Change]) -> list[Event]:
        """The events, in the order of the changes."""
        changes = list(changes)
        rows = list(zip(changes, represent_all(changes), strict=True))
        self.name_everything([row for _, row in rows])
        for finder in self.finders:
            self.origins |= finder(self.customer, changes)
        found = []
        for _, together in groupby(rows, key=lambda pair: key_of(pair[0])):
            pairs = list(together)
            found.append(self.event(pairs[0][0], [row for _, row in pairs]))
        return found

    def event(self, change: Change, rows: Sequence[Row]) -> Event:
        """What one actor did at one moment."""
        what, icon = deed(rows)
        lines = [line for row in rows for line in self.lines(row)]
        if icon == "add":
            # As they were made, the person first.
            lines = [line for line in reversed(lines) if line.after]
        return Event(
            at=change.at,
            who=self.actor(change),
            what=what,
            via=VIA.get(change.via, ""),
            reason=change.reason,
            icon=icon,
            origin=self.origins.get(change.id),
            lines=lines,
        )

    def lines(self, row: Row) -> list[Line]:
        """The changes of one row, in words."""
        entity = row["entity"]
        if entity == "reveal":
            return []
        if row["operation"] == "updated":
            return [self.line(row, each) for each in row["changes"] if each["field"] not in KEYS]
        side, how = ("to", "added") if row["operation"] == "created" else ("from", "removed")
        values = {each["field"]: each[side] for each in row["changes"]}
        kind, text = self.summary(entity, values)
        shown = {"after": text} if how == "added" else {"before": text}
        return [Line(how, kind, **shown)]

    def line(self, row: Row, change: Row) -> Line:
        """How one member of a row changed."""
        entity, member = row["entity"], change["field"]
        name = "primaryPhoneNumber.type" if (entity, member) == ("contactPoint", "type") else member
        before, after = (self.shown(name, change[side]) for side in ("from", "to"))
        subject = self.subjects.get(row["entityId"]) or ENTITIES[entity]
        if entity == "attributeValue" or (entity, member) == ("contactPoint", "value"):
            label = subject
        elif entity == "customer" or (entity == "contact" and self.is_individual):
            label = words.label(name)
        else:
            label = f"{subject}: {words.label(name)}"
        return Line("changed", label, before, after)

    def shown(self, member: str, value: object) -> str:
        """A value in words."""
        if value == MASK:
            return HIDDEN
        if member == "relationship.preferredAgentId" and value:
            return self.people.get(str(value)) or "Somebody of another business account"
        return words.in_words(member, value)

    def summary(self, entity: str, values: Row) -> tuple[str, str]:
        """What a row is, and what it says, in a few words."""
        texts = {name: str(value) for name, value in values.items() if value not in (None, "")}
        if entity == "contactPoint":
            return words.word(texts.get("kind", "")), texts.get("value", "")
        if entity == "address":
            parts = [texts.get(name, "") for name in ("streetLine1", "cityName", "zipCode")]
            country = words.country_name(texts.get("countryCode", ""))
            text = ", ".join(filter(None, [*parts, country]))
            return f"{words.word(texts.get('type', ''))} address", text
        if entity == "attributeValue":
            name = self.subjects.get(texts.get("definitionId", ""), ENTITIES[entity])
            value = texts.get("value", "")
            return name, HIDDEN if value == MASK else value
        if entity == "contact":
            names = (texts.get(name, "") for name in ("firstName", "middleName", "lastName"))
            return ENTITIES[entity], " ".join(filter(None, names))
        if entity == "card":
            return ENTITIES[entity], f"{HIDDEN} {texts.get('last4', '')}"
        kind = words.word(texts.get("type", "")) if entity == "activity" else ENTITIES[entity]
        return kind, texts.get(SAYING.get(entity, ""), texts.get("businessName", ""))

    def name_everything(self, rows: Sequence[Row]) -> None:
        """Look up by what people know the ids in these changes."""
        customer = self.customer
        definitions = dict(
            AttributeDefinition.objects.filter(
                business_account=customer.business_account_id
            ).values_list("pk", "name")
        )
        self.subjects = {str(pk): name for pk, name in definitions.items()}
        values = AttributeValue.objects.filter(customer=customer)
        for value_id, definition in values.values_list("id", "definition_id"):
            self.subjects[str(value_id)] = definitions.get(definition, "")
        for contact in customer.contacts.all():
            self.subjects[str(contact.id)] = str(contact)
        for point in customer.contact_points.all():
            self.subjects[str(point.id)] = words.word(point.kind)
        for address in customer.addresses.all():
            self.subjects[str(address.id)] = f"{words.word(address.type)} address"
        # There may be many.
        acted = {row["entityId"] for row in rows if row["entity"] == "activity"}
        if acted:
            for activity in Activity.objects.filter(customer=customer, id__in=acted):
                self.subjects[str(activity.id)] = activity.subject or words.word(activity.type)
        for row in rows:
            sides = {each["field"]: each["from"] or each["to"] for each in row["changes"]}
            if row["operation"] != "updated" and row["entityId"] not in self.subjects:
                kind, text = self.summary(row["entity"], sides)
                is_activity = row["entity"] == "activity"
                self.subjects[row["entityId"]] = (text if is_activity else "") or kind
        self.people = self.names(rows)

    def names(self, rows: Sequence[Row]) -> dict[str, str]:
        """The names of the employees and programs that the reader may know, by id."""
        ids = {row["actor"]["id"] for row in rows} | {
            each[side]
            for row in rows
            for each in row["changes"]
            if each["field"] == "relationship.preferredAgentId"
            for side in ("from", "to")
        }
        ids -= {"", None}
        users, programs = User.objects.filter(pk__in=ids), ServiceAccount.objects.filter(pk__in=ids)
        if self.accounts is not None:
            users = users.filter(business_account__in=self.accounts)
            programs = programs.filter(business_account__in=self.accounts)
        found = {str(user.pk): str(user) for user in users}
        return found | {str(program.pk): program.name for program in programs}

    def actor(self, change: Change) -> str:
        """Who made a change."""
        if change.actor_type == ActorType.INTERNAL:
            return "Kith"
        if change.actor_type == ActorType.CUSTOMER:
            return "The customer"
        if name := self.people.get(change.actor_id):
            return name
        is_employee = change.actor_type == ActorType.EMPLOYEE
        return f"{'An employee' if is_employee else 'A program'} of another business account"


def key_of(change: Change) -> tuple[object, ...]:
    """What changes of one event share."""
    moment = change.request_id or change.at
    return moment, change.actor_type, change.actor_id, change.reason

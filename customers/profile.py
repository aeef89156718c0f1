"""A customer with all that hangs on it, in memory: load it, let the rules change it, save it.

Saving writes what changed and nothing else, with a fixed number of statements whatever the number
of rows; a profile that did not change is not written at all, and leaves no trace in the change log.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import models
from psycopg.rows import TupleRow

from config.api.actors import Actor
from config.db.statements import Question, Statement, together
from customers import bulk, normalize
from customers.bulk import blank, copied
from customers.facts import AccountFacts
from customers.models import (
    Address,
    AttributeValue,
    BusinessAccount,
    Contact,
    ContactPoint,
    Customer,
)
from customers.models.customer import NAME_KEY_LENGTH, SORT_LENGTH

Row = Contact | ContactPoint | Address | AttributeValue
RowModel = type[Contact] | type[ContactPoint] | type[Address] | type[AttributeValue]
# Parents before children: points and values refer to contacts.
MODELS: tuple[type[Row], ...] = (Contact, ContactPoint, Address, AttributeValue)
# The rows that `Profile.derive` makes others of.
NEEDED = MODELS[:2]
FOLDED = "_folded"
INDIVIDUAL = Customer.Type.INDIVIDUAL
# What is written of every customer of whom anything changes.
STAMPS = frozenset({"version", "updated_at", "updated_by_type", "updated_by_id"})

Columns = TupleRow  # in the order of `bulk.attributes`


@dataclass(slots=True)
class Changes:
    """What differs from the database: columns of the customer and of its rows, and new rows."""

    customer: set[str] = field(default_factory=set)
    rows: list[tuple[Any, set[str]]] = field(default_factory=list)  # of any of `MODELS`
    new: list[Any] = field(default_factory=list)  # likewise


class Profile:
    """A customer and its rows. `account` gives the default region for phone numbers.

    `facts` are those of the account; many profiles may share them. `rows` may be without those of a
    model, which then are neither looked at nor changed: `NEEDED` are always there.
    """

    def __init__(
        self,
        customer: Customer,
        account: BusinessAccount,
        *,
        is_new: bool,
        facts: AccountFacts | None = None,
    ) -> None:
        self.customer = customer
        self.account = account
        self.is_new = is_new
        self.rows: dict[type[Row], list[Any]] = {  # rows of the key's class: no type says that
            model: [] for model in MODELS
        }
        self.removed: list[Row] = []
        self.loaded: dict[tuple[type[models.Model], UUID], Columns] = {}
        self.changes = Changes()
        self.facts = facts or AccountFacts(account)

    @classmethod
    def load(cls, customer: Customer) -> "Profile":
        """The profile of a customer that was read with its business account."""
        return cls.read(customer, dict(zip(MODELS, together(rows_of(customer.pk)), strict=True)))

    @classmethod
    def read(cls, customer: Customer, found: Mapping[type[Row], list[Columns]]) -> "Profile":
        """Likewise, with the rows of some models, of the answers to `rows_of`."""
        profile = cls(customer, customer.business_account, is_new=False)
        profile.remember(customer)
        profile.rows = {}
        for model, rows in found.items():
            values = of_customer(model).converted(rows)
            profile.rows[model] = list(bulk.stored(model, values))
            for row in profile.rows[model]:
                profile.remember(row)
        return profile

    def draft(self) -> "Profile":
        """A copy to change: whatever becomes of it, this profile stays as it is."""
        copy = Profile(copied(self.customer), self.account, is_new=self.is_new, facts=self.facts)
        copy.rows = {model: list(map(copied, rows)) for model, rows in self.rows.items()}
        copy.removed = list(self.removed)
        # Never changed once they are there.
        copy.loaded = self.loaded
        return copy

    @property
    def contacts(self) -> list[Contact]:
        """The contacts, oldest first."""
        return self.rows[Contact]

    def first_contact(self) -> Contact:
        """The oldest contact; a primary one is made where there is none."""
        if not self.contacts:
            contact = blank(Contact)
            contact.is_primary = True
            self.add(contact)
        return self.contacts[0]

    @property
    def addresses(self) -> list[Address]:
        """The addresses, oldest first."""
        return self.rows[Address]

    def primary_point(self, contact: Contact, kind: str) -> ContactPoint | None:
        """The primary phone number or e-mail address of a contact."""
        points: list[ContactPoint] = self.rows[ContactPoint]
        for point in points:
            if point.contact_id == contact.id and point.kind == kind and point.is_primary:
                return point
        return None

    def add(self, row: Row) -> None:
        """Take in a new row."""
        bulk.refer(row, "customer", self.customer)
        self.rows[type(row)].append(row)

    def remove(self, row: Row) -> None:
        """Take a row out."""
        self.rows[type(row)].remove(row)
        if (type(row), row.id) in self.loaded:
            self.removed.append(row)

    def remember(self, row: Customer | Row) -> None:
        """Keep what a row looks like in the database."""
        self.loaded[type(row), row.id] = bulk.columns(type(row))(vars(row))

    def was(self, row: Row, name: str) -> object:
        """A column of a row as it is in the database; None for a new row."""
        before = self.loaded.get((type(row), row.id))
        return before[bulk.attributes(type(row)).index(name)] if before else None

    @staticmethod
    def changed(row: Customer | Row, before: Columns) -> set[str]:
        """The columns of a row that differ from what was loaded."""
        values = bulk.columns(type(row))(vars(row))
        if values == before:
            return set()
        names = bulk.attributes(type(row))
        found = zip(names, values, before, strict=True)
        return {name for name, value, old in found if value is not old and value != old}

    def derive(self) -> None:
        """Bring all up to date that follows from others: folded names, search text, `changes`.

        What follows from rows that are not there stays as it is.

        An individual of whom nothing is known has no contact.
        """
        for contact in list(self.contacts) if self.customer.type == INDIVIDUAL else ():
            if (Contact, contact.id) not in self.loaded and self.says_nothing(contact):
                self.remove(contact)
        for row in (*self.contacts, *self.rows.get(Address, ())):
            fold_columns(row)
        customer = self.customer
        if customer.type == INDIVIDUAL:
            customer.name = str(self.contacts[0]) if self.contacts else ""
        else:
            customer.name = customer.business_name
        fold_columns(customer)
        customer.name_key = customer.name_folded[:NAME_KEY_LENGTH]
        person = next((contact for contact in self.contacts if contact.is_primary), None)
        customer.sort_first_name = person.first_name_folded[:SORT_LENGTH] if person else ""
        customer.sort_last_name = person.last_name_folded[:SORT_LENGTH] if person else ""
        customer.is_named = bool(customer.sort_first_name or customer.sort_last_name)
        points = self.rows[ContactPoint]
        if Address in self.rows:
            customer.address_keys = keys_of(self.addresses)
        customer.search_text = normalize.search_text(
            [customer.name, customer.external_id, *map(str, self.contacts)]
            + [word for point in points for word in search_words(point)]
        )
        self.changes = self.find_changes()

    def find_changes(self) -> Changes:
        """What differs from the database; of a new customer its rows are told."""
        changes = Changes()
        if not self.is_new:
            changes.customer = self.changed(self.customer, self.loaded[Customer, self.customer.id])
        for model, rows in self.rows.items():
            for row in rows:
                before = self.loaded.get((model, row.id)) if self.loaded else None
                if before is None:
                    changes.new.append(row)
                elif names := self.changed(row, before):
                    changes.rows.append((row, names))
        return changes

    def says_nothing(self, contact: Contact) -> bool:
        """Whether nothing is known of a contact, nor how to reach it."""
        own = vars(contact)
        belongings = [*self.rows[ContactPoint], *self.rows.get(AttributeValue, ())]
        return all(own[name] == value for name, value in blank_contact().items()) and not any(
            row.contact_id == contact.id for row in belongings
        )

    def save(self, *, actor: Actor, at: datetime) -> None:
        """Write what changed, as `actor`'s doing."""
        self.written(actor=actor, at=at).finish()

    def written(
        self, *, actor: Actor, at: datetime | str, first: Iterable[Question] = ()
    ) -> bulk.Writes:
        """The writes of what changed, as `actor`'s doing, still to be finished.

        `first` is sent before them; `at` is a moment, or what PostgreSQL reads as one.
        """
        self.derive()
        writes = bulk.Writes(first)
        write_all(writes, [self], actor=actor, at=at)
        return writes

    def is_dirty(self) -> bool:
        """Whether anything differed from the database when it was last derived."""
        changes = self.changes
        return bool(self.removed or changes.customer or changes.rows or changes.new)


@dataclass(slots=True)
class StoredProfile:
    """A customer with its rows as the database has them: each profile of it is one of its own."""

    customer: Columns
    rows: dict[type[Row], list[Columns]] = field(default_factory=lambda: defaultdict(list))

    def profile(self, facts: AccountFacts) -> Profile:
        """A profile to change, with the `facts` of the customer's account."""
        (customer,) = bulk.stored(Customer, [self.customer])
        profile = Profile(customer, facts.account, is_new=False, facts=facts)
        profile.loaded[Customer, customer.id] = self.customer
        for model, values in self.rows.items():
            rows: list[Any] = list(bulk.stored(model, values))  # rows of the key's class
            profile.rows[model] = rows
            for row, before in zip(rows, values, strict=True):
                profile.loaded[model, row.id] = before
        return profile


def stored_profiles(customers: "models.QuerySet[Customer]") -> dict[UUID, StoredProfile]:
    """What is stored of these customers, by customer; five queries."""
    own = bulk.attributes(Customer).index("id")
    found = {
        values[own]: StoredProfile(values)
        for values in customers.values_list(*bulk.attributes(Customer))
    }
    ids = list(map(str, found))
    for model in MODELS if found else ():
        owner = bulk.attributes(model).index("customer_id")
        rows = model._default_manager.filter(customer__id__any=ids)
        ordered = rows.order_by("customer_id", "created_at", "id")
        for values in ordered.values_list(*bulk.attributes(model)):
            found[values[owner]].rows[model].append(values)
    return found


def rows_of(customer_id: UUID, models: Iterable[RowModel] = MODELS) -> list[Question]:
    """The questions for what hangs on a customer, to be asked together."""
    return [of_customer(model).question(customer_id) for model in models]


@cache
def of_customer(model: type[Row]) -> Statement:
    """The rows of one customer, oldest first."""
    return Statement(
        lambda customer_id: (
            model._default_manager.filter(customer__id=customer_id)
            .order_by("created_at", "id")
            .values_list(*bulk.attributes(model))
        )
    )


def keys_of(addresses: Iterable[Address]) -> list[str]:
    """The `address_keys` of a customer with these addresses."""
    found = (normalize.address_keys(each.city_folded, each.country) for each in addresses)
    return sorted(set(chain.from_iterable(found)))


def search_words(point: ContactPoint) -> list[str]:
    """What a search box finds a contact point by."""
    if point.kind == ContactPoint.Kind.EMAIL:
        return normalize.email_words(point.value_key)
    return [point.value_key]


def save_all(profiles: Sequence[Profile], *, actor: Actor, at: datetime) -> list[Profile]:
    """Write what changed in profiles that are derived, as `actor`'s doing; gives those that did."""
    writes = bulk.Writes()
    saved = write_all(writes, profiles, actor=actor, at=at)
    writes.finish()
    return saved


def write_all(
    writes: bulk.Writes, profiles: Sequence[Profile], *, actor: Actor, at: datetime | str
) -> list[Profile]:
    """Likewise, by `writes` that are still to be finished.

    A new row that has a `created_at` is one that returns: it keeps that, and who created it.
    """
    new = [profile for profile in profiles if profile.is_new]
    changed = [profile for profile in profiles if not profile.is_new and profile.is_dirty()]
    saved = [*new, *changed]
    for profile in saved:
        customer = profile.customer
        customer.updated_at = at
        customer.updated_by_type, customer.updated_by_id = actor.type, actor.id
        if profile.is_new and customer.created_at is None:
            customer.created_at = at
            customer.created_by_type, customer.created_by_id = actor.type, actor.id
        elif not profile.is_new:
            customer.version += 1
    writes.insert(Customer, [profile.customer for profile in new])
    update(writes, Customer, [(each.customer, each.changes.customer | STAMPS) for each in changed])
    for model in reversed(MODELS):
        keys = [row.pk for profile in saved for row in profile.removed if type(row) is model]
        if keys:
            writes.finish()
            model._default_manager.filter(pk__in=keys).delete()
    save_rows(writes, [profile.changes for profile in saved], at)
    return saved


def renew_address_keys(ids: Sequence[str]) -> None:
    """Bring `address_keys` up to date for known customers whose addresses were written alone."""
    if not ids:
        return
    addresses = defaultdict[UUID, list[Address]](list)
    for address in bulk.read(Address.objects.filter(customer__id__any=ids)):
        addresses[address.customer_id].append(address)
    customers = [
        Customer(id=each, address_keys=keys_of(addresses[each])) for each in map(UUID, ids)
    ]
    writes = bulk.Writes()
    writes.update(Customer, customers, ["address_keys"])
    writes.finish()


def save_rows(writes: bulk.Writes, found: Iterable[Changes], at: datetime | str) -> None:
    """Write the new and changed rows of all tables, each in at most three statements.

    A row that stops being primary is written first: its place must be free for the next one.
    """
    new: dict[type[Row], list[Row]] = {model: [] for model in MODELS}
    stepping_down: dict[type[Row], list[tuple[Row, set[str]]]] = {model: [] for model in MODELS}
    others: dict[type[Row], list[tuple[Row, set[str]]]] = {model: [] for model in MODELS}
    for changes in found:
        for row in changes.new:
            row.created_at = row.created_at or at
            row.updated_at = at
            new[type(row)].append(row)
        for row, names in changes.rows:
            row.updated_at = at
            is_down = "is_primary" in names and not row.is_primary
            (stepping_down if is_down else others)[type(row)].append((row, names | {"updated_at"}))
    for model in MODELS:
        update(writes, model, stepping_down[model])
        update(writes, model, others[model])
        writes.insert(model, new[model])


def update(
    writes: bulk.Writes,
    model: type[models.Model],
    rows: Sequence[tuple[Customer | Row, Iterable[str]]],
) -> None:
    """Write columns of rows of one table in one statement; all that any of them needs, of each."""
    if rows:
        names = set[str]().union(*(names for _, names in rows))
        writes.update(model, [row for row, _ in rows], names)


@cache
def blank_contact() -> dict[str, object]:
    """What a contact looks like of which nothing is known."""
    own = {"id", "customer_id", "is_primary", "created_at", "updated_at"}
    values = vars(bulk.prototype(Contact))
    return {name: values[name] for name in bulk.attributes(Contact) if name not in own}


def fold_columns(row: models.Model) -> None:
    """Set each ``X_folded`` column to what its ``X`` is compared by."""
    values = vars(row)
    for name, folded in folded_columns(type(row)):
        values[folded] = normalize.fold(values[name]) if values[name] else ""


@cache
def folded_columns(model: type[models.Model]) -> tuple[tuple[str, str], ...]:
    """The names ``X`` for which a model has a column ``X_folded``, with the names of these."""
    names = (field.name for field in model._meta.concrete_fields)
    return tuple((name.removesuffix(FOLDED), name) for name in names if name.endswith(FOLDED))

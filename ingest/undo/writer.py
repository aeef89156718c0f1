"""Writes what puts customers back: some statements for each table, however many customers.

Who a customer is (contacts, addresses, …) is written by way of its profile, which derives names and
search texts anew and settles in which order rows are written. All else goes by the keys of rows,
several times as fast: programme data, addresses that only get values back, and whatever goes
together with its customer.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models

from config.api.actors import Actor
from config.db.statements import array
from customers import bulk
from customers.bulk import blank
from customers.facts import AccountFacts
from customers.models import (
    Account,
    Address,
    AttributeValue,
    BusinessAccount,
    Card,
    Contact,
    ContactPoint,
    Customer,
    Enrollment,
)
from customers.profile import (
    MODELS,
    Profile,
    Row,
    fold_columns,
    folded_columns,
    save_all,
    stored_profiles,
)
from customers.rules.points import read_value
from ingest.batch.writer import BUMP_VERSIONS, DELETE
from ingest.undo.inverse import Inverse

PROGRAMME: tuple[type[models.Model], ...] = (Enrollment, Account, Card)
BY_KEY: tuple[type[models.Model], ...] = (Address, *PROGRAMME)
# The columns of an address of which others are made.
FOLLOWED = frozenset({"is_primary", "city", "country"})
# Children before parents.
DELETED: tuple[type[models.Model], ...] = (
    Card,
    Account,
    Enrollment,
    AttributeValue,
    ContactPoint,
    Contact,
    Address,
    Customer,
)
DELETE_BY_CUSTOMER = "DELETE FROM {table} WHERE {key} = ANY(%s::uuid[])"

Rows = dict[type[models.Model], list[Inverse]]


def write(customers: dict[str, list[Inverse]], account: UUID, actor: Actor, at: datetime) -> None:
    """Put customers back, as `actor`'s doing at the moment `at`; they are locked already."""
    work = Work(customers)
    for model in DELETED:
        delete(model, work.deleted[model])
    saved = save_profiles(work.profiles, account, actor, at)
    for model in BY_KEY:
        write_rows(model, work.by_key[model], account, at)
    if others := sorted(customers.keys() - work.gone - saved):
        with connection.cursor() as cursor:
            cursor.execute(BUMP_VERSIONS, (at, actor.type, actor.id, array(others)))


class Work:
    """Who goes, and what is written how."""

    def __init__(self, customers: dict[str, list[Inverse]]) -> None:
        self.gone: set[str] = set()
        self.deleted: Rows = defaultdict(list)
        self.by_key: Rows = defaultdict(list)
        self.profiles: dict[str, Rows] = {}
        for customer_id, inverses in customers.items():
            if any(each.goes and each.model is Customer for each in inverses):
                self.gone.add(customer_id)
                for inverse in inverses:
                    self.deleted[inverse.model].append(inverse)
            else:
                self._take(customer_id, inverses)

    def _take(self, customer_id: str, inverses: Iterable[Inverse]) -> None:
        """Take in a customer that stays, or returns."""
        profile: Rows = defaultdict(list)
        for inverse in inverses:
            model = inverse.model
            if model not in PROGRAMME:
                profile[model].append(inverse)
            else:
                (self.deleted if inverse.goes else self.by_key)[model].append(inverse)
        if profile and is_simple(profile):
            self.by_key[Address] += profile[Address]
        elif profile:
            self.profiles[customer_id] = profile


def is_simple(rows: Rows) -> bool:
    """Whether nothing of a profile changes but values of addresses, from which nothing follows."""
    return rows.keys() == {Address} and all(
        each.changes and FOLLOWED.isdisjoint(each.columns) for each in rows[Address]
    )


def delete(model: type[models.Model], gone: Sequence[Inverse]) -> None:
    """Delete rows that are there, if there are any."""
    gone = [each for each in gone if each.is_there]
    if not gone:
        return
    keys = sorted((each.customer_id, each.id) for each in gone)
    customers, ids = zip(*keys, strict=True)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if len(model._meta.pk_fields) == 1:
            key = model._meta.pk_fields[0].column
            cursor.execute(DELETE_BY_CUSTOMER.format(table=table, key=key), [array(customers)])
        else:
            cursor.execute(DELETE.format(table=table), [array(customers), array(ids)])


# --- Rows by their keys ---------------------------------------------------------------------------


def write_rows(
    model: type[models.Model], wanted: Sequence[Inverse], account: UUID, at: datetime
) -> None:
    """Rows that return, and rows that get values back."""
    writes = bulk.Writes()
    returning = [row_of(model, each, account, at) for each in wanted if each.returns]
    changing = {(each.customer_id, each.id): each for each in wanted if each.changes}
    if changing:
        key = "customer_id" if model is Enrollment else "id"
        stored = model._default_manager.filter(
            customer__id__any={customer_id for customer_id, _ in changing}
        )
        rows, names = [], {"updated_at"}
        for row in bulk.read(stored):
            values = vars(row)
            inverse = changing.get((str(values["customer_id"]), str(values[key])))
            if inverse is not None:
                given = inverse.values() | {"updated_at": at}
                values.update(given)
                fold_columns(row)
                names.update(given)
                names.update(folded for name, folded in folded_columns(model) if name in given)
                rows.append(row)
        writes.update(model, rows, names)
    writes.insert(model, returning)
    writes.finish()


def row_of(
    model: type[models.Model], inverse: Inverse, account: UUID, at: datetime
) -> models.Model:
    """A row that returns."""
    row = blank(model)
    vars(row).update(inverse.values())
    vars(row).update(customer_id=UUID(inverse.customer_id), id=UUID(inverse.id), updated_at=at)
    if vars(row)["created_at"] is None:
        # It was removed before the change log kept that.
        vars(row)["created_at"] = at
    if model is Account:
        vars(row)["business_account_id"] = account
    return row


# --- Profiles -------------------------------------------------------------------------------------


def save_profiles(
    wanted: dict[str, Rows], account_id: UUID, actor: Actor, at: datetime
) -> set[str]:
    """Change profiles and save them; gives the customers of those that changed."""
    if not wanted:
        return set()
    account = BusinessAccount.objects.get(pk=account_id)
    facts = AccountFacts(account)
    stored = Customer.objects.filter(id__any=wanted)
    known = stored_profiles(stored)
    profiles = []
    for customer_id, rows in sorted(wanted.items()):
        found = known.get(UUID(customer_id))
        profile = found.profile(facts) if found else returning(customer_id, rows, facts)
        if profile is None:
            continue
        for inverse in rows[Customer] if not profile.is_new else ():
            vars(profile.customer).update(inverse.values())
        for model in MODELS:
            put_back(profile, model, rows[model], at)
        profile.derive()
        profiles.append(profile)
    return {str(each.customer.pk) for each in save_all(profiles, actor=actor, at=at)}


def returning(customer_id: str, rows: Rows, facts: AccountFacts) -> Profile | None:
    """The profile of a customer that returns, without its rows."""
    inverse = next((each for each in rows[Customer] if each.returns), None)
    if inverse is None:
        return None
    customer = blank(Customer)
    vars(customer).update(inverse.values())
    customer.id = UUID(customer_id)
    customer.version += 1
    customer.business_account = facts.account
    return Profile(customer, facts.account, is_new=True, facts=facts)


def put_back(profile: Profile, model: type, inverses: Iterable[Inverse], at: datetime) -> None:
    """Put the rows of one table back."""
    stored = {str(row.id): row for row in profile.rows[model]}
    returns = False
    for inverse in inverses:
        row = stored.get(inverse.id)
        if inverse.goes:
            if row is not None:
                profile.remove(row)
            continue
        if row is None:
            if not inverse.returns:
                continue
            row = profile_row(model, UUID(inverse.id))
            profile.add(row)
            returns = True
        values = inverse.values()
        vars(row).update(values)
        if row.created_at is None:
            row.created_at = at
        if model is ContactPoint and "value" in values and "value_key" not in values:
            # It was changed before the change log kept that.
            row.value_key = read_value(row.kind, row.value, profile.account.default_region)[1]
    if returns:
        profile.rows[model].sort(key=lambda row: (row.created_at, row.id))


def profile_row(model: type[Row], row_id: UUID) -> Any:  # noqa: ANN401 -- each model has its own
    """A row that returns, without its values."""
    row: Any = blank(model)
    row.id = row_id
    return row

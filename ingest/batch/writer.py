"""Writes what a plan comes to: a fixed number of statements, whatever the number of items.

New rows are copied, changed ones updated from one JSON parameter. Every table's rows go in the
order of their keys, and tables always in the same order, so that two writers cannot deadlock.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from config.api.actors import Actor
from config.api.json import to_json
from config.db.statements import array
from customers import models, normalize
from customers.bulk import text_array
from customers.profile import renew_address_keys, save_all
from customers.tables import NULL, Table, copy, escaped
from ingest.batch.items import Item, as_errors
from ingest.batch.plan import MAILING, Plan
from ingest.batch.snapshot import Account, Address, Card, Enrollment, Key
from ingest.models import BulkItem

Comparable = TypeVar("Comparable", str, Key)
Row = TypeVar("Row")

CUSTOMER = Table(
    models.Customer,
    "id business_account_id type external_id search_text address_keys created_at updated_at"
    " created_by_type created_by_id updated_by_type updated_by_id",
)
ADDRESS = Table(
    models.Address,
    "customer_id id type zip_code country state is_primary created_at updated_at",
)
ENROLLMENT = Table(
    models.Enrollment, f"customer_id {' '.join(Enrollment._fields)} created_at updated_at"
)
ACCOUNT = Table(
    models.Account,
    f"customer_id id business_account_id {' '.join(Account._fields)} created_at updated_at",
)
CARD = Table(models.Card, f"customer_id id {' '.join(Card._fields)} created_at updated_at")
ITEM = Table(BulkItem, "request_id index source_customer_id outcome customer_id errors notices")

KINDS = {
    "source_customer_ids": "text[]",
    "alert_opt_in_status": "text[]",
    "parent_customer_id": "uuid",
    "account_id": "uuid",
}


UPDATE = """
    UPDATE {table} AS stored SET updated_at = %s, {values}
    FROM jsonb_to_recordset(%s) AS wanted ({columns})
    WHERE {same}"""


def update_from(table: str, keys: str, columns: Iterable[str]) -> str:
    """SQL that updates rows by `keys` from a JSON array of objects."""
    names = tuple(columns)

    def kind(name: str) -> str:
        return KINDS.get(name, "timestamptz" if name.endswith("_date") else "text")

    typed = [*(f"{key} uuid" for key in keys.split()), *(f"{name} {kind(name)}" for name in names)]
    return UPDATE.format(
        table=table,
        values=", ".join(f"{name} = wanted.{name}" for name in names),
        columns=", ".join(typed),
        same=" AND ".join(f"stored.{key} = wanted.{key}" for key in keys.split()),
    )


UPDATE_ADDRESSES = update_from(
    "customers_address", "customer_id id", ["zip_code", "country", "state"]
)
UPDATE_ENROLLMENTS = update_from("customers_enrollment", "customer_id", Enrollment._fields)
# All rows of an account: each of its holders has one.
UPDATE_ACCOUNTS = update_from("customers_account", "id", Account._fields)
UPDATE_CARDS = update_from("customers_card", "customer_id id", Card._fields)
BUMP_VERSIONS = """
    UPDATE customers_customer
    SET version = version + 1, updated_at = %s, updated_by_type = %s, updated_by_id = %s
    WHERE id = ANY(%s::uuid[])"""
DELETE = """
    DELETE FROM {table} stored USING unnest(%s::uuid[], %s::uuid[]) AS gone (customer_id, id)
    WHERE stored.customer_id = gone.customer_id AND stored.id = gone.id"""


class Writer:
    """Writes one plan in the current transaction, as `actor`'s doing at the moment `at`."""

    def __init__(self, plan: Plan, actor: Actor, at: datetime) -> None:
        self.plan = plan
        self.actor = actor
        self.at = at
        self.business_account_id = str(actor.business_account_id)
        self.address_id = plan.ids.address
        self.now = f"{at.isoformat()}\t{at.isoformat()}"

    def write(self) -> None:
        """All tables, customers first."""
        plan = self.plan
        profiles = [profile for _, profile in sorted(plan.profiles.kept.items())]
        saved = {str(each.customer.pk) for each in save_all(profiles, actor=self.actor, at=self.at)}
        with connection.cursor() as cursor:
            self.write_customers(cursor, saved)
            self.write_addresses(cursor)
            self.write_enrollments(cursor)
            self.remove_cards(cursor)
            self.write_accounts(cursor)
            self.write_cards(cursor)

    def write_customers(self, cursor: CursorWrapper, saved: set[str]) -> None:
        """New customers and the versions of known ones, but for those `saved` with a profile."""
        before, after = self.plan.before, self.plan.after
        new = sorted(after.customers.keys() - before.customers.keys() - saved)
        copy(cursor, CUSTOMER, map(self.customer, new))
        if updated := self.plan.updated - saved:
            who_and_when = (self.at, self.actor.type, self.actor.id)
            cursor.execute(BUMP_VERSIONS, (*who_and_when, array(sorted(updated))))

    def customer(self, customer_id: str) -> str:
        """A new customer that comes without a profile."""
        after, source_id = self.plan.after, self.plan.source_ids[customer_id]
        address = after.addresses.get(customer_id)
        keys = normalize.address_keys("", address.country if address else "")
        who = f"{self.actor.type}\t{self.actor.id}"
        return (
            f"{customer_id}\t{self.business_account_id}\t{after.customers[customer_id].type}"
            f"\t{escaped(source_id)}\t{escaped(normalize.search_text([source_id]))}"
            f"\t{texts(keys)}"
            f"\t{self.now}\t{who}\t{who}{CUSTOMER.end}"
        )

    def write_addresses(self, cursor: CursorWrapper) -> None:
        """The addresses that postal code and country make, and what finds their customers."""
        before = self.plan.before
        new, changed = compared(before.addresses, self.plan.after.addresses)
        copy(cursor, ADDRESS, (self.address(*each) for each in new))
        rows = [
            {"customer_id": customer_id, "id": self.address_id(customer_id)} | address._asdict()
            for customer_id, address in changed
        ]
        self.update(cursor, UPDATE_ADDRESSES, rows)
        moved = [each for each, _ in new if each in before.customers]
        moved += [each for each, row in changed if row.country != before.addresses[each].country]
        renew_address_keys(moved)

    def address(self, customer_id: str, address: Address) -> str:
        """A new address."""
        return (
            f"{customer_id}\t{self.address_id(customer_id)}\t{MAILING}\t{escaped(address.zip_code)}"
            f"\t{address.country}\t{address.state}\t{'t' if address.is_primary else 'f'}"
            f"\t{self.now}{ADDRESS.end}"
        )

    def write_enrollments(self, cursor: CursorWrapper) -> None:
        """The programme data of the customers themselves."""
        new, changed = compared(self.plan.before.enrollments, self.plan.after.enrollments)
        end = f"{self.now}{ENROLLMENT.end}"
        copy(cursor, ENROLLMENT, (f"{each}\t{fields(row)}\t{end}" for each, row in new))
        rows = [{"customer_id": customer_id} | as_json(row) for customer_id, row in changed]
        self.update(cursor, UPDATE_ENROLLMENTS, rows)

    def write_accounts(self, cursor: CursorWrapper) -> None:
        """Accounts: a row for each holder."""
        before, after = self.plan.before, self.plan.after
        new, changed, gone = [], [], []
        for account_id, row in after.accounts.items():
            had = before.holders.get(account_id, frozenset())
            has = after.holders.get(account_id, frozenset())
            new += [(holder, account_id) for holder in has - had]
            if had & has and before.accounts[account_id] != row:
                changed.append({"id": account_id} | as_json(row))
            gone += [(holder, account_id) for holder in had - has]
        self.delete(cursor, "customers_account", gone)
        self.update(cursor, UPDATE_ACCOUNTS, changed)
        copy(cursor, ACCOUNT, (self.account(*each) for each in sorted(new)))

    def account(self, holder: str, account_id: str) -> str:
        """The row of an account that one more holder has."""
        after = self.plan.after
        return (
            f"{holder}\t{account_id}\t{self.business_account_id}"
            f"\t{fields(after.accounts[account_id])}\t{self.now}{ACCOUNT.end}"
        )

    def remove_cards(self, cursor: CursorWrapper) -> None:
        """Cards that go, before the account by which they are known as somebody's."""
        gone = self.plan.before.cards.keys() - self.plan.after.cards.keys()
        self.delete(cursor, "customers_card", list(gone))

    def write_cards(self, cursor: CursorWrapper) -> None:
        """Cards that come, or change."""
        before, after = self.plan.before.cards, self.plan.after.cards
        new, changed = compared(before, after)
        rows = [
            {"customer_id": customer_id, "id": card_id} | as_json(row)
            for (customer_id, card_id), row in changed
        ]
        self.update(cursor, UPDATE_CARDS, rows)
        end = f"{self.now}{CARD.end}"
        copy(cursor, CARD, (f"{key[0]}\t{key[1]}\t{fields(row)}\t{end}" for key, row in new))

    def update(self, cursor: CursorWrapper, sql: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Update rows, if there are any."""
        if rows:
            cursor.execute(sql, [self.at, to_json(rows).decode()])

    def delete(self, cursor: CursorWrapper, table: str, keys: list[Key]) -> None:
        """Delete rows by customer and id, if there are any."""
        if keys:
            customers, ids = zip(*sorted(keys), strict=True)
            cursor.execute(DELETE.format(table=table), [array(customers), array(ids)])


def write_ledgers(ledgers: Iterable[tuple[UUID, Iterable[Item]]]) -> None:
    """Write the outcome of each item of each request."""
    with connection.cursor() as cursor:
        copy(cursor, ITEM, (ledger_row(each, item) for each, items in ledgers for item in items))


def ledger_row(request_id: UUID, item: Item) -> str:
    """The outcome of one item."""
    errors = as_errors(() if item.is_stored else item.problems)
    notices = as_errors(item.notices if item.is_stored else ())
    customer_id = item.customer_id if item.is_stored else NULL
    return (
        f"{request_id}\t{item.index}\t{escaped(item.source_customer_id[:120])}"
        f"\t{item.outcome}\t{customer_id}\t{document(errors)}\t{document(notices)}{ITEM.end}"
    )


def document(value: list[dict[str, str]]) -> str:
    """JSON, as a field."""
    return escaped(to_json(value).decode()) if value else "[]"


# --- Spelling -------------------------------------------------------------------------------------


def compared(
    before: Mapping[Comparable, Row], after: Mapping[Comparable, Row]
) -> tuple[list[tuple[Comparable, Row]], list[tuple[Comparable, Row]]]:
    """The new and the changed rows, each in the order of their keys."""
    new, changed = [], []
    for key, row in sorted(after.items()):
        was = before.get(key)
        if was is None:
            new.append((key, row))
        elif was != row:
            changed.append((key, row))
    return new, changed


def fields(row: Iterable[object]) -> str:
    """The values of a row for COPY."""
    return "\t".join([SPELLINGS[value.__class__](value) for value in row])


@lru_cache(maxsize=65_536)
def moment(value: datetime) -> str:
    """A moment in full; feeds repeat their dates, hence the cache.

    In UTC: PostgreSQL does not know all offsets that there may be.
    """
    return value.astimezone(UTC).isoformat()


def nothing(_value: None) -> str:
    """What is not given."""
    return NULL


def texts(values: Iterable[str]) -> str:
    """An array of texts."""
    return escaped(text_array(values))


SPELLINGS: dict[type, Callable[[Any], str]] = {  # each of values of its own class
    str: escaped,
    type(None): nothing,
    datetime: moment,
    tuple: texts,
}


def as_json(row: Address | Enrollment | Account | Card) -> dict[str, object]:
    """A row as JSON takes it; date-times in full, not only to the millisecond."""
    return {name: plain(value) for name, value in row._asdict().items()}


def plain(value: object) -> object:
    """A value as JSON takes it."""
    return moment(value) if isinstance(value, datetime) else value

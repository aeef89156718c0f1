"""What the registry holds of the customers and accounts that a batch is about.

Read with a fixed number of statements, whatever the number of items; the customers and accounts are
locked in the order of their ids, until the transaction ends. Ids are kept as text here: loads
compare, sort and write a great many of them. Who only wants to know takes no locks, and waits for
nobody.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from config.db import locks
from config.db.statements import array
from customers.normalize import customer_id_text, uuid5


class Customer(NamedTuple):
    """A customer as far as a load needs to know it.

    `has_mailing` tells of a primary mailing address. `places` has the countries of addresses that
    have a street line, and `country zip-code` of the others; the one that a load makes is not among
    them.
    """

    id: str
    type: str
    status: str
    has_mailing: bool
    places: frozenset[str]


class Enrollment(NamedTuple):
    """The columns of an enrollment that are loaded, in their order."""

    source_parent_customer_id: str
    parent_customer_id: str | None
    organization_id: str
    postal_code: str
    country: str
    customer_creation_date: datetime
    enrollment_start_date: datetime
    enrollment_end_date: datetime | None
    enrollment_opt_in_status: str
    alert_opt_in_status: tuple[str, ...]
    targeting_indicator: str
    redemption_eligibility: str


class Address(NamedTuple):
    """The address that came through `/v2/data`, as far as a load changes it."""

    zip_code: str
    country: str
    state: str
    is_primary: bool


class Account(NamedTuple):
    """The columns of an account that all of its holders share."""

    source_account_id: str
    source_customer_ids: tuple[str, ...]
    primary_source_customer_id: str
    status: str
    type: str
    source_portfolio_id: str
    sent_under: str
    open_date: datetime
    close_date: datetime | None


class Card(NamedTuple):
    """The columns of a card beside its key."""

    account_id: str
    last4: str
    iin: str
    type: str
    status: str
    network_identifier: str
    open_date: datetime
    close_date: datetime | None


Key = tuple[str, str]


@dataclass
class Snapshot:
    """The rows, by their keys: customer, or customer and id. `parents` leads from child to parent.

    It also knows who loads: the business account, by whose ids rows are named.
    """

    ids: "Ids"
    customers: dict[str, Customer] = field(default_factory=dict)
    enrollments: dict[str, Enrollment] = field(default_factory=dict)
    addresses: dict[str, Address] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    holders: dict[str, frozenset[str]] = field(default_factory=dict)
    cards: dict[Key, Card] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "Snapshot":
        """A state that can be changed beside this one: rows are never changed in place."""
        return Snapshot(
            self.ids,
            dict(self.customers),
            dict(self.enrollments),
            dict(self.addresses),
            dict(self.accounts),
            dict(self.holders),
            dict(self.cards),
            dict(self.parents),
        )


class Ids:
    """The ids of rows, all made of the sender's own (UUID version 5); the same is made once.

    `customer` gives the id that a customer has, or will have, by its source id; `account` that of
    an account, which all of its holders share; `address` that of the address that a load makes of
    postal code and country, by the id of the customer.
    """

    def __init__(self, business_account_id: UUID) -> None:
        self.customer: Callable[[str], str] = cache(partial(customer_id_text, business_account_id))
        self.account: Callable[[str], str] = cache(partial(account_id, business_account_id))
        self.address: Callable[[str], str] = cache(address_id)


def account_id(business_account_id: UUID, source_id: str) -> str:
    """The id of the account that a business account knows as `source_id`."""
    return uuid5(business_account_id.bytes, f"account:{source_id}")


def card_id(account: str, last4: str) -> str:
    """The id of a card among those of one customer."""
    return uuid5(packed(account), last4)


def address_id(customer: str) -> str:
    """The id of the address that a load makes of postal code and country."""
    return uuid5(packed(customer), "address:/v2/data")


def packed(row_id: str) -> bytes:
    """The 16 bytes of an id."""
    return bytes.fromhex(row_id.replace("-", ""))


# --- Reading --------------------------------------------------------------------------------------


IDS = {"id", "customer_id", "account_id", "parent_customer_id"}


def with_columns(sql: str, columns: Iterable[str], table: str = "") -> str:
    """SQL with these columns in place of `{columns}`: ids as text."""
    names = (f"{table}{name}{'::text' if name in IDS else ''}" for name in columns)
    return sql.format(columns=", ".join(names))


CUSTOMERS = with_columns(
    """
    SELECT c.id::text, c.type, c.status,
           EXISTS (SELECT FROM customers_address m
                   WHERE m.customer_id = c.id AND m.type = 'MAILING' AND m.is_primary),
           ARRAY(SELECT m.country || CASE m.street_line_1 WHEN '' THEN ' ' || m.zip_code ELSE '' END
                 FROM customers_address m
                 WHERE m.customer_id = c.id AND m.id <> wanted.address_id),
           e.customer_id IS NOT NULL, {columns},
           a.id IS NOT NULL, a.zip_code, a.country, a.state, a.is_primary
    FROM unnest(%s::uuid[], %s::uuid[]) AS wanted (customer_id, address_id)
    JOIN customers_customer c ON c.id = wanted.customer_id
    LEFT JOIN customers_enrollment e ON e.customer_id = c.id
    LEFT JOIN customers_address a ON a.customer_id = c.id AND a.id = wanted.address_id
    ORDER BY c.id""",
    Enrollment._fields,
    "e.",
)
ACCOUNTS = with_columns(
    """
    SELECT {columns} FROM customers_account WHERE id = ANY(%s::uuid[])
    ORDER BY customer_id, id""",
    ["id", "customer_id", *Account._fields],
)
LOCKED = " FOR NO KEY UPDATE"
CARDS = with_columns(
    """
    SELECT {columns} FROM customers_card
    WHERE customer_id = ANY(%s::uuid[]) AND account_id = ANY(%s::uuid[])""",
    ["customer_id", "id", *Card._fields],
)
PARENTS = """
    SELECT customer_id::text, parent_customer_id::text FROM customers_enrollment
    WHERE customer_id = ANY(%s::uuid[]) AND parent_customer_id IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Needed:
    """The ids of the rows that a batch has to see.

    `holders` are the customers that accounts are going to have, `parents` those whose line of
    parents is of interest.
    """

    customers: set[str]
    accounts: set[str]
    holders: set[str]
    parents: set[str]


def load(ids: Ids, needed: Needed, *, is_locked: bool = True) -> Snapshot:
    """Read what is there of these customers and accounts, with all holders and cards.

    They are locked, unless `is_locked` is false.
    """
    state = Snapshot(ids)
    with connection.cursor() as cursor:
        # All is found by its key, also in a table that was empty when it was last looked at.
        cursor.execute("SET LOCAL enable_seqscan = off")
    if is_locked:
        locks.hold(needed.customers | needed.accounts)
    lock = LOCKED if is_locked and not locks.are_advisory() else ""
    load_customers(state, needed.customers, f"{lock} OF c" if lock else "")
    load_accounts(state, needed.accounts, needed.holders, lock)
    load_parents(state, needed.parents)
    return state


def load_parents(state: Snapshot, customers: set[str]) -> None:
    """The lines of parents of customers, level by level.

    A distributed engine takes no recursive query over several customers. Lines are short, and on
    one server a level takes as long as the recursive query did.
    """
    level, seen = customers, set[str]()
    while level:
        seen |= level
        with connection.cursor() as cursor:
            cursor.execute(PARENTS, [array(level)])
            found = dict(cursor.fetchall())
        state.parents |= found
        level = set(found.values()) - seen


def load_customers(state: Snapshot, customers: set[str], lock: str) -> None:
    """Customers, enrollments and addresses."""
    wanted = sorted(customers)
    with connection.cursor() as cursor:
        cursor.execute(CUSTOMERS + lock, [array(wanted), array(map(state.ids.address, wanted))])
        for row in cursor.fetchall():
            customer_id, kind, status, has_mailing, places = row[:5]
            customer = Customer(customer_id, kind, status, has_mailing, frozenset(places))
            state.customers[customer.id] = customer
            is_enrolled, enrollment, address = row[5], row[6:18], row[18:]
            if is_enrolled:
                found = Enrollment(*enrollment)
                alerts = tuple(found.alert_opt_in_status)
                state.enrollments[customer.id] = found._replace(alert_opt_in_status=alerts)
            if address[0]:
                state.addresses[customer.id] = Address(*address[1:])


def load_accounts(state: Snapshot, accounts: set[str], holders: set[str], lock: str) -> None:
    """Accounts, who holds them, and the cards on them."""
    held: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(ACCOUNTS + lock, [array(accounts)])
        for account, holder, *columns in cursor.fetchall():
            row = Account(*columns)
            held.setdefault(account, set()).add(holder)
            ids = tuple(row.source_customer_ids)
            state.accounts[account] = row._replace(source_customer_ids=ids)
        state.holders = {account: frozenset(ids) for account, ids in held.items()}
        if not held:
            # Then no cards either: a card goes with its account.
            return
        cursor.execute(CARDS, [array(holders.union(*held.values())), array(accounts)])
        for customer, card, *values in cursor.fetchall():
            state.cards[customer, card] = Card(*values)

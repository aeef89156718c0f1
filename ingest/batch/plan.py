"""What a batch of items comes to: the rules between members, and between items and the registry.

Items are taken in their order, each on what the ones before it leave. Nothing is written here: the
outcome is a second `Snapshot` beside the one that was read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any

from config.api.bodies import Submission
from config.api.errors import Problem
from customers import models, normalize
from customers.profile import Profile
from ingest.batch.items import Item
from ingest.batch.profiles import Profiles, kept_state, set_address
from ingest.batch.rows import merge_row
from ingest.batch.snapshot import (
    Account,
    Address,
    Card,
    Customer,
    Enrollment,
    Key,
    Snapshot,
    card_id,
)
from ingest.models import BulkItem
from ingest.wire.row import RowValues
from ingest.wire.schema import AccountBody, CardBody, CustomerBody, Wire

Outcome = BulkItem.Outcome
MAILING = models.Address.Type.MAILING
DELETED = models.Customer.Status.DELETED
NOBODY = frozenset[str]()
UNKNOWN = "There is no such customer; it has to be created first."
REPLACED = (
    "This account was sent under another customer with other content; what is sent here now "
    "counts for all of its holders."
)


Values = tuple[Any, ...]  # each of the type of its member


class Members:
    """Members of a wire object, and the columns that they fill, in the order of a row.

    `needed` are those that a new row must come with.
    """

    def __init__(self, model: type[Wire], **columns: str) -> None:
        """`columns` by member of `model`, the object of a creation."""
        required = {name for name, field in model.model_fields.items() if field.is_required()}
        self.needed = tuple(member for member in columns if member in required)
        self._members = tuple(columns)
        self._sent = attrgetter(*columns)
        self._kept = attrgetter(*columns.values())

    def merged(self, item: Item, body: Wire, old: object) -> Values:
        """The values as sent, or in an update as they are in `old` where they were left out."""
        sent: Values = self._sent(body)
        if item.is_creation or old is None:
            return sent
        given = body.model_fields_set
        found = zip(self._members, sent, self._kept(old), strict=True)
        return tuple(value if member in given else kept for member, value, kept in found)


OF_ENROLLMENT = Members(
    CustomerBody,
    sourceParentCustomerId="source_parent_customer_id",
    organizationId="organization_id",
    postalCode="postal_code",
    country="country",
    customerCreationDate="customer_creation_date",
    enrollmentStartDate="enrollment_start_date",
    enrollmentEndDate="enrollment_end_date",
    enrollmentOptInStatus="enrollment_opt_in_status",
    alertOptInStatus="alert_opt_in_status",
    targetingIndicator="targeting_indicator",
    redemptionEligibility="redemption_eligibility",
)
OF_ACCOUNT = Members(
    AccountBody,
    sourceAccountId="source_account_id",
    sourceCustomerIds="source_customer_ids",
    primarySourceCustomerId="primary_source_customer_id",
    status="status",
    type="type",
    sourcePortfolioId="source_portfolio_id",
    accountOpenDate="open_date",
    accountCloseDate="close_date",
)
OF_CARD = Members(
    CardBody,
    last4="last4",
    iin="iin",
    cardType="type",
    status="status",
    networkIdentifier="network_identifier",
    openDate="open_date",
    closeDate="close_date",
)


@dataclass
class Change:
    """What one item wants of accounts and cards."""

    accounts: dict[str, tuple[Account, frozenset[str]]] = field(default_factory=dict)
    cards: dict[Key, Card] = field(default_factory=dict)


class Plan:
    """Takes items one after the other. `before` is what was read, `after` what is to be.

    `depends_on_parents` tells that an item was found to close a circle, or took a parent away: with
    earlier requests still to come it could be otherwise. `updated` are the known customers whose
    version goes up, `source_ids` those of the new ones. Of an item that has problems nothing is
    taken in anywhere: whatever an item wants is held apart until all of it was looked at.
    """

    def __init__(self, before: Snapshot, profiles: Profiles) -> None:
        self.ids = before.ids
        self.before = before
        self.after = before.copy()
        self.profiles = profiles
        self.updated: set[str] = set()
        self.source_ids: dict[str, str] = {}
        self.depends_on_parents = False

    def take(self, items: Sequence[Item]) -> None:
        """Check every item, and take in the good ones."""
        for item in items:
            if item.source_customer_id:
                item.customer_id = self.ids.customer(item.source_customer_id)
                self.check_customer(item, item.customer_id)
            if item.customer is not None:
                self.take_customer(item, item.customer)
            elif item.account is not None:
                self.take_account(item, item.account)
            elif item.card is not None:
                self.take_card(item, item.card)
            elif item.row is not None:
                self.take_row(item, item.row)
            if item.problems:
                item.customer_id = None

    def shared_rows(self, item: Item) -> Iterator[str]:
        """The ids of a good item's accounts and cards of which other customers have rows too.

        A card that goes with a holder is one of them, though nobody sent it.
        """
        if not item.is_stored:
            return
        for source_id, cards in item.sent_cards():
            account_id = self.ids.account(source_id)
            if self.holders_ever(account_id) != {item.customer_id}:
                yield account_id
                yield from (card_id(account_id, card.last4) for card in cards)
                yield from self.cards_gone.get(account_id, ())

    def holders_ever(self, account_id: str) -> frozenset[str]:
        """Who held an account before the plan, or holds it after."""
        before, after = self.before.holders, self.after.holders
        return before.get(account_id, NOBODY) | after.get(account_id, NOBODY)

    @cached_property
    def cards_gone(self) -> dict[str, list[str]]:
        """The ids of cards that go, by their account."""
        found: dict[str, list[str]] = {}
        for key in self.before.cards.keys() - self.after.cards.keys():
            found.setdefault(self.before.cards[key].account_id, []).append(key[1])
        return found

    def check_customer(self, item: Item, customer_id: str) -> None:
        """Whether the customer may be loaded; one that an operator deleted stays so."""
        customer = self.after.customers.get(customer_id)
        place = "/sourceCustomerId" if item.customer is not None else ""
        if customer is None and not item.is_creation:
            item.wrong(place, UNKNOWN, "UNKNOWN_CUSTOMER")
        elif customer is not None and customer.status == DELETED:
            message = "This customer was deleted; a load does not bring it back."
            item.wrong(place, message, "CUSTOMER_DELETED")

    # --- Customers --------------------------------------------------------------------------------

    def take_customer(self, item: Item, body: CustomerBody) -> None:
        """A customer with its accounts."""
        customer_id = item.customer_id
        old = self.after.enrollments.get(customer_id) if customer_id else None
        if not item.is_creation and old is None:
            require(item, "", body, OF_ENROLLMENT.needed)
        new = self.enrollment(item, body, old)
        if is_earlier(new.enrollment_end_date, new.enrollment_start_date):
            message = "This is before the day of enrollmentStartDate."
            item.wrong("/enrollmentEndDate", message, "INVALID_RANGE")
        if customer_id and new.parent_customer_id and self.makes_cycle(customer_id, new):
            self.depends_on_parents = True
            message = "This parent is the customer itself, or one of those below it."
            item.wrong("/sourceParentCustomerId", message, "PARENT_CYCLE")
        change = Change()
        seen: set[str] = set()
        for index, account in enumerate(body.accounts or ()):
            place = f"/accounts/{index}"
            if account.sourceAccountId and account.sourceAccountId in seen:
                message = "This account occurs earlier in the same customer."
                item.wrong(f"{place}/sourceAccountId", message, "DUPLICATE")
            seen.add(account.sourceAccountId)
            self.want_account(item, account, place, change)
        draft = None
        if item.profile is not None:
            draft, problems = self.profiles.merge(customer_id, item.profile, item.at)
            item.problems += problems
        if item.problems or customer_id is None:
            return
        self.store_customer(item, customer_id, old, new, draft)
        self.store_change(item, customer_id, change)

    def take_row(self, item: Item, submission: Submission[RowValues]) -> None:
        """A customer without programme data: nothing but a profile, perhaps without an id."""
        customer_id = item.customer_id or str(normalize.uuid7())
        draft, problems = merge_row(self.profiles, customer_id, submission)
        for problem in problems:
            item.wrong(problem.path, problem.message, problem.code)
        if item.problems:
            return
        is_changed = self.profiles.keep(customer_id, draft)
        if customer_id in self.after.customers:
            item.outcome = Outcome.UPDATED if is_changed else Outcome.UNCHANGED
            return
        item.outcome, item.customer_id = Outcome.CREATED, customer_id
        kind, status = draft.customer.type, models.Customer.Status.ACTIVE
        self.after.customers[customer_id] = Customer(customer_id, kind, status, False, frozenset())
        self.source_ids[customer_id] = item.source_customer_id

    def enrollment(self, item: Item, body: CustomerBody, old: Enrollment | None) -> Enrollment:
        """The enrollment as it is to be."""
        parent, *others, alerts, indicator, eligibility = OF_ENROLLMENT.merged(item, body, old)
        parent_id = self.ids.customer(parent) if parent else None
        alerts = tuple(dict.fromkeys(alerts or ()))
        row = parent or "", parent_id, *others, alerts, indicator, eligibility or ""
        return Enrollment._make(row)

    def makes_cycle(self, customer_id: str, enrollment: Enrollment) -> bool:
        """Whether the customer is among its own parent's parents."""
        above, seen = enrollment.parent_customer_id, set[str]()
        while above is not None and above not in seen:
            if above == customer_id:
                return True
            seen.add(above)
            above = self.after.parents.get(above)
        return False

    def store_customer(
        self,
        item: Item,
        customer_id: str,
        old: Enrollment | None,
        new: Enrollment,
        draft: Profile | None,
    ) -> None:
        """Take in customer, enrollment and address of a good item, and the draft of its profile."""
        after = self.after
        is_moved = old is None or (old.postal_code, old.country) != (new.postal_code, new.country)
        if customer_id not in after.customers:
            item.outcome = Outcome.CREATED
            kind, status = models.Customer.Type.INDIVIDUAL, models.Customer.Status.ACTIVE
            after.customers[customer_id] = Customer(customer_id, kind, status, False, frozenset())
            self.source_ids[customer_id] = item.source_customer_id
        elif old != new:
            item.outcome = Outcome.UPDATED
        else:
            item.outcome = Outcome.UNCHANGED
        after.enrollments[customer_id] = new
        if new.parent_customer_id is None:
            self.depends_on_parents |= old is not None and old.parent_customer_id is not None
            after.parents.pop(customer_id, None)
        else:
            after.parents[customer_id] = new.parent_customer_id
        if draft is not None:
            if is_moved:
                set_address(draft, new.postal_code, new.country)
            if self.profiles.keep(customer_id, draft) and item.outcome == Outcome.UNCHANGED:
                item.outcome = Outcome.UPDATED
        elif is_moved:
            self.store_address(customer_id, new)

    def store_address(self, customer_id: str, enrollment: Enrollment) -> None:
        """The mailing address that postal code and country make; no other changes.

        As `profiles.set_address` does it for those who come with a profile.
        """
        zip_code, country = enrollment.postal_code, enrollment.country
        customer = self.after.customers[customer_id]
        address = self.after.addresses.get(customer_id)
        if address is None:
            if not customer.places.isdisjoint({country, f"{country} {zip_code}"}):
                return
            address = Address(zip_code, country, "", is_primary=not customer.has_mailing)
            self.after.customers[customer_id] = customer._replace(has_mailing=True)
        else:
            state = kept_state(address.state, address.country, country)
            address = Address(zip_code, country, state, address.is_primary)
        self.after.addresses[customer_id] = address

    # --- Accounts ---------------------------------------------------------------------------------

    def take_account(self, item: Item, body: AccountBody) -> None:
        """An account that was sent without its customer."""
        change = Change()
        self.want_account(item, body, "", change)
        if item.problems or item.customer_id is None:
            return
        is_known = change.accounts.keys() <= self.after.accounts.keys()
        item.outcome = Outcome.UNCHANGED if is_known else Outcome.CREATED
        self.store_change(item, item.customer_id, change)

    def want_account(self, item: Item, body: AccountBody, place: str, change: Change) -> None:
        """Check an account with its cards, and note what is wanted of it."""
        account_id = self.ids.account(body.sourceAccountId) if body.sourceAccountId else None
        old = self.after.accounts.get(account_id) if account_id else None
        if not item.is_creation and old is None:
            require(item, place, body, OF_ACCOUNT.needed)
        new = self.account(item, body, old)
        check_account(item, new, place)
        if account_id is None:
            return
        if old is not None and old == new._replace(sent_under=old.sent_under):
            new = old
        elif old is not None and old.sent_under != new.sent_under:
            item.notices.append(Problem(item.at + place, REPLACED, "ACCOUNT_REPLACED"))
        holders = frozenset(map(self.ids.customer, new.source_customer_ids))
        change.accounts[account_id] = new, holders
        for index, card in enumerate(body.cards):
            self.want_card(item, card, f"{place}/cards/{index}", (account_id, new), change)

    def account(self, item: Item, body: AccountBody, old: Account | None) -> Account:
        """The account as it is to be. One that is opened again is not closed any more."""
        source_id, holders, *others, opened, closed = OF_ACCOUNT.merged(item, body, old)
        if "accountCloseDate" not in body.model_fields_set and body.status == "OPEN":
            closed = None
        holders = tuple(dict.fromkeys(holders or ()))
        row = source_id, holders, *others, item.source_customer_id, opened, closed
        return Account._make(row)

    # --- Cards ------------------------------------------------------------------------------------

    def take_card(self, item: Item, body: CardBody) -> None:
        """A card that was sent without its account, which the path names."""
        account_id = self.ids.account(item.source_account_id)
        account = self.after.accounts.get(account_id)
        if account is None or item.source_customer_id not in account.source_customer_ids:
            message = "This customer has no such account."
            item.wrong("/sourceAccountId", message, "UNKNOWN_ACCOUNT")
            return
        change = Change()
        self.want_card(item, body, "", (account_id, account), change)
        if item.problems or item.customer_id is None:
            return
        is_known = change.cards.keys() <= self.after.cards.keys()
        item.outcome = Outcome.UNCHANGED if is_known else Outcome.CREATED
        self.store_change(item, item.customer_id, change)

    def want_card(
        self, item: Item, body: CardBody, place: str, on: tuple[str, Account], change: Change
    ) -> None:
        """Check a card on an account, and note what is wanted of it."""
        account_id, account = on
        if body.sourceAccountId and body.sourceAccountId != account.source_account_id:
            message = "This is not the account that the card is on."
            item.wrong(f"{place}/sourceAccountId", message, "CONTRADICTION")
        holder = body.sourceCustomerId
        if holder and account.source_customer_ids and holder not in account.source_customer_ids:
            message = "This customer is not among the account's sourceCustomerIds."
            item.wrong(f"{place}/sourceCustomerId", message, "NOT_A_HOLDER")
        if not holder or not body.last4:
            return
        key = self.ids.customer(holder), card_id(account_id, body.last4)
        old = self.after.cards.get(key)
        if not item.is_creation and old is None:
            require(item, place, body, OF_CARD.needed)
        if key in change.cards:
            message = "This card occurs earlier on the same account."
            item.wrong(f"{place}/last4", message, "DUPLICATE")
        new = Card._make((account_id, *OF_CARD.merged(item, body, old)))
        check_order(item, new, f"{place}/closeDate")
        change.cards[key] = new

    # --- Taking in --------------------------------------------------------------------------------

    def store_change(self, item: Item, customer_id: str, change: Change) -> None:
        """Take in accounts and cards; a customer who is no holder any more loses both."""
        after = self.after
        is_changed = False
        for account_id, (account, holders) in change.accounts.items():
            had = after.holders.get(account_id, frozenset())
            if after.accounts.get(account_id) == account and had == holders:
                continue
            is_changed = True
            after.accounts[account_id], after.holders[account_id] = account, holders
            if gone := had - holders:
                for key, card in list(after.cards.items()):
                    if card.account_id == account_id and key[0] in gone:
                        del after.cards[key]
        for key, card in change.cards.items():
            if after.cards.get(key) != card:
                is_changed = True
                after.cards[key] = card
        if is_changed and item.outcome == Outcome.UNCHANGED:
            item.outcome = Outcome.UPDATED
        if item.outcome != Outcome.UNCHANGED and customer_id in self.before.customers:
            self.updated.add(customer_id)


def require(item: Item, place: str, body: Wire, members: Sequence[str]) -> None:
    """What is new must come with all of these members; a wrong one is there."""
    for member in members:
        where = f"{item.at}{place}/{member}/"
        is_wrong = any(problem.path.startswith(where) for problem in item.problems)
        if member not in body.model_fields_set and not is_wrong:
            item.wrong(f"{place}/{member}", "This is required.", "REQUIRED")


def check_account(item: Item, account: Account, place: str) -> None:
    """The rules between an account's members; what could not be read breaks none."""
    holders = account.source_customer_ids
    if holders and item.source_customer_id and item.source_customer_id not in holders:
        message = "The customer that the account is sent under has to be among its holders."
        item.wrong(f"{place}/sourceCustomerIds", message, "NOT_A_HOLDER")
    primary = account.primary_source_customer_id
    if holders and primary and primary not in holders:
        message = "This has to be one of sourceCustomerIds."
        item.wrong(f"{place}/primarySourceCustomerId", message, "NOT_A_HOLDER")
    if account.status == models.Account.Status.CLOSED and account.close_date is None:
        message = "This is required when the status is CLOSED."
        item.wrong(f"{place}/accountCloseDate", message, "REQUIRED")
    elif account.status == models.Account.Status.OPEN and account.close_date is not None:
        message = "This must be null when the status is OPEN."
        item.wrong(f"{place}/accountCloseDate", message, "CONTRADICTION")
    check_order(item, account, f"{place}/accountCloseDate")


def check_order(item: Item, row: Account | Card, place: str) -> None:
    """Nothing is closed before it is opened."""
    if is_earlier(row.close_date, row.open_date):
        item.wrong(place, "This is before the day of opening.", "INVALID_RANGE")


def is_earlier(end: datetime | None, start: datetime | None) -> bool:
    """Whether something ends on a day before that on which it starts, each day as it was written.

    Feeds know the time of one and of the other the day alone. A moment that was stored before has
    the day that it had in UTC.
    """
    return end is not None and start is not None and end.date() < start.date()

"""The items of a request, read one by one, and what the rules need to see for them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from config.api.bodies import Submission
from config.api.card_numbers import CARD_NUMBER
from config.api.errors import Problem
from ingest.batch import profiles
from ingest.batch.snapshot import Ids, Needed
from ingest.models import BulkItem, BulkRequest
from ingest.wire import schema
from ingest.wire.profile import ProfileValues
from ingest.wire.row import RowValues
from ingest.wire.schema import AccountBody, CardBody, CustomerBody

Action = BulkRequest.Action
# The list that a body has, by what it asks for.
LISTS = {
    Action.CREATE_CUSTOMERS: "customers",
    Action.UPDATE_CUSTOMERS: "customers",
    Action.UPDATE_ACCOUNTS: "accounts",
    Action.UPDATE_CARDS: "cards",
}
NUL_SHOWN = "\N{SYMBOL FOR NULL}"


@dataclass(slots=True)
class Item:
    """One item: where it stands, what it says, and its outcome.

    `at` is the JSON Pointer of the item; of the three bodies the one is there that the action calls
    for, as far as it could be read; a row of a table has none. `source_account_id` is the one that
    the path names. With problems an item is not stored.
    """

    index: int
    at: str
    is_creation: bool = False
    source_customer_id: str = ""
    source_account_id: str = ""
    customer: CustomerBody | None = None
    account: AccountBody | None = None
    card: CardBody | None = None
    profile: Submission[ProfileValues] | None = None
    row: Submission[RowValues] | None = None
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)
    outcome: str = BulkItem.Outcome.FAILED
    customer_id: str | None = None

    def wrong(self, place: str, message: str, code: str) -> None:
        """Note a wrong place below the item, unless it is known to be wrong already."""
        where = self.at + place
        if not any(problem.path == where for problem in self.problems):
            self.problems.append(Problem(where, message, code))

    @property
    def is_stored(self) -> bool:
        """Whether it is to be stored."""
        return self.outcome != BulkItem.Outcome.FAILED

    @property
    def accounts(self) -> list[AccountBody]:
        """The accounts that it is about."""
        if self.customer is not None:
            return self.customer.accounts
        return [self.account] if self.account is not None else []

    def sent_cards(self) -> Iterator[tuple[str, list[CardBody]]]:
        """The cards that it sends for each of its accounts, by the source id of the account."""
        for account in self.accounts:
            yield account.sourceAccountId, account.cards
        if self.card is not None:
            yield self.source_account_id, [self.card]


def read_items(
    action: str,
    entries: Sequence[object],
    *,
    source_customer_id: str = "",
    source_account_id: str = "",
    refused: Iterable[str] = (),
) -> list[Item]:
    """The items of a body's list; `refused` are pointers to card numbers that were taken out."""
    name = LISTS[Action(action)]
    places = [pointer.split("/") for pointer in refused]
    by_index: dict[str, list[str]] = {}
    for steps in places:
        by_index.setdefault(steps[2], []).append("/".join(steps))
    items = []
    seen: set[object] = set()
    for index, raw in enumerate(entries):
        item = Item(index, f"/{name}/{index}", action == Action.CREATE_CUSTOMERS)
        item.source_customer_id = source_customer_id
        item.source_account_id = source_account_id
        read_item(item, action, raw)
        for pointer in by_index.get(str(index), ()):
            item.problems = [each for each in item.problems if each.path != pointer]
            item.problems.append(Problem(pointer, *CARD_NUMBER))
        refuse_second(item, seen)
        items.append(item)
    return items


def read_item(item: Item, action: str, raw: object) -> None:
    """Read one item's body."""
    at = item.at
    if not isinstance(raw, dict):
        item.wrong("", "This must be a JSON object.", "INVALID_TYPE")
        return
    if action == Action.UPDATE_ACCOUNTS:
        item.account, item.problems = schema.read(schema.AccountUpdate, schema.AccountRest, raw, at)
    elif action == Action.UPDATE_CARDS:
        item.card, item.problems = schema.read(schema.CardUpdate, schema.CardRest, raw, at)
    else:
        model = CustomerBody if item.is_creation else schema.CustomerUpdate
        item.customer, item.problems = schema.read(model, schema.CustomerRest, raw, at)
        take_customer(item)


def take_customer(item: Item) -> None:
    """What else is known once the customer is read."""
    if item.customer is not None:
        item.source_customer_id = item.customer.sourceCustomerId or ""
        item.profile = profiles.read(item.customer)


def read_line(item: Item, line: bytes) -> bool:
    """Read a customer to create from JSON at once; False when anything is wrong with it."""
    try:
        item.customer = CustomerBody.model_validate_json(line)
    except ValidationError:
        return False
    take_customer(item)
    return True


def refuse_second(item: Item, seen: set[object]) -> None:
    """The same customer, account or card twice in one body: the second is wrong."""
    key: object = None
    place = ""
    if item.customer is not None:
        key, place = item.customer.sourceCustomerId, "/sourceCustomerId"
    elif item.account is not None:
        key, place = item.account.sourceAccountId, "/sourceAccountId"
    elif item.card is not None:
        card = item.card
        key = (card.sourceCustomerId, card.last4) if card.sourceCustomerId and card.last4 else None
        place = "/last4"
    if key is not None and key in seen:
        item.wrong(place, "This occurs earlier in the same body.", "DUPLICATE")
    seen.add(key)


def as_errors(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Problems as a ledger has them. A NUL, which PostgreSQL cannot keep, is shown as a symbol."""
    return [
        {
            "pointer": each.path.replace("\0", NUL_SHOWN),
            "code": each.code,
            "message": each.message.replace("\0", NUL_SHOWN),
        }
        for each in problems
    ]


def ordered(findings: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Errors or notices with their members in the documented order, which jsonb does not keep."""
    return [
        {member: finding[member] for member in ("pointer", "code", "message")}
        for finding in findings
    ]


def rows_needed(ids: Ids, items: Iterable[Item]) -> Needed:
    """The rows that the rules have to see for these items."""
    # Source ids first, for many of them are the same.
    customers: set[str | None] = set()
    accounts: set[str | None] = set()
    holders: set[str | None] = set()
    parents: set[str | None] = set()
    for item in items:
        customers.add(item.source_customer_id)
        accounts.add(item.source_account_id)
        if item.customer is not None:
            parents.add(item.customer.sourceParentCustomerId)
        for account in item.accounts:
            accounts.add(account.sourceAccountId)
            holders.update(account.sourceCustomerIds or ())
            holders.update(card.sourceCustomerId for card in account.cards)
        if item.card is not None:
            holders.add(item.card.sourceCustomerId)

    return Needed(
        customers={ids.customer(each) for each in customers if each},
        accounts={ids.account(each) for each in accounts if each},
        holders={ids.customer(each) for each in holders if each},
        parents={ids.customer(each) for each in parents if each},
    )
